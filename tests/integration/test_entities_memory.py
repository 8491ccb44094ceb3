"""Things through the whole memory: written, asked, gone on with, forgotten. A fake detector knows the truth."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hippocam.apps.errors import LineError
from hippocam.apps.session import Session
from hippocam.apps.transfer.exporting import export, write_file
from hippocam.apps.transfer.importing import import_file
from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.tables import TABLES
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.working.working import WorkingConfig
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Embedding, EncoderSpec, Sensed, Thing

D, SECONDS = 8, 120
SPEC = EncoderSpec(id="made:1", dim=D, normalised=True, midpoint=0.2, slope=10)
CONFIG = MemoryConfig(budget_bytes=5_000_000, working=WorkingConfig(by_change=True))
# Who was there from when to when, seconds.
VISITS = {0: (20, 30), 1: (50, 65), 2: (90, 100)}


def frames(seconds: int = SECONDS) -> list[Embedding]:
    """A still room; a visitor stands at the same place for each of VISITS, in colours and looks of his own."""
    rng = np.random.default_rng(5)
    room = rng.integers(60, 190, (45, 80, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    made = []
    for second in range(seconds):
        image, things = room.copy(), ()
        for who, (t0, t1) in VISITS.items():
            if t0 <= second < t1:
                image[60:320, 200:330] = 0
                image[60:320, 200:330, who] = 255
                look = np.eye(32, dtype=np.float32)[who]
                things = (
                    Thing(label="person", score=0.9, box=(200 / 640, 60 / 360, 330 / 640, 320 / 360), vector=look),
                )
        made.append(
            Embedding(
                stream="door",
                seq=second,
                time_s=float(second),
                vector=np.eye(D, dtype=np.float32)[len(things)],
                jpeg=encode_jpeg(image, 512, 80),
                sensed=Sensed(things=things),
            )
        )
    return made


def opened(folder: Path) -> Memory:
    memory = Memory.open_writer(folder, encoder="made", spec=SPEC, config=CONFIG)
    memory.begin("door", uri="/x/door.mp4")
    return memory


def spans(memory: Memory, at_s: float | None = None) -> list[tuple[float, float]]:
    return [(v.t0_s, v.t1_s) for e in memory.entities.entities("door", "person", at_s) for v in e.visits]


def rows(memory: Memory, names: tuple[str, ...] = TABLES) -> list[tuple]:
    """All that is stored of entities."""
    db = memory.store.connection
    return [(table, *row) for table in names for row in db.execute(f"SELECT * FROM {table} ORDER BY 1")]


def test_visits_are_found_with_their_times_and_counted_as_known_then(tmp_path):
    with opened(tmp_path / "m") as memory:
        memory.write(frames())
        memory.finish("door", end_s=float(SECONDS))
        found = spans(memory)
        assert len(found) == len(VISITS)
        for (t0_s, t1_s), (true_t0, true_t1) in zip(found, VISITS.values(), strict=True):
            assert abs(t0_s - true_t0) <= 1
            assert abs(t1_s - true_t1) <= 1
        assert [memory.entities.count("door", "person", at_s).entities for at_s in (10, 40, 80, 119)] == [
            0,
            1,
            2,
            3,
        ]
        assert [len(memory.entities.now("door", at_s)) for at_s in (10, 25, 40, 60)] == [0, 1, 0, 1]


@pytest.mark.parametrize("killed_at", [25, 57, 70])
def test_a_kill_loses_nobody_and_invents_nobody(tmp_path, killed_at):
    made = frames()
    with opened(tmp_path / "whole") as memory:
        memory.write(made)
        memory.finish("door", end_s=float(SECONDS))
        whole = rows(memory)
    memory = opened(tmp_path / "m")
    memory.write(made[:killed_at])
    memory.close()  # no finish: what is open is lost, as by a kill
    with opened(tmp_path / "m") as memory:
        memory.write(made)
        memory.finish("door", end_s=float(SECONDS))
        assert rows(memory) == whole


def test_watching_again_adds_nobody(tmp_path):
    for _ in range(2):
        with opened(tmp_path / "m") as memory:
            memory.write(frames())
            memory.finish("door", end_s=float(SECONDS), complete=False)
            assert len(spans(memory)) == len(VISITS)


def test_a_forgotten_time_takes_its_visits_along(tmp_path):
    marked = frames()
    marked = [dataclasses.replace(f, stream="door") for f in marked]
    with opened(tmp_path / "m") as memory:
        memory.write(marked)
        memory.finish("door", end_s=float(SECONDS))
        memory.forget(Filter(after_s=45, before_s=70))
        assert len(spans(memory)) == len(VISITS) - 1
        memory.forget(Filter(stream="door"))
        assert rows(memory) == []
        assert memory.store.tracked.get("door") is None


def test_what_is_old_is_deleted_and_who_is_in_sight_meanwhile_has_one_visit(tmp_path):
    made = frames()
    with opened(tmp_path / "m") as memory:
        memory.write(made[:58])
        memory.forget(Filter(stream="door", before_s=55), ended_only=True)
        memory.write(made[58:])
        memory.finish("door", end_s=float(SECONDS))
        assert spans(memory) == [pytest.approx(VISITS[1], abs=1), pytest.approx(VISITS[2], abs=1)]
        assert memory.entities.count("door", "person").entities == 2
        memory.forget(Filter(stream="door", before_s=65.5), ended_only=True)
        assert spans(memory) == [pytest.approx(VISITS[2], abs=1)]


def test_merging_is_undone_in_one_step_and_survives_closing(tmp_path):
    with opened(tmp_path / "m") as memory:
        memory.write(frames())
        memory.finish("door", end_s=float(SECONDS))
        before = rows(memory, ("entity", "visit"))
        first, second, _ = [e.id for e in memory.entities.entities()]
        change = memory.change_entities(lambda entities: entities.merge(first, second))
        assert memory.entities.count("door", "person").entities == len(VISITS) - 1
    with opened(tmp_path / "m") as memory:
        memory.change_entities(lambda entities: entities.undo(change.id))
        assert rows(memory, ("entity", "visit")) == before


def test_an_event_begins_where_somebody_comes(tmp_path, monkeypatch):
    same = [dataclasses.replace(f, vector=np.eye(D, dtype=np.float32)[0]) for f in frames()]  # no surprise at all
    events = []
    with opened(tmp_path / "m") as memory:
        add = memory.longterm.intake.add
        monkeypatch.setattr(
            memory.longterm.intake, "add", lambda event, state: (events.append(event), add(event, state))
        )
        memory.write(same)
        memory.finish("door", end_s=float(SECONDS))
    cuts = {event.cut: event.t1_s for event in events if "s long" not in event.cut}
    assert set(cuts) == {"something came", "nobody is left", "end"}
    for came, left in list(VISITS.values())[1:]:  # of the first it is not known yet whether the camera moves
        assert min(abs(event.t1_s - came) for event in events if event.cut == "something came") <= 1
        assert min(abs(event.t1_s - left) for event in events if event.cut == "nobody is left") <= 1


def test_an_export_takes_the_visits_along(tmp_path):
    with opened(tmp_path / "m") as memory:
        memory.write(frames())
        memory.finish("door", end_s=float(SECONDS))
        whole = rows(memory, ("entity", "visit"))
    lines = tmp_path / "door.jsonl"
    write_file(lines, export(tmp_path / "m", "jsonl"), memory=tmp_path / "m")
    import_file(lines, tmp_path / "copy", encoder="made")
    with Memory.open_reader(tmp_path / "copy") as copy:
        assert rows(copy, ("entity", "visit")) == whole
    text = lines.read_text()
    for good, bad in (
        ('"hits":', '"hits":-'),
        ('"box":[', '"box":[7,'),
        ('"from_start":', '"from_start":7'),
    ):
        lines.write_text(text.replace(good, bad))
        with pytest.raises(LineError):
            import_file(lines, tmp_path / "bad", encoder="made")
    assert not (tmp_path / "bad").exists()


def test_entities_of_several_memories_are_told_apart_by_name(tmp_path):
    for name in ("east", "west"):
        with opened(tmp_path / name) as memory:
            memory.write(frames())
            memory.finish("door", end_s=float(SECONDS))
    with Session(tmp_path / "east") as alone, Session([tmp_path / "east", tmp_path / "west"]) as both:
        own = alone.entities()
        every = both.entities()
        assert len(every) == 2 * len(own)
        assert {entity.stream for entity in every} == {"east/door", "west/door"}
        assert {visit.stream for entity in every for visit in entity.visits} == {"east/door", "west/door"}
        assert [entity.first_s for entity in every] == sorted(entity.first_s for entity in every)
        assert [entity.first_s for entity in both.entities(stream="west")] == [entity.first_s for entity in own]
