"""Words as people ask into words as encoders understand them.

Encoders are trained on descriptions of what is there. So the words that only ask are removed ("When did a dog
come?" is about "a dog come"), and an absence becomes what a picture of it shows ("nobody": an empty room).
"""

from __future__ import annotations

import re

_ASKING = (
    r"(?:(?:roughly |about |around )?(?:at|around|about|roughly|by)(?: about| around)? (?:what|which)"
    r" (?:time|times|point|moment|place|minute|second|time ?stamp|time ?code)"
    r"|in (?:what|which) (?:minute|second|room"
    r"|place|video|film|scene|moment|camera)|on which side"
    r"|which (?:moment|scene|camera|video|film|clip|stream|recording|part)s?"
    r"|how far in(?:to (?:the |this )?\w+)?"
    r"|(?:in )?(?:which|what) (?:part|half|area) of the (?:picture|image|frame|screen)"
    r"|(?:from |to )?which side|what times?|when|where(?: (?:on|in) the (?:picture|frame|image|view))?"
    r"|(?:for )?how long(?: ago)?"
    r"|how much time|(?:for )?how many (?:seconds|minutes|hours|times)"
    r"|how often|how frequently|what number of times"
    r"|since when|until when)[,\s]*"
    r"(?:\s+(?:did|does|do|is|are|was|were|has|have|had|can|could|show|shows|showed|saw|see))?"
    r"(?:\s+(?:i|we|you|there|one)\b(?:\s+(?:ever\s+)?(?:see|saw|seen|find))?)?(?:\s+show)?(?=\s)",
    r"what (?:is|was|were|are)(?=\s+(?:the|a|an)?\s*\w+\s+\w)",
    r"(?:is|are|was|were) there\b(?:\s+(?:ever|any)\b)?",
    r"(?:did|do|have|can|could) (?:i|we|you|it|the camera)(?: ever)?(?: see| seen| find)?\b",
    r"(?:jump|skip|go|fast forward) to",
    r"(?:please )?(?:show|find|tell|give)(?: me)?(?: the| a)?(?: (?:moment|scene|part|time|frame)s?)?"
    r"(?: (?:when|where|with|of|in which|that shows?))?\b",
    r"what (?:happened|happens|came|comes)(?:\s+(?:right|just|directly|shortly))?\s+(?:before|after)\b",
    r"(?:what|which|who) (?:happened|happens)(?: when)?\b",
    r"(?:did|do|does|has|have) (?:(?:it|(?:the|this) (?:video|film|movie|clip|recording|stream|camera)) )?"
    r"(?:ever )?(?:show|see|seen|shown)\b",
    r"(?:has|have) there (?:ever )?been\b",
    r"(?:was|were|is|are|did|does|do|has|have)(?= it\b)",
    r"on (?:the|which) (?:picture|side)\b",
    r"(?:did|do|does|was|were|is|are|has|have|had)"
    r"(?= (?:the|an?|any\w*|some\w*|my|his|her|our|their|no\w*|one|two|he|she|they)\b)",
)
_START = re.compile(rf"^(?:{'|'.join(_ASKING)})\s+", re.IGNORECASE)
# "How many deer are there?" is about deer.
_COUNTED = re.compile(
    r"^how many (?P<what>(?:[\w-]+ ){0,2}?[\w-]+) (?:(?:are|were|is|was) (?:there|here|shown|seen|visible)"
    r"|(?:do|did|can|could) (?:you|we|i) (?:see|find|count))$",
    re.IGNORECASE,
)
# What says only that anything of the kind will do.
_ANY = re.compile(r"^any\s+|(?<!\bfor)\s+ever\b", re.IGNORECASE)

# These say which of several times is meant, and nothing of what is there.
_WHICH_TIME = re.compile(
    r"\b(?:for )?(?:the )?(?:first|last) time\b|"
    r"\b(?:first|last)(?= (?:see|seen|appear|shown|visible|come|came)\b)|"
    r"\b(?:first|last)$",
    re.IGNORECASE,
)
# "Close to it", before the words before and after.
JUST = r"(?:just|right|shortly|directly|immediately|soon)"
# What asks for whatever there was, and names nothing to look for: "what happened", "who else came".
_NOTHING_NAMED = re.compile(
    r"^(?:what|who|which \w+|the|thing)(?:\s+(?:else|do|does|can|be|that|shown|in|it|was|were|is|did|came|comes"
    r"|come|happened|happens|happen|there|seen|visible|we|you|see|the next|next|thing|first|last))*$",
    re.IGNORECASE,
)
_NOBODY = re.compile(r"\b(?:nobody|no[- ]?one|no people|not any(?:body|one))\b", re.IGNORECASE)

# Where all of it is: "in the house", "in the video".
_EVERYWHERE = re.compile(
    r"(?<=\w) (?:anywhere )?(?:in|inside|around|on) (?:the|this|that|our|my) (?:whole )?(?:house|home|room|flat"
    r"|apartment|building|place|scene|view|picture|image|video|film|movie|clip|footage|trailer|recording|camera|world)$",
    re.IGNORECASE,
)
# A pronoun, what a picture shows of whom it stands for, and before what "her" is no "a woman's".
_PRONOUNS = {"he": "a man", "him": "a man", "she": "a woman", "they": "people", "them": "people", "his": "a man's"}
_PRONOUNS |= {"their": "people's", "hers": "a woman's"}
_PRONOUN = re.compile(rf"\b(?:{'|'.join(_PRONOUNS)}|her)\b", re.IGNORECASE)
_NO_NOUN = re.compile(
    r"\s*(?:$|(?:in|into|on|at|by|with|from|to|and|or|again|leave|leaving|go|going|come|coming|walk\w*|sit\w*|stand\w*)\b)",
    re.IGNORECASE,
)
# Somebody who is named before it may be the one whom a pronoun stands for.
_NAMED = re.compile(
    r"\b(?:an?|the|my|our|one|two|some\w*|every\w*|any\w*|who|people|m[ae]n|wom[ae]n)\b", re.IGNORECASE
)


def description(text: str) -> str:
    """Describe what a picture shows of it.

    Where all of the footage was taken says nothing: with "a dog in the house" any room would be believed. An
    absence becomes what is seen then: a vector of "nobody" lies among pictures of people. A pronoun for nobody who
    is named becomes "a man", "a woman" or "people": captions have no pronouns.
    """
    text = _EVERYWHERE.sub("", _NOBODY.sub("an empty room without people", text))
    found = _PRONOUN.search(text)
    if found is None or _NAMED.search(text[: found.start()]):
        return text
    return text[: found.start()] + _of_pronoun(found[0].casefold(), text[found.end() :]) + text[found.end() :]


def _of_pronoun(pronoun: str, rest: str) -> str:
    if pronoun == "her":
        return "a woman" if _NO_NOUN.match(rest) else "a woman's"
    return _PRONOUNS[pronoun]


def statement(question: str) -> str:
    """Remove the words that only ask; a text that is no question stays as it is."""
    text = " ".join(question.split()).rstrip("?! .")
    asked = " ".join(_WHICH_TIME.sub("", text).split())
    shorter = _ANY.sub("", _START.sub("", _COUNTED.sub(r"\g<what>", asked)))
    return shorter if len(shorter) > 2 else text


def names_nothing(question: str) -> bool:
    """Whether a question asks for whatever there was: "what happened", "who else came"."""
    return not question or _NOTHING_NAMED.match(question) is not None


def tidy(text: str) -> str:
    """Repair spaces and commas where words were taken out of a question."""
    text = " ".join(text.split())
    return re.sub(r"\s+([?!.,])", r"\1", text).strip(" ,:")
