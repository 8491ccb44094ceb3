"""Texts into 384 numbers: all-MiniLM-L6-v2, a small BERT (Devlin et al. 2019; Wang et al. 2020; SBERT 2019).

Written out in torch rather than taken from `transformers`, which is slow to import and not needed for six
layers. Texts of one length run together, so that other texts cannot change a vector by their padding.

Shapes: B texts; L tokens; E = 384 channels; H = 12 heads; N texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hippocam.models.lazy import Lazy
from hippocam.models.pictures import unit_rows
from hippocam.models.weights import fetch
from hippocam.stream.records import FloatArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

WIDTH = 384
_LAYERS = 6
_HEADS = 12
_MAX_TOKENS = 256
_NORM_EPS = 1e-12
_BATCH = 64


class MiniLM:
    """The text encoder; weights are fetched and read on construction (about half a second)."""

    def __init__(self) -> None:
        from safetensors.torch import load_file
        from tokenizers import Tokenizer

        self._weights: dict[str, Tensor] = load_file(fetch("minilm"))
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(fetch("minilm-tokenizer")))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> FloatArray:
        """Give one unit vector per text, float32 [N, 384]; an empty text has a vector too."""
        import torch

        vectors_NE = np.zeros((len(texts), WIDTH), np.float32)
        by_length: dict[int, list[int]] = {}
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        for index, ids in enumerate(tokens):
            by_length.setdefault(len(ids), []).append(index)
        with torch.inference_mode():
            for indices in by_length.values():
                for start in range(0, len(indices), _BATCH):
                    part = indices[start : start + _BATCH]
                    ids_BL = torch.tensor([tokens[index] for index in part])
                    vectors_NE[part] = _forward(self._weights, ids_BL).numpy()
        return vectors_NE

    def glance(self, texts: Sequence[str]) -> FloatArray:
        """Give a rough vector per text in a thousandth of the time, float32 [N, 384]: the mean of its words' own.

        No layer is run, so neither order nor context count. What all words share is taken out.
        """
        import torch

        table = self._weights["embeddings.word_embeddings.weight"]
        vectors_NE = np.zeros((len(texts), WIDTH), np.float32)
        with torch.inference_mode():
            shared_E = table.mean(0)
            for row, encoding in enumerate(self._tokenizer.encode_batch(list(texts), add_special_tokens=False)):
                if encoding.ids:
                    vectors_NE[row] = (table[encoding.ids].mean(0) - shared_E).numpy()
        return unit_rows(vectors_NE)


# One for all that need sentences in this process: it takes 90 MB.
shared_minilm = Lazy(MiniLM)


def _forward(weights: Mapping[str, Tensor], ids_BL: Tensor) -> Tensor:
    """Give unit vectors, float32 [B, 384], of texts of L tokens each: means over their tokens."""
    from torch.nn import functional

    batch, length = ids_BL.shape

    def linear(name: str, x: Tensor) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: Tensor) -> Tensor:
        scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
        return functional.layer_norm(x, (WIDTH,), scale, shift, _NORM_EPS)

    def heads(x_BLE: Tensor) -> Tensor:
        return x_BLE.view(batch, length, _HEADS, WIDTH // _HEADS).transpose(1, 2)

    tables = "embeddings.{}_embeddings.weight"
    x_BLE = weights[tables.format("word")][ids_BL] + weights[tables.format("position")][:length]
    x_BLE = norm("embeddings.LayerNorm", x_BLE + weights[tables.format("token_type")][0])
    for index in range(_LAYERS):
        layer = f"encoder.layer.{index}."
        query, key, value = (
            heads(linear(f"{layer}attention.self.{part}", x_BLE)) for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        mixed = linear(f"{layer}attention.output.dense", mixed)
        x_BLE = norm(f"{layer}attention.output.LayerNorm", x_BLE + mixed)
        wide = functional.gelu(linear(f"{layer}intermediate.dense", x_BLE))
        x_BLE = norm(f"{layer}output.LayerNorm", x_BLE + linear(f"{layer}output.dense", wide))
    return functional.normalize(x_BLE.mean(1), dim=1)
