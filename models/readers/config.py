"""Which reader answers, and how each is set up; in a settings file under `reader`."""

from __future__ import annotations

from dataclasses import dataclass, field

from hippocam.models.readers.context import ContextConfig
from hippocam.models.readers.gguf import GgufConfig
from hippocam.models.readers.openai import OpenAIConfig
from hippocam.models.readers.transformers import TransformersConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig:
    """Which reader answers, and how each is set up.

    Attributes:
        name: Name of the reader: extractive, openai[:MODEL], transformers:PATH, gguf[:MODEL].
        context: What readers with a model are given.
        openai: The server that `openai` asks.
        transformers: How `transformers` runs its model.
        gguf: How `gguf` runs its model.
    """

    name: str = "extractive"
    context: ContextConfig = field(default_factory=ContextConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    transformers: TransformersConfig = field(default_factory=TransformersConfig)
    gguf: GgufConfig = field(default_factory=GgufConfig)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"reader.name must be the name of a reader, found {self.name!r}")
