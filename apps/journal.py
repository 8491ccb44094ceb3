"""Rows of a memory's journal as sentences: what became of an entry, and why. Nothing in a row is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from hippocam.apps.wording import one_line
from hippocam.memory.records import format_id
from hippocam.memory.store.journal import JournalRow
from hippocam.stream.timecode import format_time

_CUTS = {
    "end": "the stream ended",
    "gap": "the time of the frames jumped",
    "quiet": "nothing changed any more",
}
# No memory writes a number as large as this.
_HUGE = 1e15
# Numbers and texts of a journal row, by name.
Numbers = Mapping[str, float | str]


def numbers_of(why: str) -> Numbers:
    """Return the finite numbers and the texts in a row's JSON; nothing if it is not JSON."""
    try:
        values = json.loads(why)
    except (ValueError, RecursionError):
        return {}
    items = values.items() if isinstance(values, dict) else ()
    return {
        name: value
        for name, value in items
        if isinstance(value, str) or (isinstance(value, int | float) and abs(value) < _HUGE)
    }


def sentence(row: JournalRow, about: int) -> str:
    """Say in a sentence what a row of the journal means for an entry.

    Args:
        row: The row.
        about: Id of the entry that is explained, the row's own or the other one.
    """
    why, told = numbers_of(row.why), _OWN if row.entry_id == about else _OTHER
    formatter = told.get(row.action)
    if formatter is None:
        return _fallback(row, about, why)
    try:
        return formatter(row, why)
    except (KeyError, TypeError, ValueError):  # a journal written by another version
        return _fallback(row, about, why)


def _kept(row: JournalRow, why: Numbers) -> str:
    cut = str(why["cut"])
    ended = _CUTS.get(cut) or (f"it was {cut}" if cut.endswith(" long") else f"the next frame was new: {cut}")
    return f"kept as an entry: surprise {_two(why['surprise'])}; the event ended because {one_line(ended)}"


def _lost(what: str) -> Callable[[JournalRow, Numbers], str]:
    def tell(row: JournalRow, why: Numbers) -> str:
        redundancy = _share(why["redundancy"])
        return (
            f"{what} to stay within the budget: worth {_two(why['worth'])} then, {redundancy} of it held elsewhere"
        )

    return tell


def _merged(row: JournalRow, why: Numbers) -> str:
    return (
        f"merged into {_id(row.other_id)}, which is as good a memory of it ({_share(why['redundancy'])} the same)"
    )


_OWN: Mapping[str, Callable[[JournalRow, Numbers], str]] = {
    "kept": _kept,
    "imported": lambda row, why: "imported from another memory",
    "seen again": lambda row, why: (
        f"seen again at {_clock(why['at_s'])} ({_likeness(why)}): the time was added, "
        f"met {_whole(why['met'])} times by then"
    ),
    "met again": lambda row, why: (
        f"met again at {_clock(why['at_s'])} by {_id(row.other_id)} (cosine {_two(why['cosine'])}): "
        "it fades more slowly"
    ),
    "merged": _merged,
    "smaller picture": _lost("its picture was made smaller"),
    "no picture": _lost("its picture was given up"),
    "signs only": _lost("its vectors were reduced to their signs"),
    "outline only": _lost("its vectors were reduced to their outline"),
    "short outline only": _lost("its outline was made shorter"),
    "words only": _lost("its vectors were given up"),
    "given up": _lost("given up"),
    "its picture was removed": lambda row, why: "given up: somebody had removed its picture from the folder",
    "its picture was changed": lambda row, why: (
        "goes on without its picture, which was not the one it was kept with"
    ),
    "pinned": lambda row, why: "pinned: it is never given up",
    "unpinned": lambda row, why: "unpinned: it can be given up like any other",
}
_OTHER: Mapping[str, Callable[[JournalRow, Numbers], str]] = {
    "met again": lambda row, why: (
        f"shows what {_id(row.entry_id)} showed before (cosine {_two(why['cosine'])}): that one fades more slowly"
    ),
    "merged": lambda row, why: (
        f"took over the times of {_id(row.entry_id)} ({_share(why['redundancy'])} the same)"
    ),
}


def _fallback(row: JournalRow, about: int, why: Numbers) -> str:
    numbers = ", ".join(f"{one_line(name)} {_value(value)}" for name, value in why.items())
    others = [name for name in (row.entry_id, row.other_id) if name is not None and name != about]
    with_other = f" with {_id(others[0])}" if others else ""
    return one_line(row.action) + with_other + (f" ({numbers})" if numbers else "")


def _id(entry_id: int | None) -> str:
    return "another" if entry_id is None else format_id(entry_id)


def _likeness(why: Numbers) -> str:
    return f"cosine {_two(why['cosine'])}" if "cosine" in why else "unchanged behind a gap"


def _two(value: float | str) -> str:
    return f"{float(value):.2f}"


def _share(value: float | str) -> str:
    return f"{float(value):.0%}"


def _whole(value: float | str) -> str:
    return f"{int(value)}"


def _clock(value: float | str) -> str:
    return format_time(float(value))


def _value(value: float | str) -> str:
    return one_line(value) if isinstance(value, str) else f"{value:g}"
