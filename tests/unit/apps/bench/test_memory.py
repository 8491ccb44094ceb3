"""Worlds are what they are said to be, and the metrics have the known values on banks made by hand."""

from __future__ import annotations

import json
import math
from functools import partial
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest

from hippocam.apps.bench.memory import evaluate, run, show
from hippocam.apps.bench.memory_report import plot, table, title, to_json, to_markdown
from hippocam.apps.bench.ours.entries import policies
from hippocam.apps.bench.policies import POLICIES, Bank, Entry, slot_bytes
from hippocam.apps.bench.policies.sampling import Recent
from hippocam.apps.worlds.worlds import WORLDS, Planted, World, synthetic
from hippocam.stream.errors import HippocamError

SMALL = {"frames": 900, "needles": 10, "visits": 12, "entities": 3, "distractors": 10}


small = partial(synthetic, name="small", **SMALL)  # not a function of this file: other processes cannot import it


def test_a_world_is_the_same_for_a_seed_and_another_for_another():
    a, b, c = small(1), small(1), small(2)
    assert np.array_equal(a.frames_TD, b.frames_TD)
    assert np.array_equal(a.absent_QD, b.absent_QD)
    assert [(p.kind, p.t0_s) for p in a.planted] == [(p.kind, p.t0_s) for p in b.planted]
    assert not np.allclose(a.frames_TD, c.frames_TD)


def test_a_world_has_unit_frames_and_what_was_asked_for():
    world = synthetic(1)
    assert world.frames_TD.shape == (12_000, 64)
    assert world.frames_TD.dtype == world.absent_QD.dtype == np.float32
    assert np.allclose(np.linalg.norm(world.frames_TD, axis=1), 1, atol=1e-5)
    assert [len(world.of_kind(kind)) for kind in ("needle", "entity", "distractor")] == [150, 250, 300]
    assert len({p.identity for p in world.of_kind("needle")}) == 150
    assert WORLDS["synthetic-clean"](1).of_kind("distractor") == ()


def test_bursts_never_overlap():
    for seed in range(3):
        assert all(a.t1_s < b.t0_s for a, b in pairwise(small(seed).planted))


def test_needles_and_distractors_surprise_the_same_and_only_their_subspace_differs():
    world = synthetic(4)

    def jumps(kind):
        starts = [int(p.t0_s) for p in world.of_kind(kind)]
        return [float(world.frames_TD[t] @ world.frames_TD[t - 1]) for t in starts]

    assert np.mean(jumps("needle")) == pytest.approx(np.mean(jumps("distractor")), abs=0.03)
    asked = np.stack([p.query_D for p in world.of_kind("needle")])
    shown = np.stack([p.query_D for p in world.of_kind("distractor")])
    assert np.abs(asked @ shown.T).mean() < 0.5 * np.abs(asked @ asked.T - np.eye(150)).mean()


def test_questions_about_one_thing_are_the_same_at_every_visit():
    visits = small(1).of_kind("entity")
    one = [v.query_D for v in visits if v.identity == visits[0].identity]
    assert all(np.array_equal(one[0], q) for q in one)


AXES = np.eye(8, dtype=np.float32)


def planted(kind, axis, t0, t1):
    return Planted(kind=kind, identity=axis, t0_s=t0, t1_s=t1, query_D=AXES[axis])


HAND = World(
    name="hand",
    seed=0,
    frames_TD=np.tile(AXES[7], (1000, 1)),
    times_T=np.arange(1000.0),
    planted=(
        planted("needle", 0, 100.0, 106.0),
        planted("entity", 4, 150.0, 155.0),
        planted("needle", 1, 300.0, 306.0),
        planted("entity", 4, 400.0, 405.0),
        planted("needle", 2, 500.0, 506.0),
        planted("needle", 3, 900.0, 906.0),
        planted("entity", 4, 950.0, 955.0),
    ),
    absent_QD=AXES[[5, 6]],
)


def bank(*slots):
    """Each slot: axis, then spans of first and last frame."""
    width = max(len(spans) for _, *spans in slots)
    t0, t1 = (np.full((len(slots), width), np.nan) for _ in range(2))
    for row, (_, *spans) in enumerate(slots):
        for column, (a, b) in enumerate(spans):
            t0[row, column], t1[row, column] = a, b
    keys = np.stack([AXES[axis] for axis, *_ in slots])
    return Bank(keys_ND=keys, t0_NS=t0, t1_NS=t1, bytes=0, writes=50)


def test_a_perfect_bank_has_perfect_marks():
    perfect = bank((0, (100, 105)), (1, (300, 305)), (2, (500, 505)), (3, (900, 905)), (4, (150, 154), (950, 954)))
    scores = evaluate(perfect, HAND)
    ones = ("r1", "r5", "iou", "last_seen", "first_seen", "order", "order_recalled", "absent_auc")
    assert {name: scores[name] for name in ones} == dict.fromkeys(ones, 1.0)
    assert scores["time_error_s"] == 0
    assert scores["writes"] == 50
    assert [scores[f"r1_age_{a}"] for a in (1, 3, 4, 5)] == [1, 1, 1, 1]
    assert math.isnan(scores["r1_age_2"])


def test_pooled_spans_do_not_count():
    pooled = bank((0, (80, 140)), (1, (280, 330)), (2, (0, 999)), (3, (899, 910)))
    scores = evaluate(pooled, HAND)
    assert scores["r1"] == 0.5  # 51 and 12 s count, 61 and 1,000 s do not
    assert scores["time_error_s"] == pytest.approx((20 + 1) / 2)
    assert scores["iou"] == pytest.approx((6 / 61 + 6 / 51 + 6 / 1000 + 6 / 12) / 4)


def test_a_span_that_only_touches_is_no_hit():
    assert evaluate(bank((0, (106, 110)), (1, (290, 299))), HAND)["r1"] == 0
    assert evaluate(bank((0, (105, 110)), (1, (290, 300))), HAND)["r1"] == 0.5


def test_any_span_of_a_slot_may_hit():
    scores = evaluate(bank((0, (700, 705), (101, 104))), HAND)
    assert scores["r1"] == 0.25
    assert scores["time_error_s"] == 1


def test_last_and_first_are_the_latest_and_earliest_of_the_same_thing_only():
    two = bank((4, (400, 404)), (4, (950, 954)), (3, (990, 995)), (2, (10, 15)))
    scores = evaluate(two, HAND)
    assert (scores["last_seen"], scores["first_seen"]) == (1, 0)


def test_order_is_answered_from_cited_times():
    swapped = bank((0, (300, 305)), (1, (100, 105)), (2, (500, 505)), (3, (900, 905)))
    scores = evaluate(swapped, HAND)
    assert scores["order"] == pytest.approx(5 / 6)
    assert scores["order_recalled"] == 1
    assert scores["r1"] == 0.5
    assert evaluate(bank((7, (1, 2))), HAND)["order"] == 0.5


def test_a_rule_that_a_budget_has_no_room_for_remembers_nothing():
    table = {name: policies()[name] for name in ("ours", "em-llm-refined", "recent")}
    (world,) = run(["small"], [1], [2], worlds={"small": small}, table=table).worlds
    assert [world.table[name][2]["r1"].mean for name in ("ours", "em-llm-refined")] == [0.0, 0.0]
    assert world.table["recent"][2]["absent_auc"].mean > 0


def test_what_was_never_shown_is_told_from_what_was_kept():
    assert evaluate(bank((0, (100, 105)), (1, (300, 305))), HAND)["absent_auc"] == pytest.approx(0.75)
    assert evaluate(bank((5, (1, 2)), (6, (3, 4))), HAND)["absent_auc"] == 0


def test_an_empty_bank_knows_nothing():
    empty = Bank(keys_ND=np.zeros((0, 8), np.float32), t0_NS=np.zeros((0, 1)), t1_NS=np.zeros((0, 1)), bytes=0)
    scores = evaluate(empty, HAND)
    assert (scores["r1"], scores["r5"], scores["iou"], scores["last_seen"]) == (0, 0, 0, 0)
    assert (scores["order"], scores["absent_auc"]) == (0.5, 0.5)


def test_a_policy_that_holds_too_much_is_refused():
    with pytest.raises(HippocamError, match=r"Recent held .* more than"):
        show(HAND, Recent(20 * slot_bytes(8), 8, 0), 10 * slot_bytes(8))


@pytest.fixture(scope="module")
def result():
    table = {name: POLICIES[name] for name in ("recent", "ma-lmm", "surprise", "oracle")}
    return run(["small"], [1, 2], [16, 32], worlds={"small": small}, table=table)


def test_the_run_has_every_policy_at_every_count(result):
    (world,) = result.worlds
    assert set(world.table) == {"recent", "ma-lmm", "surprise", "oracle"}
    assert world.bytes == (16 * 144, 32 * 144)
    assert world.headline_slots == 32
    assert world.best_rule in ("recent", "ma-lmm")
    assert world.headline("oracle").mean == 1
    assert world.table["recent"][32]["cost"].mean > 0


def test_json_has_the_headline(result):
    line = to_json(result)
    assert "\n" not in line
    found = json.loads(line)
    assert found["world"] == "small"
    assert found["seeds"] == [1, 2]
    assert found["ours"] is None
    assert found["best_rule"] == found["table"][found["best_rule_name"]]["32"]["r1"]["mean"]
    assert found["oracle"] == 1
    assert set(found["table"]["recent"]["16"]["r1"]) == {"mean", "sd"}


def test_the_tables_have_a_row_for_each_rule(result):
    (world,) = result.worlds
    assert title(world) == "Memory, world small"
    for text in (to_markdown(world), table(world)):
        assert all(name in text for name in world.entries)
    assert "100.0 ± 0.0" in to_markdown(world)


def test_ours_is_the_headline_where_it_is():
    entries = {"ours": Entry(build=POLICIES["surprise"].build, standing="ours"), "recent": POLICIES["recent"]}
    found = json.loads(to_json(run(["small"], [1], [32], worlds={"small": small}, table=entries)))
    assert found["ours"] == found["table"]["ours"]["32"]["r1"]["mean"]
    assert found["best_rule_name"] == "recent"


def test_several_worlds_are_listed():
    entries = {"recent": POLICIES["recent"]}
    worlds = {"small": small, "other": small}
    found = json.loads(to_json(run(["small", "other"], [1], [16], worlds=worlds, table=entries)))
    assert [world["world"] for world in found["worlds"]] == ["small", "other"]


def test_processes_give_the_same_figures(result):
    table = {name: POLICIES[name] for name in ("recent", "ma-lmm")}
    parallel = run(["small"], [1, 2], [16], worlds={"small": small}, table=table, jobs=2)
    for name in table:
        for metric in ("r1", "iou", "absent_auc"):
            assert parallel.worlds[0].table[name][16][metric] == result.worlds[0].table[name][16][metric]


def test_unknown_names_are_errors():
    with pytest.raises(HippocamError, match="no world 'mars'; there are synthetic"):
        run(["mars"], [1])
    with pytest.raises(HippocamError, match="no policy 'luck'"):
        run(["synthetic"], [1], policy_names=["luck"])
    with pytest.raises(HippocamError, match="at least one seed"):
        run(["synthetic"], [])


def test_the_table_of_policies_has_an_oracle_and_published_rules():
    standings = {entry.standing for entry in policies().values()}
    assert {"published", "heuristic", "oracle"} <= standings


def test_plots_are_drawn_or_matplotlib_is_asked_for(result, tmp_path):
    if find_spec("matplotlib") is None:
        with pytest.raises(HippocamError, match="matplotlib"):
            plot(result, tmp_path)
    else:
        assert [path.name for path in plot(result, tmp_path)] == ["memory-small-bytes.png", "memory-small-age.png"]
