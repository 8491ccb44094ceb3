"""A picture believed anew beside words: they count as far as it bears them out, and no further."""

import pytest

from hippocam.apps.ask.belief.witnesses import believed_anew, is_in_words, shown_belief
from hippocam.memory.records import Evidence


def moment(score, witnessed=None, **values):
    given = {"id": "1", "stream": "cam", "t0_s": 0, "t1_s": 1, "why": "w", "image": "", "frame_s": 0, **values}
    return Evidence(score=score, witnessed=witnessed, **given)


@pytest.mark.parametrize(
    ("score", "witnessed", "shown", "believed", "claimed"),
    [
        (0.8, None, 0.3, 0.3, False),  # a picture alone
        (0.9, 0.5, 0.6, 0.6, False),  # words that told .8 lift no picture that is believed
        (0.9, 0.5, 0.2, 0.488, True),
        (0.6, 0.55, 0.45, 0.485, False),  # the picture says more than the words
        (0.4, 0.6, 0.7, 0.7, False),  # put behind others meanwhile: no words are made up
    ],
)
def test_words_count_as_far_as_the_picture_bears_them_out(score, witnessed, shown, believed, claimed):
    found = believed_anew(moment(score, witnessed), shown, "why")
    assert (found.score, found.claimed, found.why) == (pytest.approx(believed, abs=0.005), claimed, "why")
    assert shown_belief(found) == shown


def test_words_that_can_be_the_answer_are_told_from_those_that_cannot():
    assert is_in_words(moment(0.9, None, noted=1))
    assert not is_in_words(moment(0.9, 0.6, noted=1))
    assert not is_in_words(moment(0.9))
