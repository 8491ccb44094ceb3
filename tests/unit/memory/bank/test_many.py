"""A bank of many entries: what an event costs does not grow with them, and one that is loaded goes on alike."""

import numpy as np
import pytest

from hippocam.memory.bank import columns, learning, ranking, worth
from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.codes import Codes
from hippocam.memory.bank.columns import Columns
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.slots import Slots
from hippocam.memory.bank.state import BankState
from hippocam.memory.bank.utility import Utility
from hippocam.memory.codec import rounded
from hippocam.memory.records import Level, Slot

D = 16


def unit(rng):
    vector = rng.normal(size=D)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def slot(k, key_D, surprise=0.5):
    return Slot(
        entry_id=1000 + k,
        stream="cam",
        place=0,
        key_D=key_D,
        utility=surprise,
        last_s=10.0 * k,
        jpeg_bytes=0,
        words_bytes=0,
        level=Level.VECTORS,
    )


@pytest.fixture
def few(monkeypatch):
    """Where more than 64 entries are many, as 16,384 are."""
    for module, name, value in (
        (columns, "_RECENT", 64),
        (learning, "_REFRESH_ENTRIES", 64),
        (learning, "REFRESH_EVENTS", 4),
        (worth, "_RANKED", 32),
        (ranking, "_ALL", 64),
        (ranking, "_LEAST", 32),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("asked_every", [1, 3, 20])
@pytest.mark.parametrize("window", [5, 40])
def test_the_newest_rows_are_those_that_a_look_at_all_rows_finds(few, window, asked_every):
    rng, held = np.random.default_rng(0), Columns(D)
    ids = list[int]()
    for k in range(600):
        ids.append(k)
        held.set_keys(np.array([held.add(k, "cam")]), unit(rng)[None])
        if rng.random() < 0.4:
            held.delete(ids.pop(int(rng.integers(len(ids)))))
        if rng.random() < 0.2:
            held.clear_key(held.row(ids[int(rng.integers(len(ids)))]))
        if rng.random() < 0.1:  # one that had lost its key may get another
            held.set_keys(np.array([held.row(ids[int(rng.integers(len(ids)))])]), unit(rng)[None])
        if k % asked_every:
            continue
        wanted = np.flatnonzero(held.used & (held.scale > 0) & (held.order > held.added - window))
        assert held.window.rows(window).tolist() == wanted.tolist()


def test_cosines_are_those_of_the_keys_whether_rows_follow_each_other_or_not():
    rng, held = np.random.default_rng(1), Columns(D)
    rows = np.array([held.add(k, "cam") for k in range(200)])
    held.set_keys(rows, np.stack([unit(rng) for _ in rows]))
    key_D = unit(rng)
    for some in (rows, rows[20:90], rows[::3], rows[7:8], rows[:0]):
        np.testing.assert_allclose(held.cosines(some, key_D), held.keys(some) @ key_D, atol=1e-6)


def test_freed_rows_are_used_again_the_first_ones_first_and_then_new_ones():
    held = Columns(D)
    for k in range(100):
        held.add(k, "cam")
    for k in (70, 3, 99, 41):
        held.delete(k)
    assert [held.add(1000 + k, "cam") for k in range(6)] == [3, 41, 70, 99, 100, 101]


class Counting(Utility):
    """Counts among how many entries one is ranked."""

    ranked = 0

    def of(self, energies_N2):
        self.ranked = len(energies_N2)
        return super().of(energies_N2)


def test_what_is_met_again_is_ranked_among_no_more_entries_than_are_needed(monkeypatch):
    monkeypatch.setattr(worth, "_RANKED", 32)
    rng, utility = np.random.default_rng(2), Counting(D)
    bank, ranked = Bank(D, BankConfig(same=0, alike=0, least_same=0.9), utility), []
    for k in range(500):
        key = unit(rng)
        bank.add(slot(k, key))
        bank.match("cam", 0, key, 10.0 * k + 100)  # all are met again; from the 20th on it is known how they look
        ranked.append(utility.ranked)
    assert max(ranked) < 64
    assert ranked[55] > 24  # few are ranked among all


class Kept:
    """What a store would keep of a bank."""

    def __init__(self):
        self.state, self.sketches, self.lessons, self.counted, self.blocks = None, {}, {}, 0, {}

    def take(self, bank):
        change = bank.take_changes()
        if change.sketches is not None:
            self.sketches = change.sketches
        self.lessons |= {lesson.number: lesson for lesson in change.lessons}
        self.counted = change.counted
        self.blocks.update(change.blocks)
        self.state = self.state if change.numbers is None else change.numbers

    def given(self):
        blocks = {block: columns for block, columns in self.blocks.items() if columns}
        lessons = [self.lessons[number] for number in range(1, self.counted + 1)]
        return BankState(numbers=self.state, sketches=self.sketches, lessons=lessons, blocks=blocks)


def live(bank, kept, slots, rng, events):
    """Take in events, and give up as many entries once there are 300; return which."""
    gone = []
    for k in events:
        key_D = rounded(unit(rng))
        bank.match("cam", 0, key_D, 10.0 * k)
        new = slot(k, key_D, float(rng.random()))
        bank.add(new)
        slots[new.entry_id] = new
        while len(bank) > 300:
            step = bank.next_step()
            gone.append(step.entry_id)
            bank.delete(step.entry_id)
            del slots[step.entry_id]
        kept.take(bank)
    return gone


def test_only_the_cheapest_are_ranked_and_what_goes_is_among_the_cheapest_of_all(few):
    bank, rng = Bank(D, codes=Codes(None)), np.random.default_rng(1)
    live(bank, Kept(), {}, rng, range(300))
    step = bank.next_step()
    worths = bank.worths(list(bank))
    assert (worths < step.worth).mean() < 0.05


def test_a_bank_of_many_that_is_loaded_gives_up_what_the_other_would(few):
    bank, kept, slots = Bank(D, codes=Codes(None)), Kept(), {}
    live(bank, kept, slots, np.random.default_rng(3), range(517))
    loaded = Bank(D, codes=Codes(None))
    loaded.load(Slots.of(slots.values()), {"cam": 5160.0}, kept.given())
    later = range(517, 700)
    wanted = live(bank, kept, dict(slots), np.random.default_rng(4), later)
    assert live(loaded, kept, dict(slots), np.random.default_rng(4), later) == wanted
    assert len(wanted) == len(later)


def test_fitting_anew_grows_rarer_with_the_entries(few):
    bank, rng, fitted = Bank(D), np.random.default_rng(2), list[int]()
    for k in range(512):
        bank.match("cam", 0, unit(rng), 10.0 * k)
        bank.add(slot(k, unit(rng)))
        if bank.take_changes().sketches is not None:
            fitted.append(k + 1)
    steps = np.diff(fitted)
    assert set(steps[: 128 // 4 - 2]) == {4}
    assert 24 <= steps[-1] <= 32
