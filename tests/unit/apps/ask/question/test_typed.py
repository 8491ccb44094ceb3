"""Questions with short forms and slips, and what they are taken to say."""

import pytest

from hippocam.apps.ask.question.typed import as_meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("whats on the roof", "what is on the roof"),
        ("What’s on the roof?", "What is on the roof?"),
        ("Wheres teh ladder", "Where is the ladder"),
        ("how many ppl waited", "how many people waited"),
        ("how many boats?", "how many boats are there?"),
        ("Aren't there any boats?", "Are there any boats?"),
        ("how come the boat sank", "why did the boat sank"),
        ("When does the boat land?", "When does the boat land?"),
        ("when do the words THE END come up", 'when do the words "THE END" come up'),
        ("when does the word Boat appear", "when does the word Boat appear"),
        ("What comes after 'It's easy'?", 'What comes after "It\'s easy"?'),
        ("What is the man's coat like?", "What is the man's coat like?"),
        ("When does the ladder come into view?", "When does the ladder appear?"),
        ("Did a parcel turn up at the door?", "Did a parcel appear at the door?"),
        ("When did the lady pull in?", "When did the woman come?"),
        ("Does he drive in the rain?", "Does he drive in the rain?"),
        ("when did two guys go out of sight", "when did two men leave"),
        ("how much time did the car spend there", "how much time did the car stay"),
        ('when does "turn up the lady" come into view', 'when does "turn up the lady" appear'),
    ],
)
def test_what_is_typed_is_written_out_once(typed, meant):
    assert as_meant(typed) == meant
    assert as_meant(meant) == meant


def test_what_a_sign_says_and_a_stream_is_called_stays():
    assert as_meant('when do you see "whats up ppl" in whats_new') == 'when do you see "whats up ppl" in whats_new'
