"""Key and scene of an entry into one vector: what a question is compared with, or all that is left of both.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import numpy as np

from hippocam.stream.records import FloatArray

# Cosine of an entry's key with its scene from which one vector stands for both once they are reduced: then it is
# within a cosine of .66 of the key and .94 of the scene.
_ONE_FROM = 0.5
# How much what is new counts beyond the rest at most.
KEY_WEIGHT = 1.0
# Power of the share that was known by which it does. Of sentences most is new (n about .8) and stressing it takes
# out what they are about, of a still room little is (n about .3) and it would be drowned: squared, neither loses.
_KNOWN_POWER = 2
# Length above which a vector was reduced to its signs: others have length 1, but for rounding, or a little more
# where only an outline is left.
_SIGNS_FROM = 1.1


def stressed(keys_ND: FloatArray, scenes_ND: FloatArray, key_weight: float) -> FloatArray:
    """The scenes of entries with what is new in them stressed.

    An event's scene is s = known + n k, with k its key, which is at right angles to what was known, and n = s . k.
    The row is s + key_weight (1 - n^2)^2 n k, scaled to length 1: what is new is stressed, the more so the more
    was known. Where nothing or all is new, it is the scene. The row of an entry that keeps only the signs of its
    vectors is scaled so that its inner products stay without bias. That of an outline has length 1, too: it is the
    mean of what it may have been, so its inner products with others have no bias, and with what it was the less.

    Args:
        keys_ND: float32 [N, D].
        scenes_ND: float32 [N, D].
        key_weight: How much what is new counts beyond the rest at most, 0 or more; see RecallConfig.

    Returns:
        float32 [N, D]; each row of length 1, or of the length of its scene where that was reduced to its signs.
    """
    new_N1 = np.einsum("nd,nd->n", keys_ND, scenes_ND)[:, None]
    size_N1 = np.linalg.norm(scenes_ND, axis=1, keepdims=True)
    size_N1 = np.where(size_N1 > _SIGNS_FROM, size_N1, 1.0)
    new_N1 /= size_N1**2
    known_N1 = np.maximum(1 - new_N1**2, 0) ** _KNOWN_POWER
    rows_ND = scenes_ND + np.float32(key_weight) * known_N1 * new_N1 * keys_ND
    rows_ND *= size_N1 / np.maximum(np.linalg.norm(rows_ND, axis=1, keepdims=True), 1e-9)
    rows: FloatArray = rows_ND.astype(np.float32)
    return rows


def in_one(key_D: FloatArray, scene_D: FloatArray, *, as_searched: bool) -> FloatArray:
    """The one vector that is left of an entry's two.

    Args:
        key_D: float32 [D], of any length above 0.
        scene_D: float32 [D], likewise.
        as_searched: Whether it is what a question is compared with while there are two. Else it is the scene with
            what is new in it twice, whatever was known: nearer to the key, by which later events are known again.

    Returns:
        float32 [D], of length 1.
    """
    key_D, scene_D = (row_D / np.float32(np.linalg.norm(row_D)) for row_D in (key_D, scene_D))
    if as_searched:
        row_D: FloatArray = stressed(key_D[None], scene_D[None], KEY_WEIGHT)[0]
        return row_D
    both_D = scene_D + (key_D @ scene_D) * key_D
    one_D: FloatArray = (both_D / np.linalg.norm(both_D)).astype(np.float32)
    return one_D


def to_reduce(
    key_D: FloatArray, scene_D: FloatArray, *, as_searched: bool, as_one: bool
) -> tuple[FloatArray, FloatArray]:
    """What is reduced in place of an entry's key and scene: one vector twice where they are nearly the same.

    Args:
        key_D: float32 [D], of any length.
        scene_D: float32 [D], likewise.
        as_searched: As in `in_one`.
        as_one: Whether one stands for both, however far they are apart.
    """
    cosine = float(key_D @ scene_D) / max(float(np.linalg.norm(key_D) * np.linalg.norm(scene_D)), 1e-9)
    if not as_one and cosine < _ONE_FROM:
        return key_D, scene_D
    one_D = in_one(key_D, scene_D, as_searched=as_searched)
    return one_D, one_D
