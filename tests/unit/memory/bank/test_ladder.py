"""Vectors of every length go the whole ladder down, their signs last, from the store to an import."""

from contextlib import closing

import numpy as np
import pytest

from hippocam.apps.transfer.transfer import export, import_file, write_file
from hippocam.memory.bank.bank import Bank
from hippocam.memory.codec import sign_bytes
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Level, Slot
from hippocam.memory.store.database import Store
from hippocam.memory.training.outline import learn_outline
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
    bank.demote(7, Level.SIGNS, 0)
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


def outlined_bank(*slots):
    vectors_ND = unit_rows(np.random.default_rng(3).normal(size=(400, 64)))
    bank = Bank(64, outline=learn_outline(vectors_ND, tables=4, directions=32), row_bytes=10)
    for slot in slots:
        bank.add(slot)
    return bank


def slot_of(entry_id, level=Level.VECTORS):
    key_D = unit(np.random.default_rng(entry_id).normal(size=64))
    return Slot(
        entry_id=entry_id,
        stream="cam",
        place=1,
        key_D=key_D,
        utility=entry_id,
        last_s=float(entry_id),
        level=level,
    )


def steps_of(bank, *, later=()):
    """All steps until nothing is left; what comes later comes after the first of them."""
    taken, waiting = [], list(later)
    while (step := bank.next_step()) is not None:
        taken.append((step.entry_id, step.to, step.outlined))
        if step.to is None:
            bank.delete(step.entry_id)
        else:
            bank.demote(step.entry_id, step.to, 0, outlined=step.outlined)
        while waiting:
            bank.add(waiting.pop())
    return taken


def test_where_an_outline_is_known_and_signs_have_little_room_it_takes_their_place():
    taken = steps_of(outlined_bank(slot_of(1), slot_of(2)), later=[slot_of(3)])
    for entry_id in (1, 2, 3):
        own = [step for step in taken if step[0] == entry_id]
        assert own == [(entry_id, Level.SIGNS, True), (entry_id, None, False)]


def test_beside_signs_nothing_becomes_an_outline():
    taken = steps_of(outlined_bank(slot_of(1, Level.SIGNS), slot_of(2)))
    assert taken == [(2, Level.SIGNS, False), (1, None, False), (2, None, False)]


def test_where_signs_have_room_for_many_nothing_becomes_an_outline():
    bank = outlined_bank(*map(slot_of, range(1, 2602)))
    step = bank.next_step()
    assert (step.to, step.outlined) == (Level.SIGNS, False)
