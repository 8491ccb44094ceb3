"""Errors of encoders, readers and their weights that a user can mend."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.errors import HippocamError


class UnknownModelError(HippocamError):
    """No encoder or reader has this name."""


class PluginError(HippocamError):
    """An encoder of another package cannot be used; the message names the package and the fix."""


class WeightsError(HippocamError):
    """Weights cannot be had, or are not the ones that were asked for; the message names the fix."""


@dataclass(eq=False)
class CardError(WeightsError):
    """A folder of exported networks lacks a file, or its card is none.

    Attributes:
        folder: The folder.
        problem: What is wrong.
        files: What such a folder holds.
    """

    folder: Path
    problem: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"onnx:{self.folder}: {self.problem}: such a folder holds {', '.join(self.files)}"


class ExportError(WeightsError):
    """A model cannot be exported, or would not give what it gives in torch."""


class ReaderError(HippocamError):
    """A reader cannot answer now: no server, no weights, no library. The message names the fix."""


class PolicyError(HippocamError):
    """A file that holds no policy, or one for something else."""
