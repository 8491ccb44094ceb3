"""Inside or outside, the weather, the season: what descriptions of each say of a few pictures."""

import pytest

from hippocam.apps.ask.answer.answer import answer_beside
from hippocam.memory.records import Evidence


@pytest.fixture(scope="module")
def yard(load_helpers):
    return load_helpers("unit/apps/ask/answer/records.py")


class Pictures:
    """Pictures that come near the descriptions with one of some words in them."""

    def __init__(self, *words, bright=0.6):
        self.words, self.bright, self.looked_at = words, bright, set()

    def near(self, moments, texts):
        self.looked_at |= {moment.id for moment in moments}
        return [0.4 if any(word in text for word in self.words) else 0.1 for text in texts]

    def brightness(self, moments):
        return self.bright


def said(yard, question, pictures, evidence=()):
    told = answer_beside(yard.facts(question), evidence, pictures)
    return None if told is None else told.reading.answer


ROOM, STREET = ("room", "kitchen"), ("street", "road", "cars")
AT = "0:00 to 0:10 in yard"


@pytest.mark.parametrize(
    ("question", "words", "answer"),
    [
        ("Is it indoors or outdoors?", ROOM, f"Likely indoors: {AT}."),
        ("Is it indoors or outdoors?", STREET, f"Likely outdoors: {AT}."),
        ("Was it filmed inside or outside?", STREET, f"Likely outdoors: {AT}."),
        ("Is this in the city or in the countryside?", STREET, f"Likely in a town: {AT}."),
        ("Is this filmed indoors?", ROOM, f"Yes, likely: it looks indoors: {AT}."),
        ("Is this filmed indoors?", STREET, f"No, it looks outdoors: {AT}."),
        ("Does it take place outside?", STREET, f"Yes, likely: it looks outdoors: {AT}."),
        ("What's the weather like?", STREET, f"Perhaps dry, and bright, as in sunshine: {AT}."),
        ("How is the weather?", ("snow",), f"Perhaps there is snow: {AT}."),
        ("What is the weather like?", ("rain",), f"Perhaps it is wet or raining: {AT}."),
        ("What is the weather like?", ROOM, f"Perhaps it looks indoors, where no weather is to be seen: {AT}."),
        ("Is it sunny?", STREET, f"Perhaps: it looks bright: {AT}."),
        ("Which season is it?", ("autumn",), f"Perhaps autumn: {AT}."),
    ],
)
def test_what_pictures_come_near_to_is_told(yard, question, words, answer):
    assert said(yard, question, Pictures(*words)) == answer


def test_of_dull_pictures_no_sunshine_is_told(yard):
    told = said(yard, "How is the weather?", Pictures(*STREET, bright=0.3))
    assert told == f"Perhaps dry, and rather dull, as under clouds: {AT}."
    assert said(yard, "Is it sunny?", Pictures(*STREET, bright=0.3)) is None


def test_what_is_nearly_alike_is_no_more_than_perhaps(yard):
    class Nearly(Pictures):
        def near(self, moments, texts):
            return [0.4 + 0.02 * (near > 0.2) for near in super().near(moments, texts)]

    assert said(yard, "Is it indoors or outdoors?", Nearly(*ROOM)) == f"Perhaps indoors: {AT}."


def test_where_a_thing_is_named_its_moment_is_looked_at(yard):
    best = Evidence(id="b", stream="yard", t0_s=30, t1_s=34, score=0.9, why="", image="", frame_s=31)
    pictures = Pictures(*ROOM)
    assert (
        said(yard, "Is the ladder inside or outside?", pictures, [best]) == "Likely indoors: 0:30 to 0:34 in yard."
    )
    assert pictures.looked_at == {"b"}


@pytest.mark.parametrize(
    "question",
    ["Is there a man inside?", "Is the ladder in the garden?", "Does a bird sit inside or on the roof?"],
)
def test_where_something_is_is_no_question_about_all_of_it(yard, question):
    assert said(yard, question, Pictures(*ROOM)) is None
