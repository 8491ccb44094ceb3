"""The bank against its definitions, computed from scratch over plain lists."""

from dataclasses import replace

import numpy as np
import pytest

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.learning import REFRESH_EVENTS
from hippocam.memory.bank.slots import Slots
from hippocam.memory.bank.state import BankState
from hippocam.memory.bank.utility import FULL_ROWS, MIN_AGAIN, Prior, Sketch, Utility, keys_of
from hippocam.memory.bank.worth import MAX_REDUNDANCY
from hippocam.memory.codec import rounded, signs
from hippocam.memory.records import Level, Slot

D = 24


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def random_keys(rng, n, dim=D):
    return [unit(rng.normal(size=dim)) for _ in range(n)]


def slot(entry, key, *, utility=1.0, last_s=0.0, stream="cam", **more):
    return Slot(entry_id=entry, stream=stream, place=1, key_D=key, utility=utility, last_s=last_s, **more)


def feed(bank, keys, *, stream="cam", start=0, gap_s=10.0):
    """Match and add one event a key, as long-term memory does where nothing is the same."""
    for n, key in enumerate(keys, start):
        bank.match(stream, 1, key, n * gap_s)
        bank.add(slot(n, key, last_s=n * gap_s + 5, stream=stream))


def test_worth_is_utility_times_what_is_not_redundant_times_decay():
    rng = np.random.default_rng(0)
    config = BankConfig(arm="surprise", fade_s=100.0, fade_power=0.5)
    bank, held, now = Bank(D, config), {}, {}
    base = random_keys(rng, 12)
    for n in range(150):
        key = unit(base[int(rng.integers(12))] + rng.uniform(0.05, 0.6) * unit(rng.normal(size=D)))
        stream = "ab"[int(rng.integers(2))]
        slot_n = slot(n, key, utility=float(rng.uniform(0.1, 2)), last_s=float(n), stream=stream)
        bank.match(stream, 1, key, float(n))
        bank.add(slot_n)
        held[n], now[stream] = slot_n, float(n)
        if len(held) > 30:
            gone = bank.next_step().entry_id
            bank.delete(gone)
            del held[gone]
    alike_at, same_at = bank.thresholds
    for n, mine in held.items():
        cosines = [float(mine.key_D @ h.key_D) for k, h in held.items() if k != n and h.stream == mine.stream]
        redundancy = MAX_REDUNDANCY * np.clip((max(cosines) - alike_at) / (same_at - alike_at), 0, 1)
        decay = (1 + (now[mine.stream] - mine.last_s) / 100) ** -0.5
        told = bank.explain(n)
        assert told.redundancy == pytest.approx(redundancy, abs=0.15)  # keys are held as int8
        assert told.decay == pytest.approx(decay)
        assert told.worth == pytest.approx(mine.utility * (1 - told.redundancy) * decay)
    ranks = sorted(bank.explain(n).rank for n in held)
    assert ranks[0] == 1
    assert bank.explain(bank.next_step().entry_id).worth == min(bank.explain(n).worth for n in held)


def test_of_equal_entries_the_smallest_id_goes_and_only_one():
    bank = Bank(D)
    for entry, key in zip((7, 3, 9), np.eye(3, D, dtype=np.float32), strict=True):
        bank.add(slot(entry, key))
    assert bank.next_step().entry_id == 3
    bank.delete(3)
    assert sorted(bank) == [7, 9]


def test_nothing_is_left_to_give_up_where_all_is_pinned():
    bank = Bank(D)
    assert bank.next_step() is None
    bank.add(slot(1, np.eye(1, D, dtype=np.float32)[0], pinned=True))
    assert bank.next_step() is None
    bank.pin(1, False)
    assert bank.next_step().entry_id == 1


@pytest.mark.parametrize("weaker", [{"last_s": 0.0}, {"strength": 1.0}])
def test_retention_is_monotone_in_age_and_strength(weaker):
    bank = Bank(D, BankConfig(arm="surprise", fade_power=0.3))
    stronger = {"last_s": 1e5, "strength": 1.0} if "last_s" in weaker else {"last_s": 0.0, "strength": 9.0}
    bank.add(slot(1, np.eye(3, D, dtype=np.float32)[0], **{"last_s": 0.0, **weaker}))
    bank.add(slot(2, np.eye(3, D, dtype=np.float32)[1], **stronger))
    bank.add(slot(3, np.eye(3, D, dtype=np.float32)[2], last_s=2e5))
    decay = {n: bank.explain(n).decay for n in (1, 2, 3)}
    assert decay[1] < decay[2] <= decay[3] == 1
    assert bank.next_step().entry_id == 1


def test_evidence_is_given_up_step_by_step_and_pictures_before_moments():
    bank = Bank(D)
    bank.add(slot(1, np.eye(1, D, dtype=np.float32)[0], jpeg_bytes=20_000, words_bytes=40))
    levels = []
    while (step := bank.next_step()) is not None:
        levels.append(step.to)
        if step.to is None:
            bank.delete(1)
        else:
            bank.demote([1], step.to, jpeg_bytes=2_500 if step.to == Level.SMALL else 0)
    assert levels == [Level.SMALL, Level.VECTORS, Level.SIGNS, Level.WORDS, None]
    assert bank.picture_bytes == 0


def test_an_entry_whose_twin_is_as_good_is_merged_into_it():
    rng = np.random.default_rng(1)
    bank = Bank(D)
    keys = random_keys(rng, 40)
    feed(bank, keys)
    bank.add(slot(99, unit(keys[7] + 0.01 * keys[8]), utility=3.0, last_s=999.0))
    step = bank.next_step()
    assert (step.entry_id, step.to, step.twin) == (7, None, 99)
    bank.delete(7)
    assert bank.explain(99).redundancy < MAX_REDUNDANCY  # it is the only one now


def test_the_same_thing_in_the_same_place_is_the_same_and_elsewhere_it_is_met_again():
    rng = np.random.default_rng(2)
    bank = Bank(D)
    keys = random_keys(rng, 2 * REFRESH_EVENTS)
    feed(bank, keys)
    again = unit(keys[5] + 0.05 * unit(rng.normal(size=D)))
    here, elsewhere = bank.match("cam", 1, again, 1e5), bank.match("cam", 2, again, 1e5)
    assert (here.entry_id, here.same, here.again) == (5, True, True)
    assert (elsewhere.entry_id, elsewhere.same, elsewhere.again) == (5, False, True)
    new = bank.match("cam", 1, unit(rng.normal(size=D)), 1e5)
    assert not new.same
    assert not new.again
    assert bank.match("other", 1, again, 1e5) is None  # what another stream holds is not this stream's


def test_a_new_thing_is_told_from_noise_by_the_stream_itself():
    """Where all keys are alike, as on a still camera, being alike is no sign of being the same."""
    rng = np.random.default_rng(3)
    loose, tight = Bank(128), Bank(128)
    common = unit(rng.normal(size=128))
    feed(loose, random_keys(rng, 2 * REFRESH_EVENTS, 128))
    feed(tight, [unit(common + 0.9 * unit(rng.normal(size=128))) for _ in range(2 * REFRESH_EVENTS)])
    assert tight.thresholds[1] > loose.thresholds[1]


class Kept:
    """What a store would hold of a bank: the latest of all that it was given."""

    def __init__(self):
        self.numbers, self.sketches, self.lessons, self.counted, self.blocks = None, {}, {}, 0, {}

    def take(self, bank):
        change = bank.take_changes()
        self.numbers = change.numbers or self.numbers
        if change.sketches is not None:
            self.sketches = change.sketches
        self.lessons |= {lesson.number: lesson for lesson in change.lessons}
        self.counted = change.counted
        self.blocks |= change.blocks

    def state(self):
        blocks = {number: block for number, block in self.blocks.items() if block}
        lessons = [self.lessons[number] for number in range(1, self.counted + 1)]
        return BankState(numbers=self.numbers, sketches=self.sketches, lessons=lessons, blocks=blocks)


@pytest.mark.parametrize("prior", [None, Prior(rows=np.eye(4, D, dtype=np.float32), signs=np.ones(4), events=9.0)])
@pytest.mark.parametrize("cut", [3, 64, 150, 199, 256])
def test_a_bank_that_is_loaded_goes_on_to_the_last_bit(cut, prior):
    """Two banks take the same events; one of them is loaded anew in their midst from what was kept."""
    rng = np.random.default_rng(4)
    base = random_keys(rng, 20)
    going, kept, slots, ends_s = Bank(D, utility=Utility(D, prior)), Kept(), {}, {}
    banks = [going]
    for n in range(300):
        key = rounded(unit(base[int(rng.integers(20))] + rng.uniform(0.1, 1.5) * unit(rng.normal(size=D))))
        stream, utility = "ab"[int(rng.integers(2))], float(rng.uniform(0.1, 2))
        new = slot(n, key, utility=utility, last_s=10.0 * n + 5, stream=stream)
        found = {bank.match(stream, 1, key, 10.0 * n) for bank in banks}
        assert len(found) == 1
        slots[n], ends_s[stream] = new, new.last_s
        for bank in banks:
            bank.add(new)
        while len(going) > 60:
            steps = {bank.next_step() for bank in banks}
            assert len(steps) == 1  # the worth too, to the last bit
            (step,) = steps
            if step.to is None:
                del slots[step.entry_id]
                for bank in banks:
                    bank.delete(step.entry_id)
                continue
            old = slots[step.entry_id]
            key_D = rounded(signs(old.key_D)) if step.to == Level.SIGNS else old.key_D
            key_D = None if step.to == Level.WORDS else key_D
            slots[step.entry_id] = replace(old, level=step.to, key_D=key_D)
            for bank in banks:
                reduced = Slots.of([slots[step.entry_id]]) if step.to >= Level.SIGNS else None
                bank.demote([step.entry_id], step.to, reduced=reduced)
        kept.take(going)
        if n == cut:
            loaded = Bank(D, utility=Utility(D, prior))
            by_stream = sorted(slots.values(), key=lambda one: (one.stream, one.entry_id))
            loaded.load(Slots.of(by_stream), ends_s, kept.state())
            banks.append(loaded)
    assert len(banks) == 2
    assert [banks[0].explain(n) for n in banks[0]] == [banks[1].explain(n) for n in banks[1]]
    assert banks[0].learning.events == banks[1].learning.events == 300


def test_a_bank_whose_rows_were_not_kept_is_measured_anew():
    rng = np.random.default_rng(4)
    keys = random_keys(rng, 200)
    bank, loaded, kept = Bank(D), Bank(D), Kept()
    feed(bank, keys)
    bank.refresh()
    kept.take(bank)
    slots = [slot(n, key, last_s=n * 10.0 + 5) for n, key in enumerate(keys)]
    for state in (kept.state(), replace(kept.state(), blocks={}), replace(kept.state(), blocks={0: b"damaged"})):
        loaded.load(Slots.of(slots), {}, state)
        for n in range(200):
            mine, theirs = bank.explain(n), loaded.explain(n)
            assert theirs.twin == mine.twin
            assert theirs.worth == pytest.approx(mine.worth)


def test_what_comes_back_is_worth_more_than_what_never_does():
    """Things live in one subspace and come back, distractors in another and never do; new ones are told apart."""
    rng = np.random.default_rng(5)
    basis, _ = np.linalg.qr(rng.normal(size=(D, D)))
    things, noise = basis[:, :8].T, basis[:, 8:16].T
    known = [unit(rng.normal(size=8) @ things) for _ in range(12)]
    bank = Bank(D, BankConfig(again_s=60.0))
    for n in range(600):
        kind = rng.random()
        key = known[int(rng.integers(12))] if kind < 0.5 else unit(rng.normal(size=8) @ noise)
        key = unit(key + 0.2 * unit(rng.normal(size=D)))
        bank.match("cam", n, key, 10.0 * n)
        bank.add(slot(n, key, last_s=10.0 * n))
    new_things = np.stack([unit(rng.normal(size=8) @ things) for _ in range(100)])
    new_noise = np.stack([unit(rng.normal(size=8) @ noise) for _ in range(100)])
    thing, other = (bank.utility.of(bank.utility.energies(k)) for k in (new_things, new_noise))
    assert (thing[:, None] > other[None]).mean() > 0.9
    assert bank.chooser.best() != "surprise"  # which tells nothing here: all are as surprising


def test_a_prior_of_another_domain_loses_to_surprise():
    rng = np.random.default_rng(6)
    wrong = Prior(rows=np.eye(4, D, dtype=np.float32), signs=np.ones(4, np.float32), events=1e6)
    bank = Bank(D, utility=Utility(D, wrong))
    known = [unit(np.r_[np.zeros(8), rng.normal(size=D - 8)]) for _ in range(30)]
    spread = np.r_[np.full(8, 3.0), np.ones(D - 8)]
    for n in range(1500):  # what comes back is surprising, and never where the prior says
        back = rng.random() < 0.3
        key = known[int(rng.integers(30))] if back else unit(rng.normal(size=D) * spread)
        bank.match("cam", n, key, 100.0 * n)
        bank.add(slot(n, key, utility=2.0 if back else float(rng.uniform(0.5, 1.9)), last_s=100.0 * n))
        while len(bank) > 300:
            bank.delete(bank.next_step().entry_id)
    assert bank.chooser.best() == "surprise"


def test_a_sketch_keeps_the_sum_of_squares_within_its_bound():
    """Liberty 2013: 0 <= |A x|^2 - |B x|^2 <= |A|_F^2 / (rows kept), for every unit x."""
    rng = np.random.default_rng(7)
    sketch, rows = Sketch(64), []
    for _ in range(500):
        row = unit(rng.normal(size=64) * np.r_[np.full(6, 5.0), np.ones(58)])
        sketch.add(keys_of(row[None]))
        rows.append(row)
    asked = np.stack(random_keys(rng, 50, 64))
    truth = np.square(asked @ np.stack(rows).T).sum(axis=1)
    kept = sketch.energy(asked) * len(rows)
    assert np.all(kept <= truth * 1.02)
    assert np.all(truth - kept <= len(rows) / (FULL_ROWS - 24))
    again = Sketch(64)
    again.load(sketch.dump())
    np.testing.assert_array_equal(again.energy(asked), sketch.energy(asked))


def test_a_sketch_of_few_dimensions_is_exact():
    rng = np.random.default_rng(8)
    sketch, rows = Sketch(6), random_keys(rng, 300, 6)
    for row in rows:
        sketch.add(keys_of(row[None]))
    asked = np.stack(random_keys(rng, 20, 6))
    truth = np.square(asked @ np.stack(rows).T).mean(axis=1)
    np.testing.assert_allclose(sketch.energy(asked), truth, rtol=0.05)


def test_utility_says_nothing_before_enough_was_met_again():
    utility = Utility(D)
    key = np.eye(1, D, dtype=np.float32)
    for _ in range(MIN_AGAIN - 1):
        utility.learn(key[0], again=True)
    assert utility.of(utility.energies(key)).tolist() == [0.5]
    assert not utility.knows


@pytest.mark.parametrize(("name", "value"), [("alike", 9), ("again_s", 0), ("fade_power", -1), ("arm", "best")])
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ValueError, match=f"bank.{name} must be"):
        BankConfig(**{name: value})


# use as evidence ------------------------------------------------------------------------------------------


def test_of_two_alike_the_one_that_was_used_as_evidence_outlives_the_other():
    keys = np.eye(D, dtype=np.float32)
    for used in (1, 2):
        bank = Bank(D)
        for entry_id in (1, 2):
            bank.add(slot(entry_id, keys[entry_id]))
        bank.use(used, strength=2.0)
        step = bank.next_step()
        assert step is not None
        assert step.entry_id != used
        assert bank.explain(used).used == 1.5
        assert bank.explain(3 - used).used == 1.0


def test_uses_are_loaded_with_an_entry_and_count_ever_less():
    keys = np.eye(D, dtype=np.float32)
    bank = Bank(D)
    used = ((1, 0), (2, 1), (3, 3), (4, 7))
    bank.load(Slots.of(slot(entry_id, keys[entry_id], uses=uses) for entry_id, uses in used))
    bank.refresh()
    assert [bank.explain(entry_id).used for entry_id in (1, 2, 3, 4)] == [1.0, 1.5, 2.0, 2.5]
    worths = bank.worths([1, 2, 3, 4])
    assert (np.diff(worths) > 0).all()


def test_what_was_used_as_evidence_is_learned_from_like_what_is_met_again():
    rng = np.random.default_rng(0)
    bank = Bank(D)
    for entry_id in range(60):
        key = unit(rng.normal(size=D) + (4 * np.eye(D)[0] if entry_id % 2 else 0))
        bank.match("cam", 1, key, float(entry_id))
        bank.add(slot(entry_id, key, last_s=float(entry_id)))
    assert bank.explain(1).learned == 0.5, "nothing is known yet"
    for entry_id in range(1, 60, 2):
        bank.use(entry_id, strength=2.0)
    bank.refresh()
    asked, others = ([bank.explain(k).learned for k in range(first, 60, 2)] for first in (1, 0))
    assert np.mean(asked) > np.mean(others) + 0.1


def test_an_import_may_say_that_it_was_met_more_often_than_32_bits_can_count():
    bank, (one, two) = Bank(D, BankConfig()), random_keys(np.random.default_rng(5), 2)
    bank.add(slot(1, one, met=1 << 40, uses=1 << 40))
    assert bank.met(1) == 1 << 40
    many = Bank(D, BankConfig())
    many.load(Slots.of([slot(1, one, met=1 << 40), slot(2, two)]))
    assert (many.met(1), many.met(2)) == (1 << 40, 1)
