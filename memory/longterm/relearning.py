"""What a bank learned, learned again from what is held: as if the rest had never been seen.

The entries that are held are lived through once more in the order in which they came, each as the event that made
it and each of its further spans as one more event. A memory whose entries are all held as they came in, none of
them seen again, so learns to the last bit what one would that never saw the rest. What is bounded: an event that
went into another's entry is lived through with that one's key, one whose times were given up not at all, and what
the budget gave up to make room for what is deleted does not come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.slots import Slots
from hippocam.memory.bank.state import BankChange
from hippocam.memory.records import Slot, Span

# Entries up to which all are lived through; of more, only keys are learned from, which is quick.
MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """An entry as it came in.

    Attributes:
        slot: What the bank holds of it.
        spans: When it was seen, the first first.
    """

    slot: Slot
    spans: tuple[Span, ...]


@dataclass(slots=True)
class _Stream:
    """Sightings of one stream that are still to come, by time."""

    pending: list[tuple[float, Span, Slot]] = field(default_factory=list)

    def until(self, time_s: float) -> Iterator[tuple[Span, Slot]]:
        """Give those that began before a time, and remember them no longer."""
        self.pending.sort(key=lambda one: one[0])
        while self.pending and self.pending[0][0] < time_s:
            _, span, slot = self.pending.pop(0)
            yield span, slot


def live_through(bank: Bank, entries: Sequence[Lived]) -> BankChange:
    """Let a bank that holds nothing live through entries; return all of its state.

    Args:
        bank: A new one.
        entries: In the order in which they came.
    """
    bank.load(Slots.of(()))
    streams: Mapping[str, _Stream] = {lived.slot.stream: _Stream() for lived in entries}
    for lived in entries:
        slot, (first, *further) = lived.slot, lived.spans
        for span, seen in streams[slot.stream].until(first.t0_s):
            _see_again(bank, span, seen)
        if slot.key_D is not None:
            bank.match(slot.stream, slot.place, slot.key_D, first.t0_s)
        bank.reach(slot.stream, first.t1_s)
        bank.add(slot)
        streams[slot.stream].pending += [(span.t0_s, span, slot) for span in further]
    for stream in streams.values():
        for span, seen in stream.until(float("inf")):
            _see_again(bank, span, seen)
    return bank.take_changes()


def _see_again(bank: Bank, span: Span, slot: Slot) -> None:
    if slot.key_D is not None:
        bank.match(slot.stream, slot.place, slot.key_D, span.t0_s)
    bank.reach(slot.stream, span.t1_s)
