"""Where the memories of annotated films are kept between runs: a folder for each state of the code."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from pathlib import Path

from hippocam.apps.bench.perception_cache import hash_of
from hippocam.models.weights import cache_dir

_ROOT = Path(__file__).resolve().parents[3]
# What decides what is in a memory; `apps/watch.py` and `apps/content.py` put it together.
_CODE = ("stream", "memory", "models", "configs", "apps/watch.py", "apps/content.py")


def kept_memory(name: str, video: Path, encoder: str | None) -> Path:
    """The folder for the memory of a film, which may be there already.

    Args:
        name: Of the film; also the memory's name where several are asked as one.
        video: The film.
        encoder: Its name; None for the default.
    """
    hears = importlib.util.find_spec("faster_whisper") is not None
    parts = (_code(), str(encoder), str(hears), hash_of(video))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_dir().parent / "bench" / "answers" / key / name


@functools.cache
def _code() -> str:
    """Hash of the code and settings that memories are made by."""
    digest = hashlib.sha256()
    for part in (_ROOT / name for name in _CODE):
        for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if file.suffix in (".py", ".yaml", ".safetensors", ".npz", ".onnx"):
                digest.update(f"{file.relative_to(_ROOT)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
