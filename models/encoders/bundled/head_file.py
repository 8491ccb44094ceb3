"""What was trained as a safetensors file; the encoder's identity is in its header.

Shapes: N pictures; T = 65 tokens, of the whole and of G x G patches; R regions; C = 384 channels; E = 384.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hippocam.models.encoders.bundled.fusion import Fusion
from hippocam.models.nets.minilm import WIDTH
from hippocam.models.nets.packing import pack, unpack
from hippocam.stream.records import EncoderSpec, FloatArray

if TYPE_CHECKING:
    from hippocam.models.encoders.bundled.caption_head import HeadConfig, ImageHead

ASSETS = Path(__file__).parents[2] / "assets"
FILE = "bundled_head.safetensors"
_ARRAYS = tuple(field.name for field in fields(Fusion) if field.name not in ("conse_weight", "crowd"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The network, and how what it gives is joined.

    Attributes:
        config: Sizes of the network.
        image: The network.
        fusion: How its vectors are joined with ConSE's.
    """

    config: HeadConfig
    image: ImageHead
    fusion: Fusion

    def image_vectors(self, tokens_NTC: FloatArray) -> FloatArray:
        """Return float32 [N, 384], each picture by itself, so that neighbours cannot change a bit of it."""
        import torch

        vectors_NE = np.zeros((len(tokens_NTC), WIDTH), np.float32)
        with torch.inference_mode():
            for row, tokens_TC in enumerate(tokens_NTC):
                vectors_NE[row] = self.image(torch.from_numpy(tokens_TC[None]))[0]
        return vectors_NE

    def region_vectors(self, tokens_TC: FloatArray) -> FloatArray:
        """Return float32 [R, 384] of one picture: of each two by two neighbouring patches beside the whole."""
        import torch

        side = math.isqrt(len(tokens_TC) - 1)
        whole_1C, patches_GGC = tokens_TC[:1], tokens_TC[1:].reshape(side, side, -1)
        regions = [
            np.concatenate([whole_1C, patches_GGC[row : row + 2, column : column + 2].reshape(4, -1)])
            for row in range(side - 1)
            for column in range(side - 1)
        ]
        with torch.inference_mode():
            vectors: FloatArray = self.image(torch.from_numpy(np.stack(regions))).numpy()
        return vectors


def read_spec(folder: Path = ASSETS) -> EncoderSpec:
    """Read the encoder's identity from the header; neither torch nor the weights are loaded."""
    return EncoderSpec(**_about(folder)["spec"])


def read_head(folder: Path = ASSETS) -> Head:
    """Read what was trained."""
    import torch
    from safetensors.numpy import load_file

    from hippocam.models.encoders.bundled.caption_head import HeadConfig, ImageHead

    about, numbers = _about(folder), unpack(load_file(folder / FILE))
    config = HeadConfig(**about["config"])
    image = ImageHead(config)
    image.load_state_dict({name: torch.from_numpy(array) for name, array in _under("image.", numbers).items()})
    return Head(
        config=config,
        image=image.eval().requires_grad_(False),
        fusion=Fusion(
            conse_weight=about["conse_weight"],
            crowd=about["crowd"],
            **_under("fusion.", numbers),
        ),
    )


def write_head(folder: Path, head: Head, spec: EncoderSpec) -> Path:
    """Write what was trained, and give the file; one that is there is replaced.

    Args:
        folder: Where the file goes; made if it is missing.
        head: What was trained.
        spec: The encoder's identity.
    """
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    numbers = {f"image.{name}": tensor.numpy() for name, tensor in head.image.state_dict().items()}
    numbers |= {f"fusion.{name}": getattr(head.fusion, name) for name in _ARRAYS}
    about = {
        "spec": asdict(spec),
        "config": asdict(head.config),
        "conse_weight": head.fusion.conse_weight,
        "crowd": head.fusion.crowd,
    }
    header = {"about": json.dumps(about)}  # one entry: safetensors writes several in any order
    part = folder / f"{FILE}.part"
    save_file(pack(numbers), part, header)
    part.chmod(0o644)  # safetensors makes files that only their owner can read
    return part.replace(folder / FILE)


def _under(start: str, numbers: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name.removeprefix(start): values for name, values in numbers.items() if name.startswith(start)}


def _about(folder: Path) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(folder / FILE, "numpy") as file:
        about: dict[str, Any] = json.loads(file.metadata()["about"])
    return about
