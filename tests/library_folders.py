"""Folders as Frigate, screenpipe and Immich leave them, with databases by their own schemas and real footage."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

# 2 November 2025, 13:00:05 in UTC.
START_S = 1_762_088_405.0
COLOURS = {"red": (220, 30, 30), "green": (40, 160, 60), "blue": (40, 80, 210)}
Video = Callable[..., Path]


def _database(path: Path, statements: Iterable[str], rows: Iterable[tuple[str, tuple[object, ...]]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        for table, values in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)
    return path


# Frigate -------------------------------------------------------------------------------------------------

# As Frigate's migrations leave the tables in 0.16 (columns in the order in which they were added).
FRIGATE = (
    "CREATE TABLE recordings (id VARCHAR(30) NOT NULL PRIMARY KEY, camera VARCHAR(20) NOT NULL, "
    "path VARCHAR(255) NOT NULL, start_time DATETIME NOT NULL, end_time DATETIME NOT NULL, "
    "duration REAL NOT NULL, "
    "objects INTEGER, motion INTEGER, segment_size REAL NOT NULL DEFAULT 0, dBFS INTEGER, regions INTEGER)",
    "CREATE TABLE event (id VARCHAR(30) NOT NULL PRIMARY KEY, label VARCHAR(20) NOT NULL, "
    "camera VARCHAR(20) NOT NULL, start_time DATETIME NOT NULL, end_time DATETIME, top_score REAL, "
    "false_positive INTEGER, zones JSON NOT NULL, thumbnail TEXT, has_clip INTEGER NOT NULL DEFAULT 1, "
    "has_snapshot INTEGER NOT NULL DEFAULT 1, region JSON, box JSON, area INTEGER, "
    "retain_indefinitely INTEGER NOT NULL DEFAULT 0, sub_label VARCHAR(100), ratio REAL, plus_id VARCHAR(30), "
    "score REAL, model_hash VARCHAR(32), detector_type VARCHAR(32), model_type VARCHAR(32), data JSON)",
    "CREATE TABLE timeline (timestamp DATETIME NOT NULL, camera VARCHAR(20) NOT NULL, "
    "source VARCHAR(20) NOT NULL, "
    "source_id VARCHAR(30), class_type VARCHAR(50) NOT NULL, data JSON)",
)  # fmt: skip


def frigate_path(start_s: float, camera: str) -> str:
    """Where Frigate keeps a recording, below its folder."""
    when = datetime.fromtimestamp(start_s, UTC)
    return f"recordings/{when:%Y-%m-%d}/{when:%H}/{camera}/{when:%M.%S}.mp4"


def frigate(folder: Path, video: Video) -> Path:
    """A yard of three recordings of ten seconds (red, green; an hour later blue), "
    "and a porch of one (green)."""
    rows: list[tuple[str, tuple[object, ...]]] = []
    recorded = [("yard", "red", 0.0), ("yard", "green", 10.0), ("yard", "blue", 3600.0), ("porch", "green", 2.5)]
    for camera, colour, after_s in recorded:
        start_s = START_S + after_s
        path = folder / frigate_path(start_s, camera)
        path.parent.mkdir(parents=True, exist_ok=True)
        video(path, [(colour, 10)])
        rows.append((
            "recordings",
            (f"{start_s}-{after_s:g}{camera}", camera, f"/media/frigate/{frigate_path(start_s, camera)}", start_s,
             start_s + 10, 10.0, 1, 120, 0.4, -30, 2),
        ))  # fmt: skip
    data = {"type": "object", "score": 0.8, "top_score": 0.86, "description": "She carries a box to the door."}
    for label, sub_label, zones, camera, t0_s, t1_s, false, more in (
        ("person", "Anna", ["driveway", "porch"], "yard", 12.0, 18.0, 0, data),
        ("dog", None, [], "yard", 2.0, None, 0, {"type": "object"}),
        ("cat", None, [], "yard", 3.0, 4.0, 1, {}),
        ("car", None, ["street"], "porch", 3.0, 6.0, 0, {"recognized_license_plate": "KX1 ABC"}),
    ):  # fmt: skip
        end_s = None if t1_s is None else START_S + t1_s
        rows.append((
            "event",
            (f"{START_S + t0_s}-{label}", label, camera, START_S + t0_s, end_s, 0.86, false, json.dumps(zones),
             "", 1, 1, None, None, None, 0, sub_label, 1.0, "", None, "", "", "", json.dumps(more)),
        ))  # fmt: skip
    return _database(folder / "config" / "frigate.db", FRIGATE, rows)


# screenpipe ----------------------------------------------------------------------------------------------

# As screenpipe's migrations leave them in 2026; before that, words stood in ocr_text alone.
SCREENPIPE = (
    "CREATE TABLE video_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL, "
    "device_name TEXT NOT NULL DEFAULT '', fps REAL NOT NULL DEFAULT 0.5)",
    "CREATE TABLE frames (id INTEGER PRIMARY KEY AUTOINCREMENT, video_chunk_id INTEGER DEFAULT NULL, "
    "offset_index INTEGER NOT NULL DEFAULT 0, timestamp TIMESTAMP NOT NULL, name TEXT, "
    "app_name TEXT DEFAULT NULL, "
    "window_name TEXT DEFAULT NULL, focused BOOLEAN DEFAULT NULL, browser_url TEXT DEFAULT NULL, "
    "device_name TEXT NOT NULL DEFAULT '', snapshot_path TEXT DEFAULT NULL, "
    "accessibility_text TEXT DEFAULT NULL, "
    "full_text TEXT DEFAULT NULL)",
    "CREATE TABLE audio_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL, "
    "timestamp TIMESTAMP)",
    "CREATE TABLE audio_transcriptions (id INTEGER PRIMARY KEY AUTOINCREMENT, audio_chunk_id INTEGER NOT NULL, "
    "offset_index INTEGER NOT NULL, timestamp TIMESTAMP NOT NULL, transcription TEXT NOT NULL, "
    "transcription_engine TEXT, device TEXT, is_input_device BOOLEAN, start_time REAL, end_time REAL)",
)  # fmt: skip
SCREENPIPE_2024 = (
    "CREATE TABLE video_chunks (id INTEGER PRIMARY KEY AUTOINCREMENT, file_path TEXT NOT NULL)",
    "CREATE TABLE frames (id INTEGER PRIMARY KEY AUTOINCREMENT, video_chunk_id INTEGER NOT NULL, "
    "offset_index INTEGER NOT NULL, timestamp TIMESTAMP NOT NULL)",
    "CREATE TABLE ocr_text (frame_id INTEGER NOT NULL, text TEXT NOT NULL, text_json TEXT, ocr_engine TEXT, "
    "app_name TEXT NOT NULL DEFAULT '', window_name TEXT)",
)  # fmt: skip


def stamp(time_s: float) -> str:
    """A time as sqlx writes it."""
    return datetime.fromtimestamp(time_s, UTC).isoformat()


def screenpipe(folder: Path, video: Video) -> Path:
    """A screen that was red, then blue (frames 2 s apart in a chunk of 30 a second), "
    "then green in a snapshot."""
    data = folder / "data"
    data.mkdir(parents=True)
    video(data / "monitor_1_2025-11-02_13-00-05.mp4", [("red", 0.1), ("blue", 0.1)], rate=30)
    picture(data / "2025-11-02" / "1762088465000_m1.jpg", "green")
    named = "/Users/anna/.screenpipe/data"
    rows: list[tuple[str, tuple[object, ...]]] = [
        ("video_chunks", (1, f"{named}/monitor_1_2025-11-02_13-00-05.mp4", "monitor_1", 0.5)),
        ("audio_chunks", (1, f"{named}/mic.mp4", stamp(START_S))),
        ("audio_transcriptions",
         (1, 1, 0, stamp(START_S), "Let us ship it on Friday.", "whisper", "mic", 1, 4.0, 6.5)),
    ]  # fmt: skip
    for rank in range(6):
        text = "Quarterly report\nRevenue 4.2 M" if rank < 3 else "Quarterly report\nCosts 1.1 M"
        rows.append((
            "frames",
            (rank + 1, 1, rank, stamp(START_S + 2 * rank), None, "Numbers", "report.numbers", 1, None, "monitor_1",
             None, None, text),
        ))  # fmt: skip
    snapshot = f"{named}/2025-11-02/1762088465000_m1.jpg"
    rows.append((
        "frames",
        (7, None, 0, stamp(START_S + 60), None, "Mail", "Inbox", 1, None, "monitor_1", snapshot, "Lunch?", None),
    ))  # fmt: skip
    return _database(folder / "db.sqlite", SCREENPIPE, rows)


def picture(path: Path, colour: str) -> Path:
    """A JPEG of one colour."""
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((90, 160, 3), COLOURS[colour][::-1], np.uint8)
    path.write_bytes(cv2.imencode(".jpg", pixels)[1].tobytes())
    return path


# Immich --------------------------------------------------------------------------------------------------

IMMICH = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';

COPY public."user" (id, email, name) FROM stdin;
owner-1\tanna@example.org\tAnna
\\.

COPY public.asset (id, "ownerId", type, "originalPath", "fileCreatedAt", "fileModifiedAt", "isFavorite", \
duration, "livePhotoVideoId", "originalFileName", "isOffline", "deletedAt", "localDateTime", status, \
visibility) FROM stdin;
{assets}\\.

COPY public.asset_exif ("assetId", make, model, latitude, longitude, city, state, country, description) FROM stdin;
photo-1\tCanon\tEOS R5\t40.76\t-111.89\tSalt Lake City\tUtah\tUSA\tWe made it\\nto the top
photo-2\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t
\\.

COPY public.person (id, "ownerId", name, "isHidden") FROM stdin;
person-1\towner-1\tEthan\tf
person-2\towner-1\t\tf
\\.

COPY public.asset_face (id, "assetId", "personId", "imageWidth", "imageHeight", "deletedAt") FROM stdin;
face-1\tphoto-1\tperson-1\t4000\t3000\t\\N
face-2\tphoto-1\tperson-2\t4000\t3000\t\\N
face-3\tphoto-2\tperson-1\t4000\t3000\t2025-11-03 00:00:00+00
\\.

COPY public.album (id, "albumName", description, "deletedAt") FROM stdin;
album-1\tRoad Trip\tSpring\t\\N
\\.

COPY public.album_asset ("albumId", "assetId") FROM stdin;
album-1\tphoto-1
\\.

COPY public.asset_file (id, "assetId", type, path) FROM stdin;
file-1\tphoto-3\tpreview\t/data/thumbs/owner-1/ph/ot/photo-3-preview.jpeg
\\.

COPY public.asset_ocr (id, "assetId", "boxScore", "textScore", text) FROM stdin;
ocr-1\tphoto-2\t0.9\t0.9\tNO PARKING
\\.
"""


def immich(folder: Path, video: Video) -> Path:
    """Three photographs (two in one second, one HEIC), three videos (two at a time), "
    "and what nobody is shown."""
    library = folder / "library" / "owner-1"
    picture(library / "a.jpg", "red")
    picture(library / "b.jpg", "green")
    (library / "c.heic").write_bytes(b"not decoded here")
    picture(folder / "thumbs" / "owner-1" / "ph" / "ot" / "photo-3-preview.jpeg", "blue")
    for name, colour in (("v1", "red"), ("v2", "green"), ("v3", "blue"), ("live", "green"), ("bin", "green")):
        video(library / f"{name}.mp4", [(colour, 6)])
    lines = []
    for id_, kind, name, after_s, deleted, status, visibility in (
        ("photo-1", "IMAGE", "a.jpg", 0, "\\N", "active", "timeline"),
        ("photo-2", "IMAGE", "b.jpg", 0, "\\N", "active", "archive"),
        ("photo-3", "IMAGE", "c.heic", 86400, "\\N", "active", "timeline"),
        ("video-1", "VIDEO", "v1.mp4", 100, "\\N", "active", "timeline"),
        ("video-2", "VIDEO", "v2.mp4", 103, "\\N", "active", "timeline"),
        ("video-3", "VIDEO", "v3.mp4", 200, "\\N", "active", "timeline"),
        ("live-1", "VIDEO", "live.mp4", 0, "\\N", "active", "hidden"),
        ("bin-1", "VIDEO", "bin.mp4", 300, "2025-11-03 00:00:00+00", "trashed", "timeline"),
        ("gone-1", "IMAGE", "gone.jpg", 400, "\\N", "active", "timeline"),
    ):
        at = datetime.fromtimestamp(START_S + after_s, UTC).strftime("%Y-%m-%d %H:%M:%S+00")
        lines.append(
            "\t".join((
                id_, "owner-1", kind, f"/data/library/owner-1/{name}", at, at, "f", "\\N", "\\N", name, "f",
                deleted, at.removesuffix("+00"), status, visibility,
            ))
            + "\n"
        )  # fmt: skip
    dump = folder / "backups" / "immich-db-backup-20251103T020000-v2.2.0-pg14.19.sql.gz"
    dump.parent.mkdir(parents=True)
    dump.write_bytes(gzip.compress(IMMICH.format(assets="".join(lines)).encode()))
    return dump
