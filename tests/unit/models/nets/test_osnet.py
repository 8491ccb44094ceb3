from __future__ import annotations

import numpy as np

from hippocam.models.nets.osnet import FEATURES, osnet_model
from hippocam.stream.records import FloatArray


def random_checkpoint(seed: int) -> dict[str, FloatArray]:
    """Arrays of the names and shapes of the published checkpoint, random."""
    rng = np.random.default_rng(seed)
    weights: dict[str, FloatArray] = {}

    def norm(name: str, size: int) -> None:
        for part in ("weight", "bias", "running_mean"):
            weights[f"{name}.{part}"] = rng.normal(0.5, 0.2, size).astype(np.float32)
        weights[f"{name}.running_var"] = rng.uniform(0.5, 1.5, size).astype(np.float32)

    def conv(name: str, outputs: int, inputs: int, size: int, *, bias: bool = False) -> None:
        scale = (2 / (inputs * size * size)) ** 0.5
        weights[f"{name}.weight"] = (rng.normal(size=(outputs, inputs, size, size)) * scale).astype(np.float32)
        if bias:
            weights[f"{name}.bias"] = rng.normal(size=outputs).astype(np.float32) * 0.1

    conv("conv1.conv", 64, 3, 7)
    norm("conv1.bn", 64)
    inputs = 64
    for stage, outputs in ((2, 256), (3, 384), (4, 512)):
        for block in (0, 1):
            name, middle = f"conv{stage}.{block}", outputs // 4
            conv(f"{name}.conv1.conv", middle, inputs, 1)
            norm(f"{name}.conv1.bn", middle)
            for length, letter in enumerate("abcd", start=1):
                for step in range(length):
                    part = f"{name}.conv2{letter}" + (f".{step}" if length > 1 else "")
                    conv(f"{part}.conv1", middle, middle, 1)
                    conv(f"{part}.conv2", middle, 1, 3)
                    norm(f"{part}.bn", middle)
            conv(f"{name}.gate.fc1", middle // 16, middle, 1, bias=True)
            conv(f"{name}.gate.fc2", middle, middle // 16, 1, bias=True)
            conv(f"{name}.conv3.conv", outputs, middle, 1)
            norm(f"{name}.conv3.bn", outputs)
            if inputs != outputs:
                conv(f"{name}.downsample.conv", outputs, inputs, 1)
                norm(f"{name}.downsample.bn", outputs)
            inputs = outputs
        if stage < 4:
            conv(f"conv{stage}.2.0.conv", outputs, outputs, 1)
            norm(f"conv{stage}.2.0.bn", outputs)
    conv("conv5.conv", 512, 512, 1)
    norm("conv5.bn", 512)
    weights["fc.0.weight"] = rng.normal(0, 0.05, (FEATURES, 512)).astype(np.float32)
    weights["fc.0.bias"] = rng.normal(0, 0.1, FEATURES).astype(np.float32)
    norm("fc.1", FEATURES)
    return weights


def reference(weights: dict[str, FloatArray], image: FloatArray) -> FloatArray:
    """The network in torch as its authors describe it, with batch normalisation as its own layer."""
    import torch
    from torch.nn import functional as f

    arrays = {name: torch.from_numpy(values) for name, values in weights.items()}

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        parts = [arrays[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return f.batch_norm(x, *parts)

    def one(x: torch.Tensor, name: str) -> torch.Tensor:
        return f.relu(norm(f.conv2d(x, arrays[f"{name}.conv.weight"]), f"{name}.bn"))

    def light(x: torch.Tensor, name: str) -> torch.Tensor:
        x = f.conv2d(x, arrays[f"{name}.conv1.weight"])
        x = f.conv2d(x, arrays[f"{name}.conv2.weight"], padding=1, groups=x.shape[1])
        return f.relu(norm(x, f"{name}.bn"))

    def block(x: torch.Tensor, name: str) -> torch.Tensor:
        first, total = one(x, f"{name}.conv1"), torch.zeros(())
        for length, letter in enumerate("abcd", start=1):
            y = first
            for step in range(length):
                y = light(y, f"{name}.conv2{letter}" + (f".{step}" if length > 1 else ""))
            gate = f"{name}.gate"
            g = f.conv2d(y.mean((2, 3), keepdim=True), arrays[f"{gate}.fc1.weight"], arrays[f"{gate}.fc1.bias"])
            g = f.conv2d(f.relu(g), arrays[f"{gate}.fc2.weight"], arrays[f"{gate}.fc2.bias"])
            total = total + y * torch.sigmoid(g)
        y = norm(f.conv2d(total, arrays[f"{name}.conv3.conv.weight"]), f"{name}.conv3.bn")
        if f"{name}.downsample.conv.weight" in arrays:
            x = norm(f.conv2d(x, arrays[f"{name}.downsample.conv.weight"]), f"{name}.downsample.bn")
        return f.relu(x + y)

    x = f.conv2d(torch.from_numpy(image), arrays["conv1.conv.weight"], stride=2, padding=3)
    x = f.max_pool2d(f.relu(norm(x, "conv1.bn")), 3, stride=2, padding=1)
    for stage in (2, 3, 4):
        x = block(block(x, f"conv{stage}.0"), f"conv{stage}.1")
        if stage < 4:
            x = f.avg_pool2d(one(x, f"conv{stage}.2.0"), 2)
    x = one(x, "conv5").mean((2, 3))
    x = f.linear(x, arrays["fc.0.weight"], arrays["fc.0.bias"])
    return np.asarray(f.relu(norm(x, "fc.1")).numpy(), np.float32)


def test_the_onnx_network_gives_what_the_same_network_in_torch_gives():
    from hippocam.models.nets.onnx_session import open_session

    weights = random_checkpoint(0)
    image = np.random.default_rng(1).normal(size=(1, 3, 256, 128)).astype(np.float32)
    (found,) = open_session(osnet_model(weights), threads=1).run(None, {"image": image})
    expected = reference(weights, image)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3 * np.abs(expected).max())
