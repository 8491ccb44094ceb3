"""Whatever a source raises, wherever it raises it, is that source's error; the other sources are done."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream import guard
from hippocam.stream.archive.parts import PartEnd, read_part
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.runner import Order, run_here
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.archive.worker import Work
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.ingest import run_local
from hippocam.stream.pipeline import NO_SENSES, Job, PipelineConfig
from hippocam.stream.ray_runner import Worker
from hippocam.stream.records import Note, Observation, Repeat
from hippocam.stream.sources import open_sources


class SpeechlessError(Exception):
    """Cannot even say what is wrong."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Panic(BaseException):
    """What a parser in Rust panics with is no Exception."""


PICTURE = np.full((90, 160, 3), 90, np.uint8)
KINDS = [
    IndexError("list index out of range"),
    KeyError("timestamp"),
    ValueError("could not convert string to float: 'open'"),
    ZeroDivisionError("division by zero"),
    TypeError("'NoneType' object is not subscriptable"),
    OverflowError("cannot convert float infinity to integer"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    RuntimeError("two\nlines"),
    AssertionError(),
    MemoryError(),
    NotImplementedError(),
    OSError(5, "Input/output error"),
    PermissionError(13, "Permission denied"),
    av.error.InvalidDataError(1094995529, "Invalid data found when processing input"),
    SpeechlessError(),
    Panic("called `Option::unwrap()` on a `None` value"),
    SystemExit(3),
    GeneratorExit(),
    ValueError("\udcff" + "x" * 10**6),
]
STEPS = ["opening", "first frame", "middle", "end", "notes", "a note in the middle"]


class Faulty:
    """A source of four frames and two notes that raises an error at one step."""

    keyframes_only = False

    def __init__(self, name: str, step: str = "", error: BaseException | None = None) -> None:
        self.id, self.uri = name, f"/footage/{name}"
        self._step, self._error = step, error

    def _reach(self, step: str) -> None:
        if step == self._step:
            assert self._error is not None
            raise self._error

    @property
    def duration_s(self) -> float | None:
        self._reach("length")
        return None

    def segments(self, segment_s: float) -> int:
        self._reach("segments")
        return 1

    def observations(self, *, fps: object, after_seq: int = -1, stretch: object = None) -> Iterator[Observation]:
        self._reach("opening")
        return self._frames()

    def _frames(self) -> Iterator[Observation]:
        self._reach("first frame")
        for seq in range(4):
            if seq == 2:
                self._reach("middle")
            yield Observation(seq=seq, time_s=float(seq), images={"": PICTURE})
        self._reach("end")

    def notes(self, stream: str, *, hearing: object, stretch: object = None, after_s: object = None) -> object:
        self._reach("notes")
        return self._words(stream)

    def _words(self, stream: str) -> Iterator[tuple[float, Note]]:
        yield 0.5, Note(stream=stream, kind="subtitle", t0_s=0.5, t1_s=0.7, text="before")
        self._reach("a note in the middle")
        yield 1.5, Note(stream=stream, kind="subtitle", t0_s=1.5, t1_s=1.7, text="behind")


EXPECTED_FRAMES = {"opening": 0, "first frame": 0, "middle": 2}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_any_error_at_any_step_is_the_sources_own(kind: BaseException, step: str) -> None:
    jobs = [Job(source=Faulty(n, *at), name=n) for n, at in (("bad", (step, kind)), ("good", ()))]
    chunks = list(run_local(jobs, PaletteEncoder(), PipelineConfig()))
    errors = {chunk.job: chunk.error for chunk in chunks if chunk.ended}
    assert errors[1] is None
    error = errors[0]
    assert isinstance(error, SourceError)
    assert error.uri == "/footage/bad"
    assert error.__cause__ is kind
    assert len(error.reason.splitlines()) == 1
    assert isinstance(kind, OSError) or type(kind).__name__ in error.reason
    frames = [sum(not isinstance(i, Note) for c in chunks if c.job == job for i in c.items) for job in (0, 1)]
    assert frames == [EXPECTED_FRAMES.get(step, 4), 4]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_a_ray_worker_tells_the_same(kind: BaseException, step: str) -> None:
    worker = Worker(PaletteEncoder, PipelineConfig(), NO_SENSES)
    for name, at in (("bad", (step, kind)), ("good", ())):
        chunk = worker.start(0, Job(source=Faulty(name, *at), name=name))
        while not chunk.ended:
            chunk = worker.next()
        assert (chunk.error is not None) == (name == "bad")


class Reader:
    """A book, and a writer, of memories that take everything."""

    taken = 0

    def writer_of(self, memory: str) -> Callable[[], Reader]:
        return lambda: self

    def begin(self, segment: Segment) -> tuple[Segment]:
        return (segment,)

    def take(self, segment: Segment) -> Segment:
        return segment

    def end(self, segment: Segment, taken: Segment) -> None:
        assert segment == taken
        self.taken += 1

    def close(self) -> None: ...


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_an_archive_goes_on_too(tmp_path: Path, kind: BaseException, step: str) -> None:
    footage = [
        Footage(source=Faulty("bad", step, kind), key="bad", segments=1),
        Footage(source=Faulty("good"), key="good", segments=1),
    ]
    folder = WorkFolder.begin(tmp_path / "work", {"bad", "good"})
    work = Work(folder=folder, pipeline=PipelineConfig(), segment_s=60.0)
    book = Reader()
    run_here(Order(footage=footage, work=work, make_encoder=PaletteEncoder, book=book))
    assert book.taken == 2
    bad, good = (list(read_part(folder.part(key, 0), key))[-1] for key in ("bad", "good"))
    assert isinstance(bad, PartEnd)
    assert isinstance(good, PartEnd)
    assert bad.error
    assert "\n" not in bad.error
    assert (good.error, good.end) == ("", 4)


@pytest.mark.parametrize(
    "frames",
    [
        [(0, 0.0, PICTURE), (1, math.nan, PICTURE)],
        [(0, 0.0, PICTURE), (1, math.inf, PICTURE)],
        [(0, 0.0, PICTURE), (-1, 1.0, PICTURE)],
        [(0, 0.0, PICTURE), (0, 1.0, PICTURE)],
        [(5, 0.0, PICTURE), (4, 1.0, PICTURE)],
        [(0, 0.0, PICTURE), (1, 1.0, PICTURE.astype(float))],
        [(0, 0.0, PICTURE), (1, 1.0, PICTURE[:, :0])],
        [(0, 0.0, PICTURE), (1, 1.0, None)],
        [(0, 0.0, PICTURE), (1, 1e18, PICTURE)],
        [(0, 0.0, PICTURE), (1, "1.0", PICTURE)],
        [(0, 0.0, PICTURE), (2**63, 1.0, PICTURE)],
        [(0, 0.0, PICTURE), (1.5, 1.0, PICTURE)],
    ],
    ids=[
        *("nan", "infinite", "below zero", "twice", "falling", "float picture", "empty picture", "no picture"),
        *("nanoseconds", "words for a time", "beyond 64 bits", "half a position"),
    ],
)
def test_frames_that_cannot_be_are_the_sources_error(frames: list[tuple[int, float, object]]) -> None:
    class Odd(Faulty):
        def _frames(self) -> Iterator[Observation]:
            for seq, time_s, image in frames:
                yield Observation(seq=seq, time_s=time_s, images={"": image})  # type: ignore[dict-item]

    jobs = [Job(source=Odd("odd"), name="odd"), Job(source=Faulty("good"), name="good")]
    chunks = list(run_local(jobs, PaletteEncoder(), PipelineConfig()))
    errors = [chunk.error for chunk in chunks if chunk.ended]
    assert isinstance(errors[0], SourceError)
    assert errors[1] is None
    kept = [item for chunk in chunks if chunk.job == 0 for item in chunk.items if not isinstance(item, Note)]
    assert len(kept) == 1


def test_numbers_of_numpy_are_plain_ones_and_words_are_such_as_utf_8_holds() -> None:
    class Odd(Faulty):
        def _frames(self) -> Iterator[Observation]:
            for seq in np.arange(3):
                image = np.full((90, 160, 3), 80 * seq, np.uint8)
                yield Observation(seq=seq, time_s=np.float32(seq), images={"left\udcff": image}, text="a\udcffb")

        def _words(self, stream: str) -> Iterator[tuple[float, Note]]:
            time_s = np.float32(0.5)
            yield time_s, Note(stream=stream, kind="subtitle", t0_s=time_s, t1_s=time_s, text="\ud800 high")

    chunks = list(run_local([Job(source=Odd("odd"), name="odd")], PaletteEncoder(), PipelineConfig()))
    items = [item for chunk in chunks for item in chunk.items]
    assert len(items) == 4
    for item in items:
        assert item.stream == "odd/left?" or isinstance(item, Note)
        plain = (item.t0_s, item.t1_s) if isinstance(item, Note) else (item.seq, item.time_s)
        assert {type(number) for number in plain} <= {int, float}
        getattr(item, "text", "").encode()


@pytest.mark.parametrize("given", ["word", (0.5,), (math.nan, None), ("1", None), (0.5, "words")], ids=repr)
def test_words_that_are_none_are_the_sources_error(given: object) -> None:
    class Odd(Faulty):
        def _words(self, stream: str) -> Iterator[tuple[float, Note]]:
            yield given  # type: ignore[misc]

    jobs = [Job(source=Odd("odd"), name="odd"), Job(source=Faulty("good"), name="good")]
    chunks = list(run_local(jobs, PaletteEncoder(), PipelineConfig()))
    errors = [chunk.error for chunk in chunks if chunk.ended]
    assert isinstance(errors[0], SourceError)
    assert errors[1] is None


def test_an_error_of_ours_stays_what_it_is() -> None:
    error = HippocamError("no weights")
    jobs = [Job(source=Faulty("a", "a note in the middle", error), name="a")]
    with pytest.raises(HippocamError, match="no weights") as raised:
        list(run_local(jobs, PaletteEncoder(), PipelineConfig()))
    assert raised.value is error


def test_a_length_that_cannot_be_told_is_none() -> None:
    assert guard.length_s(Faulty("a", "length", ZeroDivisionError())) is None
    for seconds in (math.nan, math.inf, -1.0):
        odd = type("Odd", (Faulty,), {"duration_s": seconds})("a")
        assert guard.length_s(odd) is None


def test_segments_that_cannot_be_counted_are_the_sources_error() -> None:
    with pytest.raises(SourceError, match="cutting it into segments failed .IndexError: out.") as raised:
        guard.segment_count(Faulty("a", "segments", IndexError("out")), 60.0)
    assert isinstance(raised.value.__cause__, IndexError)
    assert guard.segment_count(Faulty("a"), 60.0) == 1


def test_an_argument_that_cannot_be_opened_is_named(
    tmp_path: Path, media: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    media.render_video(tmp_path / "a.mp4", frames=3)
    media.render_lerobot(tmp_path / "arm", lengths=(3,))
    from hippocam.stream.sources import opening

    def broken(*_: object, **__: object) -> object:
        raise IndexError("list index out of range")

    monkeypatch.setattr(opening, "find_episodes", broken)
    opened = open_sources([tmp_path / "arm", "nul\0byte.mp4", tmp_path / "a.mp4"])
    assert [source.id for source in opened.sources] == ["a"]
    assert {os.path.basename(error.uri) for error in opened.failed} == {"arm", "nul\0byte.mp4"}


def test_an_address_whose_library_is_missing_is_named(
    tmp_path: Path, media: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    def missing(kind: str) -> object:
        raise ImportError("no module named s3fs")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    media.render_video(tmp_path / "a.mp4", frames=3)
    opened = open_sources(["s3://bucket/film.mp4", tmp_path / "a.mp4"])
    assert [source.id for source in opened.sources] == ["a"]
    (error,) = opened.failed
    assert error.uri == "s3://bucket/film.mp4"
    assert "pip install 'hippocam[remote]'" in error.reason


def _damaged(data: bytes, rng: random.Random) -> bytes:
    """Cut a file short, or flip bits of it: few or many, all over it or in its head."""
    way = rng.randrange(4)
    if way == 0:
        return data[: rng.randrange(1, len(data))]
    flipped = bytearray(data)
    reach = len(data) if way < 3 else min(len(data), 400)
    for _ in range(rng.choice((1, 8, 64))):
        flipped[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(flipped)


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "avi", "webm", "png", "jpg", "lerobot"])
def test_damaged_files_stop_nobody(tmp_path: Path, media: ModuleType, kind: str) -> None:
    import cv2

    rng = random.Random(f"hippocam {kind}")
    trials = 12
    if kind == "lerobot":
        media.render_lerobot(tmp_path / "whole", lengths=(8,), cameras=("top",))
        files = sorted(path for path in (tmp_path / "whole").rglob("*") if path.is_file())
        for trial in range(trials):
            victim = rng.choice(files)
            for file in files:
                copy = tmp_path / "all" / f"{trial}" / file.relative_to(tmp_path / "whole")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(_damaged(file.read_bytes(), rng) if file == victim else file.read_bytes())
    else:
        whole = tmp_path / f"whole.{kind}"
        if kind in ("png", "jpg"):
            cv2.imwrite(str(whole), media.numbered_image(5))
        else:
            media.render_video(whole, frames=20)
        (tmp_path / "all").mkdir()
        for trial in range(trials):
            (tmp_path / "all" / f"{trial:02d}.{kind}").write_bytes(_damaged(whole.read_bytes(), rng))
    (tmp_path / "all" / "zz").mkdir()
    media.render_video(tmp_path / "all" / "zz" / "good.mp4", frames=20)
    opened = open_sources([tmp_path / "all"])
    jobs = [Job(source=source, name=source.id) for source in opened.sources]
    chunks = list(run_local(jobs, PaletteEncoder(), PipelineConfig(fps=None)))
    good = next(index for index, job in enumerate(jobs) if job.source.uri.endswith("good.mp4"))
    assert [chunk.job for chunk in chunks if chunk.ended] == list(range(len(jobs)))
    assert sum(not isinstance(item, Note) for chunk in chunks if chunk.job == good for item in chunk.items) == 20
    for chunk in chunks:
        times = [item.time_s for item in chunk.items if isinstance(item, Repeat)]
        assert all(map(math.isfinite, times))
