"""Pictures and texts into the space of any CLIP that `open_clip` knows: "open_clip:<model>/<weights>".

<weights> is one of open_clip's tags (fetched from its hub once) or a path to a file on this disk:
"open_clip:MobileCLIP2-S0/dfndr2b", "open_clip:ViT-B-32//models/vit_b_32.safetensors".

On a GPU the model runs in torch. On a CPU it is exported once to ONNX Runtime (see `export.py`),
where one picture takes less time (measured with one thread: MobileCLIP2-S0 40 ms, in torch 69, and 98 as open_clip
builds it; ViT-B-32 86 and 105), and a question is encoded without importing open_clip, which takes seconds.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".

Shapes: N pictures or texts; D as the model says (512 for ViT-B-32).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from hippocam.models.errors import WeightsError
from hippocam.models.lazy import Lazy
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from hippocam.models.encoders.onnx_card import Card
    from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder
    from hippocam.models.encoders.open_clip.network import TorchClip

log = logging.getLogger(__name__)

Runtime = Literal["auto", "torch", "onnx"]
# Cosines of CLIP between a text and a fitting picture lie about 0.25 to 0.35, of others 0.1 to 0.2 (Hessel et
# al. 2021, CLIPScore). SigLIP's are lower: the belief is then too careful, and the order is the same.
_MIDPOINT = 0.22
_SLOPE = 50.0
_ANY = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # replaced by the model's own when it is exported


class OpenClipEncoder:
    """One of open_clip's models.

    Args:
        argument: "<model>/<tag>" or "<model>/<path>", a path where such a file exists.
        runtime: "auto" for torch on a GPU, and for ONNX Runtime on a CPU where the model can be exported; "torch"
            or "onnx" for that one alone.

    Raises:
        WeightsError: The argument is not of this form; open_clip is not installed, has no such model or tag,
            or cannot load it (these at first use).
    """

    def __init__(self, argument: str, *, runtime: Runtime = "auto") -> None:
        self._model, slash, self._weights = argument.partition("/")
        if not (self._model and slash and self._weights):
            raise WeightsError(
                f"open_clip:{argument} must be open_clip:<model>/<tag or path>, as open_clip:ViT-B-32/openai"
            )
        self._name = f"open_clip:{argument}"
        self._runtime = runtime
        self._source = Lazy(self._find_source)
        self._spec = Lazy(self._read_spec)
        self._torch = Lazy(self._load)
        self._engine = Lazy(self._choose)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors; reads the model's configuration, not its weights."""
        return self._spec()

    def prepare(self) -> TorchClip | OnnxFolderEncoder:
        """Load the model now, fetching and exporting it if needed; return what will run it."""
        return self._engine()

    def export(self, folder: Path) -> Card:
        """Write the model into a folder that `onnx:<folder>` reads.

        Raises:
            WeightsError: It cannot be loaded or exported; the message says why.
        """
        from hippocam.models.encoders.open_clip.export import export, require_packages

        require_packages()
        return export(self._on_cpu(), self._card(), folder)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size by the model's own preprocessing; no labels."""
        from hippocam.models.encoders.open_clip.network import TorchClip

        engine = self._engine()
        if not isinstance(engine, TorchClip):
            return engine.encode_images(images)
        vectors_ND = engine.images(images) if len(images) else np.zeros((0, self.spec.dim), np.float32)
        return EncodedImages(vectors_ND=vectors_ND, labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]; longer texts than the model reads are cut."""
        from hippocam.models.encoders.open_clip.network import TorchClip

        engine = self._engine()
        if not isinstance(engine, TorchClip):
            return engine.encode_texts(texts)
        return engine.texts(texts) if len(texts) else np.zeros((0, self.spec.dim), np.float32)

    def _find_source(self) -> str:
        """Say what makes the vectors: the model and the tag, or what the file holds, wherever it lies."""
        from hippocam.models.encoders.onnx_card import sha256_of

        file = Path(self._weights)
        return f"{self._model}/" + (f"sha256-{sha256_of(file)[:16]}" if file.is_file() else self._weights)

    def _read_spec(self) -> EncoderSpec:
        from hippocam.models.encoders.onnx_card import read_card
        from hippocam.models.encoders.open_clip.export import find_export

        found = find_export(self._source())
        return read_card(found).spec if found is not None else self._card().spec

    def _card(self) -> Card:
        """What is known before the model is loaded."""
        from hippocam.models.encoders.onnx_card import Card
        from hippocam.models.encoders.open_clip.network import activation, width

        dim = width(self._model)
        name = f"open_clip:{activation(self._model, self._weights)}/{self._source().partition('/')[2]}"
        mean, deviation = _ANY
        return Card(
            id=name,
            dim=dim,
            mean=mean,
            deviation=deviation,
            midpoint=_MIDPOINT,
            slope=_SLOPE,
            source=self._source(),
        )

    def _load(self) -> TorchClip:
        from hippocam.models.encoders.open_clip.network import load

        return load(self._model, self._weights)

    def _on_cpu(self) -> TorchClip:
        """The model for exporting, on the CPU; one that runs elsewhere is left as it is."""
        from dataclasses import replace

        if not _gpu():
            return self._torch()
        clip = self._load()
        return replace(clip, model=clip.model.cpu(), device="cpu", batch=1, half=False)

    def _choose(self) -> TorchClip | OnnxFolderEncoder:
        if self._runtime == "torch" or (self._runtime == "auto" and _gpu()):
            return self._torch()
        from hippocam.models.encoders.open_clip.export import export_once, failure, require_packages
        from hippocam.models.errors import ExportError

        exported = self._exported()
        if exported is not None:
            return exported
        try:
            require_packages()
            if reason := failure(self._source()):
                raise ExportError(reason)
            return _folder(export_once(self._load, self._card()))  # not kept, so that torch's copy is freed
        except (ExportError, OSError) as error:
            if self._runtime == "onnx":
                raise WeightsError(f"{self._name}: {error}") from error
            clip = self._torch()
            log.warning("%s runs in torch, not in ONNX Runtime: %s", self._name, error)
            return clip

    def _exported(self) -> OnnxFolderEncoder | None:
        """The export in the cache; a broken one is deleted."""
        from hippocam.models.encoders.open_clip.export import delete_export, find_export

        if (path := find_export(self._source())) is None:
            return None
        encoder = _folder(path)
        try:
            encoder.verify()
        except WeightsError as error:
            log.warning("%s: %s; making it again", self._name, error)
            delete_export(path)
            return None
        return encoder


def _folder(path: Path) -> OnnxFolderEncoder:
    from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder

    return OnnxFolderEncoder(str(path))


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()
