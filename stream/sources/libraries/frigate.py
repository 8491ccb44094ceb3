"""Frigate's recordings with its database: a stream for each camera, and what it tracked as marks.

Read from tables `recordings` (camera, path, start_time, end_time) and `event` (camera, label, sub_label, zones,
start_time, end_time, false_positive, data with a description, a plate), as Frigate's models have them from 0.9 to
0.17; times are seconds since 1970.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from hippocam.stream.sources.libraries.database import columns, parsed, since_1970
from hippocam.stream.sources.libraries.pieces import Folders, Piece, PieceSource, Words
from hippocam.stream.timecode import DATES_FROM_S

NAME = "Frigate"


def is_frigate(connection: sqlite3.Connection) -> bool:
    """Whether a database is Frigate's."""
    return {"camera", "path", "start_time"} <= columns(connection, "recordings")


def frigate_sources(connection: sqlite3.Connection, uri: str, folders: Folders) -> tuple[list[PieceSource], int]:
    """Its cameras as sources.

    Args:
        connection: Its database.
        uri: Where that is.
        folders: Where its recordings are here.

    Returns:
        The cameras by name, and how many recordings its database names that are not here.
    """
    pieces, missing = dict[str, list[Piece]](), 0
    # Forks and later versions keep a smaller copy of each recording beside it.
    main = " WHERE variant = 'main'" if "variant" in columns(connection, "recordings") else ""
    for row in connection.execute(
        f"SELECT camera, path, start_time, end_time FROM recordings{main} ORDER BY start_time, path"
    ):
        start_s, path = since_1970(row["start_time"]), folders.find(str(row["path"]))
        if path is None:
            missing += 1
        elif start_s is not None and start_s >= DATES_FROM_S:
            piece = Piece(path=path, start_s=start_s, end_s=since_1970(row["end_time"]))
            pieces.setdefault(str(row["camera"]), []).append(piece)
    words = _events(connection)
    sources = [
        PieceSource(id=camera, uri=f"{uri}#{camera}", pieces=found, words=words.get(camera, ()))
        for camera, found in sorted(pieces.items())
    ]
    return sources, missing


def _events(connection: sqlite3.Connection) -> Mapping[str, Sequence[Words]]:
    """What was tracked, heard or added by hand, by camera."""
    known = columns(connection, "event")
    if not {"camera", "label", "start_time"} <= known:
        return {}
    wanted = sorted(known & {"camera", "label", "sub_label", "zones", "start_time", "end_time", "data"})
    false = " WHERE NOT coalesce(false_positive, 0)" if "false_positive" in known else ""
    words = dict[str, list[Words]]()
    for row in connection.execute(f"SELECT {', '.join(wanted)} FROM event{false} ORDER BY start_time"):
        event = dict(row)
        t0_s = since_1970(event["start_time"])
        if t0_s is None:
            continue
        t1_s = max(t0_s, since_1970(event.get("end_time")) or t0_s)  # none while it goes on
        told = Words(kind="mark", t0_s=t0_s, t1_s=t1_s, text=_told(event))
        words.setdefault(str(event["camera"]), []).append(told)
    return words


def _told(event: Mapping[str, object]) -> str:
    """An event in words: "person (Anna) in driveway, porch: she carries a box to the door"."""
    zones, data = parsed(event.get("zones")), parsed(event.get("data"))
    more = data if isinstance(data, dict) else {}
    text = str(event["label"]).replace("_", " ")
    named = [str(value) for value in (event.get("sub_label"), more.get("recognized_license_plate")) if value]
    text += f" ({', '.join(dict.fromkeys(named))})" if named else ""
    text += f" in {', '.join(map(str, zones))}" if isinstance(zones, list) and zones else ""
    return text + (f": {more['description']}" if more.get("description") else "")
