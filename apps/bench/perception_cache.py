"""A cache of what perception benches computed, in the user's cache folder: arrays by name.

A key holds whatever the arrays depend on: an encoder's vectors of a fixed picture and a fixed text, so that other
weights under the same name are another key, and the hash of a file's content.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.models.weights import cache_dir
from hippocam.stream.gates import Gates, split
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, FloatArray, Frame, Repeat
from hippocam.stream.sources.video import VideoSource

# Frames that are encoded together.
_BATCH = 16
# Seconds of a plain piece.
PIECE_S = 5.0
Window = tuple[float, float]
Arrays = Mapping[str, NDArray[np.generic]]


def kept(parts: tuple[str, ...], make: Callable[[], Arrays]) -> dict[str, NDArray[np.generic]]:
    """Give arrays of numbers or plain texts, from the cache where they are there.

    Args:
        parts: What they depend on: other parts give other arrays.
        make: Computes them.
    """
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    path = cache_dir().parent / "bench" / "perception" / f"{name}.npz"
    if not path.exists():
        arrays = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{name}.{os.getpid()}.part")
        with part.open("wb") as file:
            np.savez(file, **dict(arrays))  # type: ignore[arg-type]
        part.replace(path)
        return dict(arrays)
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


@cache
def hash_of(path: Path) -> str:
    """The sha256 of a file's content, in hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identity(encoder: Encoder) -> str:
    """Something that two encoders share only where they encode alike: the id, and what becomes of two probes."""
    pixels = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    picture = encoder.encode_images([pixels]).vectors_ND[0]
    text = encoder.encode_texts(["a dog runs over the grass"])[0]
    probes = np.concatenate([picture, text]).round(3) + 0.0  # no -0.0
    return f"{encoder.spec.id} {hashlib.sha256(probes.astype(np.float32).tobytes()).hexdigest()[:16]}"


def items(video: Path, encoder: Encoder, *, fps: float | None = PipelineConfig().fps) -> list[Embedding | Repeat]:
    """What the pipeline makes of a video, without pictures; encoded once, then read from the cache."""

    def encode() -> dict[str, NDArray[np.generic]]:
        seen = list(split("clip", VideoSource(video).observations(fps=fps), Gates(PipelineConfig().gate)))
        frames = [item.image for item in seen if isinstance(item, Frame)]
        batches = [encoder.encode_images(frames[at : at + _BATCH]) for at in range(0, len(frames), _BATCH)]
        vectors_ND = np.concatenate([batch.vectors_ND for batch in batches])
        labels = ["\n".join(of) for batch in batches for of in batch.labels]
        return {
            "seqs": np.array([item.seq for item in seen]),
            "times_s": np.array([item.time_s for item in seen]),
            "changed": np.array([isinstance(item, Frame) for item in seen]),
            "vectors_ND": vectors_ND,
            "labels": np.array(labels),
        }

    stored = kept(("items:1", identity(encoder), hash_of(video), f"{fps}"), encode)
    cuts_s = _cuts_of(video, fps)
    rows = iter(zip(stored["vectors_ND"], stored["labels"].tolist(), strict=True))
    made = list[Embedding | Repeat]()
    for seq, time_s, changed in zip(*(stored[k].tolist() for k in ("seqs", "times_s", "changed")), strict=True):
        if not changed:
            made.append(Repeat(stream="clip", seq=seq, time_s=time_s))
            continue
        vector, labels = next(rows)
        made.append(
            Embedding(
                stream="clip",
                seq=seq,
                time_s=time_s,
                vector=np.asarray(vector, np.float32),
                labels=tuple(filter(None, labels.split("\n"))),
                cut_s=cuts_s.get(seq),
            )
        )
    return made


def _cuts_of(video: Path, fps: float | None) -> dict[int, float]:
    """The time of the last cut before a frame, by its seq; kept apart from the vectors: it takes seconds."""

    def look() -> dict[str, NDArray[np.generic]]:
        seen = [(o.seq, o.cut_s) for o in VideoSource(video).observations(fps=fps) if o.cut_s is not None]
        return {"seqs": np.array([seq for seq, _ in seen], np.int64), "times_s": np.array([at for _, at in seen])}

    stored = kept(("cuts of a film:4", hash_of(video), f"{fps}"), look)
    return dict(zip(stored["seqs"].tolist(), stored["times_s"].tolist(), strict=True))


def pieces(stream: Sequence[Embedding | Repeat]) -> tuple[list[Window], FloatArray]:
    """Cut a stream every 5 seconds: windows, and the mean of each one's frames, float32 [N, D]."""
    frames, last_D = dict[int, list[FloatArray]](), None
    for item in stream:
        last_D = item.vector if isinstance(item, Embedding) else last_D
        if last_D is not None:
            frames.setdefault(int(item.time_s // PIECE_S), []).append(last_D)
    windows = [(PIECE_S * number, PIECE_S * (number + 1)) for number in frames]
    return windows, np.stack([np.mean(of, axis=0) for of in frames.values()]).astype(np.float32)
