"""Vectors of every length go the whole ladder down, their signs last, from the store to an import."""

from contextlib import closing

import numpy as np
import pytest

from hippocam.apps.transfer.exporting import export, write_file
from hippocam.apps.transfer.importing import import_file
from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.codes import Codes, Outline
from hippocam.memory.bank.columns import Columns
from hippocam.memory.bank.twins import Twins
from hippocam.memory.codec import sign_bytes, signs
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Level, Slot
from hippocam.memory.store.database import Store
from hippocam.memory.training.outline import learn_tables
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import Embedding, EncoderSpec

# No picture, but what begins like one: none can be made smaller.
JPEG = b"\xff\xd8" + b"j" * 3000


def unit(row):
    return (row / np.linalg.norm(row)).astype(np.float32)


@pytest.mark.parametrize("dim", [5, 11, 64, 385])
def test_the_step_before_words_keeps_the_signs_and_frees_the_rest(dim):
    bank = Bank(dim)
    key_D = unit(np.random.default_rng(dim).normal(size=dim))
    bank.add(Slot(entry_id=7, stream="cam", place=1, key_D=key_D, utility=1.0, last_s=0.0, level=Level.VECTORS))
    step = bank.next_step()
    assert step is not None
    assert step.to == Level.SIGNS
    bank.demote([7], Level.SIGNS)
    step = bank.next_step()
    assert step is not None
    assert step.to is None


def rows(folder):
    """Id, level, key and scene of each entry, whether in a row or in a block."""
    with closing(Store(folder / "memory.db", writable=False)) as store:
        return store.connection.execute(
            "SELECT id, level, key, scene FROM every_entry WHERE (SELECT ?) ORDER BY id", (store.entries.count(),)
        ).fetchall()


def by_hand(blob, dim):
    """The sign of each number of a packed vector."""
    return np.unpackbits(np.frombuffer(blob[4:], np.uint8))[:dim] > 0


@pytest.mark.parametrize("dim", [385, 512])
def test_a_full_memory_keeps_signs_of_vectors_of_any_length_and_hands_them_on(tmp_path, dim):
    rng = np.random.default_rng(0)
    spec = EncoderSpec(id=f"test:{dim}", dim=dim, normalised=True, midpoint=0.3, slope=20.0)
    config = MemoryConfig(budget_bytes=400_000)
    shown = {}
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=spec, config=config) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for seq in range(420):
            if seq % 3 == 0:
                thing = shown[2.0 * seq] = unit(rng.normal(size=dim))
            frame = unit(thing + 0.1 * rng.normal(size=dim) / dim**0.5)
            memory.write([Embedding(stream="cam", seq=seq, time_s=2.0 * seq, vector=frame, jpeg=JPEG)])
        memory.finish("cam")

    held = [row for row in rows(tmp_path / "m") if row[1] == Level.SIGNS]
    assert len(held) >= 20
    with Memory.open_reader(tmp_path / "m") as memory:
        for entry_id, _, key, scene in held:
            assert len(key) == len(scene) == sign_bytes(dim) < dim // 7 + 6
            entry = memory.entry(entry_id)
            agreeing = (by_hand(scene, dim) == (shown[entry.t0_s] > 0)).mean()
            assert agreeing > 0.75, "the signs are those of what was shown"
            found = memory.recall(Query(text="", vector=shown[entry.t0_s], top=1))
            assert found[0].entry.id == entry_id
    write_file(tmp_path / "m.jsonl", export(tmp_path / "m", "jsonl"), memory=tmp_path / "m")
    import_file(tmp_path / "m.jsonl", tmp_path / "copy", encoder="test", budget_mb=4)
    assert rows(tmp_path / "copy") == rows(tmp_path / "m")


def bank_of(*slots):
    vectors_ND = unit_rows(np.random.default_rng(3).normal(size=(400, 64)))
    tables = learn_tables(vectors_ND, counts=(2, 6), directions=32)
    bank = Bank(64, codes=Codes(Outline(tables, 6), Outline(tables, 2)), row_bytes=40, block_bytes=10, vectors=1)
    for slot in slots:
        bank.add(slot)
    return bank


def slot_of(entry_id, level=Level.VECTORS, key_D=None):
    if key_D is None:
        key_D = unit(np.random.default_rng(entry_id).normal(size=64))
    return Slot(
        entry_id=entry_id, stream="cam", place=1, key_D=key_D, utility=1.0, last_s=float(entry_id), level=level
    )


def test_where_something_was_learned_an_outline_takes_the_place_of_signs_and_is_made_shorter_before_it_goes():
    bank = bank_of(slot_of(1), slot_of(2))
    taken = []
    while (step := bank.next_step()) is not None:
        taken.append((step.entry_id, step.to, step.short, step.freed_bytes))
        if step.to is None:
            bank.delete(step.entry_id)
        else:
            bank.demote([step.entry_id], step.to, short=step.short)
    steps = [
        (Level.SIGNS, False, 68 - 10 + 30),  # bytes of numbers, of an outline, and of a row less those in a block
        (Level.SIGNS, True, 10 - 6),
        (None, False, 6 + 10),
    ]
    for entry_id in (1, 2):
        assert [step[1:] for step in taken if step[0] == entry_id] == steps
    assert [step[1:3] for step in taken[:2]] == [(Level.SIGNS, False)] * 2, (
        "all are reduced before one is shortened"
    )


def test_outlines_are_as_near_to_each_other_as_they_are_and_signs_as_their_vectors_were():
    one, other = np.linalg.qr(np.random.default_rng(0).normal(size=(64, 2)))[0].T
    near = [unit(one), unit(0.8 * one + 0.6 * other)]
    for reduced, expected in ((near, 0.8), ([signs(key_D) for key_D in near], 0.8)):
        columns = Columns(64)
        for k, key_D in enumerate(reduced):
            row = columns.add(k, "cam")
            columns.level[row] = Level.SIGNS
            columns.set_keys(np.array([row]), key_D[None])
        Twins(columns, 8).pair_all()
        assert columns.twin_cosine[:2] == pytest.approx(expected, abs=0.01 if reduced is near else 0.15)
        plain = reduced[0] @ reduced[1] / np.linalg.norm(reduced[0]) / np.linalg.norm(reduced[1])
        assert (reduced is near) == (plain == pytest.approx(0.8, abs=0.05))
