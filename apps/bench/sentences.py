"""Sentences beside their pictures, to be read by people: are they right, in part right, or wrong?

No figure tells that by itself. So moments are drawn from a memory, their pictures and sentences put on contact
sheets, and a table is written into which a reader puts a verdict each; a second reader, or the same one another
time without looking at the first verdicts, puts another. From the table comes the report.
"""

from __future__ import annotations

import csv
import random
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level, format_id
from hippocam.memory.transfer import read_entries
from hippocam.models.sentences.compose import NOTHING_KNOWN
from hippocam.stream import opencv as cv2
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Image
from hippocam.stream.timecode import format_time

VERDICTS = {"r": "right", "p": "in part", "w": "wrong"}
# A person is named where none is to be seen.
NOBODY = "n"
_COLUMNS, _ROWS = 4, 4
_CELL_PX = (400, 300)
_PICTURE_PX = (392, 222)
_LINE_CHARS, _LINES, _LINE_PX = 58, 4, 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A moment with its sentence and what two readings made of it.

    Attributes:
        number: As on the contact sheets, from 1.
        stream: Which stream.
        entry: Id of the entry.
        time_s: Time of its picture.
        sentence: What it is said to look like.
        took_ms: How long that took.
        first: Verdict of the first reading, "" before it: a letter of `VERDICTS`, and `NOBODY` behind it where a
            person is named and none is to be seen.
        second: The same of the second reading.
    """

    number: int
    stream: str
    entry: str
    time_s: float
    sentence: str
    took_ms: float
    first: str = ""
    second: str = ""


def drawn(memory: Memory, count: int, seed: int) -> list[Read]:
    """Draw moments that have pictures, as many of each stream as there are, and word them.

    Args:
        memory: The memory.
        count: How many, 1 or more.
        seed: Of the draw.
    """
    rng, sentences = random.Random(seed), Sentences(memory)
    left = {row.id: _pictured(memory, row.id) for row in memory.store.streams.rows()}
    for entries in left.values():
        rng.shuffle(entries)
    chosen = list[Entry]()
    while len(chosen) < count and any(left.values()):
        chosen += [entries.pop() for entries in left.values() if entries][: count - len(chosen)]
    chosen.sort(key=lambda entry: (entry.stream, entry.t0_s))
    if chosen:
        sentences.of_entry(chosen[0])  # reads the phrases
    return [_read(number, entry, sentences) for number, entry in enumerate(chosen, start=1)]


def write_sheets(folder: Path, memory: Memory, reads: Sequence[Read]) -> list[Path]:
    """Write contact sheets, and the table for verdicts beside them; return their paths, the table last."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    per_sheet = _COLUMNS * _ROWS
    for start in range(0, len(reads), per_sheet):
        cells = [_cell(read, memory.image(int(read.entry, 16))) for read in reads[start : start + per_sheet]]
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % _COLUMNS)
        rows = [np.hstack(cells[k : k + _COLUMNS]) for k in range(0, len(cells), _COLUMNS)]
        path = folder / f"sheet_{start // per_sheet + 1:02d}.png"
        cv2.imwrite(str(path), np.vstack(rows))
        paths.append(path)
    table = folder / "sentences.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Read)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, reads))
    return [*paths, table]


def read_verdicts(path: Path) -> list[Read]:
    """Read a table with verdicts.

    Raises:
        HippocamError: It cannot be read, or a verdict is none of those that there are.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        reads = [
            Read(
                number=int(row["number"]),
                stream=row["stream"],
                entry=row["entry"],
                time_s=float(row["time_s"]),
                sentence=row["sentence"],
                took_ms=float(row["took_ms"]),
                first=row["first"],
                second=row["second"],
            )
            for row in rows
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise HippocamError(f"{path}: no table of `hippocam bench sentences` ({error})") from error
    for read in reads:
        for verdict in (read.first, read.second):
            if verdict and (verdict[0] not in VERDICTS or verdict[1:] not in ("", NOBODY)):
                known = ", ".join(f"{letter} ({name})" for letter, name in VERDICTS.items())
                raise HippocamError(f"{path}: row {read.number}: verdict {verdict!r} is none of {known}")
    return reads


def report(reads: Sequence[Read]) -> str:
    """The shares of verdicts and every sentence with its own, as Markdown."""
    lines = [
        "| reading | right | in part | wrong | a person named without one | silent |",
        "|---|---|---|---|---|---|",
    ]
    for name, of in (("first", lambda read: read.first), ("second", lambda read: read.second)):
        lines.append(_shares(name, reads, of))
    both = [read for read in reads if read.first and read.second]
    same = sum(read.first[0] == read.second[0] for read in both)
    took = [read.took_ms for read in reads]
    lines += [
        "",
        f"{len(reads)} moments; the readings agree on {same} of {len(both)}. A sentence takes "
        f"{statistics.median(took):.1f} ms, {max(took):.1f} ms at most, when it is read; no byte of it is stored.",
        "",
        "| | stream | at | looks like | first | second |",
        "|---|---|---|---|---|---|",
    ]
    for read in reads:
        told = read.sentence.replace("|", "\\|")
        verdicts = f"{_named(read.first)} | {_named(read.second)}"
        lines.append(f"| {read.number} | {read.stream} | {format_time(read.time_s)} | {told} | {verdicts} |")
    return "\n".join(lines)


def _shares(name: str, reads: Iterable[Read], of: Callable[[Read], str]) -> str:
    judged = [read for read in reads if of(read)]
    if not judged:
        return f"| {name} | - | - | - | - | - |"
    counts = [sum(of(read)[0] == letter for read in judged) for letter in VERDICTS]
    nobody = sum(NOBODY in of(read)[1:] for read in judged)
    silent = sum(read.sentence in ("", NOTHING_KNOWN) for read in judged)
    told = [f"{count} ({count / len(judged):.0%})" for count in (*counts, nobody, silent)]
    return f"| {name} | {' | '.join(told)} |"


def _named(verdict: str) -> str:
    if not verdict:
        return "-"
    return VERDICTS[verdict[0]] + (", nobody is there" if NOBODY in verdict[1:] else "")


def _pictured(memory: Memory, stream: str) -> list[Entry]:
    return [row.entry for row in read_entries(memory.store, stream) if row.entry.level < Level.VECTORS]


def _read(number: int, entry: Entry, sentences: Sentences) -> Read:
    started = time.perf_counter()
    sentence = sentences.of_entry(entry)
    return Read(
        number=number,
        stream=entry.stream,
        entry=format_id(entry.id),
        time_s=round(entry.frame_s, 2),
        sentence=sentence,
        took_ms=round(1000 * (time.perf_counter() - started), 2),
    )


def _cell(read: Read, picture: Path) -> Image:
    """A picture with its number and sentence below."""
    width, height = _CELL_PX
    cell = np.full((height, width, 3), 255, np.uint8)
    image = cv2.imread(str(picture))
    if image is not None:
        scale = min(_PICTURE_PX[0] / image.shape[1], _PICTURE_PX[1] / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cell[4 : 4 + small.shape[0], 4 : 4 + small.shape[1]] = small
    text = f"{read.number}. {read.sentence}".encode("ascii", "replace").decode()
    for line in range(_LINES):
        part = text[line * _LINE_CHARS : (line + 1) * _LINE_CHARS]
        place = (4, _PICTURE_PX[1] + 20 + line * _LINE_PX)
        cv2.putText(cell, part, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return cell
