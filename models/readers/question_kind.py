"""What a question can want to know of what it describes."""

from __future__ import annotations

from enum import Enum


class QuestionKind(Enum):
    """What a question wants to know; `apps/ask/question/kinds.py` reads it off the words."""

    WHETHER = "yes or no"
    WHEN = "when"
    OFTEN = "how often"
    LONG = "how long"
    FIRST = "first"
    LAST = "last"
    ORDINAL = "which in a row"
    BEFORE = "before"
    AFTER = "after"
    WHERE = "where"
    COLOUR = "what colour"
    COUNT = "how many"
    COMPARE = "compare"
    LENGTH = "length of the recording"
    NOBODY = "nobody"
    WHO = "who"
    WHAT = "what was there"
    HAPPENED = "what happened"
    SUMMARY = "summary"
    WORDS = "what is written"
    SAID = "what was said"
    OTHER = "something else about it"

    @property
    def in_words(self) -> bool:
        """Whether words can be the answer: what is asked for is written or said, or no picture tells it.

        A name is read or heard, never seen; of "which monitor is connected" pictures tell no more than when.
        """
        return self in (QuestionKind.WORDS, QuestionKind.SAID, QuestionKind.OTHER)

    @property
    def overall(self) -> bool:
        """Whether it is about all that there was, if nothing is named to look for."""
        return self in (QuestionKind.WHAT, QuestionKind.HAPPENED, QuestionKind.SUMMARY)
