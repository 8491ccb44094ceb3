"""An entry with its journal and its worth into plain lines, or into JSON: why it is there, or is no longer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from hippocam.memory.longterm.bank import Worth
from hippocam.memory.memory import Explanation, Memory
from hippocam.memory.records import Entry, Level, format_id
from hippocam.memory.store.journal import JournalRow
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

# Ids that are named where a beginning fits several.
_NAMED = 4
_LEVELS = {
    Level.FULL: "its picture as it came",
    Level.SMALL: "a small picture",
    Level.VECTORS: "no picture (given up for the budget)",
    Level.SIGNS: "no picture, and of its vectors the signs (the rest given up for the budget)",
    Level.WORDS: "its times and words alone; picture and vectors were given up for the budget",
}
_CUTS = {
    "end": "the stream ended",
    "gap": "the time of the frames jumped",
    "quiet": "nothing changed any more",
}
_ARMS = {
    "surprise": "its surprise",
    "utility": "how much it looks like what is met again",
    "product": "both together",
}
_HUGE = 1e15
# Numbers of a journal row, by name.
Numbers = Mapping[str, float | str]


def find_entry(memory: Memory, written: str) -> int:
    """The id that somebody means by it or by its beginning.

    Raises:
        HippocamError: It is no id, or fits none or several of those in the memory or its journal.
    """
    digits = written.strip().lower()
    if not 1 <= len(digits) <= 16 or set(digits) - set("0123456789abcdef"):
        raise HippocamError(f"entry {written!r} is no id: give its 16 hexadecimal digits, or the first few")
    first, last = int(digits.ljust(16, "0"), 16), int(digits.ljust(16, "f"), 16)
    greatest = (1 << 63) - 1
    found = memory.find(first, min(last, greatest), limit=_NAMED + 1) if first <= greatest else []
    if not found:
        raise HippocamError(f"entry {digits}: neither the memory nor its journal knows it; see hippocam search")
    if len(found) > 1:
        names = ", ".join(map(format_id, found[:_NAMED])) + (", ..." if len(found) > _NAMED else "")
        raise HippocamError(f"entry {digits}: the beginning of several ({names}); give more digits")
    return found[0]


def explain_lines(number: int, found: Explanation) -> list[str]:
    """What an entry is, what happened to it, and what keeps it, for people."""
    if found.entry is None:
        lines = [f"{format_id(number)}: no longer in the memory"]
    else:
        lines = [f"{format_id(number)} in {_plain(found.entry.stream)}", *_entry_lines(found.entry)]
    if found.journal:
        lines += ["", "What happened:"]
        lines += [f"  {format_time(row.time_s):>9}  {sentence(row, number)}" for row in found.journal]
    else:
        lines += ["", "What happened: the journal no longer reaches back so far."]
    if found.entry is not None and found.worth is not None:
        lines += ["", *_worth_lines(found.entry, found.worth)]
    return lines


def explain_json(number: int, found: Explanation) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "id": format_id(number),
        "entry": None if found.entry is None else _entry_json(found.entry),
        "journal": [
            {
                "time_s": row.time_s,
                "action": row.action,
                "entry": format_id(row.entry),
                "other": None if row.other is None else format_id(row.other),
                "why": dict(_numbers(row.why)),
                "text": sentence(row, number),
            }
            for row in found.journal
        ],
        "worth": None if found.worth is None else {**found.worth._asdict(), "twin": _id(found.worth.twin)},
    }


def sentence(row: JournalRow, about: int) -> str:
    """What a row of the journal says about an entry, as a sentence.

    Args:
        row: The row.
        about: Id of the entry that is explained: it can be the row's own or the other one.
    """
    why, told = _numbers(row.why), _OWN if row.entry == about else _OTHER
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
    return f"kept as an entry: surprise {_two(why['surprise'])}; the event ended because {_plain(ended)}"


def _lost(what: str) -> Callable[[JournalRow, Numbers], str]:
    def tell(row: JournalRow, why: Numbers) -> str:
        redundancy = _share(why["redundancy"])
        return (
            f"{what} to stay within the budget: worth {_two(why['worth'])} then, {redundancy} of it held elsewhere"
        )

    return tell


def _merged(row: JournalRow, why: Numbers) -> str:
    return f"merged into {_id(row.other)}, which is as good a memory of it ({_share(why['redundancy'])} the same)"


_OWN: Mapping[str, Callable[[JournalRow, Numbers], str]] = {
    "kept": _kept,
    "imported": lambda row, why: "imported from another memory",
    "seen again": lambda row, why: (
        f"seen again at {_clock(why['at_s'])} ({_likeness(why)}): the time was added, "
        f"met {_whole(why['met'])} times by then"
    ),
    "met again": lambda row, why: (
        f"met again at {_clock(why['at_s'])} by {_id(row.other)} (cosine {_two(why['cosine'])}): "
        "it fades more slowly"
    ),
    "merged": _merged,
    "smaller picture": _lost("its picture was made smaller"),
    "no picture": _lost("its picture was given up"),
    "signs only": _lost("its vectors were reduced to their signs"),
    "words only": _lost("its vectors were given up"),
    "given up": _lost("given up"),
    "its picture was removed": lambda row, why: "given up: somebody had removed its picture from the folder",
    "pinned": lambda row, why: "pinned: it is never given up",
    "unpinned": lambda row, why: "unpinned: it can be given up like any other",
}
_OTHER: Mapping[str, Callable[[JournalRow, Numbers], str]] = {
    "met again": lambda row, why: (
        f"shows what {_id(row.entry)} showed before (cosine {_two(why['cosine'])}): that one fades more slowly"
    ),
    "merged": lambda row, why: f"took over the times of {_id(row.entry)} ({_share(why['redundancy'])} the same)",
}


def _fallback(row: JournalRow, about: int, why: Numbers) -> str:
    numbers = ", ".join(f"{_plain(name)} {_value(value)}" for name, value in why.items())
    others = [name for name in (row.entry, row.other) if name is not None and name != about]
    with_other = f" with {_id(others[0])}" if others else ""
    return _plain(row.action) + with_other + (f" ({numbers})" if numbers else "")


def _entry_lines(entry: Entry) -> list[str]:
    times = ", ".join(f"{format_time(span.t0_s)} - {format_time(span.t1_s)}" for span in entry.spans)
    more = entry.met - len(entry.spans)
    lines = [
        f"  seen      {times}" + (f" (and {more} more)" if more > 0 else ""),
        f"  met       {entry.met} time{'' if entry.met == 1 else 's'}, used as evidence {entry.uses}",
        f"  place     {entry.place or 'not known'}",
        f"  kept      {_LEVELS[entry.level]}" + ("; pinned: never given up" if entry.pinned else ""),
        f"  surprise  {entry.surprise:.2f}, {entry.utility:.2f} of its stream's usual event's",
    ]
    if entry.labels:
        lines.append(f"  labels    {_plain(', '.join(entry.labels))}")
    if entry.text:
        lines.append(f"  words     {_plain(entry.text)}")
    return lines


def _worth_lines(entry: Entry, worth: Worth) -> list[str]:
    twin = "no other entry holds it too"
    if worth.twin is not None:
        twin = f"{_id(worth.twin)} is nearest to it and holds {worth.redundancy:.0%} of it too"
    return [
        f"What keeps it: worth {worth.worth:.3f}, place {worth.rank} of {worth.of}"
        + ("; pinned, so it stays whatever comes" if entry.pinned else ""),
        f"  utility   by {_ARMS.get(worth.arm, worth.arm)}: "
        f"surprise {worth.surprise:.2f}, learned {worth.learned:.2f}",
        f"  others    {twin}",
        f"  fading    {worth.decay:.0%} of it is left; strength {entry.strength:.2f}",
    ]


def _entry_json(entry: Entry) -> dict[str, Any]:
    plain = {
        name: value
        for name, value in asdict(entry).items()
        if name not in ("sensors", "spans", "known_s", "t0_s", "t1_s", "labels")
    }
    return {
        **plain,
        "id": format_id(entry.id),
        "level": entry.level.name.lower(),
        "labels": list(entry.labels),
        "spans": [[span.t0_s, span.t1_s] for span in entry.spans],
    }


def _numbers(why: str) -> Numbers:
    """The finite numbers and words of a journal's JSON; nothing where it is none."""
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


def _id(number: int | None) -> str:
    return "another" if number is None else format_id(number)


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
    return _plain(value) if isinstance(value, str) else f"{value:g}"


def _plain(text: str) -> str:
    """Text in one line that moves no cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
