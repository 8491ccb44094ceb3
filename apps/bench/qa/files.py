"""Question files into `QaItem`s: one loader a layout, recognised by what is in the file.

Field names are those of the benchmarks' own files: OpenEQA (facebookresearch/open-eqa, data/open-eqa-v0.json),
NExT-QA (doc-doc/NExT-QA, dataset/nextqa/*.csv), QVHighlights (jayleicn/moment_detr, data/README.md),
StreamingBench (THUNLP-MT/StreamingBench, src/data/questions_*.json), OVO-Bench (JoeLeelyf/OVO-Bench,
data/ovo_bench_new.json).
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hippocam.apps.bench.qa.items import MOMENT, QaFile, QaItem, Window
from hippocam.apps.bench.qa.options import LETTERS, without_letter
from hippocam.apps.bench.qa.saliency import Highlights
from hippocam.apps.errors import QuestionFileError

LAYOUTS = ("local", "absent", "openeqa", "nextqa", "qvhighlights", "streamingbench", "ovobench")
YES_NO = ("Yes", "No")
_SUFFIXES = (".json", ".jsonl", ".csv")
_UNABLE = "unable to answer"
_ENOUGH = "Say whether what was seen so far, the newest above all, is enough to answer this question."
_DOING_NOW = "Say whether this is being done at the end of what was seen."
Json = Mapping[str, Any]


def read_files(paths: Sequence[Path]) -> list[QaFile]:
    """Read question files; for a folder, all files directly in it.

    Raises:
        QuestionFileError: A path is missing, or what it holds is in no known layout.
    """
    files = list[QaFile]()
    for path in paths:
        inner = sorted(p for p in path.iterdir() if p.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inner:
            raise QuestionFileError(f"{path}: no question file ({', '.join(_SUFFIXES)}) in it")
        files += map(read_file, inner)
    return files


def read_file(path: Path) -> QaFile:
    """Read one question file.

    Raises:
        QuestionFileError: There is no such file, or it is in no known layout, or a question lacks what its
            layout has.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionFileError(f"{path}: cannot be read as text ({error})") from error
    content = parse(text, path)
    for layout, fits, load in _LOADERS:
        if fits(content):
            try:
                found = load(content, path.stem)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                reason = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
                raise QuestionFileError(f"{path}: in the layout of {layout}, but {reason}") from error
            repeated = [name for name, count in Counter(i.id for i in found.items).items() if count > 1]
            if repeated:
                raise QuestionFileError(
                    f"{path}: several questions have the id {repeated[0]!r}; ids must be unique"
                )
            return found
    raise QuestionFileError(f"{path}: in no known layout; known are {', '.join(LAYOUTS)}")


def parse(text: str, path: Path) -> Any:
    """JSON, JSON lines or CSV (rows as mappings) into Python values.

    Raises:
        QuestionFileError: It is none of these.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return list(csv.DictReader(io.StringIO(text, newline="")))
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise QuestionFileError(f"{path}: neither JSON nor JSON lines ({error})") from error


def seconds(written: str | float) -> float:
    """Seconds, from "00:03:58", "03:58" or a number of seconds."""
    parts = map(float, reversed(str(written).split(":")))
    return sum((part * 60.0**power for power, part in enumerate(parts)), 0.0)


def _rows(content: Any, *keys: str) -> bool:
    """Whether it is a list of mappings, or one of them, and the first has all the keys."""
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, Mapping) and all(key in first for key in keys)


def _list(content: Any) -> list[Json]:
    return content if isinstance(content, list) else [content]


def _windows(pairs: Sequence[Sequence[float]]) -> tuple[Window, ...]:
    return tuple((float(start), float(end)) for start, end in pairs)


def _is_absent(content: Any) -> bool:
    """A list of descriptions: a list of ids has no word in it."""
    return isinstance(content, list) and all(isinstance(text, str) for text in content) and " " in "".join(content)


def _absent(content: list[str], name: str) -> QaFile:
    """Descriptions of what no clip shows; `video` is "" for every video of the run."""
    items = (
        QaItem(id=f"{name}/{number}", video="", question=text, kind="absent", answerable=False)
        for number, text in enumerate(content, start=1)
    )
    return QaFile(layout="absent", items=tuple(items))


def _local(content: Json, name: str) -> QaFile:
    """A clip's events, each a moment to be found, and its questions with the second at which they are asked."""
    video = str(content["video"])
    events: dict[str, list[Window]] = {}
    for event in content.get("events", ()):
        events.setdefault(event["text"], []).append((float(event["start"]), float(event["end"])))
    items = [
        QaItem(id=f"{name}/event/{k}", video=video, question=text, kind=MOMENT, evidence=tuple(windows))
        for k, (text, windows) in enumerate(events.items(), start=1)
    ]
    for q in content.get("qa", ()):
        options = tuple(map(str, q.get("options", ())))
        asked = q.get("ask_at_s")
        items.append(
            QaItem(
                id=str(q["id"]),
                video=video,
                question=q["question"],
                options=options,
                correct=options.index(str(q["answer"])) if options else None,
                answer=str(q.get("answer", "")),
                asked_at_s=None if asked is None else float(asked),
                evidence=_windows(q.get("evidence", ())),
                kind=q.get("type", ""),
                answerable=bool(q.get("answerable", True)),
            )
        )
    return QaFile(layout="local", items=tuple(items))


def _openeqa(content: list[Json], name: str) -> QaFile:
    """Free answers about an episode, which is asked at its end."""
    items = (
        QaItem(
            id=q["question_id"],
            video=q["episode_history"],
            question=q["question"],
            answer=q["answer"],
            also=tuple(q.get("extra_answers") or ()),
            kind=q["category"],
        )
        for q in content
    )
    return QaFile(layout="openeqa", items=tuple(items))


def _nextqa(content: list[Json], name: str) -> QaFile:
    """Five options a question; ids as the benchmark's own scorer joins them: video and question number."""
    items = []
    for row in content:
        options = tuple(row[f"a{k}"] for k in range(5))
        correct = int(row["answer"])
        items.append(
            QaItem(
                id=f"{row['video']}_{row['qid']}",
                video=str(row["video"]),
                question=row["question"],
                options=options,
                correct=correct,
                answer=options[correct],
                kind=row["type"],
            )
        )
    return QaFile(layout="nextqa", items=tuple(items))


def _qvhighlights(content: Any, name: str) -> QaFile:
    """Moments to be found; times start where the cut clip starts. The test split has no windows."""
    items = (
        QaItem(
            id=str(q["qid"]),
            video=q["vid"],
            question=q["query"],
            kind=MOMENT,
            evidence=_windows(q.get("relevant_windows", ())),
        )
        for q in _list(content)
    )
    marked = {str(q["qid"]): made for q in _list(content) if (made := Highlights.of(q)) is not None}
    return QaFile(layout="qvhighlights", items=tuple(items), highlights=marked)


def _streamingbench(content: Any, name: str) -> QaFile:
    """Options at a time stamp; ids are the index of the video's part and of the question in it.

    What a model should say unasked (questions_proactive) cannot be put as a question and is left out.
    """
    items, left_out = list[QaItem](), 0
    for index, part in enumerate(_list(content)):
        for number, q in enumerate(part["questions"]):
            if not q.get("options"):
                left_out += 1
                continue
            options = tuple(map(without_letter, q["options"]))
            correct = LETTERS.index(q["answer"].strip()[:1].upper())
            items.append(
                QaItem(
                    id=f"{index}/{number}",
                    video=part["video_path"],
                    question=q["question"],
                    options=options,
                    correct=correct,
                    answer=options[correct],
                    asked_at_s=seconds(q["time_stamp"]),
                    kind=q["task_type"],
                )
            )
    return QaFile(layout="streamingbench", items=tuple(items), left_out=left_out)


def _ovobench(content: list[Json], name: str) -> QaFile:
    """Options at a time (backward and real-time tasks); counts and yes or no at several times (forward tasks)."""
    items = list[QaItem]()
    for q in content:
        if "test_info" in q:
            items += _forward(q)
            continue
        options = tuple(q["options"])
        items.append(
            QaItem(
                id=str(q["id"]),
                video=q["video"],
                question=q["question"],
                options=options,
                correct=int(q["gt"]),
                answer=options[int(q["gt"])],
                asked_at_s=float(q["realtime"]),
                kind=q["task"],
                answerable=options[int(q["gt"])].strip(" .").lower() != _UNABLE,
            )
        )
    return QaFile(layout="ovobench", items=tuple(items))


def _forward(q: Json) -> Iterator[QaItem]:
    """Make an item for each time of REC (how often), SSR (is this step being done) or CRR (answerable by now?)."""
    task = q["task"]
    for index, test in enumerate(q["test_info"]):
        asked = QaItem(
            id=f"{q['id']}/{index}",
            video=q["video"],
            question=q.get("question") or test.get("step") or "how many times",
            asked_at_s=float(test["realtime"]),
            kind=task,
        )
        if task == "REC":
            windows = _windows(list(zip(q.get("start_times", ()), q.get("end_times", ()), strict=True)))
            question = f"How many times did they {q['activity']}?"
            yield replace(asked, question=question, answer=str(test["count"]), evidence=windows)
            continue
        correct = 0 if int(test["type"]) else 1
        asked = replace(asked, options=YES_NO, correct=correct, answer=YES_NO[correct])
        if task == "SSR":
            steps = zip(q.get("all_steps", ()), q.get("start_time", ()), q.get("end_time", ()), strict=True)
            windows = _windows(
                [(start, end) for step, start, end in steps if step == test["step"] and not correct]
            )
            yield replace(asked, asks=_DOING_NOW, evidence=windows)
        else:
            yield replace(asked, asks=_ENOUGH)


_LOADERS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any, str], QaFile]], ...] = (
    ("local", lambda c: isinstance(c, Mapping) and "video" in c and ("events" in c or "qa" in c), _local),
    ("absent", _is_absent, _absent),
    ("openeqa", lambda c: isinstance(c, list) and _rows(c, "question_id", "episode_history"), _openeqa),
    ("nextqa", lambda c: isinstance(c, list) and _rows(c, "video", "qid", "a0", "a4", "answer"), _nextqa),
    ("qvhighlights", lambda c: _rows(c, "qid", "query", "vid"), _qvhighlights),
    ("streamingbench", lambda c: _rows(c, "questions", "video_path"), _streamingbench),
    ("ovobench", lambda c: isinstance(c, list) and _rows(c, "id", "task", "video"), _ovobench),
)
