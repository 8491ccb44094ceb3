import pytest

from hippocam.apps.ask.question.description import description, statement


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When did a dog come?", "a dog come"),
        ("When was there something red?", "something red"),
        ("Where did you see the keys?", "the keys"),
        ("Was there anything purple?", "anything purple"),
        ("Did you ever see an elephant?", "an elephant"),
        ("Show me the moment when a car turns", "a car turns"),
        ("find the man with glasses", "man with glasses"),
        ("a red car on a road", "a red car on a road"),
        ("Who came after the man in the black jacket?", "Who came after the man in the black jacket"),
        ("When?", "When"),
        ("Is he reading a book?", "he reading a book"),
        ("When was she at the window?", "she at the window"),
        ("When did I last see my keys?", "my keys"),
        ("When was the dog first seen?", "the dog seen"),
        ("When did the dog appear for the first time?", "the dog appear"),
        ("What happened right after the red car came?", "the red car came"),
        ("What happened when it rained?", "it rained"),
        ("the last supper", "the last supper"),
    ],
)
def test_only_the_words_that_ask_are_taken_off(question, text):
    assert statement(question) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nobody", "an empty room without people"),
        ("No one at the table", "an empty room without people at the table"),
        ("somebody at the table", "somebody at the table"),
        ("he reading a book", "a man reading a book"),
        ("She at the window", "a woman at the window"),
        ("a dog in the house", "a dog"),
        ("two people in the whole video", "two people"),
        ("a kettle in the kitchen", "a kettle in the kitchen"),
        ("the house", "the house"),
        ("they eat", "people eat"),
        ("his car", "a man's car"),
        ("her red coat", "a woman's red coat"),
        ("see her leave", "see a woman leave"),
        ("see him", "see a man"),
        ("a man reads while he sits", "a man reads while he sits"),
        ("the woman with her dog", "the woman with her dog"),
        ("people and their dogs", "people and their dogs"),
        ("my keys", "my keys"),
        ("it rains", "it rains"),
        ("the shelf", "the shelf"),
    ],
)
def test_an_absence_is_told_as_what_is_seen_then(text, told):
    assert description(text) == told
