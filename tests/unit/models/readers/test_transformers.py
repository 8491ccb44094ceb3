"""Against a real model of SmolVLM's kind, built and taught on the spot: see tests/tiny_vlm.py."""

import cv2
import numpy as np
import pytest

from hippocam.memory.records import Evidence
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import ContextConfig, build_context
from hippocam.models.readers.transformers import TransformersConfig, TransformersReader


def evidence(tmp_path, colour, count=1):
    path = tmp_path / f"{'-'.join(map(str, colour))}.jpg"
    cv2.imwrite(str(path), np.full((90, 160, 3), colour, np.uint8))
    return [
        Evidence(
            id=f"id{k}", stream="cam", t0_s=k, t1_s=k + 1, score=0.9 - k / 10, why="", image=str(path), frame_s=k
        )
        for k in range(1, count + 1)
    ]  # fmt: skip


def test_it_answers_by_what_it_sees(tiny_vlm, tmp_path):
    reader = TransformersReader(str(tiny_vlm), TransformersConfig(max_new_tokens=16), ContextConfig())
    pieces = []
    red = build_context("?", evidence(tmp_path, (30, 30, 220)), [], reader.budget)
    reading = reader.read(red, pieces.append)
    assert reading.answer == "A red field [E1]."
    assert reading.evidence_ids == ("id1",)
    assert "".join(pieces) == "A red field [E1]."
    assert [given.picture for given in reading.given] == [True]
    blue = build_context("?", evidence(tmp_path, (210, 80, 40)), [], reader.budget)
    assert reader.read(blue).unknown


def test_frames_are_left_out_until_the_tokens_fit(tiny_vlm, tmp_path):
    found = evidence(tmp_path, (30, 30, 220), count=6)
    reader = TransformersReader(str(tiny_vlm), TransformersConfig(max_new_tokens=16), ContextConfig(tokens=2000))
    reading = reader.read(build_context("?", found, [], reader.budget))
    assert 0 < len(reading.given) < 6 or not all(given.picture for given in reading.given)
    small = TransformersReader(str(tiny_vlm), TransformersConfig(max_new_tokens=16), ContextConfig(tokens=256))
    with pytest.raises(ReaderError, match="one moment takes"):
        small.read(build_context("?", found, [], small.budget))


@pytest.mark.parametrize("name", ["/nowhere/at/all", "no-such-owner/no-such-model"])
def test_a_model_that_is_not_there_is_one_line(name, tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="the extra [vlm] is not installed")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    reader = TransformersReader(name, TransformersConfig(), ContextConfig())
    with pytest.raises(ReaderError, match="cannot be loaded"):
        reader.read(build_context("?", evidence(tmp_path, (0, 0, 0)), [], reader.budget))


def test_settings_out_of_range_are_named():
    with pytest.raises(ValueError, match=r"reader.transformers.max_new_tokens must be a whole number"):
        TransformersConfig(max_new_tokens=1)
