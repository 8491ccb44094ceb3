"""Two spaces into one: blocks are centred, weighted and laid side by side, so that dot products add up.

With blocks of length 1 and weights w and 1 - w, the dot product of a picture and a text is the weighted mean of
their cosines in both spaces. Subtracting what all pictures share, and what all texts share, makes the cosine of a
query with a picture that does not fit lie near zero whatever the query (Mu and Viswanath 2018, "All-but-the-Top").

Shapes: N rows; E = 384 of ConSE; D of the head; F = E + D of the fused vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hippocam.models.pictures import unit_rows
from hippocam.stream.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """The fixed numbers of the fusion, all from the training photographs and captions.

    Attributes:
        conse_weight: Share w of ConSE in the fused cosine, 0 to 1.
        conse_image_mean_E: float32 [E], mean of ConSE's pictures before they are scaled to length 1.
        conse_text_mean_E: float32 [E], mean of the texts.
        head_image_mean_D: float32 [D], mean of the head's pictures.
        head_text_mean_D: float32 [D], mean of the head's texts.
    """

    conse_weight: float
    conse_image_mean_E: FloatArray
    conse_text_mean_E: FloatArray
    head_image_mean_D: FloatArray
    head_text_mean_D: FloatArray

    def images(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give fused vectors of N pictures, float32 [N, F], each of length 1."""
        return self._join(conse_NE - self.conse_image_mean_E, head_ND - self.head_image_mean_D)

    def texts(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give fused vectors of N texts, float32 [N, F], each of length 1."""
        return self._join(conse_NE - self.conse_text_mean_E, head_ND - self.head_text_mean_D)

    def _join(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        left, right = np.sqrt(self.conse_weight), np.sqrt(1 - self.conse_weight)
        return np.concatenate([left * unit_rows(conse_NE), right * unit_rows(head_ND)], axis=1, dtype=np.float32)
