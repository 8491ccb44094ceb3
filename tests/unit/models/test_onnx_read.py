from __future__ import annotations

import numpy as np

from hippocam.models.onnx_graph import OnnxGraph
from hippocam.models.onnx_read import read_constants


def test_what_is_written_is_read_and_writing_into_it_changes_the_model() -> None:
    import onnxruntime

    graph, rows = OnnxGraph("image", (1, 300)), np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    bias = np.array(7, np.float32)
    names = ["image", graph.constant("rows", rows)]
    added = graph.node("Add", [graph.node("MatMul", names), graph.constant("model.bias", bias)])
    model = bytearray(graph.to_bytes(added, (1, 4)))
    constants = read_constants(model)
    assert {name: values.shape for name, values in constants.items()} == {"rows": (300, 4), "bias": ()}
    assert np.array_equal(constants["rows"], rows)
    constants["rows"][:] *= 2
    session = onnxruntime.InferenceSession(bytes(model), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"image": np.ones((1, 300), np.float32)})
    assert np.allclose(found, 2 * rows.sum(0) + 7, atol=1e-4)
