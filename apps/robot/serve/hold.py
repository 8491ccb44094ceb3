"""What a robot does while the policy that chooses for it does not answer: it stays where it was going to."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["absolute", "relative"]


class Hold:
    """Chunks of actions that move nothing, shaped as those that were chosen.

    Args:
        kind: What actions are. "absolute": positions, of which the last of the newest chunk is repeated, where the
            robot is or soon arrives; "relative": changes and velocities, which become 0.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._last: NDArray[Any] | None = None

    def chose(self, actions: object) -> None:
        """Take a chunk that was chosen, [H, A]; what is none is passed over."""
        if isinstance(actions, np.ndarray) and actions.ndim >= 1 and actions.size and actions.dtype.kind in "fiu":
            self._last = actions

    def chunk(self) -> NDArray[Any] | None:
        """A chunk that holds, [H, A]; None as long as none was chosen."""
        if self._last is None:
            return None
        if self._kind == "relative":
            return np.zeros_like(self._last)
        return np.repeat(self._last[-1:], len(self._last), axis=0)
