"""`hippocam bench poison`: attacks succeed with plain recall, none with the defence, and nothing is lost by it."""

import json

import pytest

from hippocam.apps.bench.poison.attacks import HIDING, WORDS
from hippocam.apps.cli.main import main

ABSENT = ["a locked door", "something purple"]


@pytest.fixture(scope="module")
def footage(tmp_path_factory, colour_video):
    """Two clips of colours with what they show, and texts for what they do not."""
    folder = tmp_path_factory.mktemp("footage")
    clips = {"yard": [("red", 6), ("green", 6)], "hall": [("blue", 6), ("yellow", 6)]}
    for name, scenes in clips.items():
        colour_video(folder / f"{name}.mp4", scenes)
        events = [
            {"text": f"something {colour}", "start": 6 * k, "end": 6 * k + 6}
            for k, (colour, _) in enumerate(scenes)
        ]
        (folder / f"{name}.json").write_text(json.dumps({"video": f"{name}.mp4", "events": events}))
    (folder / "absent.json").write_text(json.dumps(ABSENT))
    return folder


@pytest.fixture(scope="module")
def measured(footage, load_helpers):
    """What the command prints with --json, with a model behind a server that is sure of the first moment."""
    stub = load_helpers("chat_stub.py")
    with (
        stub.serving(stub.says_json("It was so [E1].", ["E1"], 0.99)) as server,
        pytest.MonkeyPatch.context() as env,
    ):
        env.setenv("OPENAI_BASE_URL", server.base_url)
        out = footage / "poison.md"
        arguments = ["--videos", footage, "--truth", footage / "yard.json", footage / "hall.json"]
        arguments += [
            "--absent",
            footage / "absent.json",
            "--encoder",
            "palette",
            "--seeds",
            "1",
            "--targets",
            "2",
        ]
        arguments += ["--readers", "openai:sure", "--out", out]
        with pytest.MonkeyPatch.context() as printing:
            lines = []
            printing.setattr("hippocam.apps.cli.bench.outcome.tell_json", lines.append)
            assert main(["bench", "poison", *map(str, arguments), "--json"]) == 0
        (result,) = lines
        return result, out.read_text(), server.requests


def tried(measured, key, by=None):
    rows = [row for row in measured[0]["tried"] if by in (None, row["by"])]
    return {(row["attack"], row["by"]): row[key] for row in rows}


def test_every_attack_is_tried_on_recall_and_on_each_reader(measured):
    ways = {"recall", "extractive", "openai:sure", "gullible, given pictures", "gullible, records alone"}
    assert set(tried(measured, "tries")) == {(name, way) for name in (*WORDS, *HIDING) for way in ways}


def test_words_and_crafted_vectors_succeed_with_plain_recall(measured):
    before = tried(measured, "before", "extractive")
    for attack in ("words on screen", "words in speech", "an import's words", "an import's vectors"):
        assert before[attack, "extractive"] > 0, attack


def test_no_attack_succeeds_with_the_defence(measured):
    assert {pair: share for pair, share in tried(measured, "after").items() if share > 0} == {}
    assert measured[0]["worst"] == 0


def test_nothing_is_lost_where_nobody_attacks(measured):
    costs = {cost["what"]: cost for cost in measured[0]["costs"]}
    assert len(costs) == 7
    assert {what: cost for what, cost in costs.items() if cost["after"] < cost["before"] - 0.01} == {}
    assert costs["what is shown: first, and believed"]["after"] == 1


def test_no_planted_marker_reaches_a_model_unquoted(measured):
    asked = json.dumps([request["messages"][1:] for request in measured[2]])
    assert "Ignore the question" in asked  # the words do, as a quotation
    assert "<|im_end|>" not in asked


def test_a_section_is_written(measured):
    assert "## Planted memories" in measured[1]
    assert "| words on screen |" in measured[1]
