"""A small encoder of 60 x 80 pixels: pictures of one place come close to each other, from whatever side.

Trained by pairs of pictures of one room (InfoNCE: van den Oord, Li, Vinyals 2018), with paintings that no episode
has.

Shapes: B batch, R rooms, D numbers of a vector.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from hippocam.apps.worlds.pixels.paintings import painting
from hippocam.apps.worlds.pixels.scene import CELL_M, Picture, Scene, Stood, room_x_m
from hippocam.apps.worlds.tour import DIM
from hippocam.stream.records import FloatArray

WEIGHTS = Path(__file__).parent / "assets" / "tour_pixels.safetensors"
# First number of the seed of paintings that are learned from; episodes begin with 0, 1 and 2.
_LEARNED_FROM = 9
_TEMPERATURE, _RATE, _DECAY = 0.07, 2e-3, 1e-3
# Rooms a batch and in a scene; how far from the middle of the door, metres, and from straight ahead, radians, a
# picture from the corridor may be.
_BATCH, _ROOMS, _OFF_M, _ASKEW = 128, 32, 0.25, 0.08
Say = Callable[[str], None]


class PixelEncoder(nn.Module):
    """Four convolutions and a layer."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 64, 64)
        layers: list[nn.Module] = []
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, stride=2, padding=1), nn.BatchNorm2d(outer), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 5, DIM))

    def forward(self, pictures_B3HW: Tensor) -> Tensor:
        """Vectors of length 1, [B, D], of pictures from 0 to 1."""
        vectors: Tensor = self.layers(pictures_B3HW - 0.5)
        return functional.normalize(vectors, dim=-1)


def tensor_of(pictures_BHW3: Picture) -> Tensor:
    """Pictures as the network takes them: float32 [B, 3, H, W]."""
    return torch.from_numpy(pictures_BHW3).permute(0, 3, 1, 2).float() / 255


class Eye:
    """A trained encoder."""

    def __init__(self, path: Path = WEIGHTS) -> None:
        self._network = PixelEncoder()
        self._network.load_state_dict(load_file(path))
        self._network.eval()

    def encode(self, picture: Picture) -> FloatArray:
        """What it makes of a picture: float32 [D], of length 1."""
        with torch.inference_mode():
            found: FloatArray = self._network(tensor_of(picture[None]))[0].numpy()
        return found


@cache
def eye() -> Eye:
    """The encoder that ships."""
    return Eye()


class Pairs(NamedTuple):
    """Two pictures of each of some rooms, uint8 [R, H, W, 3]: from the corridor, and one that was taken inside."""

    passing: Picture
    inside: Picture


def pairs(scene: Scene, scenes: int, seed: int) -> Pairs:
    """Draw rooms and look at each twice."""
    passing, inside = [], []
    for number in range(scenes):
        rng = np.random.default_rng([_LEARNED_FROM, seed, number])
        paintings = [painting(rng) for _ in range(_ROOMS)]
        for room in range(_ROOMS):
            ahead = -np.pi / 2 if room % 2 else np.pi / 2
            off_m, askew = rng.uniform(-_OFF_M, _OFF_M), rng.uniform(-_ASKEW, _ASKEW)
            stood = Stood(room_x_m(room) + off_m, rng.uniform(-_OFF_M, _OFF_M), ahead + askew)
            passing.append(scene.look(paintings, stood, doors_open=True))
            inside.append(scene.look_at_painting(paintings, room, rng))
    return Pairs(np.stack(passing), np.stack(inside))


def corridors(scene: Scene, seed: int) -> Picture:
    """What is seen in a corridor that is no room: along it, with doors open and closed, and doors themselves."""
    rng = np.random.default_rng([_LEARNED_FROM, seed])
    paintings = [painting(rng) for _ in range(_ROOMS)]
    found = []
    for doors_open in (True, False):
        for x in range(0, _ROOMS, 4):
            found += [scene.look(paintings, Stood(x * CELL_M, 0, at), doors_open=doors_open) for at in (0, np.pi)]
    doors = [scene.look(paintings, Stood(CELL_M, 0, at), doors_open=False) for at in (np.pi / 2, -np.pi / 2)]
    return np.stack(found + doors)


def learn(out: Path, *, scenes: int, steps: int, seed: int, say: Say) -> float:
    """Train an encoder and write it into a file.

    Args:
        out: The file.
        scenes: Corridors that are drawn, of 32 rooms each.
        steps: Batches.
        seed: Of everything.
        say: Takes lines of progress.

    Returns:
        How often, of 32 rooms that were not learned from, the picture from inside is nearest to the right one.
    """
    torch.manual_seed(seed)
    scene, rng = Scene(), np.random.default_rng(seed)
    shown, held_out = pairs(scene, scenes, seed), pairs(scene, 4, seed + 1)
    others = tensor_of(corridors(scene, seed))
    say(f"{2 * len(shown.passing)} pictures of {len(shown.passing)} rooms")
    network = PixelEncoder()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(1, steps + 1):
        rows = rng.choice(len(shown.passing), size=_BATCH, replace=False)
        vectors = network(torch.cat([tensor_of(shown.passing[rows]), tensor_of(shown.inside[rows]), others]))
        passing, inside, along = vectors.split([_BATCH, _BATCH, len(others)])
        right = torch.arange(_BATCH)
        found = functional.cross_entropy(inside @ torch.cat([passing, along]).T / _TEMPERATURE, right)
        loss = found + functional.cross_entropy(passing @ inside.T / _TEMPERATURE, right)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps:
            say(f"step {step} of {steps}: loss {loss.item():.3f}")
    save_file({name: weight.contiguous() for name, weight in network.state_dict().items()}, out)
    return named(network, held_out)


@torch.no_grad()
def named(network: PixelEncoder, held_out: Pairs) -> float:
    """How often a picture from inside is nearest to its own room's from the corridor, among those of its scene."""
    network.eval()
    passing, inside = network(tensor_of(held_out.passing)), network(tensor_of(held_out.inside))
    shape = (-1, _ROOMS, DIM)
    cosines_SRR = inside.reshape(shape) @ passing.reshape(shape).transpose(1, 2)
    return float((cosines_SRR.argmax(-1) == torch.arange(_ROOMS)).float().mean())
