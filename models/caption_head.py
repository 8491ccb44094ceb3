"""Features of a picture and of a text into one space: two small networks trained on captions.

The picture's side reads TinyViT's 7 x 7 grid (Wu et al. 2022) both as its mean and through a few attention
queries, each of which looks at the patches that matter to it (as in Lee et al. 2019, Set Transformer, pooling by
attention), and beside it what EfficientNet-Lite2 decides its class by; the text's side reads MiniLM. Trained by
`hippocam.models.train_encoder`.

Shapes: B batch; P = 49 patches; C = 320 channels; K = 1280 of EfficientNet; Q attention queries; E = 384 text
channels; D vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS, POOLED_CHANNELS, TEXT_CHANNELS = 320, 1280, 384


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """Sizes of the head.

    Attributes:
        dim: Length D of the vector.
        hidden: Width of each side's hidden layer.
        pooled: Width to which EfficientNet's 1280 numbers are brought.
        queries: Number Q of attention queries; divides 320.
        image_dropout: Share of the picture's features dropped in training, 0 to 1.
        text_dropout: Share of the text's features dropped in training, 0 to 1.
    """

    dim: int = 383
    hidden: int = 1024
    pooled: int = 512
    queries: int = 8
    image_dropout: float = 0.5
    text_dropout: float = 0.2


class ImageHead(nn.Module):
    """A grid of patches and a pooled map into a unit vector."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.queries = config.queries
        self.norm = nn.LayerNorm(CHANNELS)
        self.scores = nn.Linear(CHANNELS, config.queries)
        self.values = nn.Linear(CHANNELS, CHANNELS)
        self.pooled_norm = nn.LayerNorm(POOLED_CHANNELS)
        self.pooled = nn.Linear(POOLED_CHANNELS, config.pooled)
        features = 2 * CHANNELS + config.pooled
        self.hidden = nn.Linear(features, config.hidden)
        self.hidden_norm = nn.LayerNorm(config.hidden)
        self.out = nn.Linear(config.hidden, config.dim)
        self.skip = nn.Linear(features, config.dim)
        self.dropout = nn.Dropout(config.image_dropout)

    def forward(self, patches_BPC: Tensor, pooled_BK: Tensor) -> Tensor:
        """Give unit vectors, float32 [B, D].

        Args:
            patches_BPC: float32, of TinyViT.
            pooled_BK: float32, of EfficientNet-Lite2.
        """
        x_BPC = self.norm(patches_BPC)
        attention_BQP = self.scores(x_BPC).softmax(1).transpose(1, 2)
        # Pool first, then map: the same as attention over mapped patches, at a fraction of the work.
        maps_QcC = self.values.weight.view(self.queries, -1, CHANNELS)
        seen_BQc = torch.einsum("bqk,qck->bqc", attention_BQP @ x_BPC, maps_QcC)
        seen_BC = (seen_BQc + self.values.bias.view(self.queries, -1)).flatten(1)
        classes_BF = self.pooled(self.dropout(self.pooled_norm(pooled_BK)))
        features_BF = torch.cat([x_BPC.mean(1), seen_BC, classes_BF], 1)
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
