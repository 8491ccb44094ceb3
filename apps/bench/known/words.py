"""Questions about what is written in clips, most of them in other words than the screen's.

Each clip is watched into a memory of its own, only to be read: the pictures' vectors make no difference. A
question is right where the best note that is found is shown within its times.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.apps.bench.sessions import OpenSession
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.notes import find_notes
from hippocam.memory.recall.passages import Sentences
from hippocam.memory.recall.query import NoteHit

# Reads as any encoder's memory does, and encodes a picture in a millisecond.
_ENCODER = "palette"
# Belief from which notes answer.
_ANSWERS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one way found in the clips of one half.

    Attributes:
        half: "calibrate" or "report".
        way: "words" or "words and meaning".
        questions: How many questions have an answer.
        first: How many of these the best note answers.
        believed: How many of these with a belief of one half or more.
        never: Questions for what is written nowhere.
        alarms: How many of these some note answers with such a belief.
    """

    half: str
    way: str
    questions: int
    first: int
    believed: int
    never: int
    alarms: int


def run(
    file: Path,
    videos: Path,
    sentences: Sentences,
    *,
    open_session: OpenSession,
    report: Callable[[str], None] = lambda line: None,
) -> list[Read]:
    """Watch the clips of a file of questions and look for the notes that answer them.

    Args:
        file: Questions with their times; see `tests/golden/words/questions.json`.
        videos: Where its clips are; those that are not there are left out.
        sentences: Tells which sentences are alike.
        open_session: Opens a memory.
        report: Is told which clip is watched.
    """
    content = json.loads(file.read_text(encoding="utf-8"))
    ways: Mapping[str, Sentences | None] = {"words": None, "words and meaning": sentences}
    counts = dict[tuple[str, str], list[int]]()
    for clip in content["clips"]:
        video = videos / clip["video"]
        if not video.is_file():
            continue
        report(f"words: {video.name}")
        with tempfile.TemporaryDirectory() as folder:
            with open_session(Path(folder) / "m", encoder=_ENCODER) as session:
                session.watch([video])
            with Memory.open_reader(Path(folder) / "m") as memory:
                for way, alike in ways.items():
                    found = counts.setdefault((clip["half"], way), [0] * 5)
                    for at, more in enumerate(_counted(memory, clip, alike, content["tolerance_s"])):
                        found[at] += more
    return [_read(half, way, *found) for (half, way), found in sorted(counts.items())]


def _read(half: str, way: str, questions: int, first: int, believed: int, never: int, alarms: int) -> Read:
    return Read(
        half=half, way=way, questions=questions, first=first, believed=believed, never=never, alarms=alarms
    )


def _counted(
    memory: Memory, clip: Mapping[str, Sequence[object]], alike: Sentences | None, tolerance_s: float
) -> tuple[int, int, int, int, int]:
    """The figures of `Read`, from `questions` on, of one clip."""

    def best(question: str) -> NoteHit | None:
        return next(iter(find_notes(memory.store.notes, question, Filter(), 1, sentences=alike)), None)

    first = believed = 0
    for asked in clip["asked"]:
        assert isinstance(asked, Mapping)
        hit = best(asked["question"])
        right = hit is not None and any(
            hit.span.t1_s >= t0_s - tolerance_s and hit.span.t0_s <= t1_s + tolerance_s
            for t0_s, t1_s in asked["shown"]
        )
        first += right
        believed += right and hit is not None and hit.belief >= _ANSWERS
    hits = [best(str(question)) for question in clip["never"]]
    alarms = sum(hit is not None and hit.belief >= _ANSWERS for hit in hits)
    return len(clip["asked"]), first, believed, len(hits), alarms


def table(rows: Sequence[Read]) -> str:
    """The result as Markdown."""
    lines = [
        "Questions about what is written in clips, most of them in other words than the screen's. A question is "
        "right where the best note is shown within its times (2.5 s on either side); *believed* ones have a "
        "belief of one half or more. A false alarm is such a belief for what is written nowhere.",
        "",
        "| half | by | questions | best note right | believed and right | written nowhere | false alarms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        figures = (row.questions, row.first, row.believed, row.never, row.alarms)
        lines.append(f"| {row.half} | {row.way} | {' | '.join(map(str, figures))} |")
    return "\n".join(lines)
