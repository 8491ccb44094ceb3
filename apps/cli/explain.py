"""What `hippocam explain` prints: why an entry is there, or is no longer."""

from __future__ import annotations

from hippocam.apps.journal import sentence
from hippocam.apps.wording import one_line
from hippocam.memory.asof.coverage import Run
from hippocam.memory.bank.worth import Worth
from hippocam.memory.explanation import Explanation
from hippocam.memory.provenance.records import Provenance
from hippocam.memory.records import Entry, Level, format_id
from hippocam.stream.timecode import format_time

_LEVELS = {
    Level.FULL: "its picture as it came",
    Level.SMALL: "a small picture",
    Level.VECTORS: "no picture (given up for the budget)",
    Level.SIGNS: "no picture, and its vectors reduced (the rest given up for the budget)",
    Level.WORDS: "its times and words alone; picture and vectors were given up for the budget",
}
_ARMS = {
    "surprise": "its surprise",
    "utility": "how much it looks like what is met again",
    "product": "both together",
}


def explain_lines(entry_id: int, found: Explanation) -> list[str]:
    """What an entry is, what happened to it, and what keeps it, for people."""
    if found.entry is None:
        lines = [f"{format_id(entry_id)}: no longer in the memory"]
    else:
        lines = [f"{format_id(entry_id)} in {one_line(found.entry.stream)}"]
        if found.sentence:
            lines.append(f"  looks     like {one_line(found.sentence)}")
        lines += _entry_lines(found.entry)
        if found.provenance is not None:
            lines += _provenance_lines(found.provenance)
        if found.looked is not None:
            lines.append(f"  looked    {_looked(found.looked)}")
    if found.journal:
        lines += ["", "What happened:"]
        lines += [f"  {format_time(row.time_s):>9}  {sentence(row, entry_id)}" for row in found.journal]
    else:
        lines += ["", "What happened: the journal no longer reaches back so far."]
    if found.entry is not None and found.worth is not None:
        lines += ["", *_worth_lines(found.entry, found.worth)]
    return lines


def _looked(run: Run) -> str:
    """When its stream was looked at around it, how often, and by what."""
    rate = "" if run.rate is None else f", {run.rate:.2g} frames a second"
    gaps = "" if run.whole else ", perhaps with gaps"
    by = f", by {', '.join(run.by)}" if run.by else ""
    return f"{format_time(run.t0_s)} - {format_time(run.t1_s)}{rate}{gaps}{by}"


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
    if entry.text:
        lines.append(f"  words     {one_line(entry.text)}")
    return lines


def _provenance_lines(found: Provenance) -> list[str]:
    """Where an entry came from, and on what it rests."""
    frames = f"{found.frames} frame{'' if found.frames == 1 else 's'}, and {found.repeats} unchanged"
    lines = [
        f"  source    {one_line(found.source) or 'not known'}",
        f"  rests on  {', '.join(found.senses) or 'nothing that is kept'}: {frames}, seen by {found.encoder}",
    ]
    if found.made_by is not None:
        lines.append(f"  imported  {format_id(found.made_by.id)}, from {one_line(found.made_by.file)}")
    if found.quarantined:
        lines.append("  recall    in quarantine: kept, and not recalled")
    return lines


def _worth_lines(entry: Entry, worth: Worth) -> list[str]:
    twin = "no other entry holds it too"
    if worth.twin is not None:
        twin = f"{format_id(worth.twin)} is nearest to it and holds {worth.redundancy:.0%} of it too"
    return [
        f"What keeps it: worth {worth.worth:.3f}, rank {worth.rank} of {worth.of}"
        + ("; pinned, so it stays whatever comes" if entry.pinned else ""),
        f"  utility   by {_ARMS.get(worth.arm, worth.arm)}: "
        f"surprise {worth.surprise:.2f}, learned {worth.learned:.2f}"
        + (f"; {worth.used:.2f} times that, as it was used as evidence" if worth.used > 1 else ""),
        f"  others    {twin}",
        f"  fading    {worth.decay:.0%} of it is left; strength {entry.strength:.2f}",
    ]
