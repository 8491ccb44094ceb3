"""Frozen features of a picture and of a text into one space: two small networks trained on captions.

The picture's side reads TinyViT's 7 x 7 grid (Wu et al. 2022) both as its mean and through a few attention
queries, each of which looks at the patches that matter to it (as in Lee et al. 2019, Set Transformer, pooling by
attention); the text's side is a linear map of MiniLM. Trained by `hippocam.models.train_head`.

Shapes: B batch; P = 49 patches; C = 320 channels; Q attention queries; E = 384 text channels; D vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS, TEXT_CHANNELS = 320, 384


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """Sizes of the head.

    Attributes:
        members: Heads trained from different seeds, whose vectors are laid side by side.
        dim: Length of one member's vector, so that D = members * dim.
        hidden: Width of each side's hidden layer.
        queries: Number Q of attention queries; divides 320.
        image_dropout: Share of the picture's features dropped in training, 0 to 1.
        text_dropout: Share of the text's features dropped in training, 0 to 1.
    """

    members: int = 2
    dim: int = 192
    hidden: int = 512
    queries: int = 8
    image_dropout: float = 0.5
    text_dropout: float = 0.2


class ImageHead(nn.Module):
    """A grid of patches into a unit vector."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.queries = config.queries
        self.norm = nn.LayerNorm(CHANNELS)
        self.scores = nn.Linear(CHANNELS, config.queries)
        self.values = nn.Linear(CHANNELS, CHANNELS)
        self.hidden = nn.Linear(2 * CHANNELS, config.hidden)
        self.hidden_norm = nn.LayerNorm(config.hidden)
        self.out = nn.Linear(config.hidden, config.dim)
        self.skip = nn.Linear(2 * CHANNELS, config.dim)
        self.dropout = nn.Dropout(config.image_dropout)

    def forward(self, patches_BPC: Tensor) -> Tensor:
        """Give unit vectors, float32 [B, D], of TinyViT's patches, float32 [B, P, 320]."""
        x_BPC = self.norm(patches_BPC)
        attention_BQP = self.scores(x_BPC).softmax(1).transpose(1, 2)
        # Pool first, then map: the same as attention over mapped patches, at a fraction of the work.
        maps_QcC = self.values.weight.view(self.queries, -1, CHANNELS)
        seen_BQc = torch.einsum("bqk,qck->bqc", attention_BQP @ x_BPC, maps_QcC)
        seen_BC = (seen_BQc + self.values.bias.view(self.queries, -1)).flatten(1)
        features_BF = torch.cat([x_BPC.mean(1), seen_BC], 1)
        hidden_BH = self.hidden_norm(functional.gelu(self.hidden(self.dropout(features_BF))))
        out_BD = self.out(self.dropout(hidden_BH)) + self.skip(self.dropout(features_BF))
        return functional.normalize(out_BD, dim=1)


class TextHead(nn.Module):
    """A sentence's vector into a unit vector of the same space."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.hidden = nn.Linear(TEXT_CHANNELS, config.hidden)
        self.out = nn.Linear(config.hidden, config.dim)
        self.skip = nn.Linear(TEXT_CHANNELS, config.dim)
        self.dropout = nn.Dropout(config.text_dropout)

    def forward(self, texts_BE: Tensor) -> Tensor:
        """Give unit vectors, float32 [B, D], of MiniLM's unit vectors, float32 [B, 384]."""
        scaled_BE = texts_BE * TEXT_CHANNELS**0.5  # so that a channel has about unit variance
        hidden_BH = functional.gelu(self.hidden(self.dropout(scaled_BE)))
        out_BD = self.out(self.dropout(hidden_BH)) + self.skip(self.dropout(scaled_BE))
        return functional.normalize(out_BD, dim=1)


class Members(nn.Module):
    """Networks of one side from several seeds; dot products of their joined vectors are means of cosines.

    Two find a caption's photograph first about 5 % more often than one (Lakshminarayanan et al. 2017, "Simple
    and Scalable Predictive Uncertainty Estimation using Deep Ensembles").
    """

    def __init__(self, networks: Sequence[nn.Module], dim: int) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.dim = dim * len(networks)

    def forward(self, features: Tensor) -> Tensor:
        """Give unit vectors, float32 [B, D]; arguments as the members'."""
        joined_BD = torch.cat([network(features) for network in self.networks], 1)
        out_BD: Tensor = joined_BD / len(self.networks) ** 0.5
        return out_BD


def build(config: HeadConfig) -> tuple[Members, Members]:
    """Give the picture's and the text's side with random weights."""
    images = [ImageHead(config) for _ in range(config.members)]
    texts = [TextHead(config) for _ in range(config.members)]
    return Members(images, config.dim), Members(texts, config.dim)
