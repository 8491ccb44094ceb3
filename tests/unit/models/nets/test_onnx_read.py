from __future__ import annotations

import numpy as np

from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.onnx_read import read_constants


def test_what_is_written_is_read() -> None:
    graph, rows = OnnxGraph("image", (1, 300)), np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    bias = np.array(7, np.float32)
    names = ["image", graph.constant("rows", rows)]
    added = graph.node("Add", [graph.node("MatMul", names), graph.constant("model.bias", bias)])
    constants = read_constants(graph.to_bytes(added, (1, 4)))
    assert {name: values.shape for name, values in constants.items()} == {"rows": (300, 4), "bias": ()}
    assert np.array_equal(constants["rows"], rows)
    assert constants["bias"] == 7
