"""What DINOv2 sees in a picture into the space of sentences, by a small network trained on captions.

It reads the token of the whole picture, the mean of the 8 x 8 patches, and the patches through a few attention
queries, each of which looks at the patches that matter to it (as in Lee et al. 2019, Set Transformer, pooling by
attention). Sentences stay where MiniLM puts them, so that what it knows of words that no caption has is not lost
(as in Zhai et al. 2022, "LiT", the other way round). Trained by `hippocam.models.training.encoder`.

Shapes: B batch; T = 65 tokens, the first of the whole; P = 64 patches; C = 384 channels; Q attention queries;
E = 384 of a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models.nets.dinov2 import CHANNELS
from hippocam.models.nets.minilm import WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """Sizes of the head.

    Attributes:
        hidden: Width of the hidden layer.
        queries: Number Q of attention queries; divides 384.
        dropout: Share of the features that are set to zero in training, 0 to 1.
    """

    hidden: int = 1024
    queries: int = 8
    dropout: float = 0.5


class ImageHead(nn.Module):
    """Turns the tokens of a picture into a unit vector."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.queries = config.queries
        self.norm = nn.LayerNorm(CHANNELS)
        self.scores = nn.Linear(CHANNELS, config.queries)
        self.values = nn.Linear(CHANNELS, CHANNELS)
        self.whole_norm = nn.LayerNorm(CHANNELS)
        self.whole = nn.Linear(CHANNELS, CHANNELS)
        features = 3 * CHANNELS
        self.hidden = nn.Linear(features, config.hidden)
        self.hidden_norm = nn.LayerNorm(config.hidden)
        self.out = nn.Linear(config.hidden, WIDTH)
        self.skip = nn.Linear(features, WIDTH)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens_BTC: Tensor) -> Tensor:
        """Return unit vectors, float32 [B, 384], of DINOv2's tokens, float32 [B, 65, 384]."""
        x_BPC = self.norm(tokens_BTC[:, 1:])
        attention_BQP = self.scores(x_BPC).softmax(1).transpose(1, 2)
        # Pool first, then map: the same as attention over mapped patches, at a fraction of the work.
        maps_QcC = self.values.weight.view(self.queries, -1, CHANNELS)
        seen_BQc = torch.einsum("bqk,qck->bqc", attention_BQP @ x_BPC, maps_QcC)
        seen_BC = (seen_BQc + self.values.bias.view(self.queries, -1)).flatten(1)
        whole_BC = self.whole(self.dropout(self.whole_norm(tokens_BTC[:, 0])))
        features_BF = torch.cat([x_BPC.mean(1), seen_BC, whole_BC], 1)
        hidden_BH = self.hidden_norm(functional.gelu(self.hidden(self.dropout(features_BF))))
        out_BE = self.out(self.dropout(hidden_BH)) + self.skip(self.dropout(features_BF))
        return functional.normalize(out_BE, dim=1)
