"""`hippocam bench robot`: the contract with a control loop, measured; and its tables."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
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


def run(entries: Sequence[int], *, encoder: str, loop_s: float = _LOOP_S) -> dict[str, object]:
    """Measure.

    Args:
        entries: Sizes of the memories that are recalled from.
        encoder: Name of the encoder, which is busy with three cameras all the time.
        loop_s: Seconds of each loop.

    Returns:
        Latencies in milliseconds, late ticks beside those of an empty loop, drops by camera, the share of recalls
        that were answered by their deadline and the ages of what these knew, faults.
    """
    spec = make_encoder(encoder).spec
    recall_ms: dict[str, dict[str, float]] = {}
    observe_ms: list[float] = []
    ages: list[float] = []
    late = empty_late = ticks = 0
    drops: dict[str, int] = {}
    faults: dict[str, dict[str, object]] = {}
    for count in entries:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            tell(f"{count} entries: made, then {loop_s:g} s without and {loop_s:g} s with a memory ...")
            fill(Path(folder) / "robot", encoder=encoder, spec=spec, entries=count)
            with RobotMemory.open(Path(folder) / "robot", encoder=encoder) as memory:
                _settle(memory)
                empty = run_loop(loop_s, None)
                with_it = run_loop(loop_s, memory)
                recall_ms[str(count)] = _quantiles(with_it.recall_ms)
                observe_ms += with_it.observe_ms
                ages += with_it.age_ms
                late, empty_late = late + with_it.late_ticks, empty_late + empty.late_ticks
                ticks += with_it.ticks
                for camera, dropped in memory.status().dropped.items():
                    drops[camera] = drops.get(camera, 0) + dropped
                if count == entries[0]:
                    faults = _faults(memory, from_s=loop_s + 10)
    return {
        "encoder": spec.id,
        "hz": HZ,
        "observe_ms": _quantiles(observe_ms),
        "recall_ms": recall_ms,
        "age_ms": _quantiles([age for age in ages if np.isfinite(age)]),
        "answered": round(float(np.isfinite(ages).mean()), 4),
        "ticks": ticks,
        "late_ticks": late,
        "late_ticks_of_an_empty_loop": empty_late,
        "drops": drops,
        "faults": faults,
    }


def _settle(memory: RobotMemory) -> None:
    """Wait until all that the memory holds can be recalled, and the texts are encoded."""
    for text in TEXTS:
        while not memory.recall(text, deadline_ms=60_000).complete:
            pass
    while not memory.recall(TEXTS[0], deadline_ms=60_000).entries:
        pass


def _faults(memory: RobotMemory, *, from_s: float) -> dict[str, dict[str, object]]:
    """Stop, kill and put to sleep what is beside the loop, and see what the loop notices."""
    found: dict[str, dict[str, object]] = {}
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
        found[name] = {
            "late_ticks": timings.late_ticks,
            "ticks": timings.ticks,
            "stale_after_s": _rounded(stale_s),
            "recovered_after_s": _rounded(timings.first(False, over_s)),
            "longest_tick_ms": round(max(map(sum, zip(timings.observe_ms, timings.recall_ms, strict=True))), 2),
        }
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


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p99, most = np.percentile(values, [50, 99, 100])
    return {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "max": round(float(most), 3)}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


def table(result: Mapping[str, object]) -> str:
    """Return the Markdown tables of what `run` gave."""
    observe, recalls, faults = result["observe_ms"], result["recall_ms"], result["faults"]
    assert isinstance(observe, dict)
    assert isinstance(recalls, dict)
    assert isinstance(faults, dict)
    lines = [
        f"A loop of {result['hz']:g} Hz, three cameras of 640 x 480; encoder and writer in one process, recall in "
        "another.",
        "",
        "| call | p50 ms | p99 ms | max ms |",
        "|---|---|---|---|",
        f"| `observe` | {observe['p50']} | {observe['p99']} | {observe['max']} |",
        *(
            f"| `recall`, {int(count):,} entries | {ms['p50']} | {ms['p99']} | {ms['max']} |"
            for count, ms in recalls.items()
        ),
        "",
        f"Late ticks: {result['late_ticks']} of {result['ticks']}; of an empty loop in the same minutes: "
        f"{result['late_ticks_of_an_empty_loop']}. Pictures dropped: {result['drops'] or 'none'}. Recalls "
        f"answered within 10 ms: {result['answered']}; age of what they knew: {result['age_ms']} ms.",
        "",
        "| fault | late ticks | longest tick, ms | stale after s | recovered after s |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {each['late_ticks']} of {each['ticks']} | {each['longest_tick_ms']} | "
            f"{each['stale_after_s']} | {each['recovered_after_s']} |"
            for name, each in faults.items()
        ),
    ]
    return "\n".join(lines)
