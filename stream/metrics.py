"""What each stage of a pipeline did: how many items, how long it worked, how long it waited for the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

STAGES = ("decode", "gate", "encode", "memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStatus:
    """One stage, so far.

    Attributes:
        stage: "decode", "gate", "encode" or "memory".
        items: Frames that it took; for the encoder, only changed ones.
        busy_s: Seconds that it worked.
        waited_s: Seconds that it waited for work; for the decoder, for room in the queue behind it.
    """

    stage: str
    items: int = 0
    busy_s: float = 0.0
    waited_s: float = 0.0

    @property
    def rate(self) -> float:
        """Frames a second while it worked; 0 where it has not yet."""
        return self.items / self.busy_s if self.busy_s > 0 else 0.0

    @property
    def latency_ms(self) -> float:
        """Milliseconds a frame; 0 where there was none."""
        return 1000 * self.busy_s / self.items if self.items else 0.0

    def __add__(self, other: StageStatus) -> StageStatus:
        return StageStatus(
            stage=self.stage,
            items=self.items + other.items,
            busy_s=self.busy_s + other.busy_s,
            waited_s=self.waited_s + other.waited_s,
        )


class Meter:
    """Adds up what stages did. Only one thread may report on a stage."""

    def __init__(self) -> None:
        self._found = {stage: StageStatus(stage=stage) for stage in STAGES}

    def add(self, stage: str, *, items: int = 0, busy_s: float = 0.0, waited_s: float = 0.0) -> None:
        """Add what a stage did."""
        self._found[stage] += StageStatus(stage=stage, items=items, busy_s=busy_s, waited_s=waited_s)

    def join(self, stages: Iterable[StageStatus]) -> None:
        """Add what another meter has added up."""
        for status in stages:
            self._found[status.stage] += status

    def status(self) -> tuple[StageStatus, ...]:
        """All stages, in the order in which data pass through them."""
        return tuple(self._found[stage] for stage in STAGES)

    def timed(self, stage: str, items: Iterable[T], within: str | None = None) -> Iterator[T]:
        """Pass items on, and add the time that each took to make.

        Args:
            stage: The stage that makes them.
            items: One item is one frame.
            within: The stage that calls this one; the time is subtracted from it.
        """
        iterator = iter(items)
        while True:
            start = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                self._took(stage, within, time.perf_counter() - start, 0)
                return
            self._took(stage, within, time.perf_counter() - start, 1)
            yield item

    def _took(self, stage: str, within: str | None, seconds: float, items: int) -> None:
        self.add(stage, items=items, busy_s=seconds)
        if within is not None:
            self.add(within, items=items, busy_s=-seconds)
