"""What an archive run works with: its settings, encoder and senses, and how its memories are opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from hippocam.apps.archive.records import ArchiveRequest
from hippocam.apps.settings import Settings, budget_bytes, build, load_settings
from hippocam.memory.config import MemoryConfig
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.store.migrations import upgrade
from hippocam.models.registry import make_encoder
from hippocam.models.senses.build import make_senses
from hippocam.stream import opencv
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.records import EncoderSpec
from hippocam.stream.sources.dates import PathPattern
from hippocam.stream.sources.remote import path_of
from hippocam.stream.zones.polygons import CameraZones

SEGMENT_S = 300.0
# The smallest budget, in millions of bytes.
_LEAST_MB = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Opens memories for writing, in whichever process writes them.

    Attributes:
        encoder: Name of the encoder.
        spec: What it makes.
        config: Settings of the memory.
    """

    encoder: str
    spec: EncoderSpec
    config: MemoryConfig

    def __call__(self, folder: Path) -> MemoryWriter:
        """Open the memory in a folder, or make one."""
        if has_memory(folder):
            upgrade(folder)
        return Memory.open_writer(folder, encoder=self.encoder, spec=self.spec, config=self.config)


class Setup:
    """What a request asks for, made of it and of its settings.

    Args:
        request: Settled: see `resuming.settled`.

    Raises:
        HippocamError: A setting, a pattern or a name is wrong, or a sense that must be there cannot be had.
    """

    def __init__(self, request: ArchiveRequest) -> None:
        self.request = request
        self.settings: Settings = load_settings(request.config)
        self.pipeline: PipelineConfig = self.settings.pipeline
        self._memory: MemoryConfig = self.settings.memory
        if request.fps is not None:
            self.pipeline = replace(self.pipeline, fps=request.fps)
        if request.budget_mb is not None:
            self._memory = replace(self._memory, budget_bytes=budget_bytes(request.budget_mb))
        assert request.encoder is not None  # `settled` has set it
        self.encoder_name = request.encoder
        self.spec: EncoderSpec = make_encoder(self.encoder_name).spec
        opencv.load()
        self.senses = make_senses(self.settings.senses)
        self.segment_s = request.segment_s or SEGMENT_S
        self.dated = request.time_from != "none"
        self.time_from = PathPattern(request.time_from) if request.time_from and self.dated else None
        self.camera_from = PathPattern(request.camera_from) if request.camera_from else None
        self.zones = {
            name: build(CameraZones, marked, where=f"zones of {name}")
            for name, marked in (request.zones or {}).items()
        }

    @property
    def kind(self) -> str:
        """What a run makes, as far as it takes time."""
        return f"{self.encoder_name} {self.pipeline.fps or 'every frame'} {' '.join(self.senses.named)}".strip()

    def opening(self, hours: float | None = None) -> Opening:
        """What opens a memory.

        Args:
            hours: Of footage that it will hold, for a budget that grows with them; None for one that does not.
        """
        return Opening(encoder=self.encoder_name, spec=self.spec, config=self._config_for(hours))

    def _config_for(self, hours: float | None) -> MemoryConfig:
        rate_mb = self.request.budget_mb_per_hour
        if rate_mb is None or hours is None:
            return self._memory
        grown_bytes = budget_bytes(max(rate_mb * hours, self.request.budget_mb or _LEAST_MB))
        return replace(self._memory, budget_bytes=grown_bytes)

    def key(self, uri: str, fingerprint: str) -> str:
        """Hash everything that the parts of a source depend on into a file name."""
        try:
            changed = path_of(uri).stat().st_mtime_ns
        except OSError:
            changed = 0
        masks = {name: marked.masks for name, marked in self.zones.items() if marked.masks}
        made_by = (self.spec, self.pipeline, self.senses.ids, self.settings.senses, *([masks] if masks else []))
        parts = (uri, fingerprint, changed, self.segment_s, *made_by)
        told = repr((parts, self.settings.sources.longest_px))
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
