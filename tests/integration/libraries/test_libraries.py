"""What Frigate, screenpipe and Immich recorded, taken in: true times, right pictures, words; nothing written."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings
from hippocam.apps.transfer.libraries import import_library
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

PURE = np.array([[220, 30, 30], [40, 160, 60], [40, 80, 210]], np.float32)
NAMES = ("red", "green", "blue")


class ColourEncoder:
    """Sees which of three colours a picture has."""

    spec = EncoderSpec(id="colour:2", dim=3, normalised=True, midpoint=0.8, slope=20.0)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        means = np.stack([image.reshape(-1, 3).mean(axis=0) for image in images])
        nearest = np.linalg.norm(means[:, None] - PURE[None], axis=2).argmin(axis=1)
        return EncodedImages(vectors_ND=np.eye(3, dtype=np.float32)[nearest], labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([np.eye(3, dtype=np.float32)[NAMES.index(text)] for text in texts])


@pytest.fixture
def library(load_helpers: Callable[[str], ModuleType]) -> ModuleType:
    return load_helpers("library_folders.py")


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: ColourEncoder())


@pytest.fixture
def settings() -> Settings:
    """No senses: the words are to be those of the other program."""
    plain = Settings()
    return replace(plain, senses=replace(plain.senses, text="off", speech="off", things="off"))


def held(memory: Memory, stream: str) -> list[tuple[float, str]]:
    """When each moment of a stream begins, and which colour its vector says that it is."""
    found: list[Entry] = []
    for entry_id in memory.store.lookup.select(Filter(stream=stream)):
        entry = memory.store.entries.get(entry_id)
        assert entry is not None
        found.append(entry)
    found.sort(key=lambda entry: entry.t0_s)
    scenes = memory.store.entries.vectors([entry.id for entry in found])[1]
    return [(entry.t0_s, NAMES[int(scene.argmax())]) for entry, scene in zip(found, scenes, strict=True)]


def notes(memory: Memory, stream: str) -> list[tuple[str, float, float, str]]:
    return sorted(
        (row.note.kind, row.note.t0_s, row.note.t1_s, row.note.text) for row in memory.store.notes.of(stream)
    )


def state_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file of a folder with its bytes and its change time."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_frigates_cameras_are_streams_with_true_times_and_its_events_are_marks(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    start_s = library.START_S
    library.frigate(tmp_path / "frigate", colour_video)
    before = state_of(tmp_path / "frigate")
    report = import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
    assert report is not None
    assert report.failed == ()
    assert {stream.id for stream in report.streams} == {"yard", "porch"}
    with Memory.open_reader(tmp_path / "memory") as memory:
        yard = held(memory, "yard")
        assert [colour for _, colour in yard] == ["red", "green", "blue"]
        assert [time_s - start_s for time_s, _ in yard] == pytest.approx([0.0, 10.0, 3600.0], abs=0.2)
        assert [(round(t - start_s, 1), c) for t, c in held(memory, "porch")] == [(2.5, "green")]
        assert notes(memory, "yard") == [
            ("mark", start_s + 2, start_s + 2, "dog"),
            (
                "mark",
                start_s + 12,
                start_s + 18,
                "person (Anna) in driveway, porch: She carries a box to the door.",
            ),
        ]
        assert notes(memory, "porch") == [("mark", start_s + 3, start_s + 6, "car (KX1 ABC) in street")]
    assert state_of(tmp_path / "frigate") == before


def test_what_has_come_since_is_added_and_what_went_stays(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    database = library.frigate(tmp_path / "frigate", colour_video)
    for _ in range(2):
        import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
    with Memory.open_reader(tmp_path / "memory") as memory:
        once, words = held(memory, "yard"), notes(memory, "yard")
    assert len(once) == 3
    later_s = library.START_S + 7200
    path = tmp_path / "frigate" / library.frigate_path(later_s, "yard")
    path.parent.mkdir(parents=True)
    colour_video(path, [("red", 10)])
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM recordings WHERE start_time = ?", (library.START_S,))  # its own retention
        connection.execute(
            "INSERT INTO recordings (id, camera, path, start_time, end_time, duration) "
            "VALUES ('x', 'yard', ?, ?, ?, 10)",
            (f"/media/frigate/{library.frigate_path(later_s, 'yard')}", later_s, later_s + 10),
        )
    import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
    with Memory.open_reader(tmp_path / "memory") as memory:
        now = held(memory, "yard")
        assert [colour for _, colour in now[:3]] == [colour for _, colour in once]
        ids = memory.store.lookup.select(Filter(stream="yard", after_s=later_s, before_s=later_s + 10))
        assert len(ids) == 1  # as a moment of its own, or as a time at which the same was seen again
        assert notes(memory, "yard") == words
        assert memory.store.streams.rows(recording="yard")[0].end_s == pytest.approx(later_s + 10, abs=1.1)


def test_screenpipes_frames_have_their_own_times_and_their_words(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    start_s = library.START_S
    library.screenpipe(tmp_path / "pipe", colour_video)
    report = import_library(tmp_path / "pipe", tmp_path / "memory", encoder="colour", settings=settings)
    assert report is not None
    assert report.failed == ()
    with Memory.open_reader(tmp_path / "memory") as memory:
        shown = held(memory, "monitor_1")
        assert [colour for _, colour in shown] == ["red", "blue", "green"]
        assert [time_s - start_s for time_s, _ in shown] == pytest.approx([0, 6, 60], abs=0.01)
        assert notes(memory, "monitor_1") == [
            ("mark", start_s, start_s + 10, "Numbers: report.numbers"),
            ("mark", start_s + 60, start_s + 60, "Mail: Inbox"),
            ("screen", start_s, start_s + 4, "Revenue 4.2 M"),
            ("screen", start_s, start_s + 10, "Quarterly report"),
            ("screen", start_s + 6, start_s + 10, "Costs 1.1 M"),
            ("screen", start_s + 60, start_s + 60, "Lunch?"),
            ("speech", start_s + 4, start_s + 6.5, "Let us ship it on Friday."),
        ]  # fmt: skip


def test_words_of_early_screenpipes_are_read_where_they_stood(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    folder, start_s = tmp_path / "pipe", library.START_S
    (folder / "data").mkdir(parents=True)
    colour_video(folder / "data" / "chunk.mp4", [("blue", 0.2)], rate=30)
    with closing(sqlite3.connect(folder / "db.sqlite")) as connection, connection:
        for statement in library.SCREENPIPE_2024:
            connection.execute(statement)
        connection.execute("INSERT INTO video_chunks VALUES (1, 'C:\\Users\\anna\\data\\chunk.mp4')")
        connection.execute("INSERT INTO frames VALUES (1, 1, 0, ?)", (library.stamp(start_s),))
        connection.execute("INSERT INTO ocr_text VALUES (1, 'Hello', NULL, 'tesseract', 'Terminal', NULL)")
    import_library(folder, tmp_path / "memory", encoder="colour", settings=settings)
    with Memory.open_reader(tmp_path / "memory") as memory:
        assert held(memory, "screen") == [(start_s, "blue")]
        assert [(kind, text) for kind, _, _, text in notes(memory, "screen")] == [
            ("mark", "Terminal"), ("screen", "Hello")
        ]  # fmt: skip


def test_an_immich_library_has_its_photographs_videos_people_places_and_words(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    start_s = library.START_S
    library.immich(tmp_path / "immich", colour_video)
    before = state_of(tmp_path / "immich")
    report = import_library(tmp_path / "immich", tmp_path / "memory", encoder="colour", settings=settings)
    assert report is not None
    assert [failure.reason for failure in report.failed] == ["1 file that Immich names cannot be found here"]
    with Memory.open_reader(tmp_path / "memory") as memory:
        photos = held(memory, "immich/photos")
        assert [colour for _, colour in photos] == ["red", "green", "blue"]
        assert [time_s - start_s for time_s, _ in photos] == pytest.approx([0, 0.001, 86400], abs=1e-4)
        assert [(t - start_s, c) for t, c in held(memory, "immich/videos")] == [
            (pytest.approx(100, abs=0.2), "red"), (pytest.approx(200, abs=0.2), "blue")
        ]  # fmt: skip
        assert [c for _, c in held(memory, "immich/videos-2")] == ["green"]
        assert notes(memory, "immich/photos") == [
            ("mark", start_s, start_s, "Ethan; Salt Lake City, Utah, USA; Road Trip: We made it\nto the top"),
            ("screen", start_s, start_s, "NO PARKING"),
        ]
    assert state_of(tmp_path / "immich") == before


def test_a_database_in_use_is_read_with_its_log_and_nothing_is_written_beside_it(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    database = library.frigate(tmp_path / "frigate", colour_video)
    with closing(sqlite3.connect(database)) as writing:
        writing.execute("PRAGMA journal_mode = WAL")
        writing.execute("PRAGMA wal_autocheckpoint = 0")
        writing.execute("UPDATE event SET label = 'fox' WHERE label = 'dog'")
        writing.commit()
        before = state_of(tmp_path / "frigate")
        import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
        assert state_of(tmp_path / "frigate") == before
    with Memory.open_reader(tmp_path / "memory") as memory:
        assert "fox" in [text for _, _, _, text in notes(memory, "yard")]


def test_a_database_cannot_name_other_files_of_the_machine(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    database = library.frigate(tmp_path / "frigate", colour_video)
    secret = colour_video(tmp_path / "secret.mp4", [("red", 3)])
    (tmp_path / "frigate" / "link.mp4").symlink_to(secret)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM recordings")
        for number, path in enumerate((str(secret), "../secret.mp4", "/x/../../secret.mp4", "link.mp4")):
            connection.execute(
                "INSERT INTO recordings (id, camera, path, start_time, end_time, duration) "
                "VALUES (?, 'c', ?, ?, ?, 3)",
                (str(number), path, library.START_S + number * 10, library.START_S + number * 10 + 3),
            )
    with pytest.raises(HippocamError, match="of the 4 files .* none was found"):
        import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
    assert not (tmp_path / "memory").exists()


def test_a_recording_that_cannot_be_read_stops_no_other(
    tmp_path: Path, library: ModuleType, colour_video: Any, settings: Settings
) -> None:
    library.frigate(tmp_path / "frigate", colour_video)
    (tmp_path / "frigate" / library.frigate_path(library.START_S + 10, "yard")).write_bytes(b"broken" * 100)
    report = import_library(tmp_path / "frigate", tmp_path / "memory", encoder="colour", settings=settings)
    assert report is not None
    (failure,) = report.failed
    assert failure.source.endswith("#yard")
    assert "00.15.mp4" in failure.reason
    with Memory.open_reader(tmp_path / "memory") as memory:
        assert [colour for _, colour in held(memory, "yard")] == ["red", "blue"]


def test_the_command_takes_folders_databases_and_exports(
    tmp_path: Path, library: ModuleType, colour_video: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    database = library.frigate(tmp_path / "frigate", colour_video)
    config = tmp_path / "quick.yaml"
    config.write_text("senses: {text: 'off', speech: 'off', things: 'off'}\n")
    elsewhere = tmp_path / "elsewhere" / "frigate.db"
    elsewhere.parent.mkdir()
    os.rename(database, elsewhere)
    common = ["--memory", str(tmp_path / "memory"), "--config", str(config)]
    assert main(["import", str(elsewhere), *common, "--encoder", "colour"]) == 2
    assert "--media" in capsys.readouterr().err
    media = ["--media", str(tmp_path / "frigate")]
    assert main(["import", str(elsewhere), *media, *common, "--encoder", "colour", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {stream["id"] for stream in told["streams"]} == {"yard", "porch"}
    with Session(tmp_path / "memory") as session:
        found = session.search("blue", stream="yard")
        assert found[0].t0_s == pytest.approx(library.START_S + 3600, abs=0.2)
    assert main(["import", str(config), *media, *common]) == 2
    assert "nothing that Frigate" in capsys.readouterr().err
