"""A policy in a file: weights, sizes, and what it was trained for.

The file is safetensors; its metadata hold one JSON object under "policy".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hippocam.models.errors import PolicyError
from hippocam.models.policies.network import PolicyNetwork
from hippocam.models.policies.records import Batch, Moment, PolicySizes, batch_of

_KEY = "policy"


class Chosen(NamedTuple):
    """What a policy does.

    Attributes:
        actions: int64 [H] of kinds, or float32 [H, A].
        gate: How far it relied on what was recalled, 0 to 1; 0 where nothing could be read.
    """

    actions: NDArray[Any]
    gate: float


class Chooser(Protocol):
    """A network that chooses chunks of actions."""

    def choose(self, batch: Batch, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Chunks of actions, and the gate [B]."""


class Actor(Protocol):
    """What acts."""

    def act(self, moment: Moment, draws: torch.Generator | None = None) -> Chosen:
        """Choose a chunk of actions: the likeliest, or drawn by how likely they are."""


def choose(network: Chooser, moment: Moment, draws: torch.Generator | None = None) -> Chosen:
    """Choose a chunk of actions.

    Args:
        network: Chooses.
        moment: The moment.
        draws: Draws the actions by how likely they are; None takes the likeliest.
    """
    with torch.inference_mode():
        chunk, gate = network.choose(batch_of([moment]), draws)
    return Chosen(chunk[0].numpy(), float(gate[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCard:
    """What a policy was trained for.

    Attributes:
        world: Name of the world.
        seed: Seed of the training.
        encoder: Name of the encoder of what it sees; "" where the world gives vectors.
        trained: What was measured when it was trained, by name.
    """

    world: str
    seed: int
    encoder: str = ""
    trained: Mapping[str, float] = field(default_factory=dict)


class Policy:
    """A trained policy.

    Args:
        network: Chooses.
        card: What it was trained for.
    """

    def __init__(self, network: PolicyNetwork, card: PolicyCard) -> None:
        self.network, self.card = network.eval(), card

    @property
    def sizes(self) -> PolicySizes:
        """Sizes of its network."""
        return self.network.sizes

    def act(self, moment: Moment, draws: torch.Generator | None = None) -> Chosen:
        """Choose a chunk of actions: see `choose`."""
        return choose(self.network, moment, draws)

    def write(self, path: Path) -> None:
        """Write it into a file."""
        told = json.dumps({"sizes": asdict(self.sizes), "card": asdict(self.card)}, sort_keys=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        weights = {name: weight.contiguous() for name, weight in self.network.state_dict().items()}
        save_file(weights, path, metadata={_KEY: told})

    @staticmethod
    def read(path: Path) -> Policy:
        """Read it from a file.

        Raises:
            PolicyError: It holds no policy.
        """
        try:
            with safe_open(path, "pt") as file:
                told = json.loads((file.metadata() or {})[_KEY])
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            network = PolicyNetwork(PolicySizes(**told["sizes"]))
            network.load_state_dict(weights)
            return Policy(network, PolicyCard(**told["card"]))
        except FileNotFoundError as error:
            raise PolicyError(f"{path}: no such file") from error
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise PolicyError(f"{path}: no policy is in this file") from error


class Unrepeating:
    """Acts in one episode; where it has been before, it draws its actions, so that it does not go in circles.

    Args:
        actor: Chooses.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._been = Counter[tuple[float, ...]]()
        self._draws = torch.Generator().manual_seed(0)

    def act(self, moment: Moment) -> Chosen:
        """Choose a chunk of actions."""
        place = tuple(moment.pose)
        self._been[place] += 1
        return self._actor.act(moment, self._draws if self._been[place] > 1 else None)


def parameters(network: torch.nn.Module) -> int:
    """How many numbers a network has learned."""
    return int(np.sum([weight.numel() for weight in network.parameters()]))
