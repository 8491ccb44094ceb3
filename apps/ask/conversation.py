"""Questions one after the other: what one leaves out, the one before it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from hippocam.apps.ask.ask import Reader, Where
from hippocam.apps.ask.meaning import Turn
from hippocam.apps.records import Answer
from hippocam.apps.session import Session


class Conversation:
    """A conversation with a memory.

    talk = Conversation(session)
    talk.ask("When did a man in a black jacket come?")
    talk.ask("And what happened after that?")

    Args:
        session: The memory that is asked.
        reader: Name of the reader, or a reader; None for the settings'.
        deep: As for `Session.ask`.
        where: Where to look in all of it, as for `Session.ask`.
    """

    def __init__(
        self,
        session: Session,
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
        self._turn = turn_of(answer) or self._turn
        return answer


def turn_of(answer: Answer) -> Turn | None:
    """What the next question may lean on."""
    if answer.understood is None:
        return None
    cited = next((moment for moment in answer.evidence if moment.id in answer.cited), None)
    if cited is None:
        return Turn(meaning=answer.understood)
    return Turn(meaning=answer.understood, stream=cited.stream, t0_s=cited.t0_s, t1_s=cited.t1_s)
