"""The rules that are compared: what each remembers, and how the policy that reads it is taught.

Every rule but the GRU and the transformer has the same network as ours, taught by the same demonstrations; what
differs is what was remembered of them. The two that read the history by themselves get more demonstrations and
longer training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from hippocam.apps.bench.policy import banks
from hippocam.apps.bench.policy.records import GRU, MEMORYLESS, OURS, TRANSFORMER
from hippocam.apps.bench.policy.sequences import GruNetwork, Recurrent, TransformerNetwork, Walks, walk
from hippocam.apps.robot.policy.demonstrations import Demonstration, LaidOut, demonstrations
from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.apps.robot.policy.train import HELD_OUT, lessons
from hippocam.models.policies.network import PolicyNetwork
from hippocam.models.policies.playing import PlayWorld, Remembering
from hippocam.models.policies.policy import Actor, Chooser, Chosen, choose
from hippocam.models.policies.records import Moment, PolicySizes
from hippocam.models.policies.training import FitConfig, fit, one_thread

ASSETS = Path(__file__).parent / "assets"
# Demonstrations of those that read the history by themselves, and the sizes in these: in some worlds the small
# ones, since the cost of a batch grows with the history.
_MANY, _SMALL = {GRU: 6000, TRANSFORMER: 1200}, {"tour": (4, 8), "tour-minigrid": (4, 8), "guided": (4, 8)}
# The longest delay that a full history is taught at; those with a longer one take minutes to demonstrate.
_LONGEST_TAUGHT = 10_000
_SHORT = FitConfig(batch=128, look=100, patience=4)
_WIDE = FitConfig(batch=32, look=100, patience=4)
_LONG = FitConfig(steps=6000, batch=32, rate=1e-3, look=200, patience=8)
# Those that were trained in this process, by name and world: one serves all seeds.
_TRAINED: dict[tuple[str, str], GruNetwork | TransformerNetwork] = {}
Say = Callable[[str], None]


class Alone:
    """A network as a policy.

    Args:
        network: Chooses.
    """

    def __init__(self, network: Chooser) -> None:
        self._network = network

    def act(self, moment: Moment, draws: torch.Generator | None = None) -> Chosen:
        """Choose a chunk of actions."""
        return choose(self._network, moment, draws)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A policy with its memory, ready to be tried.

    Attributes:
        actor: Acts.
        opens: Opens an empty memory.
    """

    actor: Actor
    opens: Callable[[], AbstractContextManager[Remembering]]


@contextmanager
def _bank(kind: type[banks.Full], dim: int) -> Iterator[Remembering]:
    yield kind(dim)


@contextmanager
def _state(recurrent: Recurrent) -> Iterator[Remembering]:
    recurrent.begin()
    yield recurrent


BANKS: dict[str, type[banks.Full]] = {
    MEMORYLESS: banks.Memoryless,
    "stack": banks.Stack,
    "fifo": banks.Fifo,
    "uniform": banks.Uniform,
    "memoryvla": banks.Merging,
    "full-soft": banks.Full,
    "full-hard": banks.Hard,
}
RULES = (OURS, *BANKS, GRU, TRANSFORMER)


def taught(
    name: str, world: PlayWorld, *, seed: int, count: int, delays: Sequence[int], retrain: bool, say: Say
) -> Rule:
    """Teach a rule's policy.

    Args:
        name: Of the rule.
        world: The world.
        seed: Of demonstrations and weights.
        count: How many episodes are demonstrated.
        delays: Those that will be tried; ours and a full history that is read by a hard top-k are taught at all.
        retrain: Whether a GRU and a transformer are trained anew, rather than taken as they come with the bench.
        say: Takes lines of progress.
    """
    if name in (GRU, TRANSFORMER):
        kept = _kept(name, world, say, retrain=retrain)
        if isinstance(kept, TransformerNetwork):
            return Rule(actor=Alone(kept), opens=lambda: _bank(banks.Full, world.dim))
        recurrent = Recurrent(kept)
        return Rule(actor=recurrent, opens=lambda: _state(recurrent))
    if name in (OURS, "full-hard"):
        world = replace(world, delays=tuple(delay for delay in delays if delay <= _LONGEST_TAUGHT))

    def opens() -> AbstractContextManager[Remembering]:
        return our_memory(world.name, world.dim) if name == OURS else _bank(BANKS[name], world.dim)

    found = lessons(_demonstrated(world, count, seed), opens, count=count)
    sizes = PolicySizes(dim=world.dim, actions=world.actions)
    torch.manual_seed(seed)
    network = PolicyNetwork(sizes)
    learned, held_out = LaidOut.of(found, sizes.chunk, share=HELD_OUT, seed=seed, turned=world.new_looks)
    config = replace(_WIDE if name == "full-soft" else _SHORT, seed=seed, steps=world.steps)
    fitted = fit(network, learned, held_out, config, say=lambda line: None)
    best = min(look.held_out for look in fitted.looks)
    say(f"{name}, seed {seed}: step {fitted.best_step}, held out {best:.3f}, {fitted.seconds:.0f} s")
    return Rule(actor=Alone(network), opens=opens)


@cache
@one_thread()
def _demonstrated(world: PlayWorld, count: int, seed: int) -> Sequence[Demonstration]:
    """Demonstrations, played once for all rules that learn from the same: in some worlds drawing takes longest."""
    return tuple(demonstrations(world, count, seed))


def _kept(name: str, world: PlayWorld, say: Say, *, retrain: bool) -> GruNetwork | TransformerNetwork:
    """A network whose weights come with the bench, since training takes long; else it is trained once for all."""
    path = ASSETS / f"{world.name}-{name}.safetensors"
    if retrain or not path.is_file():
        if (name, world.name) not in _TRAINED:
            _TRAINED[name, world.name] = train_long(name, world, say=say)
        return _TRAINED[name, world.name]
    network = _long_network(name, world)
    network.load_state_dict(load_file(path))
    return network.eval()


def _long_network(name: str, world: PlayWorld) -> GruNetwork | TransformerNetwork:
    sizes = PolicySizes(dim=world.dim, actions=world.actions)
    return GruNetwork(sizes) if name == GRU else TransformerNetwork(sizes)


@one_thread()
def train_long(
    name: str, world: PlayWorld, *, say: Say, out: Path | None = None
) -> GruNetwork | TransformerNetwork:
    """Train a GRU or a transformer until it stops improving; with `out` the best so far is kept in that file."""
    torch.manual_seed(0)
    network = _long_network(name, world)
    small = replace(world, sizes=_SMALL.get(world.name, world.sizes), delays=(0,))
    played = demonstrations(small, _MANY[name], 0)
    learned: Walks | LaidOut
    held_out: Walks | LaidOut
    if name == GRU:
        walks = [walk(each, network.sizes.chunk) for each in played]
        held = round(HELD_OUT * len(walks))
        learned, held_out = Walks(walks[:-held]), Walks(walks[-held:])
    else:
        found = lessons(played, lambda: _bank(banks.Full, world.dim), count=_MANY[name])
        learned, held_out = LaidOut.of(found, network.sizes.chunk, share=HELD_OUT, seed=0, turned=world.new_looks)

    def keep() -> None:
        if out is not None:
            save_file(_weights(network), out)

    fitted = fit(network, learned, held_out, _LONG, say=lambda line: say(f"{name}: {line}"), keep=keep)
    say(f"{name}: step {fitted.best_step} of {fitted.looks[-1].step} is kept, {fitted.seconds:.0f} s")
    return network


def _weights(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: weight.contiguous() for name, weight in network.state_dict().items()}
