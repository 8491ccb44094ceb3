"""The area under the ROC curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def auc(worthy: ArrayLike, others: ArrayLike) -> float:
    """Chance that one of the first scores above one of the second; equal ones count half."""
    ordered = np.sort(np.asarray(others))
    below, up_to = (np.searchsorted(ordered, np.asarray(worthy), side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / max(len(ordered), 1))
