"""The bank of phrases into vectors of an encoder, once for each encoder.

Those of the default encoder ship in `assets/phrases.safetensors`, with the words for people beside them; those of
another are made on first use (some seconds to a minute) and kept in the cache. To write the shipped files again
after a change of the bank or of the encoder:

    python -m hippocam.models.sentences.vectors

Shapes: P phrases; D embedding dimension.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hippocam.models.nets.packing import pack, unpack
from hippocam.models.pictures import unit_rows
from hippocam.models.sentences.people import TEXTS
from hippocam.models.sentences.phrases import FILE, bank_id, phrases
from hippocam.models.weights import cache_root
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import EncoderSpec, FloatArray

log = logging.getLogger(__name__)

SHIPPED = FILE.with_suffix(".safetensors")
_PEOPLE = FILE.with_name("people.safetensors")
# What is made in less time is made again rather than kept.
_QUICK_S = 1.0
_NAME = "phrases_PD"


def phrase_vectors(spec: EncoderSpec, encoder: Callable[[], Encoder]) -> FloatArray:
    """Give the vectors of all phrases, float32 [P, D], each of length 1.

    Args:
        spec: Spec of the encoder.
        encoder: Gives the encoder; called only where its vectors are neither shipped nor kept.

    Raises:
        HippocamError: The encoder cannot be loaded, or is another one here.
    """
    for path in (SHIPPED, kept_path(spec)):
        held = _read(path, spec)
        if held is not None:
            return held
    started, made = time.monotonic(), encoder()
    if (made.spec.id, made.spec.dim) != (spec.id, spec.dim):
        raise HippocamError(f"encoder {spec.id} is not to be had: of that name there is {made.spec.id}")
    vectors_PD = encode_phrases(made)
    if time.monotonic() - started > _QUICK_S:
        _keep(kept_path(spec), spec, vectors_PD)
    return vectors_PD


def people_vectors(spec: EncoderSpec) -> FloatArray:
    """Give the vectors of `people.TEXTS`, float32 [5, D], each of length 1, for the encoder that they ship for.

    Raises:
        HippocamError: They are of another encoder.
    """
    held = _read(_PEOPLE, spec)
    if held is None:
        raise HippocamError(f"{_PEOPLE.name} is of another encoder than {spec.id}")
    return held


def encode_phrases(encoder: Encoder) -> FloatArray:
    """Encode all phrases, float32 [P, D], each of length 1."""
    return unit_rows(np.asarray(encoder.encode_texts([phrase.encoded for phrase in phrases()]), np.float32))


def kept_path(spec: EncoderSpec) -> Path:
    """Where the vectors of an encoder are kept."""
    name = hashlib.blake2b(f"{spec.id}\0{spec.dim}\0{bank_id()}".encode(), digest_size=8).hexdigest()
    return cache_root() / "phrases" / f"{name}.safetensors"


def write(path: Path, spec: EncoderSpec, vectors_PD: FloatArray) -> None:
    """Write vectors for `phrase_vectors` to read: rows of int8 with a factor each."""
    from safetensors.numpy import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    save_file(pack({_NAME: vectors_PD}), part, {"made": _made(spec)})
    part.chmod(0o644)  # safetensors makes files that only their owner can read
    part.replace(path)


def _read(path: Path, spec: EncoderSpec) -> FloatArray | None:
    """Vectors of a file, None where they are of another encoder or bank."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        return None
    try:
        with safe_open(path, "numpy") as file:
            if (file.metadata() or {}).get("made") != _made(spec):
                return None
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        log.info("%s cannot be read and is made again: %s", path, error)
        return None
    return unit_rows(unpack(held)[_NAME])


def _keep(path: Path, spec: EncoderSpec, vectors_PD: FloatArray) -> None:
    try:
        write(path, spec, vectors_PD)
    except OSError as error:  # a cache that cannot be written to costs time, and nothing else
        log.info("%s cannot be written: %s", path, error)


def _made(spec: EncoderSpec) -> str:
    return f"{spec.id} {spec.dim} {bank_id()}"


if __name__ == "__main__":
    from hippocam.models.encoders.bundled.encoder import BundledEncoder

    default = BundledEncoder()
    write(SHIPPED, default.spec, encode_phrases(default))
    write(_PEOPLE, default.spec, unit_rows(default.encode_texts(TEXTS)))
    print(f"wrote {SHIPPED} and {_PEOPLE}")
