"""Memories of an archive, copied whole to where SQLite's files cannot be written: object storage, a network disk.

DEPOT/NAME.tar      a memory: its database as one file, its pictures, and the zones and masks beside it
DEPOT/archive.db    the ledger, copied after the memories
DEPOT/run.json      which run wrote it last

Everything is written whole or not at all, and the ledger knows what was, so a run that was killed copies only the
rest. A folder without a ledger is filled from the depot first, so another machine can go on.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hippocam.apps.archive.ledger import LEDGER, Ledger
from hippocam.apps.archive.unit import copy_database
from hippocam.apps.archive.work import HIDDEN
from hippocam.apps.live.folder import LiveFolder
from hippocam.memory.folder import DATABASE, EXEMPLARS, LOCK, has_memory
from hippocam.stream.errors import HippocamError, MissingLibraryError
from hippocam.stream.private import make_folder, open_file
from hippocam.stream.sources.remote import check_address, is_remote, path_of

_RUN = "run.json"
# Zones and masks, within a memory's file.
_ZONES = "zones.yaml"
# In the ledger: what each memory was like when it was copied; the last runs that copied.
_STORED, _RUNS = "stored", "stored_runs"


class Depot:
    """Copies memories to a place, and back. A context manager, which waits for what is being copied.

    Args:
        address: `s3://...`, `gs://...` or a folder.

    Raises:
        HippocamError: Nothing can be written at such an address, or it holds a password.
    """

    def __init__(self, address: str) -> None:
        if is_remote(address):
            check_address(address)
            if address.startswith("http"):
                raise HippocamError(f"{address}: a web server takes no files; give s3://, gs:// or a folder")
        self._address = address.rstrip("/")
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="depot")
        self._copied: list[Future[None]] = []
        self._versions: dict[str, list[int]] = {}
        self._ledger: Ledger | None = None

    def fetch(self, root: Path) -> bool:
        """Fill a folder that has no ledger from the depot.

        Returns:
            Whether there was something.

        Raises:
            HippocamError: The depot cannot be read, or what is in it is no archive.
        """
        if (root / LEDGER).exists() or not self._has(LEDGER):
            return False
        make_folder(root)
        with tempfile.TemporaryDirectory(dir=root, prefix=".fetched-") as folder, self._told():
            ledger = Path(folder, LEDGER)
            with self._open(LEDGER) as source, open_file(ledger, "wb") as target:
                shutil.copyfileobj(source, target)
            with Ledger(ledger) as opened:
                names = opened.memories()
            for name in names:
                if not has_memory(root / name) and self._has(f"{name}.tar"):
                    self._fetch_memory(name, Path(folder), root)
            with Ledger(ledger) as opened, opened.transaction():
                there = [name for name in names if has_memory(root / name)]
                opened.set_setting(_STORED, {name: _version(root / name) for name in there})
            os.replace(ledger, root / LEDGER)
        return True

    def check(self, ledger: Ledger) -> None:
        """See to it that the depot does not hold what another folder has written since.

        Raises:
            HippocamError: It does, or it cannot be read.
        """
        if not self._has(_RUN):
            return
        with self._told(), self._open(_RUN) as file:
            run = json.loads(file.read())["run"]
        if run not in (ledger.setting(_RUNS) or ()):
            raise HippocamError(
                f"{self._address}: another folder has written to it since; go on in an empty folder, which is "
                "filled from there"
            )

    def copy(self, folder: Path, ledger: Ledger) -> None:
        """Begin to copy a memory that this run has finished, and note which ones are copied by now."""
        self._ledger = ledger
        self._note(ledger)
        self._copied.append(self._copier.submit(self._copy, folder))

    def end(self, root: Path, ledger: Ledger) -> None:
        """Copy what is not copied yet, and the ledger.

        Raises:
            HippocamError: The depot cannot be written.
        """
        for copied in self._copied:
            copied.result()
        self._note(ledger)
        stored = ledger.setting(_STORED) or {}
        for name in ledger.memories():
            folder = root / name
            if has_memory(folder) and stored.get(name) != _version(folder):
                self._copy(folder)
        self._note(ledger)
        run = secrets.token_hex(8)
        with ledger.transaction():
            ledger.set_setting(_RUNS, [*(ledger.setting(_RUNS) or ())[-1:], run])
        with tempfile.TemporaryDirectory(dir=root / HIDDEN) as temporary, self._told():
            copy = Path(temporary, LEDGER)
            copy_database(root / LEDGER, copy)
            with self._written(LEDGER) as target, copy.open("rb") as source:
                shutil.copyfileobj(source, target)
            with self._written(_RUN) as target:
                target.write(json.dumps({"run": run}).encode())

    def __enter__(self) -> Depot:
        return self

    def __exit__(self, *_: object) -> None:
        self._copier.shutdown(wait=True, cancel_futures=True)
        if self._ledger is not None:
            self._note(self._ledger)

    # ------------------------------------------------------------------------------------------------------

    def _note(self, ledger: Ledger) -> None:
        """Tell the ledger what is copied by now."""
        with ledger.transaction():
            ledger.set_setting(_STORED, {**(ledger.setting(_STORED) or {}), **dict(self._versions)})

    def _copy(self, folder: Path) -> None:
        version = _version(folder)
        with tempfile.TemporaryDirectory(dir=folder.parent / HIDDEN) as temporary, self._told():
            database = Path(temporary, DATABASE)
            copy_database(folder / DATABASE, database)
            archive = f"{folder.name}.tar"
            with self._written(archive) as target, tarfile.open(fileobj=target, mode="w|") as tar:
                tar.add(database, DATABASE)
                if (zones := LiveFolder(folder).zones).exists():
                    tar.add(zones, _ZONES)
                for picture in sorted((folder / EXEMPLARS).iterdir()):
                    tar.add(picture, f"{EXEMPLARS}/{picture.name}")
        self._versions[folder.name] = version

    def _fetch_memory(self, name: str, temporary: Path, root: Path) -> None:
        new = temporary / name
        make_folder(new / EXEMPLARS)
        with self._open(f"{name}.tar") as source, tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                parts = Path(member.name).parts
                if not member.isfile() or (
                    parts not in ((DATABASE,), (_ZONES,)) and parts != (EXEMPLARS, parts[-1])
                ):
                    raise HippocamError(f"{self._address}/{name}.tar: no memory of an archive")
                with open_file(new / member.name, "wb") as target:
                    shutil.copyfileobj(tar.extractfile(member) or io.BytesIO(), target)
        open_file(new / LOCK, "ab").close()
        if (new / _ZONES).exists():  # first, so that no memory is there without its masks
            live_folder = LiveFolder(root / name)
            live_folder.make()
            os.replace(new / _ZONES, live_folder.zones)
        os.replace(new, root / name)

    def _has(self, name: str) -> bool:
        with self._told():
            return path_of(f"{self._address}/{name}").exists()

    def _open(self, name: str) -> Any:
        return path_of(f"{self._address}/{name}").open("rb")

    @contextmanager
    def _written(self, name: str) -> Iterator[Any]:
        """A file that is there once it was written whole."""
        if is_remote(self._address):
            import fsspec

            with fsspec.open(f"{self._address}/{name}", "wb") as file:
                yield file
            return
        make_folder(Path(self._address))
        path = Path(self._address, name)
        new = path.with_name(name + ".new")
        with open_file(new, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (HippocamError, MissingLibraryError):
            raise
        except Exception as error:  # whatever a storage's library raises
            told = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise HippocamError(f"{self._address}: cannot be used ({told}); archive again to go on") from error


def _version(folder: Path) -> list[int]:
    """What changes where a memory is written to or marked; its database, which knows the pictures, stays shut."""
    files = (folder / DATABASE, folder / f"{DATABASE}-wal", LiveFolder(folder).zones)
    found = [path.stat() for path in files if path.exists()]
    return [number for stat in found if stat.st_size for number in (stat.st_size, stat.st_mtime_ns)]


def fetch_into(root: Path, address: str) -> bool:
    """Fill a folder that has no ledger from a depot; tell whether there was something.

    Raises:
        HippocamError: The depot cannot be read, or what is in it is no archive.
    """
    with Depot(address) as depot:
        return depot.fetch(root)


def fetched(address: str, root: Path) -> Sequence[str]:
    """Fill a folder from a depot; return the names of its memories.

    Raises:
        HippocamError: The folder has an archive, or there is none in the depot.
    """
    if not fetch_into(root, address):
        found = "has an archive already" if (root / LEDGER).exists() else f"nothing is in {address}"
        raise HippocamError(f"{root}: {found}")
    with Ledger(root / LEDGER) as ledger:
        return ledger.memories()
