"""Things are found by their own pictures, in the time of their visits and within the conditions of a question."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.memory.codec import pack, signs, unpack
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory, VisitRow
from hippocam.memory.entities.records import Visit
from hippocam.memory.provenance.records import Import, ImportedPart, Origin
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.query import Query, RecallConfig
from hippocam.memory.recall.recall import index_rows, recall
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.memory.records import Event
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
CONFIG = RecallConfig()
LAWN, STREET, BUTTERFLY, CAR = AXES[:4]


def visit(number: int, t0_s: float, t1_s: float, *, stream: str = "cam") -> Visit:
    frame_s = (t0_s + t1_s) / 2
    return Visit(
        id=number, entity=number, stream=stream, label="bird", t0_s=t0_s, t1_s=t1_s, first_s=t0_s,
        known_s=t0_s + 1, linked_s=t0_s + 1, gone_s=t1_s, from_start=False, hits=5, score=0.7, frame_s=frame_s,
        box=(0.1, 0.1, 0.2, 0.2), path=((frame_s, (0.1, 0.1, 0.2, 0.2)),),
        portrait_s=frame_s,
    )  # fmt: skip


def event(seq: int, t0_s: float, vector, stream: str = "cam") -> Event:
    return Event(
        stream=stream, first_seq=seq, last_seq=seq + 9, t0_s=t0_s, t1_s=t0_s + 10, known_s=t0_s + 9, key=vector,
        scene=vector, surprise=0.5, utility=1.0, frame_s=t0_s + 5, jpeg=b"x",
    )  # fmt: skip


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "memory.db", writable=True)
    made.streams.add("cam", "cam", "/cam.mp4", "", 1.0)
    yield made
    made.close()


@pytest.fixture
def entries(store):
    """Thirty seconds of lawn and street, in three entries."""
    return [
        store.entries.insert(event(seq, 10.0 * seq, vector)) for seq, vector in enumerate((LAWN, STREET, LAWN))
    ]


def put(store: Store, seen: Visit, portrait) -> None:
    with store.transaction():
        EntityMemory(store.connection).take_in(VisitRow(seen, None, pack(portrait)))


def ask(store: Store, vector, **where):
    def read(ids):
        return index_rows(store, ids, CONFIG)

    index, ids = KeyIndex(D, read), sorted(store.entries.ids())
    index.add(ids, read(ids))
    return recall(store, index, SPEC, Query(text="", vector=vector, **where), CONFIG)


def test_a_small_thing_is_found_in_its_own_time_at_the_entry_that_shows_it(store, entries):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    best, *rest = ask(store, BUTTERFLY)
    assert best.entry.id == entries[1]
    assert best.thing is not None
    assert (best.cited.t0_s, best.cited.t1_s) == (13.0, 17.0)
    assert best.cosine == pytest.approx(1.0, abs=0.01)
    assert best.score > 0.99
    assert all(candidate.score < 0.01 and candidate.thing is None for candidate in rest)


def test_a_thing_that_the_detector_calls_otherwise_is_not_the_one_that_is_named(store, entries):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    assert ask(store, BUTTERFLY, labels=("bird", "cat"))[0].thing is not None
    assert all(candidate.thing is None for candidate in ask(store, BUTTERFLY, labels=("kite",)))


def test_where_the_whole_frames_say_more_they_speak(store, entries):
    put(store, visit(7, 13.0, 17.0), (STREET + 3 * CAR) / np.linalg.norm(STREET + 3 * CAR))
    best = ask(store, STREET)[0]
    assert best.entry.id == entries[1]
    assert best.thing is None
    assert (best.cited.t0_s, best.cited.t1_s) == (10.0, 20.0)


def test_of_a_long_visit_the_entry_whose_picture_is_nearest_is_shown(store, entries):
    put(store, visit(7, 3.0, 24.0), BUTTERFLY)
    assert ask(store, BUTTERFLY)[0].entry.id == entries[1]


def test_a_thing_outlives_its_entries(store):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    (best,) = ask(store, BUTTERFLY)
    assert (best.entry.stream, best.entry.t0_s, best.entry.jpeg_bytes) == ("cam", 13.0, 0)


@pytest.mark.parametrize(
    "where",
    [
        {"stream": "other"},
        {"before_s": 12.0},
        {"after_s": 18.0},
        {"at_s": 14.0},
        {"place": 1},
        {"near": (0, 0, 1)},
    ],
)
def test_conditions_hold_for_things(store, entries, where):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    assert all(candidate.thing is None for candidate in ask(store, BUTTERFLY, **where))


def test_what_is_in_quarantine_is_not_found(store, entries):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    with store.transaction():
        store.provenance.set_apart(Origin(stream="cam"))
    assert ask(store, BUTTERFLY) == []


def test_a_portrait_of_signs_finds_its_thing_still(store, entries):
    rng = np.random.default_rng(0)
    own, other = (row / np.linalg.norm(row) for row in rng.normal(size=(2, D)).astype(np.float32))
    put(store, visit(7, 13.0, 17.0), signs(own))
    put(store, visit(8, 23.0, 27.0), signs(other))
    assert ask(store, own)[0].cited.t0_s == 13.0


def test_what_is_written_is_read_anew_and_what_is_deleted_is_gone(store, entries):
    put(store, visit(7, 13.0, 17.0), BUTTERFLY)
    assert ask(store, CAR)[0].thing is None
    put(store, visit(8, 23.0, 27.0), CAR)
    assert ask(store, CAR)[0].thing is not None
    with store.transaction():
        EntityMemory(store.connection).delete("cam", 22.0, 28.0)
    assert ask(store, CAR)[0].thing is None


def test_a_visit_comes_back_as_it_was_written(store):
    seen = visit(7, 13.0, 17.0)
    put(store, seen, BUTTERFLY)
    (found,) = EntityMemory(store.connection).visits("cam")
    assert found.visit.path[0][0] == pytest.approx(15.0)
    assert found.visit.path[0][1] == pytest.approx(seen.box, abs=1e-4)
    assert found.portrait is not None
    assert unpack(found.portrait) == pytest.approx(BUTTERFLY, abs=0.01)
    assert tables.portraits(store.connection) == [(7, found.portrait)]


def test_a_thing_of_an_import_whose_time_no_entry_holds_is_a_claim(store, entries):
    store.streams.add("foe", "foe", "/foe.mp4", "", 1.0)
    put(store, visit(9, 500.0, 503.0, stream="foe"), CAR)
    believed, *_ = ask(store, CAR)
    assert (believed.claimed, believed.score >= BELIEVED_FROM) == (False, True)
    file = Import(id=7, file="foe.jsonl", made_s=0.0)
    with store.transaction():
        store.streams.advance("cam", last_seq=29, end_s=30.0, seen=30, encoded=3, events=3, state=b"")
        store.provenance.note_import("foe", ImportedPart(made_by=file, last_seq=9, end_s=600.0))
    claim = next(each for each in ask(store, CAR) if each.entry.stream == "foe")
    assert (claim.claimed, claim.made_by, claim.score < BELIEVED_FROM) == (True, 7, True)


def test_a_thing_of_an_import_is_looked_at_again_where_it_is(store, entries):
    store.streams.add("foe", "foe", "/foe.mp4", "", 1.0)
    there = store.entries.insert(event(0, 0.0, AXES[5], "foe"))
    put(store, visit(9, 4.0, 6.0, stream="foe"), CAR)
    file = Import(id=7, file="foe.jsonl", made_s=0.0)
    with store.transaction():
        store.streams.advance("cam", last_seq=29, end_s=30.0, seen=30, encoded=3, events=3, state=b"")
        store.provenance.note_import("foe", ImportedPart(made_by=file, last_seq=9, end_s=600.0))
    looked = []

    class Check:
        def cosine(self, entry, asked_D, box):
            looked.append((entry.id, box))
            return 0.9

    index, ids = KeyIndex(D, lambda ids: index_rows(store, ids, CONFIG)), sorted(store.entries.ids())
    index.add(ids, index_rows(store, ids, CONFIG))
    best, *_ = recall(store, index, SPEC, Query(text="", vector=CAR), CONFIG, Check())
    assert (best.entry.id, best.claimed, best.score >= BELIEVED_FROM) == (there, False, True)
    ((looked_at, box),) = looked
    assert looked_at == there
    assert box == pytest.approx((0.1, 0.1, 0.2, 0.2), abs=1e-4)
