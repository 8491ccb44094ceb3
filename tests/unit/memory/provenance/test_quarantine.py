"""What is in quarantine is kept and not recalled; it and what came with an import can be deleted for good."""

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.forget import pending
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Import, ImportedPart, Origin
from hippocam.memory.recall.query import Query
from hippocam.memory.records import id_of
from hippocam.stream.records import EncoderSpec, Note

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
FILE = Import(id=0xABC, file="friend.jsonl", made_s=1_700_000_000.0)


def writer(folder):
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=4_000_000))


def watch(memory, frames_of, stream, axes, notes=()):
    """A scene of 5 s for each axis, with notes."""
    items = frames_of(stream, [(5 * k + t, AXES[axis]) for k, axis in enumerate(axes) for t in range(5)])
    memory.begin(stream, uri=f"/x/{stream}.mp4")
    memory.write([*[Note(stream=stream, kind=k, t0_s=t, t1_s=t + 1, text=text) for k, t, text in notes], *items])
    memory.finish(stream)


@pytest.fixture
def folder(tmp_path, frames_of):
    """Two streams with scenes and notes; of "film" the first 10 s are said to have come with an import."""
    folder = tmp_path / "m"
    with writer(folder) as memory:
        notes = [("screen", 1.0, "zyxomma sale"), ("speech", 12.0, "zyxomma again")]
        watch(memory, frames_of, "film", [0, 1, 2, 3], notes)
        watch(memory, frames_of, "cam", [10, 11, 12], [("screen", 6.0, "zyxomma gate")])
        with memory.store.transaction():
            memory.store.provenance.note_import("film", ImportedPart(made_by=FILE, last_seq=9, end_s=9.5))
    return folder


CAM = {id_of("cam", 5 * k) for k in range(3)}
WATCHED_BEHIND = {id_of("film", 10), id_of("film", 15)}


def recalled(memory, axis, text="", **where):
    return {c.entry.id for c in memory.recall(Query(text=text, vector=AXES[axis], top=20, **where))}


def set_apart(folder, origin, *, release=False):
    with writer(folder) as memory, memory.store.transaction():
        provenance = memory.store.provenance
        return provenance.release(origin) if release else provenance.set_apart(origin)


def noted(memory):
    found = memory.recall(Query(text="zyxomma", vector=AXES[31], top=20))
    return {note.text for c in found if c.noted is not None for note in c.noted.notes}


def test_a_stream_in_quarantine_is_kept_and_not_recalled(folder):
    with Memory.open_reader(folder) as reader:  # one that was open before
        assert id_of("cam", 5) in recalled(reader, 11)
        assert set_apart(folder, Origin(stream="cam"))
        assert not CAM & recalled(reader, 11)
        assert not CAM & {c.entry.id for c in reader.notable(Filter(), 20)}
        assert {c.entry.id for c in reader.notable(Filter(), 20)} == {id_of("film", 5 * k) for k in range(4)}
        assert reader.comparable(Query(text="", vector=AXES[0])) == 4
        assert not any(hit.summary.stream == "cam" for hit in reader.overview(Query(text="", vector=AXES[11])))
        assert reader.notes("cam", 0, 20) == []
        assert noted(reader) == {"zyxomma sale", "zyxomma again"}
        assert {s.id: s.quarantined for s in reader.streams()} == {"cam": "all", "film": ""}
        told = reader.explain(id_of("cam", 5))
        assert told.entry is not None
        assert told.provenance.quarantined
    with Memory.open_reader(folder) as reopened:
        assert id_of("cam", 5) not in recalled(reopened, 11)
    assert not set_apart(folder, Origin(stream="cam"))  # is there already
    assert set_apart(folder, Origin(stream="cam"), release=True)
    with Memory.open_reader(folder) as reader:
        assert id_of("cam", 5) in recalled(reader, 11)
        assert noted(reader) == {"zyxomma sale", "zyxomma again", "zyxomma gate"}


def test_of_an_import_what_came_with_it_and_nothing_that_was_watched_behind_it(folder):
    set_apart(folder, Origin(import_id=FILE.id))
    with Memory.open_reader(folder) as reader:
        assert recalled(reader, 0) == {
            id_of("film", 10),
            id_of("film", 15),
            *(id_of("cam", 5 * k) for k in range(3)),
        }
        assert noted(reader) == {"zyxomma again", "zyxomma gate"}
        assert {s.id: s.quarantined for s in reader.streams()} == {"cam": "", "film": "part"}
        assert reader.explain(id_of("film", 0)).provenance.made_by == FILE
        assert reader.explain(id_of("film", 10)).provenance.made_by is None


def test_of_a_sense_only_its_notes(folder):
    set_apart(folder, Origin(sense="screen", stream="film"))
    with Memory.open_reader(folder) as reader:
        assert len(recalled(reader, 0)) == 7
        assert noted(reader) == {"zyxomma again", "zyxomma gate"}
        assert [note.text for note in reader.notes("film", 0, 20)] == ["zyxomma again"]
    set_apart(folder, Origin(sense="screen"))
    with Memory.open_reader(folder) as reader:
        assert noted(reader) == {"zyxomma again"}


def test_where_an_entry_came_from_is_told(folder):
    with Memory.open_reader(folder) as reader:
        told = reader.explain(id_of("film", 0)).provenance
    assert (told.source, told.encoder, told.frames) == ("/x/film.mp4", "test:1", 5)
    assert told.senses == ("picture", "screen")


def on_disk(folder):
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_an_import_goes_with_its_bytes_and_own_footage_stays(folder):
    set_apart(folder, Origin(import_id=FILE.id))
    assert b"zyxomma sale" in on_disk(folder)
    with writer(folder) as memory:
        gone = memory.forget(Origin(import_id=FILE.id))
        assert (gone.entries, gone.streams, gone.notes) == (2, 0, 1)
        assert b"zyxomma sale" not in on_disk(folder)
        assert pending(memory.store) is None
        assert recalled(memory, 2) == {
            id_of("film", 10),
            id_of("film", 15),
            *(id_of("cam", 5 * k) for k in range(3)),
        }
        assert noted(memory) == {"zyxomma again", "zyxomma gate"}


def test_an_import_that_is_all_of_its_stream_goes_whole_and_is_named_no_more(folder):
    with writer(folder) as memory:
        with memory.store.transaction():
            memory.store.provenance.note_import("film", ImportedPart(made_by=FILE, last_seq=19, end_s=19.5))
            memory.store.provenance.set_apart(Origin(import_id=FILE.id))
            memory.store.provenance.set_apart(Origin(stream="film"))
        assert memory.forget(Origin(import_id=FILE.id)).streams == 1
        assert [s.id for s in memory.streams()] == ["cam"]
        assert memory.store.provenance.parts() == {}
        assert not memory.store.provenance.quarantine()
        assert b"friend.jsonl" not in on_disk(folder)


def test_the_notes_of_a_sense_go_and_pictures_stay(folder):
    with writer(folder) as memory:
        gone = memory.forget(Origin(sense="screen"))
        assert (gone.entries, gone.streams, gone.notes) == (0, 0, 2)
        assert b"zyxomma sale" not in on_disk(folder)
        assert len(recalled(memory, 0)) == 7
        assert noted(memory) == {"zyxomma again"}


def test_a_stream_that_is_forgotten_leaves_nothing_in_quarantine(folder):
    set_apart(folder, Origin(stream="cam"))
    with writer(folder) as memory:
        memory.forget(Filter(stream="cam"))
        assert not memory.store.provenance.quarantine()


def test_a_deletion_by_origin_that_was_cut_short_is_finished_by_the_next_writer(folder, monkeypatch):
    with writer(folder) as memory:
        monkeypatch.setattr(memory.longterm, "relearn", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            memory.forget(Origin(import_id=FILE.id))
    with Memory.open_reader(folder) as reader:
        assert str(pending(reader.store)) == f"import {FILE.id:016x}"
    with writer(folder) as memory:
        assert memory.finished is not None
        assert pending(memory.store) is None
        assert b"zyxomma sale" not in on_disk(folder)


def test_an_origin_needs_an_import_or_a_sense_to_be_deleted(folder):
    with writer(folder) as memory, pytest.raises(ValueError, match="import or a sense"):
        memory.forget(Origin(stream="cam"))
    with pytest.raises(ValueError, match=r"sense must be one of screen, .*found 'smell'"):
        Origin(sense="smell")
