"""The scores against slow ones that follow their definitions, and rules on tracks whose objects are plain."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hippocam.apps.bench import reid
from hippocam.stream.errors import HippocamError


def slow_pairs(groups, truth):
    pairs = list(itertools.combinations(range(len(truth)), 2))
    found = {p for p in pairs if groups[p[0]] == groups[p[1]]}
    true = {p for p in pairs if truth[p[0]] == truth[p[1]]}
    return 2 * len(found & true) / (len(found) + len(true)) if found or true else 1.0


def slow_bcubed(groups, truth):
    precision = recall = 0.0
    for i in range(len(truth)):
        own = {j for j in range(len(truth)) if groups[j] == groups[i]}
        real = {j for j in range(len(truth)) if truth[j] == truth[i]}
        precision += len(own & real) / len(own) / len(truth)
        recall += len(own & real) / len(real) / len(truth)
    return 2 * precision * recall / (precision + recall)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=20))
def test_scores_are_as_they_are_defined(pairs):
    groups, truth = zip(*pairs, strict=True)
    score = reid.score(groups, truth)
    assert math.isclose(score.pairs, slow_pairs(groups, truth), abs_tol=1e-9)
    assert math.isclose(score.bcubed, slow_bcubed(groups, truth), abs_tol=1e-9)


def test_the_rand_index_is_one_for_the_truth_and_nought_for_chance():
    truth = [i % 5 for i in range(100)]
    assert reid.score(truth, truth).ari == 1
    rng = np.random.default_rng(0)
    assert abs(np.mean([reid.score(rng.permutation(truth).tolist(), truth).ari for _ in range(50)])) < 0.02


def write_clip(folder, seed):
    """Four objects, three tracks each, one after the other; two objects of different labels look alike."""
    rng = np.random.default_rng(seed)
    axes = np.eye(16)[[0, 1, 2, 2]]
    labels = ["cat", "dog", "cup", "bowl"]
    tracking, objects, looks = {}, {}, {}
    number = 0
    for turn in range(3):
        for thing in range(4):
            number += 1
            frame = str(100 * turn + thing)
            box = [number, 1, 2, 3]
            tracking[frame] = {str(number): [labels[thing], box]}
            objects[frame] = {str(thing): [labels[thing], box]}
            looks[number] = axes[thing] + 0.05 * rng.normal(size=16)
    folder.mkdir()
    names = {str(n): labels[(n - 1) % 4] for n in looks}
    (folder / "tracking.json").write_text(json.dumps([tracking, {}, names]))
    (folder / "reid.json").write_text(json.dumps([objects, {}, {}]))
    rows = np.array(list(looks.values()), np.float32)
    ids = np.array(list(looks))
    np.savez(folder / "features.npz", tid2clip=rows, tid2clip_ids=ids, tid2dinov2=rows, tid2dinov2_ids=ids)


def test_tracks_of_plain_objects_are_put_together_and_labels_keep_like_ones_apart(tmp_path):
    for seed in range(3):
        write_clip(tmp_path / f"clip{seed}", seed)
    result = reid.run(tmp_path)
    means = {rule.rule: np.mean([s.pairs for s in rule.scores.values()]) for rule in result.rules}
    assert means["ours, both"] == 1
    assert means["every track its own"] == 0
    assert means["single linkage, both"] < 1  # it joins cup and bowl
    assert result.sizes == {f"clip{seed}": (12, 4) for seed in range(3)}
    assert reid.table(result).count("\n| ") == len(result.rules) + 1


def test_two_that_are_seen_at_once_are_two():
    looks = np.tile(np.eye(1, 8, dtype=np.float32), (2, 1))
    at_once = np.ones((2, 2), bool)
    clip = reid.Tracks(clip="c", at_once_NN=at_once, labels=("cat",) * 2, looks={"clip": looks}, truth=(0, 1))
    assert reid.ours(clip, "clip", 0.5) == [0, 1]


def test_one_clip_is_too_few(tmp_path):
    write_clip(tmp_path / "clip", 0)
    with pytest.raises(HippocamError, match="two clips"):
        reid.run(tmp_path)


def test_the_published_rule_gives_the_published_objects(shared_data):
    """What the files say their authors' rule gave is what the rule gives, but for the clip of books."""
    folder = shared_data / "bench" / "videoagent_object_memory"
    for name in ("boats", "kitchen", "painting", "talking"):
        clip = reid.read(folder / name)
        assert reid.score(reid.published(clip), clip.truth).pairs == 1
