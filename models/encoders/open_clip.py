"""Pictures and texts into the space of any CLIP that `open_clip` knows: "open_clip:<model>/<weights>".

<weights> is one of open_clip's tags (fetched from its hub once) or a path to a file on this disk:
"open_clip:ViT-B-32/openai", "open_clip:MobileCLIP2-S0//models/mobileclip2_s0.safetensors".

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision".

Shapes: N pictures or texts; D as the model says (512 for ViT-B-32).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np

from hippocam.models.lazy import Lazy
from hippocam.models.pictures import unit_rows
from hippocam.models.weights import WeightsError
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    import torch

_INSTALL = "pip install 'hippocam[clip]'"
# Cosines of CLIP between a text and a fitting picture lie about 0.25 to 0.35, of others 0.1 to 0.2 (Hessel et
# al. 2021, CLIPScore). SigLIP's are lower; the belief is then too careful, the order is not touched.
_MIDPOINT, _SLOPE = 0.22, 50.0
# The hub's errors are OSError or RuntimeError; a file of another model or of no model is one of the others.
_LOAD_ERRORS = (OSError, RuntimeError, AssertionError, KeyError, ValueError, UnpicklingError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    model: Any
    preprocess: Callable[[Any], torch.Tensor]
    tokenize: Callable[[list[str]], torch.Tensor]
    device: str


class OpenClipEncoder:
    """One of open_clip's models.

    Args:
        argument: "<model>/<tag>" or "<model>/<path>", a path where such a file exists.

    Raises:
        WeightsError: The argument is not of this form; open_clip is not installed, has no such model or tag,
            or cannot load it (these at first use).
    """

    def __init__(self, argument: str) -> None:
        self._model, slash, self._weights = argument.partition("/")
        if not (self._model and slash and self._weights):
            raise WeightsError(
                f"open_clip:{argument} must be open_clip:<model>/<tag or path>, as open_clip:ViT-B-32/openai"
            )
        self._argument = argument
        self._spec = Lazy(self._read_spec)
        self._parts = Lazy(self._load)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors; reads the model's configuration, not its weights."""
        return self._spec()

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size by the model's own preprocessing; no labels."""
        import torch
        from PIL.Image import fromarray

        parts = self._parts()
        vectors_ND = np.zeros((len(images), self.spec.dim), np.float32)
        with torch.inference_mode():
            for row, image in enumerate(images):  # one by one, so that neighbours cannot change a vector
                picture = parts.preprocess(fromarray(np.ascontiguousarray(image)))[None].to(parts.device)
                vectors_ND[row] = parts.model.encode_image(picture)[0].float().cpu().numpy()
        return EncodedImages(vectors_ND=unit_rows(vectors_ND), labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]; longer texts than the model reads are cut."""
        import torch

        parts = self._parts()
        vectors_ND = np.zeros((len(texts), self.spec.dim), np.float32)
        with torch.inference_mode():
            for row, text in enumerate(texts):
                tokens = parts.tokenize([text]).to(parts.device)
                vectors_ND[row] = parts.model.encode_text(tokens)[0].float().cpu().numpy()
        return unit_rows(vectors_ND)

    def _read_spec(self) -> EncoderSpec:
        open_clip = _import_open_clip()
        config = open_clip.get_model_config(self._model)
        if config is None:
            raise WeightsError(f"open_clip has no model {self._model!r}: see open_clip.list_models()")
        name = f"open_clip:{self._argument}"
        dim = config["embed_dim"]
        return EncoderSpec(id=name, dim=dim, normalised=True, midpoint=_MIDPOINT, slope=_SLOPE)

    def _load(self) -> _Parts:
        import torch

        open_clip = _import_open_clip()
        assert self.spec.id  # an unknown model is reported before its weights are looked for
        weights = self._weights
        if not Path(weights).exists() and weights not in open_clip.list_pretrained_tags_by_model(self._model):
            known = ", ".join(open_clip.list_pretrained_tags_by_model(self._model)) or "none"
            raise WeightsError(
                f"open_clip:{self._argument}: {weights!r} is neither a file nor a tag of {self._model}"
                f" (tags: {known})"
            )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            model, _, preprocess = open_clip.create_model_and_transforms(
                self._model, pretrained=weights, device=device, weights_only=True
            )
        except _LOAD_ERRORS as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise WeightsError(
                f"open_clip:{self._argument} cannot be loaded ({reason}): connect to the hub once, or name a"
                f" file of weights for {self._model} after the slash"
            ) from error
        model.eval().requires_grad_(False)
        tokenize = open_clip.get_tokenizer(self._model)
        return _Parts(model=model, preprocess=preprocess, tokenize=tokenize, device=device)


def _import_open_clip() -> Any:
    from hippocam.models.torchvision_shim import define_missing_operators

    define_missing_operators()
    try:
        import open_clip
    except ImportError as error:
        raise WeightsError(f"open_clip cannot be imported ({error}): {_INSTALL}") from error
    return open_clip
