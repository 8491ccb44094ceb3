"""Vectors as bytes: what comes back is what went in, within the error that is claimed."""

import numpy as np
import pytest

from hippocam.memory.codec import pack, sign_error, signs, unpack, unpack_many


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


def test_zeros_stay_zeros():
    assert unpack(pack(np.zeros(16, np.float32))).tolist() == [0.0] * 16


def test_signs_take_a_bit_a_number_and_come_back_exactly():
    vector = signs(unit(np.random.default_rng(1).normal(size=64)))
    blob = pack(vector)
    assert len(blob) == 64 // 8 + 4
    np.testing.assert_array_equal(unpack(blob), vector)
    odd = signs(unit(np.random.default_rng(1).normal(size=9)))
    assert len(pack(odd)) == 9 + 4


def test_a_product_with_signs_is_without_bias_and_errs_as_much_as_is_said():
    rng = np.random.default_rng(2)
    for dim in (64, 768):
        stored = unit(rng.normal(size=(4000, dim)))
        asked = unit(0.6 * stored + 0.8 * unit(rng.normal(size=(4000, dim))))
        true = np.einsum("nd,nd->n", asked, stored)
        told = np.array([a @ unpack(pack(signs(s))) for a, s in zip(asked, stored, strict=True)])
        error = told - true
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(error))
        # the error is at right angles to what is stored, of which so much of a question is left
        assert error.std() == pytest.approx(sign_error(dim) * np.sqrt(1 - 0.6**2), rel=0.08)


def test_many_are_read_as_one_by_one_also_where_some_are_signs():
    rows = unit(np.random.default_rng(3).normal(size=(6, 32)))
    blobs = [pack(signs(row) if k % 2 else row) for k, row in enumerate(rows)]
    np.testing.assert_array_equal(unpack_many(blobs), np.stack([unpack(blob) for blob in blobs]))
