"""Outlines of vectors: what comes back is what is claimed, whatever else is read beside it."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from hippocam.memory.bank.codes import Outline, Signs, codes_of
from hippocam.memory.codec import (
    are_short,
    is_short,
    pack,
    read_tables,
    signs,
    tables_path,
    unpack,
    unpack_many,
)
from hippocam.memory.training.outline import learn_tables, write_tables

CODES = codes_of("bundled:3", 385)
ASSETS = tables_path("bundled:3").parent
# Numbers of what version 0.2 wrote with, and format 7.
SIGNED, SUMMED = 406343, 19795


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def in_few_directions(count, dim=48, leading=16, seed=0):
    """Unit vectors that differ most in the first of their numbers."""
    spread = np.where(np.arange(dim) < leading, 1.0, 0.15)
    return unit(np.random.default_rng(seed).normal(size=(count, dim)) * spread)


@cache
def learned(seed=0):
    return learn_tables(in_few_directions(1500), counts=(2, 4), directions=24, seed=seed)


def reduced(outline, rows):
    return np.stack([outline.reduced(row) for row in rows])


def by_hand(tables, blob):
    """The sum that a blob names, of length 1."""
    total = sum(table[word].astype(int) for table, word in zip(tables.tables_MWD, blob[4:], strict=False))
    return total / np.linalg.norm(total)


def older_blob(number, code):
    return np.asarray(0xFFF00000 | number, "<u4").tobytes() + bytes(code)


def test_what_ships_takes_32_bytes_or_16_beside_its_head_and_comes_back_as_the_sum_that_it_names():
    vector = unit(np.random.default_rng(0).normal(size=385))
    for outline, size, what in ((CODES.first, 36, "outline"), (CODES.short, 20, "short outline")):
        blob = outline.pack(vector)
        assert (len(blob), outline.size, outline.what) == (size, size, what)
        assert is_short(blob) == (size == 20)
        back = unpack(blob)
        np.testing.assert_array_equal(back, outline.reduced(vector))
        np.testing.assert_allclose(back, by_hand(outline.tables, blob), atol=1e-6)
        assert outline.pack(3 * vector) == blob  # whatever the length, as that of what was left of a vector


def test_of_the_sums_no_other_that_differs_in_one_word_is_nearer_than_a_little():
    outline = Outline(learned(), 4)
    for vector in in_few_directions(20, seed=9):
        blob = outline.pack(vector)
        own = by_hand(outline.tables, blob) @ vector
        for table in range(4):
            others = [blob[: 4 + table] + bytes([word]) + blob[5 + table :] for word in range(256)]
            assert max(by_hand(outline.tables, other) @ vector for other in others) < own + 0.1


def test_what_older_versions_wrote_is_read_as_it_was():
    code = np.random.default_rng(4).integers(0, 256, 16).astype(np.uint8)
    held = load_file(ASSETS / "outline-bundled-3.safetensors")
    along = np.where(np.unpackbits(code) > 0, 1.0, -1.0) @ held["directions"].astype(float)
    back = unpack(older_blob(SIGNED, code))
    np.testing.assert_allclose(unit(back), unit(along), atol=1e-6)
    assert np.linalg.norm(back) == pytest.approx(held["size_error"][0] * np.linalg.norm(along), rel=0.02)
    held = load_file(ASSETS / "sums-bundled-3.safetensors")
    words = sum(table[word].astype(int) for table, word in zip(held["tables"], code, strict=True))
    total = words @ held["directions"].astype(int)
    expected = held["numbers"][1] * total / np.linalg.norm(total)
    np.testing.assert_allclose(unpack(older_blob(SUMMED, code)), expected, atol=1e-6)
    assert are_short([older_blob(SIGNED, code), older_blob(SUMMED, code)]).all()


def test_a_row_is_the_same_to_the_last_bit_whatever_is_read_with_it():
    rng = np.random.default_rng(1)
    kinds = (
        pack,
        lambda row: pack(signs(row)),
        CODES.first.pack,
        CODES.short.pack,
        lambda row: older_blob(SIGNED, rng.bytes(16)),
        lambda row: older_blob(SUMMED, rng.bytes(16)),
    )
    blobs = [kinds[k % 6](row) for k, row in enumerate(unit(rng.normal(size=(120, 385))))]
    together = unpack_many(blobs)
    assert together.dtype == np.float32
    for blob, row in zip(blobs, together, strict=True):
        np.testing.assert_array_equal(unpack(blob), row)


def test_no_scale_is_taken_for_an_outline_and_an_unknown_one_spoils_its_own_vector_alone():
    vector = unit(np.random.default_rng(2).normal(size=385))
    for blob in (pack(vector), pack(signs(vector)), pack(vector[:16])):
        assert not is_short(blob)
    unknown = bytearray(CODES.short.pack(vector))
    unknown[0] ^= 1
    assert not is_short(bytes(unknown))
    blobs = [pack(unit(np.ones(18))), pack(unit(np.arange(18.0)))]
    damaged = np.asarray(0xFFF00000 | 5, "<u4").tobytes() + bytes(18)
    rows = unpack_many([*blobs, damaged])
    assert np.isfinite(rows[:2]).all()
    assert np.isnan(rows[2]).all()


def test_cosines_with_an_outline_are_right_on_average_and_err_as_much_as_is_said_of_what_it_learned_from():
    def errors(outline, stored):
        others = np.roll(stored, 1, axis=0)
        return np.einsum("nd,nd->n", others, reduced(outline, stored)) - np.einsum("nd,nd->n", others, stored)

    short, whole = (Outline(learned(), count) for count in (2, 4))
    for outline in (short, whole):
        assert abs(errors(outline, in_few_directions(600, seed=1)).mean()) < 0.01
        assert errors(outline, in_few_directions(1500)[:600]).std() == pytest.approx(outline.error, rel=0.2)
    assert whole.error < short.error


def test_beside_whole_vectors_outlines_are_found_as_often_as_these():
    """Signs are not, where all vectors have something in common: they lose that."""
    mean = unit(np.random.default_rng(6).normal(size=48))

    def like_sentences(count, seed):
        return unit(in_few_directions(count, seed=seed) + 0.7 * mean)

    tables = learn_tables(like_sentences(3000, 5), counts=(4, 8), directions=48)
    held, noise = like_sentences(400, 7), in_few_directions(400, seed=8)
    asked = unit(held + 0.8 * noise)
    first = np.arange(400) % 2 == 0

    def found(code):
        rows = np.where(first[:, None], held, reduced(code, held))
        return ((asked @ rows.T).argmax(axis=1) == np.arange(400))[~first].mean()

    plain = ((asked @ held.T).argmax(axis=1) == np.arange(400))[~first].mean()
    assert found(Outline(tables, 8)) > 0.85 * plain
    assert found(Signs(48)) < 0.85 * plain


def test_what_was_learned_finds_more_than_what_was_learned_of_other_vectors():
    held, noise = in_few_directions(600, seed=3), in_few_directions(600, seed=4)
    asked = unit(held + 0.6 * noise)
    plain = learn_tables(unit(np.random.default_rng(5).normal(size=(1500, 48))), counts=(2, 4), directions=24)

    def found(tables):
        return ((asked @ reduced(Outline(tables, 4), held).T).argmax(axis=1) == np.arange(len(held))).mean()

    assert found(learned()) > found(plain) + 0.1


def test_a_training_that_is_run_again_gives_the_same_file_which_is_read_as_it_was_written(tmp_path):
    again = learn_tables(in_few_directions(1500), counts=(2, 4), directions=24)
    for name, tables in (("one", learned()), ("other", again)):
        write_tables(tmp_path / name, tables)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    back = read_tables(Path(tmp_path / "one"))
    assert back.number == learned().number != learned(seed=1).number
    assert (back.unit, back.errors) == (learned().unit, learned().errors)
    np.testing.assert_array_equal(back.tables_MWD, learned().tables_MWD)


def test_too_few_vectors_or_too_many_directions_are_refused():
    for directions, count in ((49, 300), (0, 300), (24, 255)):
        with pytest.raises(ValueError, match="needs 256 vectors"):
            learn_tables(in_few_directions(count), directions=directions)


def test_another_dimension_or_another_encoder_keeps_its_signs():
    for encoder, dim in (("bundled:3", 384), ("clip:ViT-B-32", 512)):
        codes = codes_of(encoder, dim)
        assert (codes.first, codes.short) == (Signs(dim), None)
    assert tables_path("Bundled:3").is_file()
