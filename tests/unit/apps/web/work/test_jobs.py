from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from hippocam.apps.web.work.jobs import Jobs, Outcome, Step
from hippocam.stream.errors import HippocamError

_LONG_S = 600


@dataclass
class Steps:
    """Work that goes a step each time it is allowed to."""

    fails: bool = False
    kind: str = "watch"
    name: str = "clip.mp4"
    allowed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    begun: threading.Event = field(default_factory=threading.Event)
    runs: int = 0

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        self.runs += 1
        tell(Step(share=0.0))
        self.begun.set()
        for step in range(1, 4):
            assert self.allowed.acquire(timeout=_LONG_S)
            tell(Step(share=step / 3))
        if self.fails:
            raise HippocamError("no such thing")
        return Outcome(note="done well", stream="ab")

    def failed(self) -> bool:
        return True

    def let(self, steps: int = 3) -> None:
        for _ in range(steps):
            self.allowed.release()


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    made.close()


def job(jobs: Jobs, visitor: str = "me") -> dict[str, object]:
    return dict(jobs.listed(visitor)[-1])


def wait_for(jobs: Jobs, state: str, visitor: str = "me") -> dict[str, object]:
    waiting = threading.Event()
    for _ in range(_LONG_S * 100):
        found = jobs.listed(visitor)
        if found and found[-1]["state"] == state:
            return dict(found[-1])
        waiting.wait(0.01)
    raise AssertionError(f"never {state}: {jobs.listed(visitor)}")


def test_a_job_ends_with_what_came_of_it(jobs: Jobs) -> None:
    work = Steps()
    work.let()
    jobs.add(work, visitor="me")
    done = wait_for(jobs, "done")
    assert (done["note"], done["stream"], done["share"], done["own"]) == ("done well", "ab", 1.0, True)
    assert jobs.waiting() == 0


def test_a_cancelled_job_stops_at_its_next_step_and_can_be_gone_on_with(jobs: Jobs) -> None:
    work = Steps()
    job_id = jobs.add(work, visitor="me")
    assert work.begun.wait(_LONG_S)
    assert jobs.cancel(job_id)
    assert job(jobs)["state"] == "stopping"
    work.let(1)
    assert wait_for(jobs, "cancelled")["resumable"] is True
    assert not jobs.cancel(job_id)
    work.let(3)
    assert jobs.resume(job_id, visitor="me") == job_id + 1
    wait_for(jobs, "done")
    assert (work.runs, jobs.resume(job_id)) == (2, None)


def test_what_waits_is_cancelled_at_once_and_never_run(jobs: Jobs) -> None:
    first, second = Steps(), Steps()
    jobs.add(first, visitor="me")
    assert first.begun.wait(_LONG_S)
    assert jobs.cancel(jobs.add(second, visitor="me"))
    assert job(jobs)["state"] == "cancelled"
    first.let()
    last = Steps()
    last.let()
    jobs.add(last, visitor="me")
    wait_for(jobs, "done")
    assert second.runs == 0


def test_a_failure_is_told_to_who_asked_alone(jobs: Jobs) -> None:
    work = Steps(fails=True)
    work.let()
    jobs.add(work, visitor="me")
    assert wait_for(jobs, "failed")["note"] == "no such thing"
    assert jobs.listed("somebody else") == []


def test_closing_does_not_wait_for_a_step_that_goes_on() -> None:
    jobs, work = Jobs(), Steps()
    jobs.add(work, visitor="me")
    assert work.begun.wait(_LONG_S)
    assert jobs.close() is False
    work.let(1)
