"""Questions that lean on the one before made whole: "and after that?", "what about the dog?", "how often?"."""

from __future__ import annotations

import re
from collections.abc import Callable

from hippocam.apps.ask.before_after import NOTHING, SOFT
from hippocam.apps.ask.meaning import Beside, Side, Turn
from hippocam.models.readers.question_kind import Asked, asked

_THEN = re.compile(
    rf"^(?:and |so |but )?(?P<rest>.*?)[,\s]*\b(?P<just>{SOFT}\s+)?(?P<side>before|after)"
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
_AGAIN = {
    Asked.OFTEN: "How often was {} seen?",
    Asked.FIRST: "When was {} first seen?",
    Asked.LAST: "When was {} last seen?",
    Asked.LONG: "How long was {} seen?",
    Asked.WHERE: "Where was {}?",
}


def whole(question: str, before: Turn, is_stream: Callable[[str], bool]) -> tuple[str, Beside | None]:
    """A follow-up made whole by the question before it, and the moment that it stands beside."""
    plain, last = question.rstrip("?!. "), before.understood.text
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
        beside = Beside(
            side=side, just=bool(then["just"]), t0_s=before.t0_s, t1_s=before.t1_s, stream=before.stream
        )
        rest = then["rest"].strip()
        if not rest or NOTHING.match(rest):
            return f"What happened {side} {last}?", None
        return f"{rest}?", beside
    about = _ABOUT.match(plain)
    if about is not None and asked(about["thing"]) == Asked.WHEN and not _is_question(about["thing"]):
        again = _AGAIN.get(before.understood.kind, "When was {}?")
        if is_stream(about["thing"]):
            return f"{again.format(last).rstrip('?')} in {about['thing']}?", None
        return again.format(about["thing"]), None
    if _PRONOUN.search(plain):
        return _PRONOUN.sub(lambda _: last, question, count=1), None
    return question, None


def _is_question(text: str) -> bool:
    return bool(
        re.match(r"(?:when|where|who|what|which|how|did|does|is|are|was|were|has|have)\b", text, re.IGNORECASE)
    )
