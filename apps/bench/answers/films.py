"""Annotated films: what people ask of each, the truth in words, and what makes an answer right.

A file is JSON: `video` (a path), `duration_s`, `tolerance_s`, `annotated_by`, and `questions`, each with `id`,
`type`, `question`, `truth`, `evidence` (windows in seconds) and what makes an answer right: `accept` and `reject`
(regular expressions), `timed` ("span": the first stretch that is told must fit a window; "start": it must begin in
one), `absent` (the film does not show it) or `no` (it is there, and the right answer is no, or none). A file with
`of` adds to the questions of another file of ground truth (`qa`): by their ids it says which answers are right.

Each half has a folder: mistakes are looked at in `calibrate` alone, and `report` is only reported on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hippocam.stream.errors import HippocamError

HALVES = ("calibrate", "report")
SPAN, START = "span", "start"
Window = tuple[float, float]
# Types of questions that ask for nothing which could be there or not.
_NO_PRESENCE = ("nobody", "length", "summary")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmQuestion:
    """A question about a film, and what makes an answer right.

    Attributes:
        id: Unique within its file.
        kind: What sort of question it is: "yes-no", "when", "how-many", ...
        question: As a user asks it.
        truth: The right answer in words, for people.
        accept: Regular expressions, one of which the answer must match; empty where affirming is enough.
        reject: Regular expressions that no right answer matches.
        timed: Whether the first stretch of time that is told must fit a window (SPAN) or begin in one (START).
        evidence: Windows [start, end] in seconds that show the answer.
        absent: Whether the film does not show what is asked for.
        says_no: Whether it is there and the right answer is no, or none.
        asked_at_s: Second of the film at which it is asked; None for its end.
    """

    id: str
    kind: str
    question: str
    truth: str
    accept: tuple[str, ...] = ()
    reject: tuple[str, ...] = ()
    timed: str = ""
    evidence: tuple[Window, ...] = ()
    absent: bool = False
    says_no: bool = False
    asked_at_s: float | None = None

    def __post_init__(self) -> None:
        if self.timed not in ("", SPAN, START):
            raise ValueError(f"question {self.id}: timed must be {SPAN!r} or {START!r}, found {self.timed!r}")
        if self.absent and (self.evidence or self.timed):
            raise ValueError(f"question {self.id}: what is absent has no evidence and no time")
        if any(end <= start for start, end in self.evidence):
            raise ValueError(f"question {self.id}: evidence must be [start, end] with start first")
        for pattern in (*self.accept, *self.reject):
            re.compile(pattern)

    @property
    def tells_presence(self) -> bool:
        """Whether a belief in what it asks for can be right or wrong."""
        return self.absent or (bool(self.evidence) and not self.says_no and self.kind not in _NO_PRESENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An annotated film.

    Attributes:
        name: Its name in reports.
        half: One of HALVES.
        video: Where it is.
        duration_s: How long it is, seconds.
        tolerance_s: How far, in seconds, annotated times may be off.
        questions: What is asked of it.
    """

    name: str
    half: str
    video: Path
    duration_s: float
    tolerance_s: float
    questions: tuple[FilmQuestion, ...]


def read_films(annotations: Path, data: Path, halves: Sequence[str] = HALVES) -> list[Film]:
    """Read the annotated films of some halves; those whose video or ground truth is not there are left out.

    Args:
        annotations: Folder with a folder for each half.
        data: Folder that the paths of videos and of other ground truth start from.
        halves: Which ones.

    Raises:
        HippocamError: A file cannot be understood, or no film is there.
    """
    films = []
    for half in halves:
        for file in sorted((annotations / half).glob("*.json")):
            content = json.loads(file.read_text(encoding="utf-8"))
            if (data / content["video"]).is_file() and (data / content.get("of", content["video"])).is_file():
                films.append(_film(file, half, content, data))
    if not films:
        raise HippocamError(f"no annotated film was found: {annotations} has none whose video is in {data}")
    return films


def _film(file: Path, half: str, content: Mapping[str, Any], data: Path) -> Film:
    other: dict[str, Any] = {}
    if "of" in content:
        truth = json.loads((data / content["of"]).read_text(encoding="utf-8"))
        other = {row["id"]: {**row, "truth": row["answer"]} for row in truth["qa"]}
    try:
        questions = [_question({**other.get(row["id"], {}), **row}) for row in content["questions"]]
    except (KeyError, TypeError, ValueError, re.error) as error:
        raise HippocamError(f"{file}: {error!r}") from error
    return Film(
        name=file.stem,
        half=half,
        video=data / content["video"],
        duration_s=content["duration_s"],
        tolerance_s=content["tolerance_s"],
        questions=tuple(questions),
    )


def _question(row: Mapping[str, Any]) -> FilmQuestion:
    return FilmQuestion(
        id=row["id"],
        kind=row["type"],
        question=row["question"],
        truth=row["truth"],
        accept=tuple(row.get("accept", ())),
        reject=tuple(row.get("reject", ())),
        timed=row.get("timed", ""),
        evidence=tuple((start, end) for start, end in row["evidence"]),
        absent=row.get("absent", False),
        says_no=row.get("no", False),
        asked_at_s=row.get("ask_at_s"),
    )
