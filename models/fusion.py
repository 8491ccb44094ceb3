"""Two spaces into one: blocks are centred, weighted and laid side by side, so that dot products add up.

With blocks of length 1 and weights w and 1 - w, the dot product of a picture and a text is the weighted mean of
their cosines in both spaces. Subtracting what all pictures share, and what all texts share, makes the cosine of a
query with a picture that does not fit lie near zero whatever the query (Mu and Viswanath 2018, "All-but-the-Top").

Some pictures are near to every text: hubs. How near a picture is to a fixed bank of captions says how much of one
it is (Bogolin et al. 2022, "Cross Modal Retrieval with Querybank Normalisation"). One more number in each vector,
the same in every text, takes that off the dot product.

Shapes: N rows; E = 384 of ConSE; D of the head; J = E + D; F = J + 1 of the fused vector; Q captions of the bank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hippocam.models.pictures import unit_rows
from hippocam.stream.records import FloatArray

CALL = 0.5  # the number in every text's vector that calls for a picture's own
_TEMPERATURE, _STRENGTH, _MOST = 0.05, 0.7, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """The fixed numbers of the fusion, all from photographs and captions that are not tested on.

    Attributes:
        conse_weight: Share w of ConSE in the fused cosine, 0 to 1.
        crowd: How near to the bank a picture usually is, see `nearness`.
        conse_image_mean_E: float32 [E], mean of ConSE's pictures before they are scaled to length 1.
        conse_text_mean_E: float32 [E], mean of the texts.
        head_image_mean_D: float32 [D], mean of the head's pictures.
        head_text_mean_D: float32 [D], mean of the head's texts.
        bank_QJ: float32 [Q, J], captions as `join_texts` gives them.
    """

    conse_weight: float
    crowd: float
    conse_image_mean_E: FloatArray
    conse_text_mean_E: FloatArray
    head_image_mean_D: FloatArray
    head_text_mean_D: FloatArray
    bank_QJ: FloatArray

    def images(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give fused vectors of N pictures, float32 [N, F], each of length 1."""
        joined_NJ = self.join_images(conse_NE, head_ND)
        excess_N = np.clip(_STRENGTH * (self.nearness(joined_NJ) - self.crowd), -_MOST, _MOST)
        return _append(joined_NJ, -excess_N * np.sqrt(1 - CALL**2) / CALL)

    def texts(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give fused vectors of N texts, float32 [N, F], each of length 1."""
        return _append(self.join_texts(conse_NE, head_ND), np.full(len(conse_NE), CALL))

    def join_images(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give both blocks of N pictures, float32 [N, J], each row of length 1."""
        return self._join(conse_NE - self.conse_image_mean_E, head_ND - self.head_image_mean_D)

    def join_texts(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        """Give both blocks of N texts, float32 [N, J], each row of length 1."""
        return self._join(conse_NE - self.conse_text_mean_E, head_ND - self.head_text_mean_D)

    def nearness(self, joined_NJ: FloatArray) -> FloatArray:
        """Give how near pictures are to the bank, float32 [N]: a soft maximum of cosines with its captions."""
        near_N = np.zeros(len(joined_NJ), np.float32)
        for row, joined_J in enumerate(joined_NJ):  # by rows: a product of matrices rounds by its size
            near_N[row] = _TEMPERATURE * np.log(np.exp(self.bank_QJ @ joined_J / _TEMPERATURE).mean())
        return near_N

    def _join(self, conse_NE: FloatArray, head_ND: FloatArray) -> FloatArray:
        left, right = np.sqrt(self.conse_weight), np.sqrt(1 - self.conse_weight)
        return np.concatenate([left * unit_rows(conse_NE), right * unit_rows(head_ND)], axis=1, dtype=np.float32)


def _append(joined_NJ: FloatArray, last_N: FloatArray) -> FloatArray:
    """Put one more number behind each row and shorten the row for it, so that its length stays 1."""
    last_N1 = last_N[:, None]
    return np.concatenate([joined_NJ * np.sqrt(1 - last_N1**2), last_N1], axis=1, dtype=np.float32)
