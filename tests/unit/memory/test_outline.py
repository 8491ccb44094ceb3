"""Outlines of vectors: what comes back is what is claimed, whatever else is read beside it."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hippocam.memory.codec import (
    holds_outline,
    outline_of,
    outline_path,
    outlined,
    pack,
    pack_outline,
    packed_bytes,
    read_outline,
    signs,
    unpack,
    unpack_many,
    write_outline,
)
from hippocam.memory.training.outline import learn_outline

SHIPPED = outline_of("bundled:3", 385)
assert SHIPPED is not None
ASSETS = outline_path("bundled:3").parent
FIRST = read_outline(ASSETS / "outline-bundled-3.safetensors")  # what version 0.2 wrote with


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def in_few_directions(count, dim=48, leading=16, seed=0):
    """Unit vectors that differ most in the first of their numbers."""
    spread = np.where(np.arange(dim) < leading, 1.0, 0.15)
    return unit(np.random.default_rng(seed).normal(size=(count, dim)) * spread)


@cache
def learned(seed=0):
    return learn_outline(in_few_directions(1500), tables=4, directions=24, seed=seed)


def by_hand(outline, blob):
    """The sum that a blob names, of the length that it comes back with."""
    rows = [table[word].astype(int) for table, word in zip(outline.tables_MWK, blob[4:], strict=True)]
    total = sum(rows) @ outline.directions_KD.astype(int)
    return outline.size * total / np.linalg.norm(total)


def test_what_ships_takes_twenty_bytes_and_comes_back_as_the_sum_that_it_names():
    vector = unit(np.random.default_rng(0).normal(size=385))
    blob = pack_outline(SHIPPED, vector)
    assert len(blob) == packed_bytes(SHIPPED) == 20
    assert holds_outline(blob)
    back = unpack(blob)
    np.testing.assert_array_equal(back, outlined(SHIPPED, vector))
    np.testing.assert_allclose(back, by_hand(SHIPPED, blob), atol=1e-6)
    assert pack_outline(SHIPPED, 3 * vector) == blob  # whatever the length, as that of what was left of a vector


def test_of_the_sums_no_other_that_differs_in_one_word_is_nearer_than_a_little():
    outline = learned()
    for vector in in_few_directions(20, seed=9):
        blob = pack_outline(outline, vector)
        own = by_hand(outline, blob) @ vector
        for table in range(4):
            others = [blob[: 4 + table] + bytes([word]) + blob[5 + table :] for word in range(256)]
            assert max(by_hand(outline, other) @ vector for other in others) < own + 0.1


def test_what_version_0_2_wrote_is_read_as_it_was():
    vector = unit(np.random.default_rng(4).normal(size=385))
    blob = pack_outline(FIRST, vector)
    assert len(blob) == 20
    assert holds_outline(blob)
    kept = np.unpackbits(np.frombuffer(blob[4:], np.uint8)) > 0
    np.testing.assert_array_equal(kept, FIRST.directions_KD.astype(np.float32) @ vector > 0)
    signed = np.where(kept, FIRST.size, -FIRST.size) @ FIRST.directions_KD.astype(float)
    np.testing.assert_allclose(unpack(blob), signed, atol=1e-5)


def test_a_row_is_the_same_to_the_last_bit_whatever_is_read_with_it():
    rng = np.random.default_rng(1)
    rows = unit(rng.normal(size=(120, 385)))
    kinds = (
        pack,
        lambda row: pack(signs(row)),
        lambda row: pack_outline(SHIPPED, row),
        lambda row: pack_outline(FIRST, row),
    )
    blobs = [kinds[k % 4](row) for k, row in enumerate(rows)]
    together = unpack_many(blobs)
    assert together.dtype == np.float32
    for blob, row in zip(blobs, together, strict=True):
        np.testing.assert_array_equal(unpack(blob), row)


def test_no_scale_is_taken_for_an_outline_and_an_unknown_one_spoils_its_own_vector_alone():
    vector = unit(np.random.default_rng(2).normal(size=385))
    for blob in (pack(vector), pack(signs(vector))):
        assert not holds_outline(blob)
    unknown = bytearray(pack_outline(SHIPPED, vector))
    unknown[0] ^= 1
    assert not holds_outline(bytes(unknown))
    blobs = [pack(unit(np.ones(18))), pack(unit(np.arange(18.0)))]
    damaged = np.asarray(0xFFF00000 | 5, "<u4").tobytes() + bytes(18)
    rows = unpack_many([*blobs, damaged])
    assert np.isfinite(rows[:2]).all()
    assert np.isnan(rows[2]).all()


def test_cosines_with_an_outline_are_right_on_average_and_err_as_much_as_is_said():
    outline = learned()
    stored = in_few_directions(600, seed=1)
    asked = unit(0.7 * stored + 0.7 * in_few_directions(600, seed=2))
    kept = np.stack([outlined(outline, row) for row in stored])
    assert abs((np.einsum("nd,nd->n", asked, kept) - np.einsum("nd,nd->n", asked, stored)).mean()) < 0.06
    others = np.roll(asked, 1, axis=0)
    errors = np.einsum("nd,nd->n", others, kept) - np.einsum("nd,nd->n", others, stored)
    assert errors.std() == pytest.approx(outline.error, rel=0.4)  # that was measured on what it learned from


def test_what_was_learned_finds_more_than_what_was_learned_of_other_vectors():
    held, noise = in_few_directions(600, seed=3), in_few_directions(600, seed=4)
    asked = unit(held + 0.6 * noise)
    plain = learn_outline(unit(np.random.default_rng(5).normal(size=(1500, 48))), tables=4, directions=24)

    def found(outline):
        rows = np.stack([outlined(outline, row) for row in held])
        return ((asked @ rows.T).argmax(axis=1) == np.arange(len(held))).mean()

    assert found(learned()) > found(plain) + 0.1


def test_a_training_that_is_run_again_gives_the_same_file_which_is_read_as_it_was_written(tmp_path):
    again = learn_outline(in_few_directions(1500), tables=4, directions=24)
    for name, outline in (("one", learned()), ("other", again)):
        write_outline(tmp_path / name, outline)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    back = read_outline(Path(tmp_path / "one"))
    assert back.number == learned().number != learned(seed=1).number
    np.testing.assert_array_equal(back.tables_MWK, learned().tables_MWK)
    np.testing.assert_array_equal(back.directions_KD, learned().directions_KD)


def test_too_few_vectors_or_too_many_directions_are_refused():
    for directions, count in ((49, 300), (0, 300), (24, 255)):
        with pytest.raises(ValueError, match="needs 256 vectors"):
            learn_outline(in_few_directions(count), directions=directions)


def test_another_dimension_or_another_encoder_has_none():
    assert outline_of("bundled:3", 384) is None
    assert outline_of("clip:ViT-B-32", 512) is None
    assert outline_path("Bundled:3").is_file()
