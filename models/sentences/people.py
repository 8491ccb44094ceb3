"""Whether somebody is a man, a woman or a child, by the portrait of a visit.

The detector knows a person. Beside whole pictures the encoder tells a man from a woman badly, in a person's own
picture well: of 95 photographs of one man or one woman each (the test part of Flickr8k) with an area of .90
under the ROC curve, children from the grown-ups among 225 with .98, girls from boys with .97; with people made
40 pixels high .77, .94 and .86. The thresholds were set there: 2 of 72 men are taken for women, 2 of 23 women
for men, 1 of 95 grown-ups for a child, 9 of 130 children for grown-ups, and of a third nothing is said.

Shapes: N portraits, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hippocam.models.pictures import unit_rows
from hippocam.stream.records import FloatArray

# The encoder that this was measured with.
MEASURED_WITH = "bundled:3"
MAN, WOMAN, CHILD, BOY, GIRL = "man", "woman", "child", "boy", "girl"
TEXTS = ("a man", "a woman", "a child", "a boy", "a girl")
# What the portrait of a visit shows, by its stream and id.
Kinds = Mapping[tuple[str, int], str]
# How much nearer a portrait must come to one text than to the other, in cosines of the default encoder.
_WOMAN_FROM, _MAN_FROM, _CHILD_FROM, _GROWN_TO, _GIRL_FROM = 0.12, 0.1, 0.12, 0.04, 0.06


def kinds_of(portraits_ND: FloatArray, texts_5D: FloatArray) -> list[str]:
    """What each portrait shows; "" where that cannot be told.

    Args:
        portraits_ND: float32 [N, D], portraits of people.
        texts_5D: float32 [5, D], "a man", "a woman", "a child", "a boy", "a girl" in the encoder's space.
    """
    cosines_N5 = unit_rows(portraits_ND) @ unit_rows(texts_5D).T
    man_N, woman_N, child_N, boy_N, girl_N = cosines_N5.T
    young_N = np.max([child_N, boy_N, girl_N], axis=0) - np.maximum(man_N, woman_N)
    female_N, girlish_N = woman_N - man_N, girl_N - boy_N
    kinds = list[str]()
    for young, female, girlish in zip(young_N, female_N, girlish_N, strict=True):
        if young >= _CHILD_FROM:
            kinds.append(GIRL if girlish >= _GIRL_FROM else BOY if girlish <= -_GIRL_FROM else CHILD)
        elif young > _GROWN_TO:
            kinds.append("")
        else:
            kinds.append(WOMAN if female >= _WOMAN_FROM else MAN if female <= -_MAN_FROM else "")
    return kinds
