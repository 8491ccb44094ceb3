"""An answer as it comes: pieces of its text from the thread that works on it, then the whole."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from hippocam.apps.errors import advised
from hippocam.apps.records import Answer
from hippocam.apps.web.advice import ADVICE
from hippocam.stream.errors import HippocamError

# Something is given after so many seconds without a piece, so that no proxy takes the answer for dead.
_KEEP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an answer; all empty where there is nothing yet.

    Attributes:
        text: A piece of its text, before it was checked.
        answer: The whole answer, the last part.
        error: Why there is none, in one line; then that is the last part.
    """

    text: str = ""
    answer: Answer | None = None
    error: str = ""


def in_parts(
    answer: Callable[[Callable[[str], None]], Answer], turn: AbstractContextManager[None]
) -> Iterator[Part]:
    """Work on a question in a thread of its own, and give what comes of it as it comes.

    Args:
        answer: Answers it; hands the pieces of the text on as they come.
        turn: Held until the answer is there, whether or not anybody still waits for it.
    """
    parts: queue.SimpleQueue[Part] = queue.SimpleQueue()
    held = ExitStack()
    held.enter_context(turn)

    def work() -> None:
        last = Part(error="an internal error; the terminal of the server shows it")
        try:
            with held:
                last = Part(answer=answer(lambda text: parts.put(Part(text=text))))
        except (HippocamError, ValueError) as error:
            last = Part(error=advised(error, ADVICE))
        finally:
            parts.put(last)

    threading.Thread(target=work, name="hippocam-ask", daemon=True).start()
    return _until_last(parts)


def _until_last(parts: queue.SimpleQueue[Part]) -> Iterator[Part]:
    part = Part()
    while part.answer is None and not part.error:
        try:
            part = parts.get(timeout=_KEEP_S)
        except queue.Empty:
            part = Part()
        yield part
