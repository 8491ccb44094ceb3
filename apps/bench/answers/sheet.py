"""A sheet (CSV) of every question, answer, truth and verdict, with a column in which a person overrules the rule.

The column `read` takes "right" or "wrong". A sheet that was read is used again: a reading counts for the same
answer to the same question, whoever gave it, so that only new answers need to be read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hippocam.apps.bench.answers.figures import Outcome
from hippocam.apps.bench.answers.score import Shown
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

_COLUMNS = (
    "way", "film", "id", "type", "question", "truth", "answer", "first moment", "evidence", "belief", "rule",
    "why", "read",
)  # fmt: skip
_READ = {"right": True, "wrong": False}
# Question and answer, word for word, into what a person made of it.
Readings = Mapping[tuple[str, str], bool]


def write_sheet(path: Path, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Write the sheet of some ways of answering; what was read before stands in it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for way, made in outcomes.items():
            rows.writerows(_row(way, outcome) for outcome in made)


def _row(way: str, outcome: Outcome) -> tuple[str, ...]:
    question, said = outcome.question, outcome.answer
    read = "" if outcome.read is None else "right" if outcome.read else "wrong"
    return (
        way,
        outcome.film.name,
        question.id,
        question.kind + (", absent" if question.absent else ""),
        outcome.asked,
        question.truth,
        said.text,
        _stretch(said.first) if said.first else "",
        "; ".join(f"{format_time(start)} to {format_time(end)}" for start, end in question.evidence),
        f"{said.belief:.2f}",
        "right" if outcome.verdict.right else "wrong",
        outcome.verdict.why,
        read,
    )


def _stretch(moment: Shown) -> str:
    return f"{format_time(moment.t0_s)} to {format_time(moment.t1_s)} {moment.stream}"


def read_sheets(paths: Iterable[Path]) -> Readings:
    """Read what people made of answers.

    Raises:
        HippocamError: A sheet has other columns, or another word than "right" or "wrong".
    """
    readings: dict[tuple[str, str], bool] = {}
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not {"question", "id", "answer", "read"} <= set(rows.fieldnames or ()):
                raise HippocamError(f"{path}: its columns are not those of a sheet of answers")
            for row in rows:
                word = row["read"].strip().casefold()
                if word and word not in _READ:
                    raise HippocamError(f'{path}: read must be "right" or "wrong", found {word!r}')
                if word:
                    readings[row["id"], row["answer"]] = _READ[word]
    return readings


def with_readings(outcomes: Sequence[Outcome], readings: Readings) -> tuple[Outcome, ...]:
    """The same outcomes, each with what a person made of its answer."""
    return tuple(replace(o, read=readings.get((o.question.id, o.answer.text))) for o in outcomes)
