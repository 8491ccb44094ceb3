"""Many words for one thing into the one that the rules know: to turn up is to appear, a lady is a woman.

Rules answer a form of question only where they know all words that matter. So what can be said in many ways is
first said in one. Only ways that mean the same wherever they stand are here; what stands in quotes stays.
"""

from __future__ import annotations

import re
from functools import partial

# Other words for people and things; plurals end in the same letters as these.
_NOUNS = {
    "lady": "woman", "ladies": "women", "guy": "man", "guys": "men", "fellow": "man", "bloke": "man",
    "blokes": "men", "dude": "man", "gentleman": "man", "gentlemen": "men", "folks": "people", "human": "person",
    "automobile": "car", "automobiles": "cars", "telly": "tv", "tellies": "tvs", "television set": "television",
    "settee": "sofa", "settees": "sofas", "doggy": "dog", "doggie": "dog", "kitty": "cat", "pussycat": "cat",
    "whereabouts": "where", "push-bike": "bicycle", "pushbike": "bicycle",
}  # fmt: skip
# What the picture is called: "comes into view".
_VIEW = r"(?:in)?to (?:the )?(?:view|shot|frame|sight|picture|scene|image)"
_OUT = r"out of (?:the )?(?:view|shot|frame|sight|picture|scene|image)"
_END = r"(?=\s*(?:[?.!,]|$)| (?:for the|again|then|at|in|on|first|last|and)\b)"
# Each verb with the ways to say it: plain form, with s, past, with ing.
_VERBS = (
    (
        ("appear", "appears", "appeared", "appearing"),
        (
            rf"com(?:e|es|ing) {_VIEW}|came {_VIEW}",
            r"com(?:e|es|ing) on(?:to)? (?:the )?screen|came on(?:to)? (?:the )?screen",
            r"(?:pop(?:s|ped|ping)?|turn(?:s|ed|ing)?) up(?! (?:the|an?|to)\b)",
            r"(?:becom(?:e|es|ing)|became) visible",
            rf"(?:walk(?:s|ed|ing)?|driv(?:e|es|ing)|drove|step(?:s|ped|ping)?|mov(?:e|es|ed|ing)) {_VIEW}",
        ),
    ),
    (
        ("come", "comes", "came", "coming"),
        (
            rf"(?:pull(?:s|ed|ing)?|roll(?:s|ed|ing)?) (?:in|up){_END}",
            rf"driv(?:e|es|ing) in{_END}|drove in{_END}",
            rf"(?:get(?:s|ting)?|got) (?:here|there){_END}",
        ),
    ),
    (
        ("leave", "leaves", "left", "leaving"),
        (
            rf"go(?:es|ing)? {_OUT}|went {_OUT}|gone {_OUT}",
            rf"(?:walk(?:s|ed|ing)?|mov(?:e|es|ed|ing)|driv(?:e|es|ing)|drove) {_OUT}",
            rf"(?:walk(?:s|ed|ing)?|pull(?:s|ed|ing)?|clear(?:s|ed|ing)?) (?:off|away|out){_END}",
            rf"go(?:es|ing)? away{_END}|went away{_END}",
        ),
    ),
    (
        ("stay", "stays", "stayed", "staying"),
        (
            rf"(?:spend(?:s|ing)?|spent)(?: (?:the|his|her|their|its) time)? (?:there|here){_END}",
            rf"(?:hang(?:s|ing)?|hung) (?:around|about){_END}",
            r"(?:stay(?:s|ed|ing)?|remain(?:s|ed|ing)?)"
            r" (?:in (?:view|shot|frame|sight|the picture)|visible|on screen)",
            rf"stick(?:s|ing)? around{_END}|stuck around{_END}",
        ),
    ),
)
_PATTERNS = tuple((forms, re.compile(rf"\b(?:{'|'.join(ways)})", re.IGNORECASE)) for forms, ways in _VERBS)
_NOUN = re.compile(rf"\b(?:{'|'.join(sorted(_NOUNS, key=len, reverse=True))})\b", re.IGNORECASE)
_PAST = re.compile(r"(?:\w+ed|came|drove|got|went|gone|spent|hung|stuck|became)\b", re.IGNORECASE)
_QUOTED = re.compile(r"(\"[^\"]*\"|“[^”]*”)")


def in_same_words(question: str) -> str:
    """A question with the one word that the rules know for what has many; a second time it changes nothing."""
    parts = _QUOTED.split(question)
    return "".join(part if index % 2 else _same(part) for index, part in enumerate(parts))


def _same(text: str) -> str:
    text = _NOUN.sub(lambda found: _NOUNS[found[0].casefold()], text)
    for forms, pattern in _PATTERNS:
        text = pattern.sub(partial(_form, forms=forms), text)
    return text


def _form(found: re.Match[str], forms: tuple[str, str, str, str]) -> str:
    """The verb in the form in which it was said."""
    plain, with_s, past, with_ing = forms
    verb = found[0].split()[0].casefold()
    if _PAST.match(verb):
        return past
    return with_ing if verb.endswith("ing") else with_s if verb.endswith("s") else plain
