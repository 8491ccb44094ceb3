"""Figures into the tables of docs/benchmarks/answers.md, and into JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from hippocam.apps.bench.answers.figures import ALONE, TOGETHER, AnswersResult, Figures, Share, figures

_HEAD = (
    "right",
    "right, as read",
    "first hit",
    "found",
    "chance",
    "absent: said so",
    "there: said absent",
    "AUC",
    "ms",
)


def table(result: AnswersResult) -> str:
    """The result as Markdown."""
    summed = {way: figures(made) for way, made in result.outcomes.items()}
    questions = [question for film in result.films for question in film.questions]
    absent = sum(question.absent for question in questions)
    watched_s = sum(film.duration_s for film in result.films)
    lines = [
        f"{len(questions)} questions about {len(result.films)} films ({watched_s:.0f} s), {absent} of them about "
        f"what the film does not show; reader {result.reader}, senses {', '.join(result.senses) or 'none'}. In "
        "brackets 95 % intervals after Wilson. *Right* is by the strict rule; *as read* is by a person who read "
        "the answers against the truth. *First hit*: the first moment overlaps the evidence within the tolerance; "
        "an answer that denies or does not know is a miss, where *found* counts its nearest moment too; *chance* "
        "is that of a random moment as long. *AUC*: what is there is believed more than what is absent.",
        "",
        f"| way | {' | '.join(_HEAD)} |",
        f"|---{'|---' * len(_HEAD)}|",
        *(f"| {way} | {' | '.join(_cells(found))} |" for way, found in summed.items()),
        "",
        "Right by the rule, by kind of question:",
        "",
    ]
    ways = [way for way in (ALONE, TOGETHER) if way in summed]
    lines += [f"| kind | {' | '.join(ways)} |", f"|---{'|---' * len(ways)}|"]
    for kind in summed[ALONE].kinds:
        lines.append(f"| {kind} | {' | '.join(_of(summed[way].kinds[kind]) for way in ways)} |")
    lines += ["", "Of answers that say how sure they are, right (as read, where they were read):", ""]
    lines += [f"| word | {' | '.join(ways)} |", f"|---{'|---' * len(ways)}|"]
    for word in dict.fromkeys(word for way in ways for word in summed[way].words):
        cells = [_of(summed[way].words.get(word, Share(0, 0))) for way in ways]
        lines.append(f"| {word or 'none'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(found: Figures) -> list[str]:
    shares = (found.absent_denied, found.present_denied)
    return [
        _share(found.right),
        _share(found.read) if found.read else "-",
        _share(found.hit),
        _share(found.found),
        _number(found.chance),
        *(_share(share) for share in shares),
        _number(found.auc),
        "-" if not found.latency_ms else f"{found.latency_ms:.0f}",
    ]


def _share(share: Share) -> str:
    if not share.whole:
        return "-"
    low, high = share.interval
    return f"{share.value:.0%} ({low:.0%} to {high:.0%})".replace("%", " %")


def _of(share: Share) -> str:
    return f"{share.part} of {share.whole}" if share.whole else "-"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}".removeprefix("0")


def to_dict(result: AnswersResult) -> dict[str, Any]:
    """The result for JSON: figures by way of answering, and every outcome."""
    return {
        "encoder": result.encoder,
        "reader": result.reader,
        "senses": result.senses,
        "figures": {way: asdict(figures(made)) for way, made in result.outcomes.items()},
        "outcomes": {way: [asdict(outcome) for outcome in made] for way, made in result.outcomes.items()},
    }
