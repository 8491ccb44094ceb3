"""Sources into observations, observations into embeddings: everything before the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
    from hippocam.stream.errors import HippocamError, SourceError
    from hippocam.stream.protocols import Encoder, Hearing, Sense, Source
    from hippocam.stream.records import (
        Embedding,
        EncodedImages,
        EncoderSpec,
        FloatArray,
        Frame,
        Image,
        Note,
        Observation,
        Repeat,
        Sensed,
        Sensors,
        Thing,
    )

_HOMES = {
    "HippocamError": "errors",
    "SourceError": "errors",
    "Encoder": "protocols",
    "Hearing": "protocols",
    "Sense": "protocols",
    "Source": "protocols",
    "Embedding": "records",
    "EncodedImages": "records",
    "EncoderSpec": "records",
    "FloatArray": "records",
    "Frame": "records",
    "Image": "records",
    "Note": "records",
    "Observation": "records",
    "Repeat": "records",
    "Sensed": "records",
    "Sensors": "records",
    "Thing": "records",
}

__all__ = [
    "Embedding",
    "EncodedImages",
    "Encoder",
    "EncoderSpec",
    "FloatArray",
    "Frame",
    "Hearing",
    "HippocamError",
    "Image",
    "Note",
    "Observation",
    "Repeat",
    "Sense",
    "Sensed",
    "Sensors",
    "Source",
    "SourceError",
    "Thing",
]

__getattr__ = exporter(__name__, _HOMES)
