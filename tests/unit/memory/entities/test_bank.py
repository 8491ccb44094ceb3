"""Entities of a world in which who was where at what time is known."""

from __future__ import annotations

import dataclasses
import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hippocam.memory.codec import holds_signs, unpack
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import EntityConfig
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding, Repeat, Sensed, Thing

UNIT = np.ones(4, np.float32) / 2
LOOKS = np.eye(8, dtype=np.float32)


def memory(config: EntityConfig | None = None) -> EntityMemory:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.create(connection)
    return EntityMemory(connection, config)


def rows(bank: EntityMemory) -> list[str]:
    """All that is stored."""
    return [f"{table} {row}" for table in tables.TABLES for row in bank._db.execute(f"SELECT * FROM {table}")]


def thing(who: int, x: float, rng: np.random.Generator, *, label: str = "person", score: float = 0.8) -> Thing:
    look = LOOKS[who] + 0.05 * rng.normal(size=8).astype(np.float32)
    box = (max(0.0, x - 0.05), 0.2, min(1.0, x + 0.05), 0.9)
    return Thing(label=label, score=score, box=box, vector=(look / np.linalg.norm(look)).astype(np.float32))


def world(plan, *, until_s: float, step_s: float = 1.0, stream: str = "cam", seed: int = 0, label: str = "person"):
    """Frames of a stream: plan has (who, from, to) each; who goes from left to right, two never at one height."""
    rng = np.random.default_rng(seed)
    items = []
    for seq, time_s in enumerate(np.arange(0, until_s, step_s)):
        there = [(who, t0, t1) for who, t0, t1 in plan if t0 <= time_s < t1]
        things = tuple(
            thing(who, 0.1 + 0.8 * (time_s - t0) / (t1 - t0), rng, label=label) for who, t0, t1 in there
        )
        items.append(
            Embedding(stream=stream, seq=seq, time_s=float(time_s), vector=UNIT, sensed=Sensed(things=things))
        )
    return items


def watch(bank: EntityMemory, items, *, every: int = 7, finish: bool = True) -> bytes:
    state = b""
    for i, item in enumerate(items):
        bank.push(item)
        if i % every == every - 1:
            state = bank.write(item.stream)
    if finish:
        bank.flush(items[0].stream)
    return bank.write(items[0].stream) or state


PLAN = [(0, 5, 20), (1, 15, 30), (0, 40, 55), (2, 60, 70)]


@pytest.mark.parametrize("step_s", [1.0, 0.5, 0.2])
def test_visits_have_their_times_and_who_comes_back_is_known(step_s):
    bank = memory()
    watch(bank, world(PLAN, until_s=80, step_s=step_s))
    found = [[(v.t0_s, v.t1_s) for v in entity.visits] for entity in bank.entities()]
    truth = [[(5, 20), (40, 55)], [(15, 30)], [(60, 70)]]
    assert [len(each) for each in found] == [len(each) for each in truth]
    np.testing.assert_allclose(np.concatenate(found), np.concatenate(truth), atol=step_s / 2 + 1e-6)
    counted = bank.count(label="person")
    assert (counted.entities, counted.visits) == (3, 4)


def test_what_is_asked_about_an_earlier_time_uses_nothing_later():
    items = world(PLAN, until_s=80)
    whole = memory()
    watch(whole, items)
    for at in range(2, 79, 3):
        seen = memory()
        watch(seen, items[: at + 1], finish=False)
        assert whole.count(at_s=at) == seen.count(at_s=at)
        now = [[visit.id for visit in e.visits if visit.there(at)] for e in whole.now("cam", at)]
        assert now == [[visit.id for visit in e.visits if visit.there(at)] for e in seen.now("cam", at)]
        truth = [who for who, t0, t1 in PLAN if t0 + 1 <= at < t1]  # known from the second frame on
        assert len(now) == len(truth)


def test_a_thing_that_is_missed_for_a_moment_is_still_the_same_visit():
    items = world([(0, 5, 25)], until_s=40)
    for missing in (9, 10, 16):
        items[missing] = dataclasses.replace(items[missing], sensed=Sensed())
    bank = memory()
    watch(bank, items)
    (entity,) = bank.entities()
    assert [(visit.t0_s, visit.t1_s) for visit in entity.visits] == [(4.5, 24.5)]
    assert bank.now("cam", 9.5) == []  # as was known then
    assert len(bank.now("cam", 12)) == 1


def missed(items, *, seqs):
    """The same frames, in some of which the detector found nothing."""
    return [dataclasses.replace(item, sensed=Sensed()) if item.seq in seqs else item for item in items]


# A thing there from 5 to 45 s, missed once and twice in a row, at writes and beside them.
MISSED = [
    frozenset({20}),
    frozenset({7, 8}),
    frozenset({9, 10, 16}),
    frozenset(range(6, 45, 3)),
    frozenset({43, 44}),
]


@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("seqs", MISSED)
def test_a_frame_that_is_missed_at_a_write_does_not_freeze_the_visit(every, seqs):
    items = missed(world([(0, 5, 45)], until_s=60), seqs=seqs)
    bank = memory()
    watch(bank, items, every=every)
    (entity,) = bank.entities()
    (visit,) = entity.visits
    last = max(seq for seq in range(5, 45) if seq not in seqs)
    assert (visit.t0_s, visit.t1_s) == (4.5, last + 0.5)
    assert visit.hits == 40 - len(seqs)
    assert len(bank.now("cam", last)) == 1
    assert bank.now("cam", 50) == []


@pytest.mark.parametrize("seqs", MISSED)
@pytest.mark.parametrize("cut", range(4, 58, 6))
def test_a_kill_at_any_write_does_not_freeze_a_visit_either(cut, seqs):
    items = missed(world([(0, 5, 45)], until_s=60), seqs=seqs)
    whole = memory()
    watch(whole, items, every=1)
    bank = memory()
    state = watch(bank, items[:cut], every=1, finish=False)
    bank.push(items[cut])  # seen, and killed before it was written down
    resumed = EntityMemory(bank._db)
    resumed.restore("cam", state)
    watch(resumed, items[cut:], every=1)
    assert rows(resumed) == rows(whole)


def test_watching_again_never_makes_a_visit_shorter_meanwhile():
    items = missed(world([(0, 5, 60)], until_s=60), seqs={20, 21})
    bank = memory()
    watch(bank, items, every=1, finish=False)
    before = rows(bank)
    again = EntityMemory(bank._db)
    for item in items:
        again.push(item)
        again.write("cam")
        assert rows(bank) == before


def test_what_a_person_merged_and_split_stays_so_while_the_visits_grow():
    plan = [(0, 2, 8), (1, 10, 16), (2, 30, 60), (3, 32, 60), (1, 18, 24)]
    items = missed(world(plan, until_s=70), seqs={36, 38, 40, 45})
    bank, alone = memory(), memory()
    watch(alone, items, every=1)
    for item in items[:37]:
        bank.push(item)
        bank.write("cam")
    first, second, third, fourth = bank.entities()
    assert bank.now("cam", 36) == []  # out of sight when the commands come
    bank.merge(first.id, third.id)
    bank.split(second.visits[1].id)
    bank.merge(second.id, fourth.id)
    whose = {visit.id: entity.id for entity in bank.entities() for visit in entity.visits}
    for item in items[37:]:
        bank.push(item)
        bank.write("cam")
    bank.flush("cam")
    bank.write("cam")
    assert {visit.id: entity.id for entity in bank.entities() for visit in entity.visits} == whose
    seen, truth = (
        {visit.id: (visit.t0_s, visit.t1_s, visit.hits) for entity in each.entities() for visit in entity.visits}
        for each in (bank, alone)
    )
    assert seen == truth
    assert sorted(end_s for _, end_s, _ in seen.values())[-2:] == [59.5, 59.5]
    for change in reversed(bank.changes()):
        if change.kind != "link":
            bank.undo(change.id)
    assert bank.entities() == alone.entities()


def test_who_is_out_of_sight_while_room_is_made_for_another_is_not_counted_twice():
    config = EntityConfig(budget_bytes=10_000, same_person=1.0)
    late = world([(4 + i % 4, 10 * i + 3, 10 * i + 9) for i in range(100)], until_s=1010)
    early = world([(i % 4, 10 * i, 10 * i + 8) for i in range(100)], until_s=1010)
    early = missed(early, seqs=range(4, 1010, 10))  # just when the other becomes known
    bank = memory(config)
    for one, other in zip(early, late, strict=True):
        things = one.sensed.things + other.sensed.things
        bank.push(dataclasses.replace(one, sensed=Sensed(things=things)))
        bank.write("cam")
        assert bank.nbytes() <= config.budget_bytes
    bank.flush("cam")
    bank.write("cam")
    counted = bank.count(label="person")
    assert counted.entities == counted.visits == 200
    assert counted.given_up > 0


def test_repeats_prolong_what_was_there():
    items = world([(0, 5, 15)], until_s=15)
    items += [Repeat(stream="cam", seq=15 + i, time_s=15.0 + i) for i in range(3600)]
    bank = memory()
    watch(bank, items)
    (entity,) = bank.entities()
    assert (entity.first_s, entity.last_s) == (4.5, 3614.0)
    assert bank.nbytes() < 1000


def test_an_unsure_detection_makes_nothing_known():
    rng = np.random.default_rng(0)
    items = [
        Embedding(
            stream="cam",
            seq=i,
            time_s=float(i),
            vector=UNIT,
            sensed=Sensed(things=(thing(0, 0.5, rng, score=0.35),)),
        )
        for i in range(10)
    ]
    bank = memory()
    watch(bank, items)
    assert bank.entities() == []


def test_of_two_labels_for_what_goes_about_the_one_that_can_is_taken():
    rng = np.random.default_rng(0)
    items = []
    for i in range(6):
        phone = thing(1, 0.1 + 0.15 * i, rng, label="cell phone", score=0.7)
        car = thing(2, 0.1 + 0.15 * i, rng, label="car", score=0.4)
        items.append(
            Embedding(stream="cam", seq=i, time_s=float(i), vector=UNIT, sensed=Sensed(things=(phone, car)))
        )
    bank = memory()
    watch(bank, items)
    assert [entity.label for entity in bank.entities()] == ["car"]


def test_watching_again_adds_nothing():
    items = world(PLAN, until_s=80)
    bank = memory()
    watch(bank, items)
    before = rows(bank)
    watch(bank, items)  # the same process: positions are known
    again = EntityMemory(bank._db)
    watch(again, items)  # another one, without the state
    assert rows(again) == before


@pytest.mark.parametrize("cut", [6, 18, 29, 41, 52, 69])
def test_going_on_from_the_state_is_as_if_never_interrupted(cut):
    items = world(PLAN, until_s=80)
    whole = memory()
    last = watch(whole, items)
    bank = memory()
    state = watch(bank, items[:cut], finish=False)
    resumed = EntityMemory(bank._db)
    resumed.restore("cam", state)
    assert watch(resumed, items[cut:]) == last
    assert rows(resumed) == rows(whole)


def test_ids_do_not_depend_on_what_ran_beside():
    ours, other = world(PLAN, until_s=80), world([(3, 1, 40)], until_s=80, stream="other", seed=1)
    alone, beside = memory(), memory()
    watch(alone, ours)
    for a, b in zip(ours, other, strict=True):
        beside.push(b)
        beside.push(a)
    for stream in ("other", "cam"):
        beside.flush(stream)
        beside.write(stream)
    assert beside.entities("cam") == alone.entities("cam")


def test_merge_and_split_change_whose_visits_are_and_undo_restores_all():
    bank = memory()
    watch(bank, world(PLAN, until_s=80))
    before = bank.entities()
    first, second, third = before
    merged = bank.merge(first.id, second.id)
    assert [len(entity.visits) for entity in bank.entities()] == [3, 1]
    split = bank.split(first.visits[1].id)
    assert [len(entity.visits) for entity in bank.entities()] == [2, 1, 1]
    with pytest.raises(HippocamError, match="no change 99"):
        bank.undo(99)
    bank.undo(split.id)
    bank.undo(merged.id)
    assert bank.entities() == before
    with pytest.raises(HippocamError, match="no change"):
        bank.undo(merged.id)
    with pytest.raises(HippocamError, match="only one"):
        bank.split(third.visits[0].id)
    with pytest.raises(HippocamError, match="with itself"):
        bank.merge(first.id, first.id)
    with pytest.raises(HippocamError, match="no entity"):
        bank.merge(first.id, 5)


def test_a_link_that_was_made_by_itself_can_be_undone_and_is_not_made_again():
    bank = memory()
    items = world(PLAN, until_s=80)
    watch(bank, items)
    (link,) = bank.changes()
    assert link.kind == "link"
    bank.undo(link.id)
    assert bank.count().entities == 4
    watch(EntityMemory(bank._db), items)
    assert bank.count().entities == 4


def test_a_change_below_a_later_one_of_the_same_visits_waits():
    bank = memory()
    watch(bank, world([(0, 1, 10), (1, 15, 25), (2, 30, 40)], until_s=50))
    first, second, third = bank.entities()
    lower = bank.merge(first.id, second.id)
    bank.merge(third.id, first.id)
    with pytest.raises(HippocamError, match="undo it first"):
        bank.undo(lower.id)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_any_merges_and_splits_are_undone_exactly_in_reverse(commands):
    bank = memory()
    watch(bank, world([(i % 6, 10 * i, 10 * i + 6) for i in range(10)], until_s=110))
    states, done = [], []
    for merges, a, b in commands:
        entities = bank.entities()
        visits = [visit for entity in entities for visit in entity.visits]
        before = entities
        try:
            if merges:
                change = bank.merge(entities[a % len(entities)].id, entities[b % len(entities)].id)
            else:
                change = bank.split(visits[a % len(visits)].id)
        except HippocamError:
            continue
        assert sorted(v.id for e in bank.entities() for v in e.visits) == sorted(v.id for v in visits)
        states.append(before)
        done.append(change.id)
    for before, change in zip(reversed(states), reversed(done), strict=True):
        bank.undo(change)
        assert bank.entities() == before


def test_the_budget_holds_and_what_is_given_up_is_still_counted():
    config = EntityConfig(budget_bytes=10_000, same_person=1.0)
    bank = memory(config)
    plan = [(i % 8, 10 * i, 10 * i + 6) for i in range(100)]
    items = world(plan, until_s=1010)
    for i, item in enumerate(items):
        bank.push(item)
        if i % 10 == 9:
            bank.write("cam")
            assert bank.nbytes() <= config.budget_bytes
    bank.flush("cam")
    bank.write("cam")
    assert bank.nbytes() <= config.budget_bytes
    counted = bank.count(label="person")
    assert counted.entities == counted.visits == 100
    assert 0 < counted.given_up < 100
    assert bank._db.execute("SELECT count(*) FROM visit").fetchone()[0] == 100 - counted.given_up


def portrayed(items, dim: int = 385):
    """The same frames with a portrait of every thing."""
    vectors = np.random.default_rng(1).normal(size=(8, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for item in items:
        things = [
            dataclasses.replace(each, portrait=vectors[int(np.argmax(each.vector))], colours=("red", "blue"))
            for each in item.sensed.things
        ]
        yield dataclasses.replace(item, sensed=Sensed(things=tuple(things)))


def test_where_room_is_short_portraits_keep_their_signs_and_visits_stay():
    plan = [(i % 8, 10 * i, 10 * i + 6) for i in range(60)]
    items = list(portrayed(world(plan, until_s=610)))
    rich, poor = memory(EntityConfig(same_person=1.0)), memory(EntityConfig(budget_bytes=40_000, same_person=1.0))
    watch(rich, items)
    watch(poor, items)
    assert poor.nbytes() <= 40_000
    whole, signs = ({row.visit.id: row.portrait for row in bank.visits("cam")} for bank in (rich, poor))
    assert signs.keys() == whole.keys()
    reduced = [visit_id for visit_id, blob in signs.items() if holds_signs(blob)]
    assert len(reduced) > 40
    for visit_id in reduced:
        vector = unpack(whole[visit_id])
        assert unpack(signs[visit_id]) @ vector == pytest.approx(vector @ vector, abs=0.01)


def test_the_bytes_are_not_fewer_than_the_database_grows_by_with_portraits(tmp_path):
    connection = sqlite3.connect(tmp_path / "e.db", isolation_level=None)
    tables.create(connection)
    empty = connection.execute("PRAGMA page_count").fetchone()[0]
    bank = EntityMemory(connection)
    connection.execute("BEGIN")
    watch(bank, list(portrayed(world([(i % 8, 10 * i, 10 * i + 6) for i in range(200)], until_s=2010))), every=100)
    connection.execute("COMMIT")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    assert (pages - empty) * size <= bank.nbytes() * 1.25


def test_a_track_goes_on_from_its_state_with_path_colours_and_portrait():
    items = list(portrayed(world([(0, 2, 30)], until_s=40)))
    whole, halves = memory(), memory()
    watch(whole, items, every=100)
    for item in items[:15]:
        halves.push(item)
    state = halves.write("cam")
    halves.restore("cam", state)
    watch(halves, items[15:], every=100)
    ((one,), (two,)) = whole.visits("cam"), halves.visits("cam")
    assert one.visit.colours == ("red", "blue")
    assert len(one.visit.path) == 16
    assert one == two


def test_the_bytes_are_not_fewer_than_the_database_grows_by(tmp_path):
    connection = sqlite3.connect(tmp_path / "e.db", isolation_level=None)
    tables.create(connection)
    empty = connection.execute("PRAGMA page_count").fetchone()[0]
    bank = EntityMemory(connection)
    connection.execute("BEGIN")
    watch(bank, world([(i % 8, 10 * i, 10 * i + 6) for i in range(200)], until_s=2010), every=100)
    connection.execute("COMMIT")
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    assert (pages - empty) * size <= bank.nbytes() * 1.25


def test_forgetting_leaves_nothing():
    bank = memory()
    watch(bank, world(PLAN, until_s=80))
    watch(bank, world([(3, 1, 20)], until_s=30, stream="other"))
    other = bank.entities("other")
    assert bank.delete("cam", 0.0, 32.0) == 2
    assert [[v.t0_s for v in e.visits] for e in bank.entities("cam")] == [[39.5], [59.5]]
    (change,) = bank.changes()  # of a visit that is left
    assert {visit for visit, _ in change.moved} <= {v.id for e in bank.entities() for v in e.visits}
    bank.delete("cam")
    assert bank.entities("cam") == []
    assert not any("cam" in row for row in rows(bank))
    assert bank.entities("other") == other


def test_rows_go_out_and_come_in_as_they_were():
    bank, copy = memory(), memory()
    watch(bank, world(PLAN, until_s=80))
    bank.merge(bank.entities()[0].id, bank.entities()[1].id)
    assert [copy.take_in(row) for row in bank.visits("cam")] == [True] * len(bank.visits("cam"))
    assert copy.entities() == bank.entities()
    assert copy.visits("cam") == bank.visits("cam")
    before = rows(copy)
    assert not any(copy.take_in(row) for row in bank.visits("cam"))
    assert rows(copy) == before


def test_nothing_spans_a_long_absence():
    early, late = world([(0, 0, 10)], until_s=10), world([(0, 0, 10)], until_s=10)
    items = early + [dataclasses.replace(i, seq=i.seq + 10, time_s=i.time_s + 500) for i in late]
    bank = memory()
    watch(bank, items)
    (entity,) = bank.entities()
    assert [(v.t0_s, v.t1_s) for v in entity.visits] == [(0.0, 9.0), (500.0, 509.0)]


@pytest.mark.parametrize(
    "wrong", [{"budget_bytes": 5}, {"patience_s": 0}, {"sure": 2}, {"link_hits": 0}, {"same_thing": -2}]
)
def test_a_wrong_setting_is_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EntityConfig(**wrong)
