"""Vectors as bytes: what comes back is what went in, within the error that is claimed."""

import numpy as np
import pytest

from hippocam.memory.codec import pack, rounded, sign_bytes, sign_error, signs, unpack, unpack_many


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("dim", [5, 64, 768])
def test_a_vector_comes_back_within_half_a_step(dim):
    vector = unit(np.random.default_rng(0).normal(size=dim))
    blob = pack(vector)
    assert len(blob) == dim + 4
    step = np.abs(vector).max() / 127
    assert np.abs(unpack(blob) - vector).max() <= 0.51 * step
    assert pack(unpack(blob)) == blob


@pytest.mark.parametrize("dim", [1, 5, 64, 385])
def test_a_rounded_vector_is_to_the_bit_what_comes_back(dim):
    rng = np.random.default_rng(3)
    made = [unit(rng.normal(size=dim)) for _ in range(20)]
    for vector in [*made, 1e3 * made[0], np.zeros(dim, np.float32), signs(made[1]), -np.abs(made[2])]:
        assert rounded(vector).tobytes() == unpack(pack(vector)).tobytes()
    assert rounded(np.zeros(0, np.float32)).shape == (0,)


def test_zeros_stay_zeros():
    assert unpack(pack(np.zeros(16, np.float32))).tolist() == [0.0] * 16


@pytest.mark.parametrize("dim", [*range(1, 26), 64, 385, 512, 768, 1023])
def test_signs_take_a_bit_a_number_and_come_back_exactly_whatever_their_number(dim):
    for seed in range(5):
        vector = signs(unit(np.random.default_rng(seed).normal(size=dim)))
        blob = pack(vector)
        assert len(blob) == sign_bytes(dim) == (dim + 7) // 8 + 4
        np.testing.assert_array_equal(unpack(blob), vector)
        assert pack(unpack(blob)) == blob
        for all_alike in (np.full(dim, 0.5, np.float32), np.full(dim, -0.5, np.float32)):
            np.testing.assert_array_equal(unpack(pack(all_alike)), all_alike)


def test_signs_that_were_written_before_padding_are_read_as_they_were():
    vector = signs(unit(np.random.default_rng(4).normal(size=32)))
    before = np.asarray(-vector.max(), "<f4").tobytes() + np.packbits(vector > 0).tobytes()
    np.testing.assert_array_equal(unpack(before), vector)
    assert pack(vector) == before


def test_padded_bits_without_an_end_are_refused():
    with pytest.raises(ValueError, match="without an end"):
        unpack(np.asarray(-(2.0**63), "<f4").tobytes() + bytes(3))


def test_a_product_with_signs_is_without_bias_and_errs_as_much_as_is_said():
    rng = np.random.default_rng(2)
    for dim in (64, 385, 768):
        stored = unit(rng.normal(size=(4000, dim)))
        asked = unit(0.6 * stored + 0.8 * unit(rng.normal(size=(4000, dim))))
        true = np.einsum("nd,nd->n", asked, stored)
        told = np.array([a @ unpack(pack(signs(s))) for a, s in zip(asked, stored, strict=True)])
        error = told - true
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
        # the error is at right angles to what is stored, of which so much of a question is left
        assert error.std() == pytest.approx(sign_error(dim) * np.sqrt(1 - 0.6**2), rel=0.08)


@pytest.mark.parametrize("dim", [32, 37])
def test_many_are_read_as_one_by_one_also_where_some_are_signs(dim):
    rows = unit(np.random.default_rng(3).normal(size=(6, dim)))
    blobs = [pack(signs(row) if k % 2 else row) for k, row in enumerate(rows)]
    np.testing.assert_array_equal(unpack_many(blobs), np.stack([unpack(blob) for blob in blobs]))


def test_a_damaged_scale_spoils_its_own_vector_alone():
    rng = np.random.default_rng(0)
    rows = [unit(rng.normal(size=12).astype(np.float32)) for _ in range(3)]
    blobs = [pack(rows[0]), b"\0\0\xc0\x7f" + b"\x01" * 12, pack(rows[2])]
    found = unpack_many(blobs)
    assert np.isnan(found[1]).all()
    assert np.array_equal(found[[0, 2]], unpack_many([blobs[0], blobs[2]]))
