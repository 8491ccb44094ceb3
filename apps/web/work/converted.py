"""Versions of videos that browsers can play, made on demand and kept beside the memory until it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hippocam.apps.web.beside import converted_file
from hippocam.apps.web.work.convert import convert
from hippocam.apps.web.work.jobs import Outcome, Step
from hippocam.apps.web.work.uploads import check_room
from hippocam.stream.private import make_folder
from hippocam.stream.sources.decode.length import length_s


@dataclass(frozen=True, slots=True)
class ConvertVideo:
    """Makes the version of a stream that browsers play.

    Attributes:
        memory: The memory's folder.
        key: The stream's key.
        source: Its video.
    """

    memory: Path
    key: str
    source: Path
    kind: str = "convert"

    @property
    def name(self) -> str:
        """The video's name."""
        return self.source.name

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        """Convert it."""
        out = converted_file(self.memory, self.key)
        make_folder(out.parent)
        check_room(out.parent, self.source.stat().st_size)
        lasts_s = length_s(self.source, self.source.name) or 0.0

        def on_time(time_s: float) -> None:
            tell(Step(share=min(1.0, time_s / lasts_s) if lasts_s else None, time_s=time_s))

        tell(Step())
        convert(self.source, out, on_time=on_time)
        return Outcome(note="there is a version that browsers play", stream=self.key)

    def failed(self) -> bool:
        """Nothing is left behind; it can be tried again."""
        return True
