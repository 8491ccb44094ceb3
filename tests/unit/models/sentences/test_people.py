"""A man, a woman or a child is told by how near a portrait comes to the words; between them nothing is said."""

import numpy as np
import pytest

from hippocam.models.sentences.people import kinds_of

# "a man", "a woman", "a child", "a boy", "a girl" at right angles.
TEXTS_5D = np.eye(6, dtype=np.float32)[:5]


def portrait(man=0.0, woman=0.0, child=0.0, boy=0.0, girl=0.0):
    cosines = np.array([man, woman, child, boy, girl])
    return [*cosines, np.sqrt(1 - cosines @ cosines)]


@pytest.mark.parametrize(
    ("cosines", "kind"),
    [
        ({"man": 0.3, "woman": 0.1}, "man"),
        ({"man": 0.1, "woman": 0.3}, "woman"),
        ({"man": 0.2, "woman": 0.25}, ""),
        ({"man": 0.3, "woman": 0.1, "child": 0.38}, ""),  # grown up or not
        ({"man": 0.1, "child": 0.4, "boy": 0.3, "girl": 0.28}, "child"),
        ({"man": 0.1, "child": 0.2, "boy": 0.4, "girl": 0.2}, "boy"),
        ({"woman": 0.1, "child": 0.2, "girl": 0.4}, "girl"),
    ],
)
def test_the_nearest_by_far_is_told(cosines, kind):
    assert kinds_of(np.array([portrait(**cosines)], np.float32) * 3, TEXTS_5D) == [kind]  # of any length


def test_each_portrait_is_told_by_itself():
    both = np.array([portrait(man=0.3), portrait(woman=0.3)], np.float32)
    assert kinds_of(both, 2 * TEXTS_5D) == ["man", "woman"]
