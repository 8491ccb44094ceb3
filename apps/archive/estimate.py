"""How much longer an archive run takes: by its own speed, and at first by that of an earlier run on a machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hippocam.apps.archive.records import ArchiveProgress
from hippocam.stream.private import make_folder, replace_bytes

# Seconds of footage a worker for which an earlier run's speed counts: two segments.
_PRIOR_S = 600.0
# A run of less footage says more of how it started than of its speed, seconds.
_LEAST_S = 600.0
# Runs of so many kinds are remembered.
_KINDS = 32


class Speeds:
    """The speed of a worker of this machine, in seconds of footage a second, by what it makes.

    Args:
        path: The file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self, kind: str) -> float | None:
        """The speed of the last run of this kind; None where there was none."""
        found = self._read().get(kind)
        return float(found) if isinstance(found, int | float) and found > 0 else None

    def keep(self, kind: str, speed: float) -> None:
        """Remember a run's speed; where the file cannot be written, it is not remembered."""
        kept = {**{name: each for name, each in self._read().items() if name != kind}, kind: round(speed, 3)}
        with suppress(OSError):
            make_folder(self._path.parent)
            replace_bytes(self._path, json.dumps(dict(list(kept.items())[-_KINDS:]), indent=1).encode() + b"\n")

    def _read(self) -> dict[str, object]:
        with suppress(OSError, ValueError):
            found = json.loads(self._path.read_bytes())
            return found if isinstance(found, dict) else {}
        return {}


class Estimate:
    """Estimates one run.

    Args:
        speeds: Of earlier runs.
        kind: What the run makes.
        workers: How many workers it will have; None where machines may come.
        clock: Seconds that only rise.
    """

    def __init__(
        self, speeds: Speeds, kind: str, workers: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._speeds, self._kind, self._clock = speeds, kind, clock
        self._workers, self._speed = workers, speeds.known(kind)
        self._began_s = clock()

    def left_s(self, progress: ArchiveProgress) -> float | None:
        """About how many seconds a run goes on; None where nothing tells.

        What an earlier run says counts like some footage that was made at its speed.
        """
        workers = max(progress.workers, self._workers or 1)
        prior_s = _PRIOR_S * workers if self._speed else 0.0
        made_s = progress.done_s + prior_s
        if not made_s:
            return None
        elapsed_s = self._clock() - self._began_s + (_PRIOR_S / self._speed if self._speed else 0.0)
        return max(0.0, progress.total_s - progress.done_s) * elapsed_s / made_s

    def end(self, done_s: float, workers: int) -> None:
        """Remember how fast the run was."""
        elapsed_s = self._clock() - self._began_s
        if done_s >= _LEAST_S and elapsed_s > 0:
            self._speeds.keep(self._kind, done_s / elapsed_s / max(1, workers))
