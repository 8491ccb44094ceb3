"""Questions one after another: what one leaves out is taken from the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Unpack

from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.reader import Reader
from hippocam.apps.ask.where import Where
from hippocam.apps.records import Answer


class Answers(Protocol):
    """Who answers in a conversation or on a page: a `Session`."""

    def ask(
        self,
        question: str,
        *,
        reader: str | Reader | None = None,
        on_token: Callable[[str], None] | None = None,
        before: Turn | None = None,
        deep: bool | None = None,
        **where: Unpack[Where],
    ) -> Answer:
        """Answer a question."""

    def used(self, answer: Answer) -> None:
        """Say that an answer was of use."""


class Conversation:
    """A conversation with what a session remembers.

    talk = Conversation(session)
    talk.ask("When did a man in a black jacket come?")
    talk.ask("And what happened after that?")

    Args:
        session: Answers the questions.
        reader: Name of the reader, or a reader; None for the settings'.
        deep: As for `Session.ask`.
        where: Where to look in all of it, as for `Session.ask`.
    """

    def __init__(
        self,
        session: Answers,
        *,
        reader: str | Reader | None = None,
        deep: bool | None = None,
        **where: Unpack[Where],
    ) -> None:
        self._session, self._reader, self._deep, self._where = session, reader, deep, where
        self._turn: Turn | None = None

    def ask(self, question: str, on_token: Callable[[str], None] | None = None) -> Answer:
        """Answer a question; see `Session.ask`."""
        answer = self._session.ask(
            question, reader=self._reader, deep=self._deep, on_token=on_token, before=self._turn, **self._where
        )
        self._turn = answer.turn or self._turn
        return answer
