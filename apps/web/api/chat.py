"""A memory behind OpenAI's chat protocol: any front end that speaks it can talk to the videos.

The last message of the user is the question, those before it are what it may lean on. Where the words come from a
model, they are checked first and then sent, also to whoever wants them piece by piece: what a reader could not
support is not shown.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import JSONResponse, Response, StreamingResponse

from hippocam.apps.api import answer_json
from hippocam.apps.ask.conversation import Answers
from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.where import Where
from hippocam.apps.errors import RefusedError
from hippocam.apps.records import Answer, Status
from hippocam.apps.shown.json_shapes import Json
from hippocam.apps.web.access.limits import QUESTION_LETTERS
from hippocam.apps.web.api.parts import Part, in_parts
from hippocam.apps.web.api.served import Turns, addressed_answer, data
from hippocam.apps.wording import one_line
from hippocam.memory.records import Evidence
from hippocam.stream.timecode import format_time

CHAT = "/v1"
# Name of the memory as a model; of one of its streams alone, with the stream's name behind it.
MODEL = "hippocam"
# Streams that are listed as models.
_MOST_MODELS = 200
# Questions before the last one that are understood again where it is not known any more what they meant.
_LEANS_ON = 3
_MOST_TURNS = 512
# A sentence, or a line of the list of moments: what is sent at a time.
_PIECE = re.compile(r".+?(?:(?<=[.!?\]])\s+|\n+|$)", re.DOTALL)


class Held(Protocol):
    """Who tells which streams there are: a `Session`, as far as it is needed here."""

    def status(self) -> Status:
        """What the memory holds now."""


class ContentPart(BaseModel):
    """A part of a message: its text; or something else, which is not taken."""

    type: str
    text: str = ""


class Message(BaseModel):
    """What somebody said."""

    role: str
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        """Its words.

        Raises:
            RefusedError: It has more than words in it.
        """
        if isinstance(self.content, list):
            if any(part.type != "text" for part in self.content):
                raise RefusedError(400, "only text is taken: a question about what the memory saw")
            return " ".join(part.text for part in self.content)
        return self.content or ""


class Chat(BaseModel):
    """A conversation that ends with a question. What else the protocol has is not needed here, and passed over."""

    model: Annotated[str, StringConstraints(max_length=1000)] = MODEL
    messages: Annotated[list[Message], Field(min_length=1, max_length=2000)]
    stream: bool = False
    n: Annotated[int, Field(ge=1, le=1)] | None = None

    def questions(self) -> list[str]:
        """What the user asked, the question to be answered last.

        Raises:
            RefusedError: There is none, or it is too long.
        """
        asked = [text for message in self.messages if message.role == "user" and (text := message.text().strip())]
        if not asked or self.messages[-1].role != "user":
            raise RefusedError(400, "the last message must be a question of the user")
        if len(asked[-1]) > QUESTION_LETTERS:
            raise RefusedError(400, f"a question may have {QUESTION_LETTERS} letters, found {len(asked[-1])}")
        return [question[:QUESTION_LETTERS] for question in asked]

    def where(self) -> Where:
        """Where to look, as the name of the model says.

        Raises:
            RefusedError: There is no such model.
        """
        name, _, stream = self.model.partition("/")
        if name != MODEL:
            raise RefusedError(404, f"model {self.model!r:.60} is not here; ask for {MODEL!r}")
        return {"stream": stream or None}


class Talk:
    """Conversations with a memory, which keeps none: what earlier questions meant is remembered for a while.

    Args:
        session: Answers.
    """

    def __init__(self, session: Answers) -> None:
        self._session, self._mutex = session, threading.Lock()
        self._turns: OrderedDict[tuple[str, ...], Turn | None] = OrderedDict()

    def answer(self, questions: Sequence[str], where: Where) -> Answer:
        """Answer the last question; those before it are understood again where they are not known any more."""
        before: Turn | None = None
        for count in range(max(1, len(questions) - _LEANS_ON), len(questions)):
            key = self._key(questions[:count], where)
            with self._mutex:
                known, turn = key in self._turns, self._turns.get(key)
            if not known:
                turn = self._session.ask(questions[count - 1], reader="extractive", before=before, **where).turn
                self._remember(key, turn)
            before = turn or before
        answer = self._session.ask(questions[-1], before=before, **where)
        self._session.used(answer)
        self._remember(self._key(questions, where), answer.turn)
        return answer

    def _key(self, questions: Sequence[str], where: Where) -> tuple[str, ...]:
        return (where.get("stream") or "", *questions)

    def _remember(self, key: tuple[str, ...], turn: Turn | None) -> None:
        with self._mutex:
            self._turns[key] = turn
            while len(self._turns) > _MOST_TURNS:
                self._turns.popitem(last=False)


def chat_routes(session: Answers, held: Held, asking: Turns) -> APIRouter:
    """The routes of the protocol."""
    router, talk, started = APIRouter(tags=["chat"]), Talk(session), round(time.time())

    @router.get("/models")
    def models() -> Response:
        """The memory, and each of its streams alone, as models."""
        names = [MODEL, *(f"{MODEL}/{stream.id}" for stream in held.status().streams[:_MOST_MODELS])]
        listed = [{"id": name, "object": "model", "created": started, "owned_by": MODEL} for name in names]
        return JSONResponse({"object": "list", "data": listed})

    @router.post("/chat/completions")
    def complete(chat: Chat, request: Request) -> Response:
        """An answer with the moments that it rests on, each with a link to the page."""
        questions, where, page = chat.questions(), chat.where(), str(request.base_url.replace(path="/"))

        def answer(_: Callable[[str], None] | None = None) -> Answer:
            return addressed_answer(talk.answer(questions, where))

        head: Json = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": round(time.time()), "model": chat.model}
        if chat.stream:
            pieces = _chunks(in_parts(answer, asking.turn(request)), head, page)
            return StreamingResponse(pieces, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        with asking.turn(request):
            found = answer()
        message = {"role": "assistant", "content": cited_text(found, page), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return JSONResponse(
            head | {"object": "chat.completion", "choices": [choice], "hippocam": answer_json(found)}
        )

    return router


def _chunks(parts: Iterator[Part], head: Json, page: str) -> Iterator[str]:
    """What is streamed: the role, the text in pieces, the whole answer as the library has it, the end."""

    def chunk(delta: Json, finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return data(head | {"object": "chat.completion.chunk", "choices": [choice]} | more)

    yield chunk({"role": "assistant", "content": ""})
    for part in parts:
        if part.answer is not None:
            yield from (chunk({"content": piece}) for piece in _PIECE.findall(cited_text(part.answer, page)))
            yield chunk({}, "stop", hippocam=answer_json(part.answer))
        elif part.error:
            yield data({"error": error_of(part.error)})
        else:  # nothing yet, or words that were not checked yet
            yield ": waiting\n\n"
    yield "data: [DONE]\n\n"


def cited_text(answer: Answer, page: str) -> str:
    """An answer with the moments that it cites below it, each with a link to it on the page.

    Args:
        answer: The answer.
        page: Address of the page.
    """
    ranked = list(enumerate(answer.evidence, start=1))
    lines = [_citation(rank, moment, page) for rank, moment in ranked if moment.id in answer.cited]
    failed = [f"({answer.failed}: this is worded from the evidence alone)"] if answer.failed else []
    return "\n\n".join([answer.answer, *failed, *(["\n".join(lines)] if lines and not answer.unknown else [])])


def _citation(rank: int, moment: Evidence, page: str) -> str:
    link = f"{page}?{urlencode({'s': moment.stream, 't': f'{moment.t0_s:.1f}'})}"
    name = re.sub(r"([\\\[\]<>*_`])", r"\\\1", one_line(moment.stream))
    looks = f": {one_line(moment.sentence)}" if moment.sentence else ""
    return f"- [{rank}] [{name}, {format_time(moment.t0_s)} to {format_time(moment.t1_s)}]({link}){looks}"


def error_of(reason: str, status: int = 400) -> Json:
    """An error as the protocol has it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"message": reason, "type": kind, "param": None, "code": None}
