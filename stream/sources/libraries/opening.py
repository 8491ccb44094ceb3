"""A folder or a database of another program into its streams."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.errors import LibraryFilesError
from hippocam.stream.sources.libraries import frigate, immich, screenpipe
from hippocam.stream.sources.libraries.database import is_database, opened
from hippocam.stream.sources.libraries.dump import has_table
from hippocam.stream.sources.libraries.pieces import Folders, PieceSource

# Where programs keep their databases below the folder that people name.
_DATABASES = ("frigate.db", "config/frigate.db", "db.sqlite", "data/db.sqlite")
_DUMPS = ("backups/*.sql.gz", "backups/*.sql", "*.sql.gz", "*.sql")
_Reader = Callable[[sqlite3.Connection, str, Folders], tuple[list[PieceSource], int]]
_PROGRAMS: tuple[tuple[str, Callable[[sqlite3.Connection], bool], _Reader], ...] = (
    (frigate.NAME, frigate.is_frigate, frigate.frigate_sources),
    (screenpipe.NAME, screenpipe.is_screenpipe, screenpipe.screenpipe_sources),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """What another program has recorded.

    Attributes:
        program: Its name.
        sources: Its streams.
        missing: Files that its database names and that are not here.
    """

    program: str
    sources: Sequence[PieceSource]
    missing: int


def open_library(path: Path, media: Path | None = None) -> Library | None:
    """Read another program's database; nothing beside it is written, and no footage is opened.

    Args:
        path: The database (of Immich a dump of it), or the folder of the program.
        media: The folder in which its footage lies here; None for that of `path`.

    Returns:
        What it has; None where the path is nothing of a program that is known.

    Raises:
        SourceError: The database cannot be read.
        LibraryFilesError: It names no file that is here.
    """
    database = _database_of(path)
    if database is None:
        return None
    folders = Folders([folder for folder in (media, path if path.is_dir() else path.parent) if folder is not None])
    library = _of_database(database, folders) if is_database(database) else _of_dump(database, folders)
    if library is not None and not library.sources:
        raise LibraryFilesError(database, library.program, library.missing)
    return library


def _of_database(database: Path, folders: Folders) -> Library | None:
    with opened(database) as connection:
        for program, is_its, sources_of in _PROGRAMS:
            if is_its(connection):
                sources, missing = sources_of(connection, str(database.resolve()), folders)
                return Library(program=program, sources=sources, missing=missing)
    return None


def _of_dump(database: Path, folders: Folders) -> Library | None:
    if not has_table(database, immich.ASSETS):
        return None
    sources, missing = immich.immich_sources(database.resolve(), folders)
    return Library(program=immich.NAME, sources=sources, missing=missing)


def _database_of(path: Path) -> Path | None:
    """The database that a path is, or that lies where programs keep it; of several dumps the newest."""
    if path.is_file():
        named = path.name.casefold()
        return path if is_database(path) or named.endswith((".sql", ".sql.gz")) else None
    for name in _DATABASES:
        if is_database(path / name):
            return path / name
    for pattern in _DUMPS:
        dumps = sorted(path.glob(pattern), key=lambda dump: dump.stat().st_mtime)
        if dumps:
            return dumps[-1]
    return None
