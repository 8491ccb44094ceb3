"""The memory folders of a session, opened when they are needed, and the encoder that made their vectors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hippocam.apps.ask.memories import Memories
from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.live.open_frames import latest_frames
from hippocam.apps.settings import Settings
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import EncoderMismatchError
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.store.migrations import upgrade
from hippocam.models.encoders.absent import AbsentEncoder
from hippocam.models.errors import UnknownModelError
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, EncoderSpec


class Folders:
    """One memory folder, to read and to write, or several, to read. Safe between threads.

    Args:
        paths: One at least. A single one need not exist yet.
        encoder: Name of the encoder of a new memory; None for what the settings say.
        settings: How memories are read and written.

    Attributes:
        paths: The folders.
        writer: The memory while this process writes to it; else None.
    """

    def __init__(self, paths: tuple[Path, ...], *, encoder: str | None, settings: Settings) -> None:
        self.paths = paths
        self.writer: MemoryWriter | None = None
        self._wanted, self._settings = encoder, settings
        self._encoder: tuple[str, Encoder] | None = None
        self._memories: Memories | None = None
        self._lock = threading.RLock()  # a page asks from several threads

    @property
    def single(self) -> Path:
        """The only folder.

        Raises:
            HippocamError: There are several.
        """
        if len(self.paths) > 1:
            raise HippocamError(
                f"this needs one memory, and {len(self.paths)} were named; name the one that is meant"
            )
        return self.paths[0]

    def close(self) -> None:
        """Close what is open for reading."""
        with self._lock:
            if self._memories is not None:
                self._memories.close()
                self._memories = None

    def memories(self) -> Memories:
        """The memories, open for reading.

        Raises:
            HippocamError: A folder holds no memory, or two were made with different encoders.
        """
        with self._lock:
            if self._memories is None:
                self._memories = Memories(self.paths, self._settings.memory)
            return self._memories

    def made_with(self) -> tuple[str, EncoderSpec]:
        """Name and spec of the encoder that made the vectors.

        Raises:
            HippocamError: There is no memory, or nothing was watched into it.
        """
        found = self.memories().encoder()
        if found is None:
            raise HippocamError(f"{self.paths[0]}: nothing was watched yet")
        return found

    def reading_encoder(self) -> Encoder:
        """The encoder that made the vectors, to encode questions; loading it may take seconds, the first time.

        Where it is none that is known here (a robot's own vectors, a world's), one stands in for it that tells no
        text from another: what is asked is then answered from words and records alone.

        Raises:
            EncoderMismatchError: The encoder of that name is another one here.
        """
        made_with = self.memories().encoder()
        try:
            name, encoder = self._load(
                made_with[0] if made_with else encoder_name(self._wanted, None, self._settings.encoder)
            )
        except UnknownModelError:
            if made_with is None:
                raise
            return AbsentEncoder(*made_with)
        if made_with is not None and made_with[1].id != encoder.spec.id:
            raise EncoderMismatchError(
                self.paths[0], made_with[0], made_with[1].id, asked_for=name, asked_for_id=encoder.spec.id
            )
        return encoder

    def writing_encoder(self) -> tuple[str, Encoder]:
        """The encoder to watch with, by its name: the one asked for, else the memory's own, else the settings'.

        A memory of an older format is upgraded first.
        """
        own = None
        if has_memory(self.single):
            upgrade(self.single)
            found = self.memories().encoder()
            own = found[0] if found else None
        return self._load(encoder_name(self._wanted, own, self._settings.encoder))

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream that this process or a live one watches, the oldest first."""
        if self.writer is not None:
            return self.writer.latest(stream)
        for member in self.memories().members:
            if own := member.within(stream):
                return [replace(frame, stream=stream) for frame in latest_frames(member.memory.folder, own)]
        return []

    @contextmanager
    def writing(self, name: str, spec: EncoderSpec, config: MemoryConfig) -> Iterator[MemoryWriter]:
        """Open the memory for writing, and make it where it is new.

        Args:
            name: Name of the encoder that makes its vectors.
            spec: Spec of the same encoder.
            config: Budget, events, recall.

        Raises:
            HippocamError: Somebody else writes to it, or the encoder is not its own.
        """
        with Memory.open_writer(self.single, encoder=name, spec=spec, config=config) as memory:
            self.writer = memory
            try:
                yield memory
            finally:
                self.writer = None

    @contextmanager
    def changing(self, budget_bytes: int | None = None) -> Iterator[MemoryWriter]:
        """Open the memory for writing as it is.

        Args:
            budget_bytes: What its folder may take from now on; None for what the settings say, or its own.

        Raises:
            HippocamError: There is none, or several; nothing was watched into it, or somebody else writes to it.
        """
        name, spec = self.made_with()
        config = self._settings.memory
        if budget_bytes is not None:
            config = replace(config, budget_bytes=budget_bytes)
        with self.writing(name, spec, config) as memory:
            yield memory

    def _load(self, name: str) -> tuple[str, Encoder]:
        with self._lock:
            if self._encoder is None or self._encoder[0] != name:
                self._encoder = (name, make_encoder(name))
            return self._encoder
