"""A moment is believed anew by the region of its picture that comes nearest to what is looked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hippocam.apps.ask.belief.regions import LOOKED, PictureRegions, RegionBelief, by_regions
from hippocam.memory.records import Evidence
from hippocam.stream.jpeg import encode_jpeg

MODEL = RegionBelief(bias=0.0, belief=0.5, nearness=4.0, usual=0.5, rises=0.0)
RED = np.array([1.0, 0.0, 0.0], np.float32)
BANK_PD = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]], np.float32)


def bank():
    return BANK_PD


class Quarters:
    """Regions are the quarters of a picture, each with its mean colour, of length 1."""

    def __init__(self):
        self.calls = 0

    def encode_regions(self, image):
        self.calls += 1
        high, wide = image.shape[0] // 2, image.shape[1] // 2
        quarters = [image[y : y + high, x : x + wide] for y in (0, high) for x in (0, wide)]
        means_R3 = np.array([quarter.reshape(-1, 3).mean(0) for quarter in quarters], np.float32)
        return means_R3 / np.linalg.norm(means_R3, axis=1, keepdims=True)


@pytest.fixture
def moment(tmp_path):
    def made(name, *, red=False, score=0.5, **more):
        image = np.full((64, 64, 3), (0, 0, 255), np.uint8)
        if red:
            image[32:, 32:] = (255, 0, 0)
        path = tmp_path / f"{name}.jpg"
        path.write_bytes(encode_jpeg(image, 64, 95))
        return Evidence(
            id=name, stream="yard", t0_s=0.0, t1_s=1.0, score=score, why="", image=str(path), frame_s=0.0, **more
        )

    return made


def test_what_fills_one_region_is_believed_more_and_what_fills_none_less(moment):
    with_red, without = by_regions(
        [moment("a", red=True), moment("b")], RED, Quarters(), bank, model=MODEL, pictures=PictureRegions()
    )
    assert with_red.score > 0.9
    assert without.score < 0.1
    assert "its nearest region: cosine 1.0" in with_red.why


def test_the_memorys_own_belief_counts_beside_the_region(moment):
    sure, unsure = by_regions(
        [moment("a", score=0.9), moment("b", score=0.1)],
        RED,
        Quarters(),
        bank,
        model=MODEL,
        pictures=PictureRegions(),
    )
    assert sure.score > unsure.score


def test_words_and_claims_stay_as_they_were(moment):
    """Who plants words would choose with them which of his pictures is looked at until a part of it comes near."""
    claim = replace(moment("b", red=True), claimed=True, witnessed=0.3, noted=1)
    given = [replace(moment("a", red=True), noted=1), claim, replace(moment("c", red=True), claimed=True)]
    assert by_regions(given, RED, Quarters(), bank, model=MODEL, pictures=PictureRegions()) == tuple(given)


def test_an_import_is_believed_on_the_scale_of_own_footage(moment):
    own, imported = moment("a", score=0.97), replace(moment("b", score=0.97), imported="7")
    first, second = by_regions([own, imported], RED, Quarters(), bank, model=MODEL, pictures=PictureRegions())
    assert first.score == second.score < 0.97


def test_an_encoder_that_knows_no_regions_changes_nothing(moment):
    given = (moment("a", red=True),)
    assert by_regions(given, RED, object(), bank, model=MODEL) == given


def test_a_picture_is_encoded_once_and_only_the_first_are_looked_at(moment):
    encoder, pictures = Quarters(), PictureRegions()
    moments = [moment(f"m{k}", red=True) for k in range(LOOKED + 2)]
    first = by_regions(moments, RED, encoder, bank, model=MODEL, pictures=pictures)
    assert by_regions(moments, RED, encoder, bank, model=MODEL, pictures=pictures) == first
    assert encoder.calls == LOOKED
    assert first[-1].score == pytest.approx(MODEL.believed(0.5, None))


def test_a_picture_that_was_given_up_is_taken_as_usual(moment):
    gone = replace(moment("a", red=True), image="/nowhere/a.jpg")
    (believed,) = by_regions([gone], RED, Quarters(), bank, model=MODEL, pictures=PictureRegions())
    assert believed.score == pytest.approx(MODEL.believed(0.5, None))


def test_it_counts_how_much_nearer_it_comes_than_phrases_do(moment):
    """Of a film whose pictures come near to everything, the same cosine is worth less."""
    given = [moment("a", red=True)]
    beliefs = []
    for bank_PD in (BANK_PD, np.concatenate([BANK_PD[:1]] * 8 + [BANK_PD[2:3]] * 8 + [BANK_PD[1:2]])):
        (believed,) = by_regions(
            given, RED, Quarters(), lambda bank_PD=bank_PD: bank_PD, model=MODEL, pictures=PictureRegions()
        )
        beliefs.append(believed.score)
    assert beliefs[0] > beliefs[1]
