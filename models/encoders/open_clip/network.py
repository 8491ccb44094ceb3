"""A model of open_clip in torch: loaded, made ready for use, and run.

On a CPU pictures run one by one, so that no neighbour can change a vector: in batches the last bits change (1.6e-7
measured), and a memory that is killed and goes on would not be the same to the byte. Batches of eight would be 1.5
times as fast for ViT-B-32 and no faster for MobileCLIP2-S0 (one thread). On a GPU batches are always of the same
size, filled up with empty pictures, in bfloat16: the same kernels run whatever the neighbours are.

Shapes: N pictures or texts; B a batch; D of a vector.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np

from hippocam.models.errors import WeightsError
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import FloatArray, Image

if TYPE_CHECKING:
    import torch

INSTALL = "pip install 'hippocam[clip]'"
GPU_BATCH = 8  # what the pipeline hands over at once
# The hub's errors are OSError or RuntimeError; a file of another model or of no model is one of the others.
_LOAD_ERRORS = (OSError, RuntimeError, AssertionError, KeyError, ValueError, UnpicklingError)
_PREPARATION = {
    "mean": "image_mean",
    "std": "image_std",
    "interpolation": "image_interpolation",
    "resize_mode": "image_resize_mode",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchClip:
    """A model that is ready to run.

    Attributes:
        model: A model of open_clip in evaluation mode, with branches that only training needs folded together.
        preprocess: A PIL picture into float32 [3, S, S].
        tokenize: Texts into int64 [N, L].
        device: "cpu" or "cuda".
        batch: Pictures in one run, 1 or more.
        half: Whether pictures run in bfloat16.
    """

    model: Any
    preprocess: Callable[[Any], torch.Tensor]
    tokenize: Callable[[list[str]], torch.Tensor]
    device: str
    batch: int = 1
    half: bool = False

    def images(self, images: Sequence[Image]) -> FloatArray:
        """Encode N pictures, uint8 [H, W, 3] RGB, to unit vectors, float32 [N, D]."""
        import torch
        from PIL.Image import fromarray

        rows_ND: list[FloatArray] = []
        with torch.inference_mode(), self._precision():
            for start in range(0, len(images), self.batch):
                part = images[start : start + self.batch]
                pictures = [self.preprocess(fromarray(np.ascontiguousarray(image))) for image in part]
                pictures += [torch.zeros_like(pictures[0])] * (self.batch - len(part))
                vectors_BD = self.model.encode_image(torch.stack(pictures).to(self.device))
                rows_ND += list(vectors_BD[: len(part)].float().cpu().numpy())
        return unit_rows(np.stack(rows_ND))

    def texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to unit vectors, float32 [N, D]; one by one and in float32, for they are few."""
        import torch

        rows_ND: list[FloatArray] = []
        with torch.inference_mode():
            for text in texts:
                vectors_1D = self.model.encode_text(self.tokenize([text]).to(self.device))
                rows_ND.append(vectors_1D[0].float().cpu().numpy())
        return unit_rows(np.stack(rows_ND))

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        import torch

        if self.half:
            return torch.autocast(self.device, dtype=torch.bfloat16)
        return contextlib.nullcontext()


def import_open_clip() -> Any:
    """Give the module open_clip.

    Raises:
        WeightsError: It is not installed.
    """
    from hippocam.models.torchvision_shim import define_missing_operators

    define_missing_operators()
    try:
        import open_clip
    except ImportError as error:
        raise WeightsError(f"open_clip cannot be imported ({error}): {INSTALL}") from error
    return open_clip


def width(model: str) -> int:
    """Give the length of a model's vectors.

    Raises:
        WeightsError: open_clip has no such model.
    """
    config = import_open_clip().get_model_config(model)
    if config is None:
        raise WeightsError(f"open_clip has no model {model!r}: see open_clip.list_models()")
    return int(config["embed_dim"])


def activation(model: str, weights: str) -> str:
    """Return the name under which open_clip has the model with the activation that a tag was trained with.

    The weights of OpenAI want QuickGELU and open_clip builds "ViT-B-32" with GELU; it warns and gives bad vectors.
    """
    open_clip = import_open_clip()
    tag = open_clip.get_pretrained_cfg(model, weights) if not Path(weights).is_file() else {}
    quick = bool(tag.get("quick_gelu")) and not open_clip.get_model_config(model).get("quick_gelu", False)
    return f"{model}-quickgelu" if quick else model


def load(model: str, weights: str) -> TorchClip:
    """Load a model, on the GPU where there is one.

    Args:
        model: As open_clip calls it.
        weights: One of its tags (fetched from its hub once) or a file on this disk.

    Raises:
        WeightsError: open_clip is not installed, has no such model or tag, or cannot load it.
    """
    import torch

    name = f"open_clip:{model}/{weights}"
    open_clip = import_open_clip()
    width(model)  # an unknown model is reported before its weights are looked for
    tags = open_clip.list_pretrained_tags_by_model(model)
    if not Path(weights).exists() and weights not in tags:
        known = ", ".join(tags) or "none"
        raise WeightsError(f"{name}: {weights!r} is neither a file nor a tag of {model} (tags: {known})")
    gpu = torch.cuda.is_available()
    quick = activation(model, weights) != model
    options: dict[str, Any] = {"force_quick_gelu": True} if quick else {}
    if weights not in tags:
        options |= _preparation([open_clip.get_pretrained_cfg(model, tag) for tag in tags])
    try:
        with warnings.catch_warnings(), _quiet():
            warnings.filterwarnings("ignore", message="QuickGELU mismatch")  # chosen by the tag, see `activation`
            made, _, preprocess = open_clip.create_model_and_transforms(
                model, pretrained=weights, device="cuda" if gpu else "cpu", weights_only=True, **options
            )
        tokenize = open_clip.get_tokenizer(model)
    except _LOAD_ERRORS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(
            f"{name} cannot be loaded ({reason}): connect to the hub once, or name a file of weights for {model}"
            " after the slash"
        ) from error
    made.eval().requires_grad_(False)
    from timm.models import reparameterize_model

    made = reparameterize_model(made, inplace=True)  # MobileCLIP: 1.4 times as fast, the same to 3e-8
    return TorchClip(
        model=made,
        preprocess=preprocess,
        tokenize=tokenize,
        device="cuda" if gpu else "cpu",
        batch=GPU_BATCH if gpu else 1,
        half=gpu,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without open_clip's log lines on the root logger: what they say of a failure, the error says too."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _preparation(tags: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How pictures are prepared for a file of weights: as for the model's own tags, where they agree."""
    options = {}
    for key, option in _PREPARATION.items():
        values = [tag[key] for tag in tags if key in tag]
        if values and all(value == values[0] for value in values):
            options[option] = values[0]
    return options
