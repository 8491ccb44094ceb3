from __future__ import annotations

import numpy as np

from hippocam.models.nets.efficientnet_lite import CLASSES, lite2_model
from hippocam.stream.records import FloatArray


def random_checkpoint(seed: int) -> dict[str, FloatArray]:
    """Arrays of the names and shapes of the published checkpoint, random."""
    rng = np.random.default_rng(seed)
    weights: dict[str, FloatArray] = {}

    def conv(name: str, norm: str, outputs: int, inputs: int, size: int) -> None:
        scale = (2 / (inputs * size * size)) ** 0.5
        weights[name] = (rng.normal(size=(outputs, inputs, size, size)) * scale).astype(np.float32)
        weights[f"{name}.weight"] = weights.pop(name)
        for part in ("weight", "bias", "running_mean"):
            weights[f"{norm}.{part}"] = rng.normal(0.5, 0.2, outputs).astype(np.float32)
        weights[f"{norm}.running_var"] = rng.uniform(0.5, 1.5, outputs).astype(np.float32)

    conv("_conv_stem", "_bn0", 32, 3, 3)
    inputs, block = 32, 0
    for repeats, size, wide, outputs in [
        (1, 3, 1, 16), (3, 3, 6, 24), (3, 5, 6, 48), (4, 3, 6, 88), (4, 5, 6, 120), (5, 5, 6, 208), (1, 3, 6, 352)
    ]:  # fmt: skip
        for _ in range(repeats):
            name = f"_blocks.{block}."
            if wide > 1:
                conv(f"{name}_expand_conv", f"{name}_bn0", inputs * wide, inputs, 1)
            conv(f"{name}_depthwise_conv", f"{name}_bn1", inputs * wide, 1, size)
            conv(f"{name}_project_conv", f"{name}_bn2", outputs, inputs * wide, 1)
            inputs, block = outputs, block + 1
    conv("_conv_head", "_bn1", 1280, inputs, 1)
    weights["_fc.weight"] = rng.normal(0, 0.05, (CLASSES, 1280)).astype(np.float32)
    weights["_fc.bias"] = rng.normal(0, 0.1, CLASSES).astype(np.float32)
    return weights


def reference(weights: dict[str, FloatArray], image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The network in torch, read off the checkpoint's names, with batch normalisation as its own layer."""
    import torch
    from torch.nn import functional

    arrays = {name: torch.from_numpy(values) for name, values in weights.items()}

    def layer(x: torch.Tensor, conv: str, norm: str, stride: int = 1) -> torch.Tensor:
        kernels = arrays[f"{conv}.weight"]
        size = kernels.shape[2]
        total = max((-(-x.shape[2] // stride) - 1) * stride + size - x.shape[2], 0)
        x = functional.pad(x, (total // 2, total - total // 2) * 2)
        groups = len(kernels) if kernels.shape[1] == 1 else 1
        x = functional.conv2d(x, kernels, stride=stride, groups=groups)
        parts = [arrays[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return functional.batch_norm(x, *parts, eps=1e-3)

    x = functional.relu6(layer(torch.from_numpy(image), "_conv_stem", "_bn0", 2))
    strides = {1: 2, 4: 2, 7: 2, 15: 2}  # the first blocks of the stages that halve the picture
    for block in range(21):
        name, before = f"_blocks.{block}.", x
        if f"{name}_expand_conv.weight" in arrays:
            x = functional.relu6(layer(x, f"{name}_expand_conv", f"{name}_bn0"))
        x = functional.relu6(layer(x, f"{name}_depthwise_conv", f"{name}_bn1", strides.get(block, 1)))
        x = layer(x, f"{name}_project_conv", f"{name}_bn2")
        if before.shape == x.shape:
            x = before + x
    x = functional.relu6(layer(x, "_conv_head", "_bn1")).mean((2, 3))
    logits = functional.linear(x, arrays["_fc.weight"], arrays["_fc.bias"])
    return logits.softmax(1).numpy()


def test_graph_computes_the_network() -> None:
    import onnxruntime

    weights = random_checkpoint(0)
    image = np.random.default_rng(1).normal(size=(1, 3, 260, 260)).astype(np.float32)
    session = onnxruntime.InferenceSession(lite2_model(weights), providers=["CPUExecutionProvider"])
    expected = reference(weights, image)
    assert expected.max() > 2 / CLASSES  # the random network does not give the same for every class
    (found,) = session.run(None, {"image": image})
    assert np.abs(found - expected).max() < 1e-4 * expected.max()
