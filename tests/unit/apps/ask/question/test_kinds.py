"""What over 400 questions want to know, with the streams and times that they name: see phrasings.txt."""

from pathlib import Path
from typing import NamedTuple

import pytest

from hippocam.apps.ask.question.kinds import read_kind
from hippocam.apps.ask.question.understand import understand
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import QuestionKind

KINDS = {
    "whether": QuestionKind.WHETHER,
    "recording's length": QuestionKind.LENGTH,
    "what was there": QuestionKind.WHAT,
    "who": QuestionKind.WHO,
    "what it says": QuestionKind.WORDS,
    "what was said": QuestionKind.SAID,
    "colour": QuestionKind.COLOUR,
    "in a row": QuestionKind.ORDINAL,
    "comparison": QuestionKind.COMPARE,
    "something else about it": QuestionKind.OTHER,
}
STREAMS = ("driveway", "openeqa_hm3d_house_tour", "sintel_trailer", "robot/left", "robot/right", "big_buck_bunny")


class Phrase(NamedTuple):
    kind: QuestionKind
    question: str
    text: str | None
    streams: tuple[str, ...]
    window: str


def status(name):
    return StreamStatus(
        id=name, source=name, fps=1, duration_s=600.0, complete=True, frames_seen=600, frames_encoded=600,
        events=60,
        entries=60, entry_bytes=1, evicted=0, t0_s=0.0, t1_s=600.0,
    )  # fmt: skip


def phrases():
    kind = None
    for line in (Path(__file__).parent / "phrasings.txt").read_text().splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
            kind = KINDS.get(name) or QuestionKind(name)
        elif line and not line.startswith("#"):
            question, text, streams, window = ([part.strip() for part in line.split("|")] + [""] * 3)[:4]
            named = tuple(sorted(filter(None, (s.strip() for s in streams.split(",")))))
            yield Phrase(kind, question, {"": None, "-": ""}.get(text, text), named, window)


def written(edge):
    return "" if edge is None else f"{edge:g}"


@pytest.mark.parametrize("phrase", list(phrases()), ids=lambda p: p.question)
def test_what_a_question_wants_to_know_and_where_and_when(phrase):
    found = understand(phrase.question, [status(name) for name in STREAMS])
    window = {f"{written(s.after_s)}-{written(s.before_s)}" for s in found.spans}
    assert (found.kind, tuple(sorted(s.stream for s in found.spans if s.stream))) == (phrase.kind, phrase.streams)
    assert window == {phrase.window or "-"}
    if phrase.text is not None:
        assert found.text == phrase.text


@pytest.mark.parametrize(
    "begin",
    [
        "who",
        "who saw",
        "what",
        "what is",
        "summarize",
        "describe",
        "is",
        "how many minutes does it have",
        "",
        "show",
    ],
)
@pytest.mark.parametrize("word", ["all", "have", "this", "the", "what happened"])
def test_a_question_that_repeats_a_word_is_understood_at_once(begin, word):
    """Two ways to read each word would make 2 to the 60th attempts."""
    understand(f"{begin} {f'{word} ' * 60}, zzz?", [status(name) for name in STREAMS])


def test_there_are_phrasings_enough_of_every_kind():
    every = list(phrases())
    assert len(every) >= 300
    assert {phrase.kind for phrase in every} == set(QuestionKind)
    assert len({phrase.question.casefold() for phrase in every}) == len(every)


@pytest.mark.parametrize(
    ("question", "named"),
    [("how many deer are there", "deer"), ("How many red kites do you see?", "red kites")],
)
def test_what_is_counted_is_looked_for(question, named):
    assert read_kind(question).text == named
