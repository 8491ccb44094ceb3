"""Questions of the page into answers, word by word where a reader has a model; each tab has a conversation."""

from __future__ import annotations

import queue
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from hippocam.apps.api import answer_json
from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.where import Where
from hippocam.apps.errors import BrokenOffError, advised
from hippocam.apps.records import Answer
from hippocam.apps.web.access.limits import QUESTION_LETTERS, QUESTIONS, Allowance
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.views.site import Json, Site, moment_json, number_of, text_of, texts_of
from hippocam.models.readers.surety import Surety
from hippocam.stream.errors import HippocamError

# Turns of conversations that are remembered, so that a question may lean on the one before it.
_MOST_TURNS = 2000


class Questions:
    """Answers the questions of all tabs. Safe to use from several threads.

    Args:
        site: What is asked.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._turns: OrderedDict[str, Turn] = OrderedDict()
        self._stopped: set[str] = set()
        self._mutex = threading.Lock()
        self._allowance = Allowance(QUESTIONS)

    def ask(self, wanted: Json, client: str) -> Iterator[Json]:
        """Answer a question.

        Args:
            wanted: "id" of the question, made by the tab; "question"; "before", the token of the turn before it;
                and where to look: "streams", "after_s", "before_s", "place_of".
            client: Who asks, see client_of.

        Returns:
            What the tab shows, one after the other: {"id", "state"} with "state" "words" and the "text" so far,
            "answer" and the "answer", or "error" and what is wrong.
        """
        question_id, question = text_of(wanted, "id"), text_of(wanted, "question").strip()
        refusal = self._refusal(question)
        with self._allowance.take(client) as free:
            if not free:
                refusal = "You are asking several questions already; wait for their answers."
            if refusal:
                yield {"id": question_id, "state": "error", "error": refusal}
                return
            yield from self._told(question_id, question, wanted)

    def stop(self, question_id: str) -> None:
        """Let a question be: nothing more is told of it."""
        with self._mutex:
            if len(self._stopped) > _MOST_TURNS:
                self._stopped.clear()
            self._stopped.add(question_id)

    def _refusal(self, question: str) -> str:
        if not question:
            return "Type a question first."
        if len(question) > QUESTION_LETTERS:
            return f"A question may have {QUESTION_LETTERS} letters, found {len(question)}."
        try:
            if self._site.library.status() is None:
                return "This memory is empty. Add a video in the library, then ask about it."
        except HippocamError as error:
            return advised(error, ADVICE)
        return ""

    def _told(self, question_id: str, question: str, wanted: Json) -> Iterator[Json]:
        said: queue.SimpleQueue[str | Json] = queue.SimpleQueue()

        def on_token(words: str) -> None:
            if question_id in self._stopped:
                raise BrokenOffError
            said.put(words)

        def work() -> None:
            try:
                said.put({"state": "answer", "answer": self._answer(question, wanted, on_token)})
            except (HippocamError, ValueError) as error:
                said.put({"state": "error", "error": " ".join(advised(error, ADVICE).split())})
            except BaseException:
                said.put({"state": "error", "error": "an internal error; the terminal of the server shows it"})
                raise

        threading.Thread(target=work, name="hippocam-answer", daemon=True).start()
        text = ""
        while isinstance(found := said.get(), str):
            text += found
            if said.empty():
                yield {"id": question_id, "state": "words", "text": text}
        yield {"id": question_id, **found}

    def _answer(self, question: str, wanted: Json, on_token: Any) -> Json:
        where: Where = {
            "streams": texts_of(wanted, "streams") or None,
            "after_s": number_of(wanted, "after_s"),
            "before_s": number_of(wanted, "before_s"),
            "place_of": text_of(wanted, "place_of") or None,
        }
        with self._mutex:
            before = self._turns.get(text_of(wanted, "before"))
        found = self._site.session.ask(
            self._site.titles.read(question),
            reader=self._site.reader,
            on_token=on_token,
            before=before,
            **where,
        )
        if self._site.may_change:
            self._site.session.used(found)
        told = answer_for_page(found) | {"turn": self._remember(found.turn or before)}
        return told | {"text": self._site.titles.told(told["text"])}

    def _remember(self, turn: Turn | None) -> str:
        if turn is None:
            return ""
        token = secrets.token_hex(8)
        with self._mutex:
            self._turns[token] = turn
            while len(self._turns) > _MOST_TURNS:
                self._turns.popitem(last=False)
        return token


def answer_for_page(found: Answer) -> Json:
    """An answer as the page shows it: the verdict in a word, the text without it, moments with their pictures."""
    value: Json = {**answer_json(found)}
    del value["given"]
    sure = Surety.PERHAPS if found.surety is Surety.NOT_SEEN else found.surety  # it was answered all the same
    verdict = ("not seen" if found.not_seen else "no answer") if found.unknown else sure.value
    return value | {
        "verdict": verdict,
        "text": without_verdict(found.answer, verdict),
        "evidence": [moment_json(moment) for moment in found.evidence],
        "narrowed": bool(found.understood and found.understood.narrowed),
    }


def without_verdict(text: str, verdict: str) -> str:
    """An answer's text without the word that stands above it: "Likely 0:16 to 0:25" into "0:16 to 0:25"."""
    rest = re.sub(rf"^(?:yes, )?{verdict}(?::| (?=[^a-z]))\s*", "", text, flags=re.IGNORECASE)
    rest = rest.replace(" (clear).", ".") if verdict == Surety.CLEAR.value else rest
    return rest[:1].upper() + rest[1:]
