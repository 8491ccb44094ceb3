"""TinyViT-5M in torch, to go on training its last stage; what has been learned runs in ONNX Runtime again.

Wu et al. 2022, with batch normalisation already folded into the convolutions, as the ONNX model has it. Equal to
that model up to rounding, so the changes of its numbers can be carried over (see `hippocam.models.tinyvit`).

Shapes: B batch; C channels; H, W of a grid; P = H * W patches; A attention heads.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models.onnx_read import read_constants
from hippocam.models.tinyvit import to_torch
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray

GRID_SHAPE = (160, 14, 14)  # [C, H, W] of what the frozen stages give


class TinyViTNetwork(nn.Module):
    """The network with the weights of the ONNX model.

    Args:
        drop_path: Share of pictures for which the last block is left out in training (Huang et al. 2016); it
            falls off to 0 in the first block.
    """

    def __init__(self, drop_path: float = 0.0) -> None:
        super().__init__()
        drops = np.linspace(0, drop_path, 10).tolist()
        self.patch_embed = nn.ModuleDict({"conv1": _conv(3, 32, 3, 2), "conv2": _conv(32, 64, 3, 2)})
        self.stages_0 = nn.ModuleDict({"blocks": nn.Sequential(_ConvBlock(64), _ConvBlock(64))})
        self.stages_1 = _Stage(64, 128, 4, 7, drops[:2])
        self.stages_2 = _Stage(128, 160, 5, 14, drops[2:8])
        self.stages_3 = _Stage(160, 320, 10, 7, drops[8:])
        self.load_state_dict({name: torch.from_numpy(values) for name, values in pretrained().items()})
        for weight in self.parameters():
            if weight.ndim == 4:  # rows of channels, which is faster
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        self.requires_grad_(False)
        self.stages_3.requires_grad_(True)

    def frozen(self, pictures_BCHW: Tensor) -> Tensor:
        """Give what the stages that do not learn make of pictures, [B, 160, 14, 14]."""
        embed = self.patch_embed
        x_BCHW = embed["conv2"](functional.gelu(embed["conv1"](pictures_BCHW)))
        out_BCHW: Tensor = self.stages_2(self.stages_1(self.stages_0["blocks"](x_BCHW)))
        return out_BCHW

    def forward(self, grid_BCHW: Tensor) -> Tensor:
        """Give patches, [B, 49, 320], of what the frozen stages gave."""
        out_BCHW: Tensor = self.stages_3(grid_BCHW)
        return out_BCHW.flatten(2).transpose(1, 2)

    def changes(self) -> dict[str, FloatArray]:
        """Give what was added to the numbers of the last stage, by their names."""
        before = pretrained()
        learned = self.stages_3.named_parameters(prefix="stages_3")
        return {name: weight.detach().numpy() - before[name] for name, weight in learned}


def pretrained() -> dict[str, FloatArray]:
    """Give the numbers of the ONNX model, as torch lays them out."""
    constants = read_constants(bytearray(Path(fetch("tinyvit")).read_bytes()))
    return {name: to_torch(name, values).copy() for name, values in constants.items() if values.ndim}


class _ConvBlock(nn.Module):
    """An inverted bottleneck (Sandler et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        wide = 4 * channels
        self.conv1, self.conv2, self.conv3 = (
            _conv(channels, wide),
            _conv(wide, wide, 3, groups=wide),
            _conv(wide, channels),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        wide_BCHW = functional.gelu(self.conv2(functional.gelu(self.conv1(x_BCHW))))
        return functional.gelu(x_BCHW + self.conv3(wide_BCHW))


class _Downsample(nn.Module):
    """Half the grid, more channels."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = _conv(channels, out), _conv(out, out, 3, 2, out), _conv(out, out)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out_BCHW: Tensor = self.conv3(functional.gelu(self.conv2(functional.gelu(self.conv1(x_BCHW)))))
        return out_BCHW


class _Attention(nn.Module):
    """Attention among the patches of a window, with a learned bias for each distance."""

    index_PP: Tensor

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm, self.proj = nn.LayerNorm(channels), nn.Linear(channels, channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        at_P2 = np.array(list(product(range(window), range(window))))
        apart_PP2 = np.abs(at_P2[:, None] - at_P2)
        index_PP = torch.from_numpy(apart_PP2 @ np.array([window, 1]))
        self.register_buffer("index_PP", index_PP, persistent=False)

    def forward(self, x_BPC: Tensor) -> Tensor:
        batch, patches, channels = x_BPC.shape
        split = self.qkv(self.norm(x_BPC)).view(batch, patches, self.heads, 3, channels // self.heads)
        query, key, value = split.permute(3, 0, 2, 1, 4)
        # Written out: torch's fused attention is several times slower backwards on a CPU.
        scores_BAPP = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        shares_BAPP = (scores_BAPP + self.attention_biases[:, self.index_PP].to(query.dtype)).softmax(-1)
        mixed_BPC = (shares_BAPP.to(value.dtype) @ value).transpose(1, 2).flatten(2)
        out_BPC: Tensor = self.proj(mixed_BPC)
        return out_BPC


class _Mlp(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.fc1, self.fc2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)

    def forward(self, x_BPC: Tensor) -> Tensor:
        out_BPC: Tensor = self.fc2(functional.gelu(self.fc1(self.norm(x_BPC))))
        return out_BPC


class _Block(nn.Module):
    """Attention within windows, a convolution across them, and a network for each patch."""

    def __init__(self, channels: int, heads: int, window: int, drop_path: float) -> None:
        super().__init__()
        self.window, self.drop_path = window, drop_path
        self.attn, self.mlp = _Attention(channels, heads, window), _Mlp(channels)
        self.local_conv = _conv(channels, channels, 3, groups=channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        batch, channels, height, width = x_BCHW.shape
        side, down, across = self.window, height // self.window, width // self.window
        windows = x_BCHW.permute(0, 2, 3, 1).reshape(batch, down, side, across, side, channels).transpose(2, 3)
        seen = self.attn(windows.reshape(-1, side * side, channels))
        seen = seen.view(batch, down, across, side, side, channels).transpose(2, 3)
        x_BCHW = x_BCHW + self._drop(seen.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
        x_BCHW = self.local_conv(x_BCHW)
        out_BPC = self.mlp(x_BCHW.permute(0, 2, 3, 1).reshape(batch, height * width, channels))
        return x_BCHW + self._drop(out_BPC.view(batch, height, width, channels).permute(0, 3, 1, 2))

    def _drop(self, x_BCHW: Tensor) -> Tensor:
        if not self.training or self.drop_path == 0:
            return x_BCHW
        kept_B111 = torch.rand(len(x_BCHW), 1, 1, 1) >= self.drop_path
        return x_BCHW * (kept_B111.to(x_BCHW.dtype) / (1 - self.drop_path))


class _Stage(nn.Module):
    def __init__(self, channels: int, out: int, heads: int, window: int, drops: list[float]) -> None:
        super().__init__()
        self.downsample = _Downsample(channels, out)
        self.blocks = nn.Sequential(*[_Block(out, heads, window, drop) for drop in drops])

    def forward(self, x_BCHW: Tensor) -> Tensor:
        out_BCHW: Tensor = self.blocks(self.downsample(x_BCHW))
        return out_BCHW


def _conv(channels: int, out: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, size, stride, size // 2, groups=groups)
