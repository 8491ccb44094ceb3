"""A memory that forgot something beside one that never saw it: row by row, by what recall finds, and byte by byte.

Of a whole stream all rows must be equal, what was learned included, but for numbers that count rows. Of a stretch
of time what lies before it must be; what comes after it was seen by a memory that knew it, and rests on that.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.bench.forgetting.cases import DIM, SPEC, Case, config, draw, time_of, write
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.store import sums
from hippocam.memory.store.schema import SUMMED

# Tables whose rows have numbers that count them, which tell of no time.
_COUNTED = frozenset({"journal", "probe", "detected", "lesson", "entity_change"})
# Tables whose rows rest on what came after a stretch of time, too.
_OF_ALL = frozenset("learned bank lesson place stream tracked entity_total entity_change probe".split())
_QUERIES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one case.

    Attributes:
        seed: Which case.
        whole: Whether a whole stream was forgotten.
        differing: Tables with rows that are not those of a memory that never saw what was forgotten; of a stretch
            of time, rows of what lies before it.
        recalled: Whether recall finds the same, of a whole stream.
        left: Whether any byte tells of what was forgotten.
        touching: Rows that touch the time that was forgotten.
    """

    seed: int
    whole: bool
    differing: tuple[str, ...]
    recalled: bool
    left: bool
    touching: int

    @property
    def equal(self) -> bool:
        """Whether nothing differs and nothing is left."""
        return not (self.differing or self.left or self.touching) and self.recalled


def run(seeds: Iterable[int], report: Callable[[str], None] = lambda line: None) -> list[Outcome]:
    """Try cases."""
    outcomes = list[Outcome]()
    for count, seed in enumerate(seeds):
        if count % 50 == 49:
            report(f"forgetting: {count + 1} cases")
        outcomes.append(outcome_of(draw(seed), seed))
    return outcomes


def outcome_of(case: Case, seed: int) -> Outcome:
    """Forget what a case says, and compare with a memory that never saw it."""
    with tempfile.TemporaryDirectory() as made:
        forgot, never = Path(made) / "forgot", Path(made) / "never"
        write(forgot, case.streams, case.order)
        with Memory.open_writer(forgot, encoder="planned", spec=SPEC, config=config()) as memory:
            memory.forget(case.forget)
        write(never, case.rest(), case.order if case.whole else _without(case))
        own, other = _rows(forgot, case), _rows(never, case)
        differing = tuple(name for name in own if own[name] != other[name])
        raw = b"".join(path.read_bytes() for path in sorted(forgot.rglob("*")) if path.is_file())
        return Outcome(
            seed=seed,
            whole=case.whole,
            differing=differing,
            recalled=not case.whole or _found(forgot, seed) == _found(never, seed),
            left=case.secret.encode() in raw or (case.whole and str(case.forget.stream).encode() in raw),
            touching=_touching(forgot, case),
        )


def _without(case: Case) -> Sequence[str]:
    """The order of what comes, without what is never seen."""
    seen, (after_s, before_s) = dict.fromkeys(case.streams, 0), case.window
    order = list[str]()
    for stream in case.order:
        item = case.streams[stream][seen[stream]]
        seen[stream] += 1
        time_s = time_of(item)
        if stream != case.forget.stream or not after_s <= time_s <= before_s:
            order.append(stream)
    return order


def _rows(folder: Path, case: Case) -> dict[str, list[str]]:
    """All rows of a memory that are to be compared, as text, by table."""
    found = dict[str, list[str]]()
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        for table in SUMMED:
            names = [name for name in sums.columns(db, table) if not (table in _COUNTED and name == "id")]
            rows = (
                dict(zip(names, row, strict=True)) for row in db.execute(f"SELECT {', '.join(names)} FROM {table}")
            )
            kept = [row for row in rows if _compared(table, row, case)]
            found[table] = sorted(map(repr, kept))
    return found


def _compared(table: str, row: dict[str, object], case: Case) -> bool:
    if table == "meta":
        return row["key"] != "created_unix_s"
    if table == "journal" and row["action"] == "forgotten":
        return False  # that an id is gone
    if case.whole:
        return True
    if table in _OF_ALL:
        return False
    if row.get("stream") != case.forget.stream:
        return table not in ("summary", "journal")
    last_s = row.get("t1_s", row.get("time_s"))
    if table in ("summary", "journal", "coverage", "detected", "entity") or row.get("spans") is not None:
        return False
    return isinstance(last_s, float) and last_s < case.window[0] - 1.0


def _touching(folder: Path, case: Case) -> int:
    """How many rows of the stream lie within the time that was forgotten."""
    t0_s, t1_s = case.window
    count = 0
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        for table in ("entry", "summary", "note", "visit", "detected", "coverage", "probe"):
            (rows,) = db.execute(
                f"SELECT count(*) FROM {table} WHERE stream = ? AND t1_s > ? AND t0_s < ?",
                (case.forget.stream, max(t0_s, -1e12), min(t1_s, 1e12)),
            ).fetchone()
            count += int(rows)
    return count


def _found(folder: Path, seed: int) -> list[list[tuple[int, float]]]:
    """What recall finds for some random questions."""
    rng = np.random.default_rng(seed)
    questions = rng.normal(size=(_QUERIES, DIM)).astype(np.float32)
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    with Memory.open_reader(folder, config()) as memory:
        return [
            [(found.entry.id, found.score) for found in memory.recall(Query(text="plain 3", vector=vector, top=8))]
            for vector in questions
        ]


def table(outcomes: Sequence[Outcome]) -> str:
    """The result as Markdown."""
    lines = [
        "Random memories of three streams with things, words and scenes that come back, a stream or some of its "
        "time forgotten, beside memories that never saw it. *Equal*: all rows (of a stretch of time those before "
        "it, and all of other streams), what recall finds, and no byte that tells of what was forgotten.",
        "",
        "| forgotten | cases | equal | rows differ | recall differs | bytes left | rows in that time |",
        "|---|---|---|---|---|---|---|",
    ]
    for whole, name in ((True, "a stream"), (False, "a stretch of time")):
        own = [one for one in outcomes if one.whole == whole]
        cells = (
            len(own),
            sum(one.equal for one in own),
            sum(bool(one.differing) for one in own),
            sum(not one.recalled for one in own),
            sum(one.left for one in own),
            sum(one.touching for one in own),
        )
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
