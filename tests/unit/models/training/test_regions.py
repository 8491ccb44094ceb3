"""Slide shows of captions, and a logistic model of belief and nearest region."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.training.regions import ask_shows, fit

CAPTIONS = [
    ["A dog runs.", f"A dog is in the {place}.", f"The {thing} is near a dog."]
    for place, thing in (
        ("garden", "hose"), ("kitchen", "oven"), ("street", "tram"), ("forest", "stump"), ("harbour", "crane"),
        ("stadium", "goal"), ("market", "stall"), ("library", "shelf"), ("desert", "camel"), ("valley", "creek"),
        ("station", "clock"), ("theatre", "curtain"), ("castle", "tower"), ("field", "plough"), ("cave", "lantern"),
        ("mill", "wheel"),
    )
]  # fmt: skip


def test_a_phrase_is_there_where_a_photograph_of_the_show_has_it_and_absent_where_none_has_its_word():
    asked = ask_shows(CAPTIONS, shows=6, seed=0)
    assert set(asked.there_Q.tolist()) == {True, False}
    for show_S, text, there in zip(asked.shows_QS, asked.texts, asked.there_Q, strict=True):
        said = " ".join(" ".join(CAPTIONS[photo]) for photo in show_S).casefold()
        assert (text in said) == bool(there)
    assert not any("dog" in text for text, there in zip(asked.texts, asked.there_Q, strict=True) if not there)


def test_the_fit_finds_that_regions_tell_what_whole_pictures_do_not():
    rng = np.random.default_rng(0)
    there_Q = np.arange(400) % 2 == 0
    odds_QS = rng.normal(0, 3, (400, 12)).astype(np.float32)
    cosines_QS = rng.normal(0.2, 0.03, (400, 12)).astype(np.float32)
    cosines_QS[there_Q, 5] += 0.2
    fitted = fit(odds_QS, cosines_QS, there_Q)
    assert fitted.auc[0] > 0.95 > 0.6 > fitted.auc[1]
    assert fitted.there[0] > 0.9 and fitted.absent[0] > 0.9
    assert fitted.weights[2] > 0
    assert fitted.usual[0] == pytest.approx(float(cosines_QS.mean()), abs=0.01)
