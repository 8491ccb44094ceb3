"""Against the real small model that a package ships; skipped where llama-cpp-python or the model is missing."""

import pytest

from hippocam.memory.records import Evidence
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import ContextConfig, build_context
from hippocam.models.readers.gguf import SHIPPED, GgufConfig, GgufReader

EVIDENCE = [
    Evidence(
        id=f"id{k}", stream="driveway", t0_s=10.0 * k, t1_s=10.0 * k + 5, score=score, why="", image="",
        frame_s=10.0 * k + 1, sentence=sentence,
    )
    for k, score, sentence in [(1, 0.91, "a blue car"), (3, 0.6, "a minivan"), (2, 0.3, "a dog")]
]  # fmt: skip


@pytest.fixture(scope="module")
def reader(load_helpers):
    load_helpers("gguf_model.py").model_or_skip()
    return GgufReader("", GgufConfig(threads=2, max_tokens=60), ContextConfig())


def test_an_answer_rests_on_what_was_given_or_is_none(reader):
    pieces = []
    reading = reader.read(build_context("When was a blue car there?", EVIDENCE, [], reader.budget), pieces.append)
    assert [given.mark for given in reading.given] == ["E1", "E2", "E3"]
    assert "".join(pieces)
    if not reading.unknown:
        assert set(reading.evidence_ids) <= {"id1", "id2", "id3"}
        assert reading.confidence <= 0.91


def test_what_the_memory_does_not_believe_is_no_answer(reader):
    weak = build_context("Was there an elephant?", EVIDENCE[2:], [], reader.budget)
    assert reader.read(weak).unknown


def test_moments_are_left_out_until_the_tokens_fit(reader):
    small = GgufReader("", GgufConfig(threads=2, max_tokens=60, context_tokens=768), ContextConfig())
    many = [
        Evidence(
            id=f"n{k}", stream="driveway", t0_s=k, t1_s=k + 1, score=0.9 - k / 100, why="", image="", frame_s=k,
            sentence="a blue car beside a tree",
        )
        for k in range(60)
    ]  # fmt: skip
    reading = small.read(build_context("When was a blue car there?", many, [], small.budget))
    assert 1 <= len(reading.given) < 60


def test_a_model_is_named_or_a_file() -> None:
    made = {
        name: GgufReader(name, GgufConfig(), ContextConfig()).id for name in ("", *SHIPPED, "/models/mine-2b.gguf")
    }
    assert made == {
        "": "gguf:smollm2",
        "smollm2": "gguf:smollm2",
        "qwen2.5-coder-1.5b": "gguf:qwen2.5-coder-1.5b",
        "/models/mine-2b.gguf": "gguf:mine-2b",
    }


def test_a_file_that_is_no_model_is_one_line(tmp_path):
    pytest.importorskip("llama_cpp", reason="the extra [gguf] is not installed")
    (tmp_path / "a.gguf").write_text("no model")
    context = build_context("?", EVIDENCE, [], ContextConfig())
    for path in ("a.gguf", "missing.gguf"):
        with pytest.raises(ReaderError, match=f"{path}"):
            GgufReader(str(tmp_path / path), GgufConfig(), ContextConfig()).read(context)


def test_settings_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"reader.gguf.threads must be a whole number 0 to 1024, found -1"):
        GgufConfig(threads=-1)
