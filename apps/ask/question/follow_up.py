"""Follow-ups completed by the question before them: "and after that?", "what about the dog?", "how often?"."""

from __future__ import annotations

import re
from collections.abc import Callable

from hippocam.apps.ask.question.description import JUST, names_nothing
from hippocam.apps.ask.question.meaning import Anchor, Side, Turn
from hippocam.models.readers.question_kind import QuestionKind

_THEN = re.compile(
    rf"^(?:and |so |but )?(?P<rest>.*?)[,\s]*\b(?P<just>{JUST}\s+)?(?P<side>before|after)"
    r"(?:\s+(?:that|this|it|then|him|her|them)|wards?)?$",
    re.IGNORECASE,
)
_NEXT = re.compile(r"^(?:and )?(?:then|next|what next|what (?:came|happened|was) (?:next|then))$", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:(?:and |or |but )?(?:what|how) about|and|or|but)\s+(?P<thing>.+)$", re.IGNORECASE)
_BARE = re.compile(
    r"^(?:and )?(?:so )?(?P<ask>when|where|how often|how many times|how long|when (?:first|last)|for how long)"
    r"(?:\s+(?:was|is|did|were|has|have)(?:\s+(?:that|it|this|he|she|they))?(?:\s+(?:happen|seen|there|last|been))?)?$",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(?:it|he|she|they|him|her|them|that one|this one)\b", re.IGNORECASE)
_QUESTION_WORD = re.compile(
    r"(?:when|where|whom?|what|which|why|how|did|does|do|is|are|was|were|has|have|can|could|any|summar\w*|describe"
    r"|compare|list|count|show|find|tell|give|read)\b",
    re.IGNORECASE,
)
_AGAIN = {
    QuestionKind.OFTEN: "How often was {} seen?",
    QuestionKind.FIRST: "When was {} first seen?",
    QuestionKind.LAST: "When was {} last seen?",
    QuestionKind.LONG: "How long was {} seen?",
    QuestionKind.WHERE: "Where was {}?",
}


def complete(question: str, before: Turn, is_stream: Callable[[str], bool]) -> tuple[str, Anchor | None]:
    """Complete a follow-up with what the question before it says.

    Args:
        question: In plain words; one that leans on nothing stays as it is.
        before: The last question of the conversation.
        is_stream: Whether a name is of a stream that may be asked about.

    Returns:
        The whole question, and the last answer's moment where it looks before or after that.
    """
    plain, last = question.rstrip("?!. "), before.meaning.text
    bare = _BARE.match(plain)
    if bare is not None:
        ask = bare["ask"] if bare["ask"].casefold() != "for how long" else "how long"
        if ask.casefold() in ("when first", "when last"):
            return f"When was {last} {ask.split()[1]} seen?", None
        return f"{ask.capitalize()} was {last}{' seen' if ask.casefold().startswith('how') else ''}?", None
    if _NEXT.match(plain):
        return f"What happened after {last}?", None
    then = _THEN.match(plain)
    if then is not None and before.t0_s is not None:
        side: Side = "before" if then["side"].casefold() == "before" else "after"
        rest = then["rest"].strip()
        if names_nothing(rest):
            return f"What happened {side} {last}?", None
        anchor = Anchor(
            side=side, just=bool(then["just"]), t0_s=before.t0_s, t1_s=before.t1_s, stream=before.stream
        )
        return f"{rest}?", anchor
    about = _ABOUT.match(plain)
    if about is not None and _is_thing(about["thing"]):
        again = _AGAIN.get(before.meaning.kind, "When was {}?")
        if is_stream(about["thing"]):
            return f"{again.format(last).rstrip('?')} in {about['thing']}?", None
        return again.format(about["thing"]), None
    if _PRONOUN.search(plain):
        return _PRONOUN.sub(lambda _: last, question, count=1), None
    return question, None


def _is_thing(text: str) -> bool:
    """Whether a text names something, and asks nothing by itself."""
    return not _QUESTION_WORD.match(text)
