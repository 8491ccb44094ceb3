"""An Immich library: its photographs and its videos as streams, and people, places, albums and words as notes.

Immich keeps its database in PostgreSQL and dumps it every night into `backups/` of the library's folder; that dump
is read. Tables have changed their names: asset or assets; asset_exif or exif; asset_face or asset_faces; person;
album or albums with album_asset or albums_assets_assets; asset_file or asset_files; asset_ocr.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hippocam.stream.sources.libraries.database import since_1970
from hippocam.stream.sources.libraries.dump import Row, rows
from hippocam.stream.sources.libraries.pieces import Folders, Piece, PieceSource, Words
from hippocam.stream.sources.pictures.kinds import IMAGE_SUFFIXES
from hippocam.stream.sources.video import VideoSource
from hippocam.stream.timecode import DATES_FROM_S

NAME = "Immich"
# By what is read here, the names that the table has had.
_TABLES: Mapping[str, tuple[str, ...]] = {
    "asset": ("asset", "assets"),
    "exif": ("asset_exif", "exif"),
    "face": ("asset_face", "asset_faces"),
    "person": ("person", "people"),
    "album": ("album", "albums"),
    "in album": ("album_asset", "albums_assets_assets"),
    "file": ("asset_file", "asset_files"),
    "ocr": ("asset_ocr",),
}
ASSETS = frozenset(_TABLES["asset"])
_MEANT = {name: meant for meant, names in _TABLES.items() for name in names}
_PERSON = ("personId", "personGroupId", "faceClusterId", "id")
_SHOWN = ("timeline", "archive")


@dataclass(slots=True)
class _Known:
    """What a dump says, by the ids of assets."""

    assets: list[Row] = field(default_factory=list)
    exif: dict[str, Row] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    albums: dict[str, str] = field(default_factory=dict)
    faces: dict[str, list[str]] = field(default_factory=dict)
    in_albums: dict[str, list[str]] = field(default_factory=dict)
    previews: dict[str, str] = field(default_factory=dict)
    read: dict[str, list[str]] = field(default_factory=dict)

    def add(self, meant: str, row: Row) -> None:
        """Take a row in."""
        asset = row.get("assetId") or row.get("assetsId") or ""
        if meant == "asset":
            self.assets.append(row)
        elif meant == "exif":
            self.exif[asset] = row
        elif meant == "person" and row.get("name"):
            self.people.update({row[key]: row["name"] for key in _PERSON if key in row})
        elif meant == "face" and "deletedAt" not in row:
            self.faces.setdefault(asset, []).extend(row[key] for key in _PERSON[:3] if key in row)
        elif meant == "album" and "deletedAt" not in row:
            self.albums[row["id"]] = row.get("albumName", "")
        elif meant == "in album":
            self.in_albums.setdefault(asset, []).append(row.get("albumId") or row.get("albumsId") or "")
        elif meant == "file" and row.get("type") == "preview":
            self.previews[asset] = row.get("path", "")
        elif meant == "ocr" and row.get("text"):
            self.read.setdefault(asset, []).append(row["text"])

    def told(self, asset: str) -> str:
        """What is known of an asset in words: "Anna, Ben; Salt Lake City, Utah; Road Trip: we made it"."""
        exif = self.exif.get(asset, {})
        people = [self.people[face] for face in self.faces.get(asset, ()) if face in self.people]
        place = [exif[name] for name in ("city", "state", "country") if exif.get(name)]
        albums = [self.albums[album] for album in self.in_albums.get(asset, ()) if self.albums.get(album)]
        parts = [", ".join(dict.fromkeys(people)), ", ".join(place), ", ".join(albums)]
        text = "; ".join(filter(None, parts))
        description = exif.get("description", "").strip()
        return ": ".join(filter(None, (text, description)))


def immich_sources(dump: Path, folders: Folders) -> tuple[list[PieceSource], int]:
    """Its photographs as a stream, and its videos as one or more, since two cameras may have run at a time.

    Assets in the bin, hidden ones (the moving part of a photograph) and locked ones are left out.

    Args:
        dump: The dump of its database.
        folders: Where its library is here.

    Returns:
        The streams, and how many files its database names that are not here.

    Raises:
        SourceError: The dump cannot be read.
    """
    known = _Known()
    for table, row in rows(dump, frozenset(_MEANT)):
        known.add(_MEANT[table], row)
    photographs, videos = list[tuple[Piece, str]](), list[tuple[Piece, str]]()
    missing = 0
    for row in known.assets:
        start_s = since_1970(row.get("fileCreatedAt"))
        if not _is_shown(row) or start_s is None or start_s < DATES_FROM_S:
            continue
        path = _file_of(row, known, folders)
        if path is None:
            missing += 1
        elif row.get("type") == "VIDEO":
            lasts_s = VideoSource(path).duration_s or 0.0
            videos.append((Piece(path=path, start_s=start_s, end_s=start_s + lasts_s), row["id"]))
        else:
            photographs.append((Piece(path=path, start_s=start_s, end_s=start_s), row["id"]))
    lanes = [("photos", sorted(photographs, key=_start)), *_lanes(videos)]
    found = [_source(name, pieces, known, str(dump)) for name, pieces in lanes if pieces]
    return found, missing


def _is_shown(row: Row) -> bool:
    """Whether somebody who opens Immich sees an asset; columns that a version lacks say nothing."""
    return (
        "deletedAt" not in row
        and row.get("status", "active") == "active"
        and row.get("visibility", "timeline") in _SHOWN
        and row.get("isVisible", "t") == "t"
        and row.get("isOffline", "f") == "f"
    )


def _file_of(row: Row, known: _Known, folders: Folders) -> Path | None:
    """The original of an asset; of a photograph that is not decoded here (HEIC, raw) Immich's preview of it."""
    original = folders.find(row.get("originalPath", ""))
    decoded = original is not None and original.suffix.casefold() in IMAGE_SUFFIXES
    if row.get("type") == "VIDEO" or decoded:
        return original
    preview = folders.find(known.previews.get(row.get("id", ""), ""))
    return preview or original


def _start(found: tuple[Piece, str]) -> tuple[float, str]:
    return found[0].start_s, found[1]


def _lanes(videos: Iterable[tuple[Piece, str]]) -> Sequence[tuple[str, list[tuple[Piece, str]]]]:
    """Videos in as few rows as let none begin before the one before it in its row has ended."""
    lanes = list[list[tuple[Piece, str]]]()
    for video in sorted(videos, key=_start):
        for lane in lanes:
            if (lane[-1][0].end_s or 0.0) <= video[0].start_s:
                lane.append(video)
                break
        else:
            lanes.append([video])
    return [(f"videos-{number}" if number > 1 else "videos", lane) for number, lane in enumerate(lanes, start=1)]


def _source(name: str, pieces: Sequence[tuple[Piece, str]], known: _Known, uri: str) -> PieceSource:
    words = list[Words]()
    for piece, asset in pieces:
        t0_s, t1_s = piece.start_s, piece.start_s if piece.end_s is None else piece.end_s
        if told := known.told(asset):
            words.append(Words(kind="mark", t0_s=t0_s, t1_s=t1_s, text=told))
        words += [
            Words(kind="screen", t0_s=t0_s, t1_s=t1_s, text=text, line=line)
            for line, text in enumerate(known.read.get(asset, ()))
        ]
    return PieceSource(
        id=f"immich/{name}", uri=f"{uri}#{name}", pieces=[piece for piece, _ in pieces], words=words
    )
