"""The network of a policy that reads a memory: moment tokens, a gated read, a head of action chunks.

    view, goal, place  ->  query ----------------.-----------------------> head -> chunk of actions
    recalled moments   ->  moment tokens -> read -> gate (0 without any) ---^

The read is attention over the recalled moments, helped by the memory's own cosines. What it read is multiplied by
a learned gate, which is exactly zero where nothing may be read: then the policy is one without a memory, to the
bit.

Shapes: B batch, K recalled moments, D numbers of a vector, W width, H actions of a chunk, A kinds or numbers of
one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models.policies.records import MOMENT, PLACE, Batch, PolicySizes

# Steps in which a flow is followed from noise to actions.
_FLOW_STEPS = 10
# Where the weight of the memory's cosine in the read starts.
_COSINE_WEIGHT = 8.0


def mlp(inner: int, width: int, outer: int) -> nn.Sequential:
    """Two layers."""
    return nn.Sequential(nn.Linear(inner, width), nn.GELU(), nn.Linear(width, outer))


class GatedRead(nn.Module):
    """Reads recalled moments.

    Args:
        sizes: Of the policy.
    """

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        width = sizes.width
        self.content = nn.Linear(sizes.dim, width, bias=False)
        self.token = mlp(MOMENT, width, width)
        self.key = nn.Linear(width, width)
        self.value = mlp(width, width, width)
        self.cosine_weight = nn.Parameter(torch.tensor(_COSINE_WEIGHT))
        self.gate = mlp(2 * width + 1, width // 2, 1)
        nn.init.normal_(self.content.weight, std=0.1 / math.sqrt(sizes.dim))

    def forward(self, query_BW: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """What was read, [B, W], and the gate, [B]; both are zero where nothing is held."""
        tokens_BKW = functional.gelu(self.token(batch.moments_BKF) + self.content(batch.vectors_BKD))
        cosines_BK = batch.moments_BKF[..., 0]
        scores_BK = (self.key(tokens_BKW) @ query_BW[..., None])[..., 0] / math.sqrt(query_BW.shape[-1])
        scores_BK = scores_BK + self.cosine_weight * cosines_BK
        scores_BK = scores_BK.masked_fill(~batch.held_BK, torch.finfo(scores_BK.dtype).min)
        weights_BK = scores_BK.softmax(-1) * batch.held_BK
        read_BW = (weights_BK[..., None] * self.value(tokens_BKW)).sum(1)
        nearest_B1 = cosines_BK.masked_fill(~batch.held_BK, 0.0).amax(-1, keepdim=True)
        gate_B = torch.sigmoid(self.gate(torch.cat([query_BW, read_BW, nearest_B1], -1)))[:, 0]
        gate_B = gate_B * batch.held_BK.any(-1)
        return gate_B[:, None] * read_BW, gate_B


class KindsHead(nn.Module):
    """A chunk of actions of some kinds, each from what was read; trained by cross entropy."""

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        self._shape = (sizes.chunk, sizes.actions)
        self.layers = mlp(2 * sizes.width, 2 * sizes.width, sizes.chunk * sizes.actions)

    def forward(self, state_BW: Tensor) -> Tensor:
        """Logits [B, H, A]."""
        logits: Tensor = self.layers(state_BW)
        return logits.reshape(-1, *self._shape)

    def loss(self, state_BW: Tensor, chunk_BH: Tensor) -> Tensor:
        """Mean cross entropy of an expert's chunks, int64 [B, H]; -1 after the end of an episode."""
        return functional.cross_entropy(self(state_BW).flatten(0, 1), chunk_BH.flatten(), ignore_index=-1)

    def choose(self, state_BW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The likeliest kinds, int64 [B, H]; with a generator drawn by how likely they are."""
        logits_BHA = self(state_BW)
        if generator is None:
            likeliest_BH: Tensor = logits_BHA.argmax(-1)
            return likeliest_BH
        drawn_N = torch.multinomial(logits_BHA.softmax(-1).flatten(0, 1), 1, generator=generator)
        return drawn_N.reshape(logits_BHA.shape[:2])


class FlowHead(nn.Module):
    """A chunk of actions that are numbers, by flow matching (Lipman et al. 2023) along straight lines.

    The network tells the velocity at which a point between noise and a chunk moves; actions are drawn by following
    it from noise in a few steps.
    """

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        self._shape = (sizes.chunk, sizes.actions)
        count = sizes.chunk * sizes.actions
        self.layers = nn.Sequential(
            nn.Linear(2 * sizes.width + count + 1, 2 * sizes.width),
            nn.GELU(),
            nn.Linear(2 * sizes.width, 2 * sizes.width),
            nn.GELU(),
            nn.Linear(2 * sizes.width, count),
        )

    def forward(self, state_BW: Tensor, point_BN: Tensor, time_B1: Tensor) -> Tensor:
        """Velocity at a point, [B, H * A], at a time from 0 (noise) to 1 (actions)."""
        velocity: Tensor = self.layers(torch.cat([state_BW, point_BN, time_B1], -1))
        return velocity

    def loss(self, state_BW: Tensor, chunk_BHA: Tensor) -> Tensor:
        """Mean squared error of the velocity; a chunk's actions after the end of an episode are NaN."""
        actions_BN = chunk_BHA.flatten(1)
        given_BN = actions_BN.isfinite()
        actions_BN = actions_BN.nan_to_num(0.0)
        noise_BN, time_B1 = torch.randn_like(actions_BN), torch.rand(len(actions_BN), 1)
        point_BN = (1 - time_B1) * noise_BN + time_B1 * actions_BN
        error_BN = (self(state_BW, point_BN, time_B1) - (actions_BN - noise_BN)) ** 2
        loss: Tensor = (error_BN * given_BN).sum() / given_BN.sum().clamp(min=1)
        return loss

    def choose(self, state_BW: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Actions, float32 [B, H, A]: drawn anew by a generator, or from the middle of the noise without one."""
        size = (len(state_BW), math.prod(self._shape))
        point_BN = torch.zeros(size) if generator is None else torch.randn(size, generator=generator)
        for step in range(_FLOW_STEPS):
            time_B1 = torch.full((len(state_BW), 1), step / _FLOW_STEPS)
            point_BN = point_BN + self(state_BW, point_BN, time_B1) / _FLOW_STEPS
        return point_BN.reshape(-1, *self._shape)


class PolicyNetwork(nn.Module):
    """Moments into chunks of actions."""

    def __init__(self, sizes: PolicySizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.query = mlp(2 * sizes.dim + PLACE, 2 * sizes.width, sizes.width)
        self.read = GatedRead(sizes)
        self.head: KindsHead | FlowHead = FlowHead(sizes) if sizes.continuous else KindsHead(sizes)

    def state(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What the head reads, [B, 2 W], and the gate, [B]."""
        query_BW = self.query(torch.cat([batch.view_BD, batch.goal_BD, batch.place_BF], -1))
        read_BW, gate_B = self.read(query_BW, batch)
        return torch.cat([query_BW, read_BW], -1), gate_B

    def loss(self, batch: Batch, chunk_BH: Tensor) -> Tensor:
        """How far an expert's chunks are from the policy's."""
        return self.head.loss(self.state(batch)[0], chunk_BH)

    def choose(self, batch: Batch, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Chunks of actions, int64 [B, H] or float32 [B, H, A], and the gate, [B]."""
        state_BW, gate_B = self.state(batch)
        return self.head.choose(state_BW, generator), gate_B
