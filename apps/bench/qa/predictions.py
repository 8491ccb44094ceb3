"""Predictions that somebody else's model made, scored as their benchmark scores them: nothing is watched or asked.

Known are the files that the benchmarks' own scorers read: QVHighlights' JSON lines of `pred_relevant_windows`,
with or without `pred_saliency_scores`; NExT-QA's {"video_qid": {"prediction": 0 to 4}}; OpenEQA's
{"question_id": 1 to 5}, what an LLM judge gave (its predictions, with an `answer` each, are matched by words,
which is not its score); OVO-Bench's results by "backward", "realtime" and "forward". Of every layout also
{"id": "answer"}, or rows of "id" and "answer".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.apps.bench.qa.files import parse
from hippocam.apps.bench.qa.items import QaFile, QaItem
from hippocam.apps.bench.qa.options import chosen_option, free_match
from hippocam.apps.bench.qa.retrieval import Query, brief, qvhighlights
from hippocam.apps.bench.qa.saliency import highlights
from hippocam.apps.errors import QuestionFileError

_OVO = {"backward": ("EPM", "ASI", "HLD"), "realtime": ("OCR", "ACR", "ATR", "STU", "FPD", "OJR")}
_OVO_FORWARD = ("REC", "SSR", "CRR")


def score_file(questions: QaFile, path: Path) -> dict[str, Any]:
    """Score a file of predictions against its questions.

    Args:
        questions: What was asked.
        path: The predictions.

    Returns:
        Figures by name: percent as the benchmark's own scorer prints them; "questions" and "answered" are counts.

    Raises:
        QuestionFileError: The file cannot be read, is in no known form, or does not answer these questions.
    """
    try:
        content = parse(path.read_text(encoding="utf-8-sig"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{path}: cannot be read as text ({error})") from error
    try:
        return _score(questions, content, path)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise QuestionFileError(f"{path}: predictions for {questions.layout}, but {reason}") from error


def _score(questions: QaFile, content: Any, path: Path) -> dict[str, Any]:
    if questions.layout == "qvhighlights":
        return _highlights(questions, content, path)
    if questions.layout == "ovobench" and isinstance(content, Mapping) and "backward" in content:
        return ovobench(content)
    answers = _answers(content)
    items = [item for item in questions.items if item.id in answers]
    if not items:
        raise QuestionFileError(
            f"{path}: answers none of the {len(questions.items)} questions; ids must be theirs"
        )
    counts = {"questions": len(questions.items), "answered": len(items)}
    if questions.layout == "nextqa":
        # As eval_mc.py, what is not answered is an error there; here it counts as wrong.
        return counts | nextqa(
            {item.id: _right(item, answers.get(item.id)) for item in questions.items}, questions
        )
    if questions.layout == "openeqa" and all(_is_number(answers[item.id]) for item in items):
        return counts | {"LLM-match": llm_match([float(answers[item.id]) for item in items])}
    return counts | _plain(questions.items, answers)


def llm_match(scores: Sequence[float]) -> float:
    """OpenEQA's score of a judge's marks, 1 to 5: mean of (mark - 1) / 4, percent (evaluate-predictions.py)."""
    return float(np.mean(100 * (np.clip(scores, 1, 5) - 1) / 4))


def nextqa(right: Mapping[str, bool], questions: QaFile) -> dict[str, float]:
    """NExT-QA's accuracies, percent: by type, by the types' first letter, and over all (eval_mc.py).

    Types CW, CH (causal), TN with TP (before and after), TC (at the same time), DC, DL, DO (descriptive).
    """
    groups: dict[str, list[bool]] = {
        name: [] for name in ("CW", "CH", "TN", "TC", "DC", "DL", "DO", "C", "T", "D", "all")
    }
    for item in questions.items:
        kind = "TN" if item.kind == "TP" else item.kind
        for group in (kind, kind[:1], "all"):
            groups[group].append(right[item.id])
    return {name: 100 * float(np.mean(values)) for name, values in groups.items() if values}


def ovobench(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """OVO-Bench's accuracies, percent, by its own rules (utils/OVOBenchScore.py).

    The right letter must stand in the response; a count must be the response's digits; of yes or no, "Y" and "N"
    count as well. A category is the mean of its tasks, the total that of all tasks.
    """
    by_task: dict[str, list[bool]] = {}
    for result in (*results.get("backward", ()), *results.get("realtime", ())):
        by_task.setdefault(result["task"], []).append(result["ground_truth"] in (result["response"] or ""))
    for result in results.get("forward", ()):
        for test in result["test_info"]:
            by_task.setdefault(result["task"], []).append(_forward_right(result["task"], test))
    tasks = {task: 100 * float(np.mean(right)) for task, right in by_task.items()}
    parts = {
        name: [tasks[t] for t in names if t in tasks] for name, names in {**_OVO, "forward": _OVO_FORWARD}.items()
    }
    return {
        "questions": sum(map(len, by_task.values())),
        **tasks,
        **{name: float(np.mean(values)) for name, values in parts.items() if values},
        "total": float(np.mean(list(tasks.values()))),
    }


def _forward_right(task: str, test: Mapping[str, Any]) -> bool:
    said = test.get("response")
    if said is None:
        return False
    if task == "REC":
        return "".join(re.findall(r"\d+", said)) == str(test["count"])
    right = "Yes" if test["type"] else "No"
    return bool(said == right[0] or right in said)


def _highlights(questions: QaFile, content: Any, path: Path) -> dict[str, Any]:
    rows = {str(row["qid"]): row for row in (content if isinstance(content, list) else [content])}
    truth = {item.id: item.evidence for item in questions.items if item.evidence}
    if set(rows) != set(truth):
        raise QuestionFileError(
            f"{path}: predicts {len(rows)} queries, of which {len(set(rows) & set(truth))} are among the "
            f"{len(truth)} of the question file; they must be the same"
        )
    queries = [
        Query(found=[tuple(w) for w in row["pred_relevant_windows"]], windows=truth[qid])
        for qid, row in rows.items()
    ]
    figures = qvhighlights(queries)
    short = brief(figures)
    if set(rows) <= set(questions.highlights) and all("pred_saliency_scores" in row for row in rows.values()):
        marked = [questions.highlights[qid] for qid in rows]
        figures |= highlights(marked, [row["pred_saliency_scores"] for row in rows.values()])
        short |= {f"{n}-{f[3:]}": v for n in figures if n.startswith("HL") for f, v in figures[n].items()}
    return {"questions": len(rows), "brief": short, **figures}


def _plain(items: Sequence[QaItem], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy of options and match of free answers, percent; what is not answered is wrong."""
    by_kind: dict[str, list[float]] = {}
    for item in items:
        if item.correct is not None:
            score = float(_right(item, answers.get(item.id)))
        elif item.answer:
            score = free_match(str(answers.get(item.id, "")), item.answer, item.also)
        else:
            continue
        for name in ("accuracy" if item.correct is not None else "free match", f"kind {item.kind}"):
            by_kind.setdefault(name, []).append(score)
    return {name: 100 * float(np.mean(scores)) for name, scores in sorted(by_kind.items())}


def _right(item: QaItem, answer: Any) -> bool:
    """Whether an answer is the right option: its index, its letter, or its text."""
    if answer is None:
        return False
    if isinstance(answer, int):
        return answer == item.correct
    return chosen_option(str(answer), item.options) == item.correct


def _answers(content: Any) -> dict[str, Any]:
    """Answers by question id, from a mapping or from rows."""
    if isinstance(content, Mapping) and not {"id", "answer"} <= set(content):
        pairs = content.items()
    else:
        rows = content if isinstance(content, list) else [content]
        pairs = {row.get("question_id", row.get("id")): row["answer"] for row in rows}.items()
    return {str(name): v["prediction"] if isinstance(v, Mapping) else v for name, v in pairs}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
