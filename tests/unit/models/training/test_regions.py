"""Slide shows of captions, and a logistic model of belief and nearest region."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.training.regions import ask_shows, fit

THINGS = "dog cat horse guitar piano boat kite tent sofa toilet train clock bus cake lamp ladder".split()
CAPTIONS = [[f"A {thing}.", f"The {thing} near a tree.", f"Two {thing}s.", "A tree."] for thing in THINGS]


def test_what_two_captions_name_is_there_and_what_none_of_the_show_names_is_absent():
    asked = ask_shows(CAPTIONS, shows=8, seed=0)
    assert set(asked.there_Q.tolist()) == {True, False}
    for show_S, text, there in zip(asked.shows_QS, asked.texts, asked.there_Q, strict=True):
        said = " ".join(" ".join(CAPTIONS[photo]) for photo in show_S).casefold()
        assert (text in said) == bool(there)


def test_what_captions_leave_unsaid_is_never_taken_for_absent():
    asked = ask_shows([captions[:1] for captions in CAPTIONS], shows=8, seed=0)
    assert "a tree" not in asked.texts  # no caption has it, and yet it may be there


def test_the_fit_finds_that_regions_tell_what_whole_pictures_do_not():
    rng = np.random.default_rng(0)
    there_Q = np.arange(400) % 2 == 0
    odds_QS = rng.normal(0, 3, (400, 12)).astype(np.float32)
    nearness_QS = rng.normal(0.2, 1.0, (400, 12)).astype(np.float32)
    nearness_QS[there_Q, 5] += 6
    fitted = fit(odds_QS, nearness_QS, there_Q)
    assert fitted.auc[0] > 0.95 > 0.6 > fitted.auc[1]
    assert min(fitted.there[0], fitted.absent[0]) > 0.9
    assert fitted.weights[2] > 0
    assert fitted.usual[0] == pytest.approx(float(nearness_QS.mean()), abs=0.02)
