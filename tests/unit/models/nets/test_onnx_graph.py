from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.nets.onnx_graph import OnnxGraph


def run(model: bytes, image: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"image": image})[0])


def test_convolution_is_what_torch_computes() -> None:
    import torch

    rng = np.random.default_rng(0)
    image = rng.normal(size=(1, 3, 10, 10)).astype(np.float32)
    kernels = rng.normal(size=(300, 3, 3, 3)).astype(np.float32)  # 300: a size that needs two bytes
    bias = rng.normal(size=300).astype(np.float32)
    graph = OnnxGraph("image", image.shape)
    parts = ["image", graph.constant("kernels", kernels), graph.constant("bias", bias)]
    out = graph.node("Conv", parts, kernel_shape=(3, 3), strides=(2, 2), group=1, auto_pad="SAME_UPPER")
    # SAME_UPPER of 10 with stride 2 pads one pixel, at the far end only.
    padded = torch.nn.functional.pad(torch.from_numpy(image), (0, 1, 0, 1))
    expected = torch.nn.functional.conv2d(padded, torch.from_numpy(kernels), torch.from_numpy(bias), stride=2)
    assert run(graph.to_bytes(out, expected.shape), image) == pytest.approx(expected.numpy(), abs=1e-4)


def test_operators_chain_and_scalars_are_constants() -> None:
    graph = OnnxGraph("image", (1, 4))
    bounds = [graph.constant("low", np.array(0, np.float32)), graph.constant("high", np.array(6, np.float32))]
    clipped = graph.node("Clip", ["image", *bounds])
    model = graph.to_bytes(graph.node("Add", [clipped, clipped]), (1, 4))
    assert run(model, np.array([[-1, 2, 6, 9]], np.float32)).tolist() == [[0, 4, 12, 12]]
