"""Policies that read the whole history by themselves: a transformer, and a GRU.

The transformer has one token for each step, with the same features as a recalled moment of ours: the encoder's
similarity among them. The GRU has what it saw and where it was, step by step, and the goal once it is named.

Shapes: B batch, K steps, T steps of a sequence, D numbers of a vector, W width, H actions of a chunk, A kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.apps.robot.policy.demonstrations import Demonstration
from hippocam.models.policies.network import KindsHead, mlp
from hippocam.models.policies.playing import Turn
from hippocam.models.policies.policy import Chosen
from hippocam.models.policies.records import (
    MOMENT,
    PLACE,
    Batch,
    Moment,
    PolicySizes,
    Recollection,
    nothing,
    place_features,
)
from hippocam.stream.records import FloatArray

_LAYERS, _HEADS = 2, 4


class TransformerNetwork(nn.Module):
    """Self-attention over all steps and the present one.

    Args:
        sizes: Of the policy.
    """

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.query = mlp(2 * sizes.dim + PLACE, 2 * width, width)
        self.content = nn.Linear(sizes.dim, width, bias=False)
        self.token = mlp(MOMENT, width, width)
        layer = nn.TransformerEncoderLayer(
            width, _HEADS, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, _LAYERS, enable_nested_tensor=False)
        self.head = KindsHead(sizes)

    def state(self, batch: Batch) -> Tensor:
        """What the head reads, [B, 2 W]."""
        query_BW = self.query(torch.cat([batch.view_BD, batch.goal_BD, batch.place_BF], -1))
        tokens_BKW = self.token(batch.moments_BKF) + self.content(batch.vectors_BKD)
        every = torch.cat([query_BW[:, None], tokens_BKW], 1)
        hidden = functional.pad(~batch.held_BK, (1, 0), value=False)
        read_BW = self.layers(every, src_key_padding_mask=hidden)[:, 0]
        return torch.cat([query_BW, read_BW], -1)

    def loss(self, batch: Batch, chunk_BH: Tensor) -> Tensor:
        """How far an expert's chunks are from the policy's."""
        return self.head.loss(self.state(batch), chunk_BH)

    def choose(self, batch: Batch, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Chunks of actions, and 1 as gate."""
        return self.head.choose(self.state(batch), generator), torch.ones(len(batch.view_BD))


class Walk(NamedTuple):
    """An episode as a recurrent policy learns from it.

    Attributes:
        inputs_TN: float32 [T, 2 D + PLACE]: what is seen, the goal once it is named, the place.
        chunks_TH: int64 [T, H], what the expert does; -1 before the question and after the end.
    """

    inputs_TN: FloatArray
    chunks_TH: np.ndarray[tuple[int, int], np.dtype[np.int64]]


def walk(played: Demonstration, chunk: int) -> Walk:
    """A demonstration as a recurrent policy learns from it, in chunks of so many actions."""
    inputs = [_input(turn, np.zeros_like(played.goal_D)) for turn in played.shown]
    inputs += [_input(step.turn, played.goal_D) for step in played.steps]
    chunks = [[-1] * chunk for _ in played.shown]
    chunks += [step.actions + [-1] * (chunk - len(step.actions)) for step in played.steps]
    return Walk(np.stack(inputs), np.array(chunks, np.int64))


def _input(turn: Turn, goal_D: FloatArray) -> FloatArray:
    return np.concatenate([turn.vector_D, goal_D, place_features(turn.pose)])


class GruNetwork(nn.Module):
    """A state that is carried from step to step.

    Args:
        sizes: Of the policy; its state has twice its width.
    """

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.cell = nn.GRU(2 * sizes.dim + PLACE, 2 * sizes.width, batch_first=True)
        self.head = KindsHead(sizes)

    def loss(self, inputs_BTN: Tensor, chunks_BTH: Tensor) -> Tensor:
        """How far an expert's chunks are from the policy's, at the steps at which there are any."""
        states_BTW, _ = self.cell(inputs_BTN)
        acts_BT = chunks_BTH[..., 0] >= 0
        return self.head.loss(states_BTW[acts_BT], chunks_BTH[acts_BT])


class Walks:
    """Episodes as lessons: whole ones.

    Args:
        walks: The episodes.
    """

    def __init__(self, walks: Sequence[Walk]) -> None:
        self._walks = walks

    def __len__(self) -> int:
        return len(self._walks)

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Some of them, padded at the end."""
        chosen = [self._walks[row] for row in rows]
        inputs = nn.utils.rnn.pad_sequence([torch.from_numpy(each.inputs_TN) for each in chosen], True)
        chunks = [torch.from_numpy(each.chunks_TH) for each in chosen]
        return inputs, nn.utils.rnn.pad_sequence(chunks, True, -1)


class Recurrent:
    """A GRU as memory and policy in one.

    Args:
        network: Trained.
    """

    def __init__(self, network: GruNetwork) -> None:
        self._network = network.eval()
        self._state: Tensor | None = None
        self._named = False
        self._waiting: list[Turn] = []

    def begin(self) -> None:
        """Forget everything."""
        self._state, self._named, self._waiting = None, False, []

    def observe(self, turn: Turn) -> None:
        """Take a step; it is read with the next that are acted on."""
        self._waiting.append(turn)

    def named(self) -> None:
        """From here on the goal is known."""
        dim = self._network.sizes.dim
        self._read(np.zeros(dim, np.float32))
        self._named = True

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """Nothing: what it knows is in its state."""
        del now_s
        self._read(goal_D)
        return nothing(len(goal_D))

    def act(self, moment: Moment, draws: torch.Generator | None = None) -> Chosen:
        """Choose a chunk of actions."""
        del moment
        assert self._state is not None
        with torch.inference_mode():
            return Chosen(self._network.head.choose(self._state[-1], draws)[0].numpy(), 1.0)

    def bytes(self) -> int:
        """What its state takes."""
        return 4 * 2 * self._network.sizes.width

    def _read(self, goal_D: FloatArray) -> None:
        if self._waiting:
            inputs = np.stack([_input(turn, goal_D) for turn in self._waiting])
            with torch.inference_mode():
                _, self._state = self._network.cell(torch.from_numpy(inputs)[None], self._state)
            self._waiting = []
