"""The trained head as one safetensors file: networks, fusion and calibration together, so they cannot part.

Shapes: N pictures or texts; P = 49 patches; C = 320 channels; E = 384; D of the head.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hippocam.models.fusion import Fusion
from hippocam.stream.records import EncoderSpec, FloatArray

if TYPE_CHECKING:
    from hippocam.models.caption_head import Members

HEAD_FILE = Path(__file__).parent / "assets" / "bundled_head.safetensors"
_MEANS = tuple(field.name for field in fields(Fusion) if field.name != "conse_weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Both networks with the fusion that they were trained for."""

    image: Members
    text: Members
    fusion: Fusion

    def image_vectors(self, patches_NPC: FloatArray) -> FloatArray:
        """Give float32 [N, D], each picture by itself so that neighbours cannot change a bit of it."""
        import torch

        with torch.inference_mode():
            rows = [self.image(torch.from_numpy(patches_PC[None])).numpy() for patches_PC in patches_NPC]
        return np.concatenate([np.zeros((0, self.image.dim), np.float32), *rows])

    def text_vectors(self, sentences_NE: FloatArray) -> FloatArray:
        """Give float32 [N, D]."""
        import torch

        with torch.inference_mode():
            vectors_ND: FloatArray = self.text(torch.from_numpy(sentences_NE)).numpy()
        return vectors_ND


def read_spec(path: Path = HEAD_FILE) -> EncoderSpec:
    """Read the encoder's identity from the file's header; neither torch nor the weights are loaded."""
    return EncoderSpec(**json.loads(_header(path)["spec"]))


def read_head(path: Path = HEAD_FILE) -> Head:
    """Read the head."""
    import torch
    from safetensors.torch import load_file

    from hippocam.models.caption_head import HeadConfig, build

    header = _header(path)
    tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    means = {name: np.asarray(tensors.pop(f"fusion.{name}").numpy(), np.float32) for name in _MEANS}
    image, text = build(HeadConfig(**json.loads(header["config"])))
    networks = torch.nn.ModuleDict({"image": image, "text": text})
    networks.load_state_dict(tensors)
    networks.eval().requires_grad_(False)
    return Head(image=image, text=text, fusion=Fusion(conse_weight=float(header["conse_weight"]), **means))


def write_head(path: Path, head: Head, config: object, spec: EncoderSpec) -> None:
    """Write a head, its numbers as float16, which costs no recall.

    Args:
        path: Where to; replaced if it is there.
        head: The networks and the fusion.
        config: The `HeadConfig` that they were built with.
        spec: The encoder's identity with the fitted midpoint and slope.
    """
    import torch
    from safetensors.torch import save_file

    networks = torch.nn.ModuleDict({"image": head.image, "text": head.text})
    tensors = {name: tensor.half().contiguous() for name, tensor in networks.state_dict().items()}
    tensors |= {f"fusion.{name}": torch.from_numpy(getattr(head.fusion, name)).half() for name in _MEANS}
    header = {
        "spec": json.dumps(asdict(spec)),
        "config": json.dumps(asdict(config)),  # type: ignore[call-overload]
        "conse_weight": str(head.fusion.conse_weight),
    }
    save_file(tensors, path, header)
    path.chmod(0o644)  # safetensors makes files that only their owner can read


def _header(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, "numpy") as file:
        header: dict[str, str] = file.metadata()
    return header
