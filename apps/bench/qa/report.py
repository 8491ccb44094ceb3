"""What `bench qa` found: as Markdown for docs/benchmarks and a terminal, as JSON, and question by question."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hippocam.apps.bench.qa.items import QaFile
from hippocam.apps.bench.qa.summary import Outcome, QaResult, Share, Summary

_STANDARD = ("MR-full-R1@0.5", "MR-full-R1@0.7", "MR-full-mAP")


def title(result: QaResult) -> str:
    """Title of the section in docs/benchmarks."""
    return f"Questions ({', '.join(result.layouts)}), encoder {result.encoder}, reader {result.reader}"


def table(result: QaResult) -> str:
    """The result as Markdown."""
    asked = result.summaries[0]
    rate = "every frame" if result.fps is None else f"{result.fps:g} frames a second"
    lines = [
        f"{asked.questions} questions about {result.videos} videos ({result.watched_s:.0f} s), watched once at "
        f"{rate} into memories of at most {result.budget_mb:g} MB ({result.memory_bytes / 1e6:.1f} MB in all), "
        f"each asked at its time and answered from at most {result.moments} moments. The baselines have the same "
        "reader, and as many frames; captions are the sentences and words of all entries, without pictures. In "
        "brackets what chance would reach: one of so many options, and random moments of the same lengths."
        + _left_out(result),
        "",
        *_grid(
            [
                "",
                "accuracy",
                "free match",
                "R@1",
                "R@5",
                "IoU",
                *(name.removeprefix("MR-full-") for name in _STANDARD),
            ],
            [
                [s.name, *map(_cell, (s.accuracy, s.match, s.r1, s.r5, s.iou)), *_standard(s)]
                for s in result.summaries
            ],
        ),
        "",
        *_grid(
            ["", "false evidence", "missed", "latency p50, ms", "p95, ms", "moments", "frames", "tokens"],
            [
                [
                    s.name,
                    _cell(s.false_evidence),
                    _cell(s.missed),
                    f"{s.latency_p50_ms:.0f}",
                    f"{s.latency_p95_ms:.0f}",
                    f"{s.given:.1f}",
                    f"{s.frames:.1f}",
                    f"{s.tokens:.0f}",
                ]
                for s in result.summaries
            ],
        ),
        "",
        f"accuracy: of {asked.accuracy.count} multiple-choice questions; free match: of {asked.match.count} free "
        "answers, the number where the right answer begins with one, else the F1 of the words: not a benchmark's "
        f"accuracy, which needs a judge; R@1, R@5, IoU: of {asked.r1.count} questions with evidence windows, the "
        "first or one of the first five moments overlaps one; R1@0.5, R1@0.7, mAP: as QVHighlights' scorer has "
        f"them, percent; false evidence: of {asked.false_evidence.count} questions that nothing seen by then "
        f"answers, those answered with evidence; missed: of {asked.missed.count} others, those said to be "
        "unknown; moments, frames (pictures), tokens (estimated): what the reader is given for a question, on "
        "average.",
        *_kinds("false evidence", [(s.name, s.false_kinds) for s in result.summaries]),
        *_kinds("accuracy or free match", [(s.name, s.kinds) for s in result.summaries]),
    ]
    return "\n".join(lines)


def scores(questions: QaFile, figures: Mapping[str, Any]) -> str:
    """The figures of a predictions file as a Markdown table."""
    shown = figures.get("brief", figures)
    rows = [[name, f"{v:.2f}" if isinstance(v, float) else str(v)] for name, v in shown.items()]
    return "\n".join(
        [f"{questions.layout}, {figures['questions']} questions", "", *_grid(["figure", "value"], rows)]
    )


def to_json(result: QaResult) -> str:
    """One line: the run's figures, by memory and baseline, without the single questions."""
    values = {name: value for name, value in _plain(result).items() if name not in ("outcomes", "summaries")}
    return json.dumps(values | {"by": {s.name: _plain(s) for s in result.summaries}}, allow_nan=False)


def write_outcomes(path: Path, result: QaResult) -> None:
    """Every question and answer as JSON lines, for looking at single ones."""
    rows = (_row(name, outcome) for name, made in result.outcomes.items() for outcome in made)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _row(name: str, outcome: Outcome) -> dict[str, Any]:
    item = outcome.item
    return {
        "by": name,
        "id": item.id,
        "kind": item.kind,
        "video": item.video,
        "question": item.question,
        "options": item.options,
        "asked_at_s": item.asked_at_s,
        "right": item.answer,
        "answerable": item.answerable,
        "evidence": item.windows,
        "answer": outcome.answer,
        "score": outcome.score,
        "unknown": outcome.unknown,
        "cited": outcome.cited,
        "false_evidence": outcome.false_evidence,
        "latency_ms": round(outcome.latency_ms, 1),
        "moments": [[round(number, 3) for number in moment] for moment in outcome.moments[:5]],
    }


def _plain(value: Any) -> dict[str, Any]:
    """A record as a mapping of JSON values; of a result, its questions stay out, since there may be thousands."""
    if isinstance(value, QaResult):
        return {name: getattr(value, name) for name in value.__slots__ if name != "outcomes"}
    found: dict[str, Any] = asdict(value)
    return found


def _left_out(result: QaResult) -> str:
    if not result.left_out:
        return ""
    return f" {result.left_out} questions were left out: no video of theirs, or to be answered unasked."


def _cell(share: Share) -> str:
    if share.value is None or math.isnan(share.value):
        return "-"
    return f"{share.value:.2f}" + ("" if share.chance is None else f" ({share.chance:.2f})")


def _standard(summary: Summary) -> list[str]:
    return [f"{summary.standard[name]:.1f}" if name in summary.standard else "-" for name in _STANDARD]


def _kinds(figure: str, rows: Sequence[tuple[str, Mapping[str, Share]]]) -> list[str]:
    """A figure by kind of question, behind an empty line; nothing where there is none."""
    kinds = rows[0][1]
    if not kinds:
        return []
    head = [figure, *(f"{kind} ({share.count})" for kind, share in kinds.items())]
    return ["", *_grid(head, [[name, *(_cell(shares[kind]) for kind in kinds)] for name, shares in rows])]


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
