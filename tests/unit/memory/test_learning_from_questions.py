"""What was asked is learned from: by readers, exactly once, within the budget, gone when it is forgotten."""

import sqlite3
import subprocess
from contextlib import closing

import numpy as np
import pytest

from hippocam.memory import Memory, MemoryConfig, Query
from hippocam.memory.codec import unpack
from hippocam.memory.filter import Filter
from hippocam.memory.longterm.questions import QuestionJournal
from hippocam.memory.questions import NAME
from hippocam.stream import Embedding, EncoderSpec

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def writer(folder, *, budget=20_000_000, **config):
    return Memory.open_writer(
        folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=budget, **config)
    )


def watch(memory, vectors, stream="cam", jpeg=b"picture"):
    memory.begin(stream, uri=f"/x/{stream}.mp4")
    for seq, vector in enumerate(vectors):
        memory.write([Embedding(stream=stream, seq=seq, time_s=4.0 * seq, vector=vector, jpeg=jpeg)])
    memory.finish(stream)


def rows(folder, sql):
    with closing(sqlite3.connect(f"{(folder / 'memory.db').as_uri()}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


@pytest.fixture
def asked(tmp_path):
    """A memory of three streams, and for each the vector and the first entry of a question about it."""
    rng = np.random.default_rng(0)
    questions = {}
    with writer(tmp_path) as memory:
        for stream in ("cam", "yard", "door"):
            vectors = unit(rng.normal(size=(12, D)))
            watch(memory, vectors, stream)
            (best,) = memory.recall(Query(text="", vector=vectors[3], stream=stream, top=1))
            questions[stream] = vectors[3], best.entry
    return tmp_path, questions


def test_what_a_reader_used_is_learned_by_the_next_writer(asked):
    folder, questions = asked
    vector, entry = questions["cam"]
    before = rows(folder, f"SELECT uses, strength FROM entry WHERE id = {entry.id}")
    with Memory.open_reader(folder) as memory:
        memory.used([entry.id, 12345], vector)
        memory.used([entry.id])
        assert memory.explain(entry.id).worth.used == 1.0
    assert before == rows(folder, f"SELECT uses, strength FROM entry WHERE id = {entry.id}") == [(0, 1.0)]
    with writer(folder) as memory:
        assert memory.explain(entry.id).worth.used > 1.5
        assert memory.explain(entry.id).entry.uses == 2
    ((uses, strength),) = rows(folder, f"SELECT uses, strength FROM entry WHERE id = {entry.id}")
    assert (uses, strength) == (2, 2.5)
    ((kind, stream, t0_s, t1_s, packed),) = rows(
        folder, "SELECT kind, stream, t0_s, t1_s, vector FROM probe WHERE kind = 'question'"
    )
    assert (kind, stream) == ("question", "cam")
    assert any((span.t0_s, span.t1_s) == (t0_s, t1_s) for span in entry.spans)
    assert float(unpack(packed) @ vector) > 0.999
    assert (folder / NAME).read_bytes() == b""


def test_a_reader_beside_a_writer_is_no_rival(asked):
    folder, questions = asked
    with writer(folder) as memory, Memory.open_reader(folder) as reader:
        for vector, entry in questions.values():
            reader.used([entry.id], vector)
        memory.idle()
        assert [memory.entry(entry.id).uses for _, entry in questions.values()] == [1, 1, 1]
        memory.used([questions["cam"][1].id])
        assert memory.entry(questions["cam"][1].id).uses == 2


def test_a_kill_between_learning_and_clearing_counts_nothing_twice(asked, monkeypatch):
    folder, questions = asked
    with Memory.open_reader(folder) as memory:
        for vector, entry in questions.values():
            memory.used([entry.id], vector)
    with monkeypatch.context() as killed:
        killed.setattr(QuestionJournal, "delete", lambda self, through: None)
        writer(folder).close()
    assert len((folder / NAME).read_bytes().splitlines()) == 3
    with Memory.open_reader(folder) as memory:
        memory.used([questions["door"][1].id])
    writer(folder).close()
    assert dict(rows(folder, "SELECT stream, sum(uses) FROM entry GROUP BY stream")) == {
        "cam": 1,
        "yard": 1,
        "door": 2,
    }
    assert rows(folder, "SELECT count(*) FROM probe WHERE kind = 'question'") == [(3,)]


def test_it_can_be_switched_off(asked):
    folder, questions = asked
    vector, entry = questions["cam"]
    with Memory.open_reader(folder, MemoryConfig(questions=False)) as memory:
        memory.used([entry.id], vector)
    assert not (folder / NAME).exists()
    with writer(folder, questions=False) as memory:
        memory.used([entry.id], vector)
        assert memory.entry(entry.id).uses == 0


def test_forgetting_deletes_the_questions_too_also_those_that_wait(asked):
    folder, questions = asked
    for stream in ("cam", "yard"):
        vector, entry = questions[stream]
        with Memory.open_reader(folder) as memory:
            memory.used([entry.id], vector)
        if stream == "cam":
            writer(folder).close()  # one is in the database, the other still in the journal
    for what in (Filter(stream="cam"), [questions["yard"][1].id]):
        with writer(folder, questions=True) as memory:
            memory.forget(what)
    assert rows(folder, "SELECT count(*) FROM probe WHERE kind = 'question'") == [(0,)]
    assert (folder / NAME).read_bytes() == b""


def test_the_budget_holds_with_readers_that_ask_all_the_time(tmp_path):
    rng = np.random.default_rng(1)
    with writer(tmp_path, budget=1_000_000) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for seq in range(500):
            vector = unit(rng.normal(size=D))
            memory.write([Embedding(stream="cam", seq=seq, time_s=4.0 * seq, vector=vector, jpeg=b"j" * 4000)])
            if seq % 5 == 4:
                with Memory.open_reader(tmp_path) as reader:
                    ids = [c.entry.id for c in reader.recall(Query(text="", vector=vector, top=3))]
                    reader.used(ids, vector)
            if seq % 100 == 99:
                memory.idle()
            if seq % 20 == 19:
                du = subprocess.run(["du", "-sb", tmp_path], capture_output=True, text=True, check=True)
                assert int(du.stdout.split()[0]) <= 1_000_000


def test_sleep_goes_on_to_find_what_was_asked(tmp_path):
    """Questions that a sleep would lose are held once they were answered."""
    rng = np.random.default_rng(2)
    kinds = unit(rng.normal(size=(40, D)))
    vectors = [unit(kinds[k] + 0.5 * unit(rng.normal(size=D))) for k in rng.permutation(np.tile(np.arange(40), 4))]
    questions = unit(kinds[rng.integers(0, 40, 150)] + 0.7 * unit(rng.normal(size=(150, D))))

    def slept(folder, noted):
        with writer(folder) as memory:
            watch(memory, vectors)
            first = {k: memory.recall(Query(text="", vector=q, top=1))[0] for k, q in enumerate(questions)}
        with Memory.open_reader(folder) as memory:
            for k in noted:
                memory.used([first[k].entry.id], questions[k])
        with writer(folder) as memory:
            memory.sleep(0.4)
            lost = []
            for k, question in enumerate(questions):
                now = memory.recall(Query(text="", vector=question, top=1))[0]
                times = [(s.t0_s, s.t1_s) for s in now.entry.spans]
                shown = first[k].entry.shown
                if not any(t0_s <= shown.t1_s and shown.t0_s <= t1_s for t0_s, t1_s in times):
                    lost.append(k)
            return lost

    lost = slept(tmp_path / "plain", [])
    assert len(lost) >= 5, "else there is nothing to show"
    assert len(set(slept(tmp_path / "asked", lost)) & set(lost)) <= len(lost) // 5
