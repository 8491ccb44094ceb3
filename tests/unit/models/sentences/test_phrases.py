import re
from collections import Counter

from hippocam.models.sentences.phrases import Part, phrases

# Who must not be in a phrase that stands by itself: people are named where a detector saw them.
PEOPLE = r"\b(?:man|men|woman|women|person|people|boy|girl|child|children|crowd|somebody|player|audience)\b"


def test_every_phrase_is_there_once_and_says_something():
    every = [phrase.encoded for phrase in phrases()]
    assert [words for words, count in Counter(every).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z][a-z' ]+[a-z]", words) for words in every)
    assert len(every) > 1000


def test_only_actions_are_of_people():
    named = [p.words for p in phrases() if p.part is not Part.ACTION and re.search(PEOPLE, p.words)]
    assert named == []


def test_a_place_begins_with_a_preposition_that_the_encoder_does_not_get():
    places = [phrase for phrase in phrases() if phrase.part is Part.PLACE]
    assert {phrase.words.split()[0] for phrase in places} <= {"in", "on", "at", "by", "before", "under"}
    assert all(phrase.words.endswith(phrase.encoded) for phrase in places)
