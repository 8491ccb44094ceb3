"""What another budget would hold is what it does hold; what is found by age is what was held and asked."""

import shutil

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import BudgetTooSmallError
from hippocam.memory.folder import EXEMPLARS
from hippocam.memory.memory import Memory
from hippocam.memory.outlook.ages import Watched, by_age
from hippocam.memory.outlook.smaller import within
from hippocam.memory.records import Level
from hippocam.stream.records import Embedding, EncoderSpec

D = 256
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
BUDGET = 20_000_000


def writer(folder, budget=None):
    config = MemoryConfig() if budget is None else MemoryConfig(budget_bytes=budget)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".jpg", ".db")}


@pytest.fixture(scope="module")
def watched_once(tmp_path_factory):
    """A memory of 900 events of 4 s, each of something else, with pictures too small for thumbnails."""
    rng, made = np.random.default_rng(3), tmp_path_factory.mktemp("made") / "memory"
    with writer(made, BUDGET) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        seq = 0
        for number in range(900):
            centre = rng.normal(size=D)
            for k in range(4):
                vector = centre + 0.15 * rng.normal(size=D)
                vector = (vector / np.linalg.norm(vector)).astype(np.float32)
                jpeg = f"{number}-{k}".encode().ljust(4000, b".")
                time_s = float(4 * number + k)
                memory.write([Embedding(stream="cam", seq=seq, time_s=time_s, vector=vector, jpeg=jpeg)])
                seq += 1
        memory.finish("cam", end_s=3600.0)
    return made


@pytest.fixture
def folder(watched_once, tmp_path):
    """A copy of it."""
    return shutil.copytree(watched_once, tmp_path / "memory")


@pytest.mark.parametrize("budget_mb", [2, 1])
def test_what_is_tried_out_is_what_the_budget_then_gives_up(folder, budget_mb):
    with Memory.open_reader(folder) as memory:
        before = contents(folder)
        tried = within(memory.store, SPEC, budget_mb * 1_000_000, pictures=folder / EXEMPLARS)
        assert contents(folder) == before
        assert set(tried.levels) | set(tried.given_up) | set(tried.merged) == {
            slot.entry_id for slot in memory.store.entries.slots()
        }
    with writer(folder, budget_mb * 1_000_000) as memory:
        real = {slot.entry_id: slot.level for slot in memory.store.entries.slots()}
    assert max(real.values()) > Level.FULL  # it had to give something up
    alike = sum(real.get(entry_id) == level for entry_id, level in tried.levels.items())
    assert alike >= 0.9 * len(real)
    assert abs(len(tried.levels) - len(real)) <= 0.1 * len(real)
    assert tried.bytes <= budget_mb * 1_000_000


def test_what_is_pinned_stays_whole(folder):
    with writer(folder) as memory:
        pinned = next(memory.store.entries.slots()).entry_id
        memory.pin(pinned)
    with Memory.open_reader(folder) as memory:
        tried = within(memory.store, SPEC, 1_000_000, pictures=folder / EXEMPLARS)
        assert tried.levels[pinned] == Level.FULL
        assert pinned in tried.pictured


def test_more_than_enough_gives_nothing_up_and_too_little_is_refused(folder):
    with Memory.open_reader(folder) as memory:
        tried = within(memory.store, SPEC, 4 * BUDGET, pictures=folder / EXEMPLARS)
        assert (tried.given_up, tried.merged) == ((), {})
        assert set(tried.levels.values()) == {Level.FULL}
        with pytest.raises(BudgetTooSmallError):
            within(memory.store, SPEC, 100_000, pictures=folder / EXEMPLARS)


def test_what_was_forgotten_is_neither_held_nor_found_at_its_age(folder):
    with Memory.open_reader(folder) as memory:
        watched = Watched.of(memory.store)
        assert watched.oldest_s == pytest.approx(3600.0, abs=5)
        newest, oldest = by_age(watched, watched.held, [0.0, 1800.0, 3600.0])
        left = [one for one in watched.held if one.spans[0].t0_s >= 1800.0]
        kept, lost = by_age(watched, left, [0.0, 1800.0, 3600.0])
    assert newest.held == pytest.approx(1.0, abs=0.01)
    assert oldest.watched_s == pytest.approx(1800.0, abs=5)
    for age in (newest, oldest):
        assert age.found is not None
        assert 0.8 < age.found[1] <= age.found[5] <= 1.0
    assert lost.found is not None
    assert lost.found[5] < 0.01  # but for the event at the edge
    assert kept.found is not None
    assert kept.found[1] >= newest.found[1] - 0.01  # fewer entries are in the way


def test_what_is_merged_hands_its_times_over_and_what_keeps_signs_is_asked_by_them(folder):
    with Memory.open_reader(folder) as memory:
        held = memory.store.entries.held()
        tried = within(memory.store, SPEC, 1_000_000, pictures=folder / EXEMPLARS)
    left = {one.id: one for one in tried.left_of(held)}
    signs = [one for one in left.values() if one.level == Level.SIGNS]
    assert signs
    assert all(len(set(np.abs(one.key_D).tolist())) == 1 for one in signs)
    given_up = set(tried.given_up)
    assert not given_up & set(left)
