"""The reader that asks an OpenAI-compatible server: vLLM, llama.cpp, Ollama, LM Studio, a cloud's.

Pictures are sent inline, as the bytes of a JPEG; no address is ever sent for a server to fetch.
"""

from __future__ import annotations

import base64
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hippocam.models.errors import ReaderError
from hippocam.models.readers.answer_stream import AnswerStream
from hippocam.models.readers.chat_server import ChatServer
from hippocam.models.readers.checks import check_number, check_whole
from hippocam.models.readers.context import Context, ContextConfig, estimated_tokens
from hippocam.models.readers.prompt import Message, messages
from hippocam.models.readers.reading import Reading
from hippocam.models.readers.reply import converse
from hippocam.models.readers.reply_schema import reply_schema

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

_FORMATS = ("", "json_object", "json_schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIConfig:
    """Which server is asked, and how.

    Attributes:
        base_url: Such as "http://localhost:8000/v1"; "" for the environment's OPENAI_BASE_URL.
        model: The server's name for it; "" for the environment's HIPPOCAM_READER_MODEL.
        api_key: "" for the environment's OPENAI_API_KEY; a local server needs none.
        images: Whether pictures are sent; false for a model that does not see.
        response_format: How the server is told to write JSON: "" for not at all (every server takes that),
            "json_object" or "json_schema".
        timeout_s: How long a reply may take in all, 0.001 to 3600 seconds.
        retries: How often a busy or failing server is asked again, 0 to 10.
        max_tokens: Most tokens of a reply, 16 to 100,000.
        temperature: 0 to 2; 0 gives the same answer to the same question, as far as the server can.
    """

    base_url: str = ""
    model: str = ""
    api_key: str = field(default="", repr=False)
    images: bool = True
    response_format: str = ""
    timeout_s: float = 120.0
    retries: int = 4
    max_tokens: int = 1000
    temperature: float = 0.0

    def __post_init__(self) -> None:
        if self.response_format not in _FORMATS:
            raise ValueError(
                f"reader.openai.response_format must be one of {_FORMATS}, found {self.response_format!r}"
            )
        if not isinstance(self.images, bool):
            raise ValueError(f"reader.openai.images must be true or false, found {self.images!r}")
        check_number("openai.timeout_s", self.timeout_s, 0.001, 3600)
        check_number("openai.temperature", self.temperature, 0, 2)
        check_whole("openai.retries", self.retries, 0, 10)
        check_whole("openai.max_tokens", self.max_tokens, 16, 100_000)


class OpenAIReader:
    """Asks a server by chat completions.

    Args:
        config: Which server and how; what is "" comes from the environment.
        context: What it is given.
        sleep: Waits some seconds before it is asked again.
        clock: Seconds of a clock that only rises.
        rng: Spreads the waits.

    Raises:
        ReaderError: No server or no model is named.
    """

    def __init__(
        self,
        config: OpenAIConfig,
        context: ContextConfig,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        base_url = config.base_url or os.environ.get("OPENAI_BASE_URL", "")
        model = config.model or os.environ.get("HIPPOCAM_READER_MODEL", "")
        if not base_url:
            raise ReaderError(
                "reader openai: no server is named; set OPENAI_BASE_URL, as http://localhost:8000/v1, or "
                "reader.openai.base_url in a settings file"
            )
        if not model:
            raise ReaderError(
                "reader openai: no model is named; write openai:MODEL, or set HIPPOCAM_READER_MODEL or "
                "reader.openai.model in a settings file"
            )
        self.id = f"openai:{model}"
        self._model = model
        self._config = config
        self._context = context if config.images else replace(context, frames=0)
        self._server = ChatServer(
            base_url,
            config.api_key or os.environ.get("OPENAI_API_KEY", ""),
            timeout_s=config.timeout_s,
            retries=config.retries,
            sleep=sleep,
            clock=clock,
            rng=rng,
        )

    @classmethod
    def from_config(cls, argument: str, config: ReaderConfig) -> OpenAIReader:
        """Make it from settings; the argument is the model's name, "" for the settings'."""
        return cls(replace(config.openai, model=argument or config.openai.model), config.context)

    @property
    def budget(self) -> ContextConfig:
        """What it is given."""
        return self._context

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer from what is given.

        Args:
            context: The question and what it is to be answered from.
            on_token: Gets the words of the answer as they come, before they are checked.

        Raises:
            ReaderError: The server is away, too slow or too busy, or refuses.
        """
        config = self._config

        def complete(turns: list[Message]) -> str:
            body: dict[str, Any] = {
                "model": self._model,
                "messages": [_turn(turn) for turn in turns],
                "max_tokens": config.max_tokens,
                "temperature": config.temperature,
            }
            if config.response_format == "json_object":
                body["response_format"] = {"type": "json_object"}
            elif config.response_format == "json_schema":
                schema = {"name": "answer", "strict": True, "schema": reply_schema(fitting)}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            return self._server.complete(body, AnswerStream(on_token) if on_token else None)

        fitting = context.fitted(self._tokens, self._context.tokens)
        return converse(fitting, complete, reader=self.id, sees=config.images)

    def _tokens(self, context: Context) -> int:
        text = "".join(turn.text for turn in messages(context))
        return estimated_tokens(text, context.pictures, self._context)


def _turn(turn: Message) -> dict[str, Any]:
    """A message in the interface's form: without a picture it is plain text, which every server takes."""
    if all(isinstance(part, str) for part in turn.parts):
        return {"role": turn.role, "content": turn.text}
    return {"role": turn.role, "content": [_part(part) for part in turn.parts]}


def _part(part: str | bytes) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    url = "data:image/jpeg;base64," + base64.b64encode(part).decode("ascii")
    return {"type": "image_url", "image_url": {"url": url}}
