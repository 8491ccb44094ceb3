"""What was trained as safetensors files, each below 5 MB; the encoder's identity is in the header of the first.

Shapes: N pictures or texts; P = 49 patches; C = 320 channels; K = 1280; E = 384; D of the head; R rank.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hippocam.models.fusion import Fusion
from hippocam.models.packing import pack, unpack
from hippocam.stream.records import EncoderSpec, FloatArray

if TYPE_CHECKING:
    from torch import nn

    from hippocam.models.caption_head import HeadConfig, ImageHead, TextHead

Network = TypeVar("Network", bound="nn.Module")
ASSETS = Path(__file__).parent / "assets"
FILES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {  # which numbers are in which file, by how their names begin
        "bundled_head.safetensors": ("image.", "text."),
        "bundled_tinyvit.safetensors": ("tinyvit.",),
        "bundled_texts.safetensors": ("minilm.", "fusion."),
    }
)
_FIRST = next(iter(FILES))
_ARRAYS = tuple(field.name for field in fields(Fusion) if field.name not in ("conse_weight", "crowd"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Both networks, and all that they were trained together with.

    Attributes:
        config: Sizes of the networks.
        image: The picture's network.
        text: The text's network.
        fusion: How its vectors are joined with ConSE's.
        tinyvit: What is added to the numbers of TinyViT, by their names.
        minilm: Factors [E, R] and [R, E] whose product is added to a weight of MiniLM, by its name.
    """

    config: HeadConfig
    image: ImageHead
    text: TextHead
    fusion: Fusion
    tinyvit: Mapping[str, FloatArray]
    minilm: Mapping[str, tuple[FloatArray, FloatArray]]

    def image_vectors(self, patches_NPC: FloatArray, pooled_NK: FloatArray) -> FloatArray:
        """Give float32 [N, D], each picture by itself so that neighbours cannot change a bit of it."""
        import torch

        vectors_ND = np.zeros((len(patches_NPC), self.config.dim), np.float32)
        with torch.inference_mode():
            for row, (patches_PC, pooled_K) in enumerate(zip(patches_NPC, pooled_NK, strict=True)):
                vectors_ND[row] = self.image(torch.from_numpy(patches_PC[None]), torch.from_numpy(pooled_K[None]))[
                    0
                ]
        return vectors_ND

    def text_vectors(self, sentences_NE: FloatArray) -> FloatArray:
        """Give float32 [N, D] of the changed MiniLM's vectors."""
        import torch

        with torch.inference_mode():
            vectors_ND: FloatArray = self.text(torch.from_numpy(sentences_NE)).numpy()
        return vectors_ND

    def minilm_changes(self) -> dict[str, FloatArray]:
        """Give what is added to weights of MiniLM, by their names."""
        return {name: up @ down for name, (up, down) in self.minilm.items()}


def read_spec(folder: Path = ASSETS) -> EncoderSpec:
    """Read the encoder's identity from the header; neither torch nor the weights are loaded."""
    return EncoderSpec(**_about(folder)["spec"])


def read_head(folder: Path = ASSETS) -> Head:
    """Read what was trained."""
    from safetensors.numpy import load_file

    from hippocam.models.caption_head import HeadConfig, ImageHead, TextHead

    about, numbers = _about(folder), dict[str, FloatArray]()
    for name in FILES:
        numbers |= unpack(load_file(folder / name))
    config = HeadConfig(**about["config"])
    ups, downs = _under("minilm.up.", numbers), _under("minilm.down.", numbers)
    return Head(
        config=config,
        image=_fill(ImageHead(config), _under("image.", numbers)),
        text=_fill(TextHead(config), _under("text.", numbers)),
        fusion=Fusion(
            conse_weight=about["conse_weight"],
            crowd=about["crowd"],
            **_under("fusion.", numbers),
        ),
        tinyvit=_under("tinyvit.", numbers),
        minilm={name: (up, downs[name]) for name, up in ups.items()},
    )


def write_head(folder: Path, head: Head, spec: EncoderSpec) -> list[Path]:
    """Write what was trained, and give the files; those that are there are replaced.

    Args:
        folder: Where to; made where it is not there.
        head: What was trained.
        spec: The encoder's identity.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    numbers = {f"image.{name}": tensor.numpy() for name, tensor in head.image.state_dict().items()}
    numbers |= {f"text.{name}": tensor.numpy() for name, tensor in head.text.state_dict().items()}
    numbers |= {f"fusion.{name}": getattr(head.fusion, name) for name in _ARRAYS}
    numbers |= {f"tinyvit.{name}": change for name, change in head.tinyvit.items()}
    numbers |= {f"minilm.up.{name}": up for name, (up, _) in head.minilm.items()}
    numbers |= {f"minilm.down.{name}": down for name, (_, down) in head.minilm.items()}
    about = {
        "spec": asdict(spec),
        "config": asdict(head.config),
        "conse_weight": head.fusion.conse_weight,
        "crowd": head.fusion.crowd,
    }
    header = {"about": json.dumps(about)}  # one entry: safetensors writes several in any order
    for name, starts in FILES.items():
        part = folder / f"{name}.part"
        own = {key: values for key, values in numbers.items() if key.startswith(starts)}
        save_file(pack(own), part, header if name == _FIRST else None)
        part.chmod(0o644)  # safetensors makes files that only their owner can read
        part.replace(folder / name)
    return [folder / name for name in FILES]


def _fill(network: Network, numbers: Mapping[str, FloatArray]) -> Network:
    import torch

    network.load_state_dict({name: torch.from_numpy(values) for name, values in numbers.items()})
    return network.eval().requires_grad_(False)


def _under(start: str, numbers: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name.removeprefix(start): values for name, values in numbers.items() if name.startswith(start)}


def _about(folder: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(folder / _FIRST, "numpy") as file:
        about: dict[str, Any] = json.loads(file.metadata()["about"])
    return about
