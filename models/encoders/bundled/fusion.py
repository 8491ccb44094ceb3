"""Two guesses at a picture's sentence into one vector: ConSE's and the head's, centred, weighted and added.

Both lie in the space of MiniLM's sentences, so no number is kept twice. What all pictures share and what all
sentences share is subtracted, so that the cosine of a query with a picture that does not fit is near zero whatever
the query (Mu and Viswanath 2018, "All-but-the-Top").

Some pictures are near to every text: hubs. How near a picture is to a fixed bank of captions says how much of a
hub it is (Bogolin et al. 2022, "Cross Modal Retrieval with Querybank Normalisation"). One more number in each
vector, the same in every text, subtracts that from the dot product.

Shapes: N rows; E = 384; F = E + 1 of the fused vector; Q captions of the bank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hippocam.models.pictures import unit_rows
from hippocam.stream.records import FloatArray

CALL = 0.5  # the last number of every text's vector, which a picture's last number is multiplied with
_TEMPERATURE = 0.05
_STRENGTH = 0.7
_MOST = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusion:
    """The fixed numbers of the fusion, all from photographs and captions that are not tested on.

    Attributes:
        conse_weight: Share of ConSE in the sum, 0 to 1.
        crowd: How near to the bank a picture usually is, see `nearness`.
        text_mean_E: float32 [E], mean of the sentences.
        conse_mean_E: float32 [E], mean of ConSE's pictures before they are scaled to length 1.
        head_mean_E: float32 [E], mean of the head's pictures.
        bank_QE: float32 [Q, E], captions as `sentences` gives them.
    """

    conse_weight: float
    crowd: float
    text_mean_E: FloatArray
    conse_mean_E: FloatArray
    head_mean_E: FloatArray
    bank_QE: FloatArray

    def images(self, conse_NE: FloatArray, head_NE: FloatArray) -> FloatArray:
        """Give fused vectors of N pictures, float32 [N, F], each of length 1."""
        joined_NE = self.join(conse_NE, head_NE)
        excess_N = np.clip(_STRENGTH * (self.nearness(joined_NE) - self.crowd), -_MOST, _MOST)
        return _append(joined_NE, -excess_N * np.sqrt(1 - CALL**2) / CALL)

    def texts(self, sentences_NE: FloatArray) -> FloatArray:
        """Give vectors of N texts, float32 [N, F], each of length 1, from MiniLM's."""
        return _append(self.sentences(sentences_NE), np.full(len(sentences_NE), CALL))

    def join(self, conse_NE: FloatArray, head_NE: FloatArray) -> FloatArray:
        """Give N pictures in the space of sentences, float32 [N, E], each row of length 1."""
        conse_NE, head_NE = unit_rows(conse_NE - self.conse_mean_E), unit_rows(head_NE - self.head_mean_E)
        return unit_rows(self.conse_weight * conse_NE + (1 - self.conse_weight) * head_NE)

    def sentences(self, sentences_NE: FloatArray) -> FloatArray:
        """Give N sentences about their mean, float32 [N, E], each row of length 1."""
        return unit_rows(sentences_NE - self.text_mean_E)

    def nearness(self, joined_NE: FloatArray) -> FloatArray:
        """Give how near pictures are to the bank, float32 [N]: a soft maximum of cosines with its captions."""
        near_N = np.zeros(len(joined_NE), np.float32)
        for row, joined_E in enumerate(joined_NE):  # by rows: a product of matrices rounds by its size
            near_N[row] = _TEMPERATURE * np.log(np.exp(self.bank_QE @ joined_E / _TEMPERATURE).mean())
        return near_N


def _append(rows_NE: FloatArray, last_N: FloatArray) -> FloatArray:
    """Append a number to each row and shorten the row for it, so that its length stays 1."""
    last_N1 = last_N[:, None]
    return np.concatenate([rows_NE * np.sqrt(1 - last_N1**2), last_N1], axis=1, dtype=np.float32)
