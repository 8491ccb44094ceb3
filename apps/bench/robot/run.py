"""`hippocam bench robot`: the contract with a control loop, measured; and its tables."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.bench.robot.fill import fill
from hippocam.apps.bench.robot.loop import HZ, TEXTS, Timings, run_loop
from hippocam.apps.robot.memory import RobotMemory
from hippocam.apps.terminal import tell
from hippocam.models.registry import make_encoder

# Seconds of a loop; of an outage, and from its end to the end of the loop.
_LOOP_S, _OUT_S, _AFTER_S = 20.0, 10.0, 30.0
_BEFORE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median, the 99th percentile and the largest of some times, in milliseconds."""

    p50: float
    p99: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a loop noticed of a fault.

    Attributes:
        late_ticks: How many ticks began more than a period late.
        ticks: Of so many.
        stale_after_s: From the fault until a recall said that it was stale; None if none did.
        recovered_after_s: From its end until one was not; None if none was.
        longest_tick_ms: What `observe` and `recall` took together, at most.
    """

    late_ticks: int
    ticks: int
    stale_after_s: float | None
    recovered_after_s: float | None
    longest_tick_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotResult:
    """What a control loop waits for.

    Attributes:
        encoder: Id of the encoder that was busy meanwhile.
        hz: Ticks a second.
        observe_ms: What `observe` took.
        recall_ms: What `recall` took, by the number of entries.
        age_ms: How old what the recalls knew was; None where none answered.
        answered: Share of the recalls that answered by their deadline.
        ticks: Of the loops with a memory.
        late_ticks: Of these.
        late_ticks_of_an_empty_loop: Of as many ticks without a memory.
        drops: Pictures that were dropped, by camera.
        faults: By what was stopped or killed.
    """

    encoder: str
    hz: float
    observe_ms: Spread
    recall_ms: Mapping[int, Spread]
    age_ms: Spread | None
    answered: float
    ticks: int
    late_ticks: int
    late_ticks_of_an_empty_loop: int
    drops: Mapping[str, int]
    faults: Mapping[str, Fault]


def run(entries: Sequence[int], *, encoder: str, loop_s: float = _LOOP_S) -> RobotResult:
    """Measure.

    Args:
        entries: Sizes of the memories that are recalled from; faults are tried on the first.
        encoder: Name of the encoder, which is busy with three cameras all the time.
        loop_s: Seconds of each loop.
    """
    spec = make_encoder(encoder).spec
    recall_ms: dict[int, Spread] = {}
    observe_ms: list[float] = []
    ages: list[float] = []
    late = empty_late = ticks = 0
    drops = Counter[str]()
    faults: dict[str, Fault] = {}
    for count in entries:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            tell(f"{count} entries: made, then {loop_s:g} s without and {loop_s:g} s with a memory ...")
            fill(Path(folder) / "robot", encoder=encoder, spec=spec, entries=count)
            with RobotMemory.open(Path(folder) / "robot", encoder=encoder) as memory:
                _settle(memory)
                empty = run_loop(loop_s, None)
                with_it = run_loop(loop_s, memory)
                recall_ms[count] = _spread(with_it.recall_ms)
                observe_ms += with_it.observe_ms
                ages += with_it.age_ms
                late, empty_late = late + with_it.late_ticks, empty_late + empty.late_ticks
                ticks += with_it.ticks
                drops.update(memory.status().dropped)
                if count == entries[0]:
                    faults = _faults(memory, from_s=loop_s + 10)
    known = [age for age in ages if np.isfinite(age)]
    return RobotResult(
        encoder=spec.id,
        hz=HZ,
        observe_ms=_spread(observe_ms),
        recall_ms=recall_ms,
        age_ms=_spread(known) if known else None,
        answered=round(len(known) / len(ages), 4),
        ticks=ticks,
        late_ticks=late,
        late_ticks_of_an_empty_loop=empty_late,
        drops=dict(drops),
        faults=faults,
    )


def _settle(memory: RobotMemory) -> None:
    """Wait until all that the memory holds can be recalled, and the texts are encoded."""
    for text in TEXTS:
        while not memory.recall(text, deadline_ms=60_000).complete:
            pass
    while not memory.recall(TEXTS[0], deadline_ms=60_000).entries:
        pass


def _faults(memory: RobotMemory, *, from_s: float) -> dict[str, Fault]:
    """Stop, kill and put to sleep what is beside the loop, and see what the loop notices."""
    found: dict[str, Fault] = {}
    cases: Mapping[str, tuple[Callable[[], int | None], signal.Signals]] = {
        "encoder stopped": (lambda: memory.keeper_pid, signal.SIGSTOP),
        "memory killed": (lambda: memory.keeper_pid, signal.SIGKILL),
        "reader asleep": (lambda: memory.recaller_pid, signal.SIGSTOP),
    }
    for name, (pid_of, sent) in cases.items():
        tell(f"{name}: {_BEFORE_S + _OUT_S + _AFTER_S:g} s ...")
        timings = _fault(memory, pid_of, sent, from_s)
        from_s += _BEFORE_S + _OUT_S + _AFTER_S + 10
        stale_s = timings.first(True, _BEFORE_S)
        # a killed process is started again at once; one that was stopped is let go on after the outage
        over_s = _BEFORE_S + (stale_s or 0.0) if sent == signal.SIGKILL else _BEFORE_S + _OUT_S
        found[name] = Fault(
            late_ticks=timings.late_ticks,
            ticks=timings.ticks,
            stale_after_s=_rounded(stale_s),
            recovered_after_s=_rounded(timings.first(False, over_s)),
            longest_tick_ms=round(max(map(sum, zip(timings.observe_ms, timings.recall_ms, strict=True))), 2),
        )
    return found


def _fault(memory: RobotMemory, pid_of: Callable[[], int | None], sent: signal.Signals, from_s: float) -> Timings:
    stopped: list[int] = []

    def happens(at_s: float) -> None:
        if at_s >= _BEFORE_S and not stopped and (pid := pid_of()) is not None:
            stopped.append(pid)
            os.kill(pid, sent)
        if at_s >= _BEFORE_S + _OUT_S and len(stopped) == 1:
            stopped.append(0)
            if sent == signal.SIGSTOP:
                os.kill(stopped[0], signal.SIGCONT)

    return run_loop(_BEFORE_S + _OUT_S + _AFTER_S, memory, from_s=from_s, happens=happens)


def _spread(values_ms: Sequence[float]) -> Spread:
    p50, p99, most = (round(float(value), 3) for value in np.percentile(values_ms, [50, 99, 100]))
    return Spread(p50=p50, p99=p99, max=most)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def table(result: RobotResult) -> str:
    """Return the Markdown tables."""
    calls = {"`observe`": result.observe_ms}
    calls |= {f"`recall`, {count:,} entries": spread for count, spread in result.recall_ms.items()}
    age = (
        ""
        if result.age_ms is None
        else (f"; what they knew was {result.age_ms.p50} ms old at the median, {result.age_ms.max} ms at most")
    )
    lines = [
        f"A loop of {result.hz:g} Hz, three cameras of 640 x 480; encoder and writer in one process, recall in "
        "another.",
        "",
        "| call | p50 ms | p99 ms | max ms |",
        "|---|---|---|---|",
        *(f"| {call} | {ms.p50} | {ms.p99} | {ms.max} |" for call, ms in calls.items()),
        "",
        f"Late ticks: {result.late_ticks} of {result.ticks}; of an empty loop in the same minutes: "
        f"{result.late_ticks_of_an_empty_loop}. Pictures dropped: {_dropped(result.drops)}. Recalls answered "
        f"within 10 ms: {result.answered:.1%}{age}.",
        "",
        "| fault | late ticks | longest tick, ms | stale after s | recovered after s |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {fault.late_ticks} of {fault.ticks} | {fault.longest_tick_ms} | {fault.stale_after_s} | "
            f"{fault.recovered_after_s} |"
            for name, fault in result.faults.items()
        ),
    ]
    return "\n".join(lines)


def _dropped(drops: Mapping[str, int]) -> str:
    return ", ".join(f"{count} of {camera}" for camera, count in drops.items() if count) or "none"
