"""Outlines of vectors: what comes back is what is claimed, whatever else is read beside it."""

import numpy as np
import pytest

from hippocam.memory.codec import (
    Outline,
    holds_outline,
    outline_of,
    outline_path,
    pack,
    read_outline,
    signs,
    unpack,
    unpack_many,
    write_outline,
)
from hippocam.memory.training.outline import learn_outline

SHIPPED = outline_of("bundled:3", 385)
assert SHIPPED is not None


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def in_few_directions(count, dim=96, leading=40, seed=0):
    """Unit vectors that differ most in the first of their numbers."""
    spread = np.where(np.arange(dim) < leading, 1.0, 0.15)
    return unit(np.random.default_rng(seed).normal(size=(count, dim)) * spread)


def test_what_ships_takes_twenty_bytes_and_comes_back_as_it_was_packed():
    vector = unit(np.random.default_rng(0).normal(size=385))
    blob = SHIPPED.pack(vector)
    assert len(blob) == SHIPPED.packed_bytes == 20
    assert holds_outline(blob)
    back = unpack(blob)
    np.testing.assert_array_equal(back, SHIPPED.of(vector))
    assert SHIPPED.pack(back) == blob  # an outline of an outline is the same


def test_a_row_is_the_same_to_the_last_bit_whatever_is_read_with_it():
    rng = np.random.default_rng(1)
    rows = unit(rng.normal(size=(300, 385)))
    kinds = (pack, lambda row: pack(signs(row)), SHIPPED.pack)
    blobs = [kinds[k % 3](row) for k, row in enumerate(rows)]
    together = unpack_many(blobs)
    assert together.dtype == np.float32
    for blob, row in zip(blobs, together, strict=True):
        np.testing.assert_array_equal(unpack(blob), row)


def test_no_scale_is_taken_for_an_outline_and_an_unknown_one_spoils_its_own_vector_alone():
    vector = unit(np.random.default_rng(2).normal(size=385))
    for blob in (pack(vector), pack(signs(vector))):
        assert not holds_outline(blob)
    unknown = bytearray(SHIPPED.pack(vector))
    unknown[0] ^= 1
    assert not holds_outline(bytes(unknown))
    of_its_own = Outline(number=5, directions_KD=np.zeros((16, 16), np.int8), size=1.0, error=0.1)
    blobs = [pack(unit(np.ones(18))), pack(unit(np.arange(18.0)))]
    damaged = np.asarray(0xFFF00000 | of_its_own.number, "<u4").tobytes() + bytes(18)
    rows = unpack_many([*blobs, damaged])
    assert np.isfinite(rows[:2]).all()
    assert np.isnan(rows[2]).all()


def test_cosines_with_an_outline_are_right_on_average_and_err_as_much_as_is_said():
    outline = learn_outline(in_few_directions(6000), directions=64)
    stored = in_few_directions(3000, seed=1)
    asked = unit(0.7 * stored + 0.7 * in_few_directions(3000, seed=2))
    true = np.einsum("nd,nd->n", asked, stored)
    told = np.array([row @ outline.of(kept) for row, kept in zip(asked, stored, strict=True)])
    assert abs((told - true).mean()) < 0.03
    others = np.einsum("nd,nd->n", np.roll(asked, 1, axis=0), np.stack([outline.of(row) for row in stored]))
    errors = others - np.einsum("nd,nd->n", np.roll(asked, 1, axis=0), stored)
    assert errors.std() == pytest.approx(outline.error, rel=0.15)


def test_directions_that_were_learned_find_more_than_any_others_of_as_many():
    held, noise = in_few_directions(1500, seed=3), in_few_directions(1500, seed=4)
    asked = unit(held + 0.8 * noise)
    learned = learn_outline(in_few_directions(4000), directions=32)
    plain = learn_outline(unit(np.random.default_rng(5).normal(size=(4000, 96))), directions=32)

    def found(outline):
        rows = np.stack([outline.of(row) for row in held])
        return ((asked @ rows.T).argmax(axis=1) == np.arange(len(held))).mean()

    assert found(learned) > found(plain) + 0.1


def test_a_training_that_is_run_again_gives_the_same_file(tmp_path):
    vectors = in_few_directions(800)
    for name in ("one", "other"):
        write_outline(tmp_path / name, learn_outline(vectors, directions=24, seed=3))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    back = read_outline(tmp_path / "one")
    assert back.number == learn_outline(vectors, directions=24, seed=3).number
    assert back.number != learn_outline(vectors, directions=24, seed=4).number


def test_as_many_directions_as_fill_bytes_and_vectors_tell():
    for directions, count in ((20, 100), (0, 100), (104, 100), (64, 40)):
        with pytest.raises(ValueError, match="directions must be divisible by 8"):
            learn_outline(in_few_directions(count), directions=directions)


def test_another_dimension_or_another_encoder_has_none():
    assert outline_of("bundled:3", 384) is None
    assert outline_of("clip:ViT-B-32", 512) is None
    assert outline_path("Bundled:3").is_file()
