from __future__ import annotations

import numpy as np

from hippocam.models.nets.packing import pack, unpack


def test_rows_come_back_within_half_a_step_and_vectors_exactly() -> None:
    rng = np.random.default_rng(0)
    numbers = {
        "rows": (rng.normal(size=(5, 40)) * 10.0 ** np.arange(-6, 4, 2)[:, None]).astype(np.float32),
        "kernels": rng.normal(size=(3, 2, 4, 4)).astype(np.float32),
        "none": np.zeros((2, 3), np.float32),
        "vector": rng.normal(size=7).astype(np.float32),
    }
    packed = pack(numbers)
    assert packed["rows"].dtype == np.int8
    found = unpack(packed)
    assert found.keys() == numbers.keys()
    assert np.array_equal(found["vector"], numbers["vector"])
    assert np.array_equal(found["none"], numbers["none"])
    for name in ("rows", "kernels"):
        step = np.abs(numbers[name]).reshape(len(numbers[name]), -1).max(1) / 127
        off = np.abs(found[name] - numbers[name]).reshape(len(numbers[name]), -1).max(1)
        assert (off <= step * 0.501).all()
        assert off.max() > 0
