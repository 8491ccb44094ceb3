"""Footage that is kept by event, beside the look-back: what happened, with some seconds before and after.

    look-back/ID/   the newest footage of each camera, whatever it shows; the oldest goes first
    kept/ID/        of that, what was worth it, for as long as its own bytes and days last

A file is kept by a hard link to it, so that it takes no more room while both have it, and a kill leaves it whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from hippocam.apps.live.folder import LiveFolder
from hippocam.stream import private
from hippocam.stream.live.lookback import prune, segments, start_of
from hippocam.stream.records import Embedding, Repeat

Occasion = Literal["nothing", "alerts", "things", "motion", "all"]
OCCASIONS: tuple[Occasion, ...] = ("nothing", "alerts", "things", "motion", "all")
# How often files are looked through, seconds.
_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepConfig:
    """Which footage is kept longer than the look-back, and for how long.

    Attributes:
        what: "nothing", "alerts" (an alert was told), "things" (the detector saw something), "motion" (the picture
            changed), or "all".
        before_s: Seconds before an event that are kept with it, 0 or more; the look-back must reach so far.
        after_s: Seconds after it, 0 or more.
        mb: Budget for all cameras, millions of bytes, 1 or more; the oldest goes first.
    """

    what: Occasion = "nothing"
    before_s: float = 5.0
    after_s: float = 10.0
    mb: float = 1024.0

    def __post_init__(self) -> None:
        if self.what not in OCCASIONS:
            raise ValueError(f"footage can be kept of {', '.join(OCCASIONS)}, found {self.what!r}")
        if self.before_s < 0 or self.after_s < 0:
            raise ValueError(f"seconds before and after must be 0 or more, found {self.before_s}, {self.after_s}")
        if not 1 <= self.mb < 1e9:
            raise ValueError(f"footage that is kept must have 1 MB or more, found {self.mb:g}")


class FootageKeeper:
    """Keeps files of the look-back footage that show an event; for the thread that writes.

    Args:
        config: Which.
        live_folder: Where the footage lies.
    """

    def __init__(self, config: KeepConfig, live_folder: LiveFolder) -> None:
        self._config, self._live_folder = config, live_folder
        self._wanted = dict[str, list[tuple[float, float]]]()  # by stream, stretches by time
        self._looked_s = float("-inf")

    def see(self, item: Embedding | Repeat, *, alerted: bool) -> None:
        """Take a camera's next frame, and whether an alert was told of it."""
        if not self._is_event(item, alerted=alerted):
            return
        from_s, to_s = item.time_s - self._config.before_s, item.time_s + self._config.after_s
        own = self._wanted.setdefault(item.stream, [])
        if own and from_s <= own[-1][1]:
            own[-1] = own[-1][0], max(own[-1][1], to_s)
        else:
            own.append((from_s, to_s))

    def look(self, now_s: float) -> None:
        """Keep the files that were closed since, every few seconds, and make room for them.

        Args:
            now_s: Seconds since 1970.
        """
        if self._config.what == "nothing" or 0 <= now_s - self._looked_s < _EVERY_S:
            return
        self._looked_s = now_s
        kept = sum([self._keep(stream, wanted, now_s) for stream, wanted in self._wanted.items()])
        if kept:
            prune(self._live_folder.path / "kept", round(self._config.mb * 1e6))

    def _keep(self, stream: str, wanted: list[tuple[float, float]], now_s: float) -> int:
        """Keep what a stream's stretches want of the files that are closed; forget stretches that are past."""
        own, into = segments(self._live_folder.look_back(stream)), self._live_folder.kept(stream)
        kept = 0
        for path, next_path in pairwise(own):  # the newest is still open
            if not _within(start_of(path), start_of(next_path), wanted) or (into / path.name).exists():
                continue
            private.make_folder(into)
            with suppress(FileNotFoundError, FileExistsError):  # it was given up meanwhile
                os.link(path, into / path.name)
                kept += 1
        open_s = start_of(own[-1]) if own else now_s
        wanted[:] = [stretch for stretch in wanted if stretch[1] >= open_s]
        return kept

    def _is_event(self, item: Embedding | Repeat, *, alerted: bool) -> bool:
        what = self._config.what
        if what == "alerts":
            return alerted
        if what == "things":
            return isinstance(item, Embedding) and bool(item.sensed.things)
        return what == "all" or (what == "motion" and isinstance(item, Embedding))


def _within(t0_s: float, t1_s: float, stretches: Sequence[tuple[float, float]]) -> bool:
    return any(t0_s < to_s and t1_s > from_s for from_s, to_s in stretches)
