"""A lifelog is joined as its files say, scored as its definition says, and no rule takes more than its bytes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hippocam.apps.bench.lifelog.again import asked_again
from hippocam.apps.bench.lifelog.disk import on_disk
from hippocam.apps.bench.lifelog.joined import read_lifelog
from hippocam.apps.bench.lifelog.records import Observations, Score, Stored, Told
from hippocam.apps.bench.lifelog.report import to_json, to_markdown
from hippocam.apps.bench.lifelog.rules import in_pieces, keepers
from hippocam.apps.bench.lifelog.run import run
from hippocam.apps.bench.lifelog.score import score
from hippocam.apps.bench.lifelog.words import word_cosines
from hippocam.apps.bench.policies import Bank
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncodedImages, EncoderSpec

DIM, VIDEOS = 64, 40


class Words:
    """An encoder in whose space a sentence is the sum of fixed directions of its words."""

    spec = EncoderSpec(id="words:1", dim=DIM, normalised=True, midpoint=0.5, slope=10.0)

    def encode_texts(self, texts):
        rows = [sum(self._direction(word) for word in text.lower().split()) for text in texts]
        return np.stack([row / np.linalg.norm(row) for row in rows]).astype(np.float32)

    def encode_images(self, images):
        rows = np.stack([self._direction(str(image.sum())) for image in images])
        return EncodedImages(vectors_ND=rows.astype(np.float32), labels=((),) * len(rows))

    @staticmethod
    def _direction(word):
        return np.random.default_rng(list(word.encode())).normal(size=DIM)


def videos(words):
    """Videos of 60 seconds with two sentences each."""
    return {
        f"v_{number:02}": {
            "duration": 60.0,
            "timestamps": [[5.0, 25.0], [30.0, 55.0]],
            "sentences": [f" {words} begin{number} here", f"{words} end{number} there"],
        }
        for number in range(VIDEOS)
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache" / "weights"))
    data = tmp_path / "data"
    data.mkdir()
    (data / "val_1.json").write_text(json.dumps({**videos("somebody"), "v_other": videos("x")["v_00"]}))
    (data / "val_2.json").write_text(json.dumps(videos("one")))
    return data


def test_videos_are_joined_in_an_order_of_the_seed_and_both_annotators_have_their_times(folder):
    log, same, other = (read_lifelog(folder, seed) for seed in (1, 1, 2))
    assert log.seconds == 60.0 * (VIDEOS + 1)
    assert (len(log.seen), len(log.asked)) == (2 * (VIDEOS + 1), 2 * VIDEOS)
    assert log.seen.texts == same.seen.texts != other.seen.texts
    assert (np.diff(log.seen.t0_N) >= 0).all()
    starts = dict(zip(log.seen.texts, log.seen.t0_N, strict=True))
    for text, t0_s in zip(log.asked.texts, log.asked.t0_N, strict=True):
        assert starts[text.replace("one", "somebody")] == t0_s


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"v": {"duration": 1, "timestamps": [[2, 1]], "sentences": ["a"]}}', '{"v": {}}']
)
def test_a_file_that_holds_something_else_is_named(folder, text):
    (folder / "val_2.json").write_text(text)
    with pytest.raises(HippocamError, match=r"val_2\.json: not captions"):
        read_lifelog(folder, 1)


def test_a_missing_file_is_named(folder):
    (folder / "val_2.json").unlink()
    with pytest.raises(HippocamError, match=r"val_2\.json: no such file"):
        read_lifelog(folder, 1)


def test_an_answer_is_right_from_half_of_the_union_on(folder):
    asked = read_lifelog(folder, 1).asked
    asked = type(asked)(texts=("a", "b"), t0_N=np.array([0.0, 100.0]), t1_N=np.array([10.0, 110.0]))
    axes = np.eye(DIM, dtype=np.float32)
    nan = np.nan
    bank = Bank(
        keys_ND=axes[[0, 1, 2]],
        t0_NS=np.array([[0.0, nan], [300.0, 100.0], [0.0, nan]]),
        t1_NS=np.array([[4.9, nan], [400.0, 120.0], [9.0, nan]]),
        bytes=7,
    )
    near = 0.9 * axes[0] + 0.4 * axes[2]
    found = score(bank, np.stack([near, axes[1]]), asked)
    assert (found.r1, found.r5, found.bytes) == (0.5, 1.0, 7)  # 4.9 of 10 is too little; 10 of 20 is half


def test_words_are_weighed_by_how_rare_they_are():
    told = ["a man plays a red guitar", "a man walks a dog", "a man sleeps"]
    cosines = word_cosines(told, ["the man with the guitar", "A DOG!", "zebra", told[2]])
    assert cosines.argmax(axis=1)[[0, 1, 3]].tolist() == [0, 1, 2]
    assert cosines[3, 2] == pytest.approx(1, abs=1e-6)
    assert not cosines[2].any()


def test_a_piece_is_the_mean_of_what_is_said_during_it():
    axes = np.eye(4, dtype=np.float32)
    seen = Observations(vectors_ND=axes[:2], t0_N=np.array([0.0, 20.0]), t1_N=np.array([30.0, 130.0]))
    pieces = in_pieces(seen, 30.0)
    assert pieces.t0_N.tolist() == [0.0, 30.0, 60.0, 90.0, 120.0]
    assert pieces.vectors_ND[0] == pytest.approx(np.array([3, 1, 0, 0]) / np.sqrt(10), abs=1e-6)
    assert pieces.vectors_ND[4] == pytest.approx(axes[1])


def test_every_rule_keeps_within_its_bytes_and_cites_times_of_the_lifelog():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, DIM)).astype(np.float32)
    t0 = np.cumsum(rng.uniform(1, 20, 400))
    seen = Observations(
        vectors_ND=vectors / np.linalg.norm(vectors, axis=1)[:, None], t0_N=t0, t1_N=t0 + rng.uniform(1, 30, 400)
    )
    for name, keeper in keepers("nobody:1").items():
        bank = keeper(seen, 6_000, 1)
        assert bank is not None
        assert 0 < bank.bytes <= 6_000, name
        assert len(bank.keys_ND) > 0, name
        known = ~np.isnan(bank.t0_NS)
        assert (bank.t0_NS[known] <= bank.t1_NS[known]).all(), name
        if not name.startswith("pieces"):
            assert np.isin(bank.t0_NS[known], seen.t0_N).all(), name
            assert np.isin(bank.t1_NS[known], seen.t1_N).all(), name


def test_the_result_is_told_as_json_and_as_a_table(folder):
    rules = ["ours", "uniform", "recent-signs", "tf-idf"]
    result = run(folder, Words(), shares=[1, 4], seeds=[1, 2], keepers=keepers("words:1"), rules=rules)
    told = json.loads(to_json(result))
    assert told["hours"] == pytest.approx(60 * (VIDEOS + 1) / 3600)
    assert set(told["unbounded"]) == {"r1", "r5", "bytes"}
    assert told["unbounded"]["bytes"] == 2 * (VIDEOS + 1) * (2 * DIM + 16)
    assert told["unbounded"]["r1"] > 0.9
    assert set(told["table"]) == set(rules)
    assert told["table"]["uniform"]["1"]["of_unbounded"] == 1.0
    assert told["table"]["uniform"]["4"]["r1"] == pytest.approx(0.25, abs=0.15)
    assert told["table"]["ours"]["4"]["of_unbounded"] > told["table"]["uniform"]["4"]["of_unbounded"]
    assert "| ours |" in to_markdown(result)


def test_a_memory_on_disk_stands_beside_the_rules_in_the_same_bytes(folder):
    def big_only(seen, asked_QD, asked, spec, size, *, item_s):
        if size < 300_000:
            return None
        found = Score(r1=0.5, r5=0.75, bytes=size)
        tables = {"bank": size // 2, "meta": 1}
        return Stored(score=found, entries=10, items=5, write_us=3.0, closed_bytes=size - 1000, table_bytes=tables)

    rules = ["ours", "recent-signs"]
    result = run(folder, Words(), seeds=[1], keepers=keepers("words:1"), rules=rules, on_disk=big_only)
    assert "Of these, bank 500,000." in to_markdown(result)
    told = json.loads(to_json(result))["disk"]
    assert told["ours"]["1000000"]["r1"] == 0.5
    assert list(told["ours"]) == ["40000000", "1000000", "400000"]
    assert set(told["recent-signs"]) == {"40000000", "1000000", "400000", "256000"}
    assert "No memory is as small as 256,000 bytes." in to_markdown(result)


def test_a_memory_on_disk_can_be_measured_alone_by_some_of_the_questions(folder):
    def asked_of(seen, asked_QD, asked, spec, size, *, item_s):
        asked_for.append((len(asked_QD), len(asked), size, item_s))

    asked_for = []
    given = {"shares": (), "disk_bytes": [500_000], "item_s": 10.0, "asked_every": 4}
    result = run(folder, Words(), seeds=[1], keepers=keepers("words:1"), rules=["ours"], on_disk=asked_of, **given)
    assert asked_for == [(VIDEOS // 2, VIDEOS // 2, 500_000, 10.0)]
    assert "| 500,000 bytes |" in to_markdown(result)
    assert not json.loads(to_json(result))["table"].get("ours")
    with pytest.raises(HippocamError, match="seconds between items above 0"):
        run(folder, Words(), keepers={}, item_s=0.0)


def test_what_was_asked_before_is_kept_before_what_nobody_asked_for(folder):
    given = {"keepers": keepers("words:1"), "rules": ["ours"], "asked_again": asked_again}
    result = run(folder, Words(), shares=[1, 12], seeds=[1, 2], **given)
    told = json.loads(to_json(result))["again"]
    assert min(told["1"].values()) > 0.9
    assert told["12"]["asked_again"] > told["12"]["one_off"] + 0.2
    assert "of one question in 10" in to_markdown(result)


def test_only_the_videos_that_are_wanted_are_joined(folder):
    some = read_lifelog(folder, 1, lambda video: video < "v_10")
    assert (len(some.seen), len(some.asked), some.seconds) == (20, 20, 600.0)


def test_sentences_at_the_same_time_are_shown_by_several_streams_each_to_its_end():
    vectors = np.eye(4, dtype=np.float32)
    t0_N, t1_N = np.array([0.0, 5.0, 9.0, 60.0]), np.array([10.0, 20.0, 15.0, 64.0])
    log = Told(texts=("a", "b", "c", "d"), t0_N=t0_N, t1_N=t1_N)
    spec = EncoderSpec(id="test:1", dim=4, normalised=True, midpoint=0.5, slope=20.0)
    seen = Observations(vectors_ND=vectors, t0_N=t0_N, t1_N=t1_N)
    stored = on_disk(seen, vectors, log, spec, 4_000_000)
    assert stored is not None
    assert (stored.score.r1, stored.entries) == (1.0, 4)


def test_an_unknown_rule_is_an_error(folder):
    with pytest.raises(HippocamError, match="no rule 'nonsense'"):
        run(folder, Words(), keepers={}, rules=["nonsense"])


def test_a_memory_on_disk_finds_what_was_written_into_it(folder):
    log, encoder = read_lifelog(folder, 1), Words()
    seen = Observations(vectors_ND=encoder.encode_texts(log.seen.texts), t0_N=log.seen.t0_N, t1_N=log.seen.t1_N)
    stored = on_disk(seen, encoder.encode_texts(log.asked.texts), log.asked, encoder.spec, 4_000_000)
    assert stored is not None
    assert stored.score.r1 > 0.8
    assert 0 < stored.closed_bytes <= stored.score.bytes <= 4_000_000
    assert 0 < stored.table_bytes["entry"] < sum(stored.table_bytes.values()) < stored.closed_bytes
    assert on_disk(seen, seen.vectors_ND[:1], log.asked, encoder.spec, 1000) is None
