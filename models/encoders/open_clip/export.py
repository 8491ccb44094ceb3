"""A model of open_clip from torch into a folder of ONNX networks, and the cache of such folders.

`onnx:<folder>` reads what is written here, and `open_clip:` itself does from its second use on, without importing
open_clip. Nothing is written that does not give what torch gives: pictures and texts go through both, whole, and
no number of a unit vector may differ by more than `TOLERANCE`.

Shapes: N pictures or texts; D of a vector.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.models.encoders.onnx_card import (
    FORMAT,
    IMAGE,
    TEXT,
    TOKENIZER,
    Card,
    read_card,
    sha256_of,
    write_card,
)
from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder
from hippocam.models.encoders.open_clip.network import INSTALL, TorchClip
from hippocam.models.encoders.open_clip.tokens import clip_tokenizer
from hippocam.models.errors import ExportError, WeightsError
from hippocam.models.weights import cache_root
from hippocam.stream.records import FloatArray, Image

log = logging.getLogger(__name__)

OPSET = 20  # has Gelu as one operator: MobileCLIP2-S0 takes 40 ms a picture, with 18 it takes 51 (one thread)
TOLERANCE = 1e-5  # found: 2.3e-7 at most. A step of the int8 in which a memory keeps vectors is about 1e-3
_ROUNDS = 8  # of the measurement of speed
_EXPORT_ERRORS = (ImportError, RuntimeError, TypeError, ValueError, AssertionError, AttributeError, KeyError)
_TEXTS = (
    *("a dog", "two people walk along a beach at sunset", "", "it's the driver's “red” car", "A TRUCK, parked"),
    *("Ein Hund läuft über die Straße 🐕", "犬が走る", "100 bottles & 3.5 m of rope", "a\nb\tc", "word " * 200),
)


def export(clip: TorchClip, card: Card, folder: Path) -> Card:
    """Write a model as a folder, whole or not at all.

    Args:
        clip: The model, on the CPU, running pictures one by one.
        card: What is known of it: id, dim, belief, licence, source.
        folder: Where the files go; nothing may be there yet.

    Returns:
        The card as it was written.

    Raises:
        ExportError: The model cannot be exported, a package that is needed is missing, or the folder exists.
        OSError: There is no room.
    """
    require_packages()
    import torch

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError(f"{folder} is there already: give a folder that is not, or an empty one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".export-"))
    try:
        _write_tokenizer(clip, part)
        side_px, length = _write_networks(clip, part)
        sums = {name: sha256_of(part / name) for name in (IMAGE, TEXT, TOKENIZER)}
        card = replace(
            card, **_preparation(clip), size_px=side_px, length=length, sha256=sums, versions=_versions()
        )
        write_card(part, card)
        exported = OnnxFolderEncoder(str(part), threads=torch.get_num_threads())
        difference = _compare(clip, exported)
        card = replace(card, largest_difference=difference, times_as_fast=_times_as_fast(clip, exported))
        write_card(part, card)
        part.chmod(0o755)
        part.rename(folder)  # atomic, and an empty folder may be there
    except _EXPORT_ERRORS as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ExportError(f"{card.source} cannot be exported to ONNX ({reason})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return card


def require_packages() -> None:
    """Raise ExportError where a package is missing that exporting takes."""
    missing = [name for name in ("open_clip", "onnx", "onnxscript") if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(f"{' and '.join(missing)} not installed: {INSTALL}")


# the cache ---------------------------------------------------------------------------------------------------


def exports_dir() -> Path:
    """Give the folder of exported models: `$HIPPOCAM_CACHE/encoders`, else `~/.cache/hippocam/encoders`."""
    return cache_root() / "encoders"


def export_path(source: str) -> Path:
    """Say where the export of a model is or would be.

    Args:
        source: "<model>/<tag>", or "<model>/sha256-<hash of the file>".
    """
    made_by = {key: value for key, value in _versions().items() if key == "open_clip_torch"}
    key = hashlib.sha256(json.dumps([FORMAT, OPSET, source, made_by]).encode()).hexdigest()[:12]
    return exports_dir() / f"{re.sub(r'[^A-Za-z0-9.-]+', '-', source)[:80]}-{key}"


def find_export(source: str) -> Path | None:
    """Find the exported model that can replace a model; None if there is none that is whole by its card.

    Where open_clip is not installed, one that any version of it made will do.
    """
    path = export_path(source)
    if _card_of(path) is not None:
        return path
    if "open_clip_torch" in _versions():
        return None
    others = [other for other, card in exports() if card.source == source]
    return max(others, key=lambda other: other.stat().st_mtime, default=None)


def exports() -> list[tuple[Path, Card]]:
    """Give the exported models in the cache that can be read, by name."""
    folders = sorted(exports_dir().glob("[!.]*")) if exports_dir().is_dir() else []
    return [(folder, card) for folder in folders if (card := _card_of(folder)) is not None]


def failure(source: str) -> str:
    """Say why this model could not be exported when it was tried, "" where it was not tried."""
    try:
        return _failure_path(export_path(source)).read_text(encoding="utf-8")
    except OSError:
        return ""


def export_once(load: Callable[[], TorchClip], card: Card) -> Path:
    """Export a model into the cache unless another process did meanwhile.

    A failure is written down, so that it is not tried again with the same versions.

    Args:
        load: Gives the model; called only where it is needed, by one process at a time.
        card: As for `export`.

    Raises:
        ExportError, OSError: As for `export`.
        WeightsError: The model cannot be loaded.
    """
    path = export_path(card.source)
    with _alone(path):
        if _card_of(path) is None:
            shutil.rmtree(path, ignore_errors=True)  # of another format, or its card is broken
            clip = load()
            log.warning("exporting %s to ONNX Runtime, once (about a minute)", card.id)
            try:
                export(clip, card, path)
            except ExportError as error:
                _failure_path(path).write_text(str(error), encoding="utf-8")
                raise
    return path


def delete_export(path: Path) -> None:
    """Delete a broken export from the cache."""
    with _alone(path):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock with which one process at a time exports a model; the kernel frees it with its process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path.parent / f".{path.name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _failure_path(path: Path) -> Path:
    versions = hashlib.sha256(json.dumps(_versions()).encode()).hexdigest()[:8]
    return path.parent / f".{path.name}-{versions}.failed"


def _card_of(folder: Path) -> Card | None:
    try:
        return read_card(folder)
    except WeightsError:
        return None


# parts -------------------------------------------------------------------------------------------------------


def _write_tokenizer(clip: TorchClip, folder: Path) -> None:
    tokenizer = clip.tokenize
    if type(tokenizer).__name__ != "SimpleTokenizer":
        raise ExportError(f"its tokenizer is {type(tokenizer).__name__}, and only CLIP's own can be written down")
    clip_tokenizer(tokenizer).save(str(folder / TOKENIZER))


def _write_networks(clip: TorchClip, folder: Path) -> tuple[int, int]:
    """Export both networks for one picture and one text; gives their sizes."""
    import torch

    class Tower(torch.nn.Module):
        def __init__(self, model: Any, part: str) -> None:
            super().__init__()
            self.model, self.part = model, part

        def forward(self, values: torch.Tensor) -> torch.Tensor:
            vectors_ND: torch.Tensor = getattr(self.model, self.part)(values)
            return vectors_ND

    side_px = _side_px(clip)
    tokens_1L = clip.tokenize(["a dog"])
    inputs = {
        "encode_image": (IMAGE, "picture", torch.zeros(1, 3, side_px, side_px)),
        "encode_text": (TEXT, "tokens", tokens_1L),
    }
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        for part, (name, given, example) in inputs.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the exporter's own
                torch.onnx.export(
                    Tower(clip.model, part).eval(),
                    (example,),
                    str(folder / name),
                    input_names=[given],
                    output_names=["vector"],
                    opset_version=OPSET,
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
    return side_px, int(tokens_1L.shape[1])


def _side_px(clip: TorchClip) -> int:
    size = clip.model.visual.image_size
    height, side_px = size if isinstance(size, tuple | list) else (size, size)
    if height != side_px:
        raise ExportError(f"it takes pictures of {height} x {side_px}, and only squares can be written down")
    return int(side_px)


def _preparation(clip: TorchClip) -> dict[str, Any]:
    from open_clip.model import get_model_preprocess_cfg

    found = get_model_preprocess_cfg(clip.model)
    names = {"mean": "mean", "std": "deviation", "interpolation": "interpolation", "resize_mode": "resize"}
    return {ours: found[theirs] for theirs, ours in names.items() if theirs in found}


def _compare(clip: TorchClip, exported: OnnxFolderEncoder) -> float:
    """Give the largest difference between a number of a vector in torch and here.

    Raises:
        ExportError: It is above `TOLERANCE`, or texts become other tokens.
    """
    for text in _TEXTS:
        if exported.tokens(text) != clip.tokenize([text])[0].tolist():
            raise ExportError(f"its tokenizer written down reads {text!r} differently")
    images = list(trial_pictures())
    pairs = {
        "pictures": (exported.encode_images(images).vectors_ND, clip.images(images)),
        "texts": (exported.encode_texts(_TEXTS), clip.texts(_TEXTS)),
    }
    largest = 0.0
    for what, (ours_ND, theirs_ND) in pairs.items():
        difference = _difference(ours_ND, theirs_ND)
        if not difference <= TOLERANCE:  # true for NaN as well
            raise ExportError(f"{what} differ from torch by {difference:.1e}, where {TOLERANCE:.0e} is allowed")
        largest = max(largest, difference)
    return largest


def _times_as_fast(clip: TorchClip, exported: OnnxFolderEncoder) -> float:
    """How many times as fast as in torch one picture is with as many threads: the best of several, in turns."""
    image = list(trial_pictures())[3]
    best_s = {clip.images: np.inf, exported.encode_images: np.inf}
    for _ in range(_ROUNDS):
        for encode in best_s:
            started = time.perf_counter()
            encode([image])
            best_s[encode] = min(best_s[encode], time.perf_counter() - started)
    torch_s, onnx_s = best_s.values()
    return round(torch_s / onnx_s, 2)


def _difference(ours_ND: FloatArray, theirs_ND: FloatArray) -> float:
    return float(np.abs(ours_ND - theirs_ND).max())


def trial_pictures() -> Iterator[Image]:
    """Pictures on which an export is compared with torch: noise, and noise that looks more like a photograph.

    A photograph's power falls with the square of the frequency (Field 1987): noise is filtered to be like that.
    """
    rng = np.random.default_rng(0)
    for height, width in ((224, 224), (361, 641), (90, 40)):
        yield rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None])
        spectrum = np.fft.fft2(rng.normal(size=(height, width, 3)), axes=(0, 1))
        scene = np.fft.ifft2(spectrum / np.maximum(frequency, 1 / max(height, width))[..., None], axes=(0, 1)).real
        low, high = np.quantile(scene, (0.01, 0.99))
        yield (255 * np.clip((scene - low) / (high - low), 0, 1)).astype(np.uint8)
    yield np.full((48, 64, 3), 127, np.uint8)


def _versions() -> dict[str, str]:
    versions = {}
    for name in ("open_clip_torch", "torch", "onnx", "onnxscript"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
