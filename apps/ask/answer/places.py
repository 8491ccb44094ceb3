"""Which of several things is meant by where it is: "in front", "on the left"; and where each stands in a row.

Left is left in the picture. In front is what is largest there, and in the background what is smallest: of things
of one kind the nearer ones look larger.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from hippocam.memory.boxes import area, centre
from hippocam.memory.entities.describing import position
from hippocam.memory.entities.records import Visit

_ACROSS = re.compile(r"\b(?:on|at|to|from) the (?:far )?(left|right)\b|\b(left|right)(?:most)\b", re.IGNORECASE)
_MIDDLE = re.compile(r"\bin the (?:middle|centre|center)\b", re.IGNORECASE)
_FRONT = re.compile(r"\b(?:in (?:the )?front(?! of)|in the foreground|nearest|closest)\b", re.IGNORECASE)
# Distance between the middles of neighbours in a row, in widths of a thing.
_APART = 0.5
_NAMES = {2: ("the left one", "the right one"), 3: ("the left one", "the middle one", "the right one")}
_BACK = re.compile(r"\b(?:in the (?:background|distance|back)|at the back|farthest|furthest)\b", re.IGNORECASE)


def placed(visits: Sequence[Visit], text: str) -> list[Visit]:
    """Of some visits those that a text means by where they are; all where it does not say, or none is there."""
    side = _ACROSS.search(text)
    if side is not None:
        across = (side[1] or side[2]).casefold()
        return [visit for visit in visits if position(visit).across == across] or list(visits)
    if _MIDDLE.search(text):
        return [visit for visit in visits if position(visit).across == "middle"] or list(visits)
    if len(visits) > 1 and _FRONT.search(text):
        return [max(visits, key=lambda visit: area(visit.box))]
    if len(visits) > 1 and _BACK.search(text):
        return [min(visits, key=lambda visit: area(visit.box))]
    return list(visits)


def row_of(visits: Sequence[Visit]) -> dict[str, list[Visit]]:
    """Where things of a kind stand in a row, from left to right: visits by "the left one", "the right one".

    What comes back to where one stood takes its place in the row, whether or not it is the same thing. Empty where
    there are fewer than two such places, or more than three.
    """
    if not visits:
        return {}
    wide = median(visit.box[2] - visit.box[0] for visit in visits)
    row = list[list[Visit]]()
    for visit in sorted(visits, key=lambda visit: centre(visit.box)[0]):
        if row and centre(visit.box)[0] - centre(row[-1][-1].box)[0] < _APART * wide:
            row[-1].append(visit)
        else:
            row.append([visit])
    return dict(zip(_NAMES.get(len(row), ()), row, strict=False))
