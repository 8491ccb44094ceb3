"""Which of several things is meant by where it is: "in front", "on the left"; and where each stands in a row.

Left is left in the picture. In front is what is largest there, and in the background what is smallest: of things
of one kind the nearer ones look larger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from hippocam.apps.ask.answer.facts import Stay
from hippocam.memory.boxes import area, centre
from hippocam.memory.entities.describing import position

_ACROSS = re.compile(r"\b(?:on|at|to|from) the (?:far )?(left|right)\b|\b(left|right)(?:most)\b", re.IGNORECASE)
_MIDDLE = re.compile(r"\bin the (?:middle|centre|center)\b", re.IGNORECASE)
_FRONT = re.compile(r"\b(?:in (?:the )?front(?! of)|in the foreground|nearest|closest)\b", re.IGNORECASE)
# Distance between the middles of neighbours in a row, in widths of a thing.
_APART = 0.5
_NAMES = {2: ("the left one", "the right one"), 3: ("the left one", "the middle one", "the right one")}
_BACK = re.compile(r"\b(?:in the (?:background|distance|back)|at the back|farthest|furthest)\b", re.IGNORECASE)


def placed(stays: Sequence[Stay], text: str) -> list[Stay]:
    """Of some visits those that a text means by where they are; all where it does not say, or none is there."""
    side = _ACROSS.search(text)
    if side is not None:
        across = (side[1] or side[2]).casefold()
        return [stay for stay in stays if position(stay.visit).across == across] or list(stays)
    if _MIDDLE.search(text):
        return [stay for stay in stays if position(stay.visit).across == "middle"] or list(stays)
    if len(stays) > 1 and _FRONT.search(text):
        return [max(stays, key=lambda stay: area(stay.visit.box))]
    if len(stays) > 1 and _BACK.search(text):
        return [min(stays, key=lambda stay: area(stay.visit.box))]
    return list(stays)


def row_of(stays: Sequence[Stay]) -> dict[str, list[Stay]]:
    """Where things of a kind stand in a row, from left to right: visits by "the left one", "the right one".

    What comes back to where one stood takes its place in the row, whether or not it is the same thing. Empty where
    there are fewer than two such places, or more than three.
    """
    if not stays:
        return {}
    wide = median(stay.visit.box[2] - stay.visit.box[0] for stay in stays)
    row = list[list[Stay]]()
    for stay in sorted(stays, key=lambda stay: centre(stay.visit.box)[0]):
        last = row[-1][-1].visit.box if row else None
        if last is not None and centre(stay.visit.box)[0] - centre(last)[0] < _APART * wide:
            row[-1].append(stay)
        else:
            row.append([stay])
    return dict(zip(_NAMES.get(len(row), ()), row, strict=False))
