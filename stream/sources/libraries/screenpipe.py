"""screenpipe's recordings with its database: a stream for each screen, with what it read there, and what it heard.

Read from tables `frames` (timestamp, offset_index, app_name, window_name, full_text, accessibility_text,
snapshot_path, device_name), `video_chunks` (file_path, device_name), `ocr_text` of versions before 2026, and
`audio_transcriptions` (timestamp, transcription, start_time, end_time within its chunk). A frame is the picture
of its rank (offset_index) in its chunk, or a snapshot; its time is its own. Text that late versions seal into
archives of their own is not read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hippocam.stream.sources.libraries.database import columns, number, since_1970
from hippocam.stream.sources.libraries.pieces import Folders, Piece, PieceSource, Words
from hippocam.stream.sources.naming import slug
from hippocam.stream.timecode import DATES_FROM_S, LATEST_DATE_S

NAME = "screenpipe"
# A line that is on the screen again within this time was there all along, seconds: frames are up to 30 s apart.
_STAYS_S = 60.0
# Lines of one frame that are kept, and letters of each.
_MOST_LINES, _MOST_LETTERS = 60, 300


class _Frame(NamedTuple):
    """A frame: its screen, its time, its file and rank there, and what was on it."""

    screen: str
    time_s: float
    file: str
    rank: int | None
    text: str
    window: str


def is_screenpipe(connection: sqlite3.Connection) -> bool:
    """Whether a database is screenpipe's."""
    return {"timestamp", "offset_index"} <= columns(connection, "frames") and bool(
        columns(connection, "video_chunks")
    )


def screenpipe_sources(
    connection: sqlite3.Connection, uri: str, folders: Folders
) -> tuple[list[PieceSource], int]:
    """Its screens as sources; what was heard is told with the first of them.

    Args:
        connection: Its database.
        uri: Where that is.
        folders: Where its recordings are here.

    Returns:
        The screens by name, and how many files its database names that are not here.
    """
    by_screen, missing = dict[str, list[_Frame]](), set[str]()
    for frame in _frames(connection):
        by_screen.setdefault(frame.screen, []).append(frame)
    sources = list[PieceSource]()
    heard = list(_heard(connection))
    for screen, frames in sorted(by_screen.items()):
        pieces = _pieces(frames, folders, missing)
        if not pieces:
            continue
        words = sorted([*_read(frames), *([] if sources else heard)], key=lambda each: each.t0_s)
        name = slug(screen) if screen else "screen"
        sources.append(PieceSource(id=name, uri=f"{uri}#{name}", pieces=pieces, words=words))
    return sources, len(missing)


def _frames(connection: sqlite3.Connection) -> Iterator[_Frame]:
    """The frames by time; of several windows of one moment, each is a row."""
    frames, chunks, read = (columns(connection, table) for table in ("frames", "video_chunks", "ocr_text"))

    def first_of(*candidates: tuple[str, str, frozenset[str]]) -> str:
        there = [f"{table}.{name}" for table, name, known in candidates if name in known]
        return f"coalesce({', '.join(['NULL', *there])}, '')"

    own = tuple(("f", name, frames) for name in ("full_text", "accessibility_text"))
    text = first_of(*own, ("o", "text", read))
    app = first_of(("f", "app_name", frames), ("o", "app_name", read))
    window = first_of(("f", "window_name", frames), ("o", "window_name", read))
    screen = first_of(("c", "device_name", chunks), ("f", "device_name", frames))
    snapshot = "f.snapshot_path" if "snapshot_path" in frames else "NULL"
    joined = " LEFT JOIN ocr_text o ON o.frame_id = f.id" if read else ""
    for row in connection.execute(
        f"SELECT {screen} AS screen, f.timestamp AS at, c.file_path AS chunk, {snapshot} AS snapshot, "
        f"f.offset_index AS rank, {text} AS text, {app} AS app, {window} AS window "
        f"FROM frames f LEFT JOIN video_chunks c ON c.id = f.video_chunk_id{joined} ORDER BY f.timestamp, f.id"
    ):
        time_s, file = since_1970(row["at"]), row["snapshot"] or row["chunk"]
        if time_s is not None and time_s >= DATES_FROM_S and file:
            rank = None if row["snapshot"] else int(row["rank"])
            shown = ": ".join(filter(None, (str(row["app"]).strip(), str(row["window"]).strip())))
            yield _Frame(str(row["screen"]), time_s, str(file), rank, str(row["text"]), shown)


def _pieces(frames: Sequence[_Frame], folders: Folders, missing: set[str]) -> list[Piece]:
    """The files of a screen by time; a chunk with the times of its frames."""
    times = dict[str, dict[int, float]]()
    snapshots = dict[str, float]()
    for frame in frames:
        if frame.rank is None:
            snapshots.setdefault(frame.file, frame.time_s)
        else:
            times.setdefault(frame.file, {}).setdefault(frame.rank, frame.time_s)
    pieces = list[Piece]()
    for file in (*times, *snapshots):
        path = folders.find(file)
        if path is None:
            missing.add(file)
        elif file in snapshots:
            pieces.append(Piece(path=path, start_s=snapshots[file], end_s=snapshots[file]))
        else:
            shown = times[file].values()
            pieces.append(Piece(path=path, start_s=min(shown), end_s=max(shown), times_s=times[file]))
    return sorted(pieces, key=lambda piece: piece.start_s)


def _read(frames: Sequence[_Frame]) -> Iterator[Words]:
    """What was on a screen: its lines, and which window it was, each with the time in which it stood there."""
    open_: dict[tuple[str, str], Words] = {}
    for frame in frames:
        lines = [line.strip()[:_MOST_LETTERS] for line in frame.text.splitlines() if line.strip()]
        shown = [("screen", line, rank) for rank, line in enumerate(lines[:_MOST_LINES])]
        shown += [("mark", frame.window[:_MOST_LETTERS], 0)] if frame.window else []
        for kind, text, rank in shown:
            known = open_.get((kind, text))
            if known is not None and frame.time_s - known.t1_s > _STAYS_S:
                yield known
                known = None
            t0_s = frame.time_s if known is None else known.t0_s
            open_[kind, text] = Words(kind=kind, t0_s=t0_s, t1_s=frame.time_s, text=text, line=rank)
    yield from open_.values()


def _heard(connection: sqlite3.Connection) -> Iterator[Words]:
    """What was said, at the times that it was said."""
    known = columns(connection, "audio_transcriptions")
    if not {"timestamp", "transcription"} <= known:
        return
    bounds = "start_time, end_time" if {"start_time", "end_time"} <= known else "NULL, NULL"
    for at, text, start_s, end_s in connection.execute(
        f"SELECT timestamp, transcription, {bounds} FROM audio_transcriptions ORDER BY timestamp"
    ):
        chunk_s = since_1970(at)
        if chunk_s is None or not str(text or "").strip():
            continue
        t0_s = chunk_s + max(0.0, number(start_s) or 0.0)
        t1_s = max(t0_s, chunk_s + (number(end_s) or 0.0))
        if t1_s <= LATEST_DATE_S:
            yield Words(kind="speech", t0_s=t0_s, t1_s=t1_s, text=str(text).strip())
