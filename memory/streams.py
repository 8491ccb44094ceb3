"""The streams that are being written: frames and notes in, through working memory, into long-term memory.

`OpenStream` is all that main memory holds of one stream; `OpenStreams` opens them, and hands over what they close.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, TypedDict

from hippocam.memory.bank.one_thread import one_thread
from hippocam.memory.codec import unpack
from hippocam.memory.filter import Filter
from hippocam.memory.provenance.records import Origin
from hippocam.memory.records import KEY_FRAMES, Continuation, Event, TierStatus
from hippocam.memory.sensory import SensoryRing
from hippocam.memory.store.database import Store
from hippocam.memory.store.notes import NoteRow, row_of
from hippocam.memory.working.context import Place
from hippocam.memory.working.screen import KIND as SCREEN
from hippocam.memory.working.screen import ScreenText
from hippocam.memory.working.working import WorkingConfig, WorkingMemory, WorkingState
from hippocam.stream.records import Embedding, Item, Note, Repeat

# Most notes of a stream that wait for its next event.
_MOST_WAITING = 64


class RecordingFields(TypedDict, total=False):
    """What may be said of a recording when it is announced; see `Recording`."""

    fingerprint: str
    fps: float | None
    senses: tuple[str, ...]
    recorded_s: float | None


class Recording(NamedTuple):
    """A source that was announced; its streams are named recording or recording/camera.

    Attributes:
        id: Its name.
        uri: Where it is.
        fingerprint: Tells its content from another's.
        fps: Sampling rate; None for every frame, KEY_FRAMES for key frames alone.
        senses: What perceives beside the encoder, as `Senses.named`; empty where that is not known.
        recorded_s: When it begins, in seconds since 1970, where its times count from 1970; else None.
    """

    id: str
    uri: str
    fingerprint: str = ""
    fps: float | None = None
    senses: tuple[str, ...] = ()
    recorded_s: float | None = None

    def has(self, stream: str) -> bool:
        """Whether a stream is of this recording."""
        return stream == self.id or stream.startswith(self.id + "/")


class Follower(Protocol):
    """Follows the things that streams show."""

    def restore(self, stream: str, state: bytes) -> None:
        """Go on with a stream from a state, or with b"" from nothing."""

    def push(self, item: Embedding | Repeat) -> object:
        """Take a stream's next frame."""

    def occupied(self, stream: str) -> bool | None:
        """Whether something is before the background; None where the camera moves, or that is not known yet."""

    def flush(self, stream: str, *, cut_off: bool) -> None:
        """End what is open of a stream; with `cut_off`, it only broke off, and may go on."""


class Keeper(Protocol):
    """Keeps what streams close: long-term memory."""

    def add(self, event: Event, state: WorkingState) -> None:
        """Keep an event, and the state of its stream's working memory just after it."""

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Prolong a stream's newest entry."""

    def keep_notes(self, rows: Sequence[NoteRow]) -> int:
        """Keep notes; return how many were new."""

    def keep_things(self, stream: str) -> None:
        """Write down what was followed of a stream."""

    def make_ready(self) -> None:
        """Do some of what the next event asks for, while a frame closes none."""


class OpenStream:
    """All that main memory holds of one stream.

    Args:
        recording: Name of its recording.
        working: Its working memory, as it was after its last event.
        screen: The lines on its screen.
        last_seq: Position of its last stored frame; -1 where there is none.
        follower: Follows its things; None for a preview, whose frames are too far apart.
        by_change: Whether an event also ends where something comes before a still camera, or nobody is left.
    """

    def __init__(
        self,
        recording: str,
        working: WorkingMemory,
        screen: ScreenText,
        *,
        last_seq: int = -1,
        follower: Follower | None = None,
        by_change: bool = False,
    ) -> None:
        self.recording = recording
        self.working = working
        self.ring = SensoryRing()
        self._screen = screen
        self._waiting: list[NoteRow] = []
        self._last_seq = last_seq
        self._follower = follower
        self._by_change = by_change
        self._occupied: bool | None = None

    @property
    def name(self) -> str:
        """Name of the stream."""
        return self.working.stream

    @property
    def followed(self) -> bool:
        """Whether the things that it shows are followed."""
        return self._follower is not None

    def push(self, item: Embedding | Repeat) -> Iterator[Event | Continuation]:
        """Take the next frame, unless it is stored already; yield what it closed, which is mostly nothing."""
        if item.seq <= self._last_seq:
            return
        self._last_seq = item.seq
        if isinstance(item, Embedding):
            self.ring.push(item)
        yield from self.working.push(item, changed=self._change(item))
        lines = item.sensed.screen if isinstance(item, Embedding) else None
        self._screen.see(item.time_s, lines, unchanged=isinstance(item, Repeat))

    def add_note(self, note: Note) -> bool:
        """Let a note wait for the next event; return whether too many wait now."""
        self._waiting.append(row_of(note))
        return len(self._waiting) >= _MOST_WAITING

    def take_notes(self, *, last: bool = False) -> list[NoteRow]:
        """Hand over what waits and which lines changed on screen; with `last`, those that are open too."""
        rows = [*self._waiting, *self._screen.take(flush=last)]
        self._waiting = []
        return rows

    def clear_screen(self) -> None:
        """Begin the screen's lines anew, as after some of them were deleted."""
        self._screen = ScreenText(self.name, self.working.gap_s)

    def _change(self, item: Embedding | Repeat) -> str:
        """Follow the things; say why an event ends here: something came, or nobody is left."""
        if self._follower is None:
            return ""
        self._follower.push(item)
        before, self._occupied = self._occupied, self._follower.occupied(self.name)
        if not self._by_change or before is None or self._occupied in (None, before):
            return ""
        return "something came" if self._occupied else "nobody is left"


class OpenStreams:
    """The streams that one process writes.

    Args:
        store: The memory's database, writable.
        keeper: Keeps what streams close.
        follower: Follows what they show.
        config: Where events are cut.
        mutex: Held while the database is written.
    """

    def __init__(
        self,
        store: Store,
        keeper: Keeper,
        follower: Follower,
        config: WorkingConfig,
        mutex: AbstractContextManager[object],
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._follower = follower
        self._config = config
        self._mutex = mutex
        self._recordings: dict[str, Recording] = {}
        self._open: dict[str, OpenStream] = {}
        store.transactions.undone.append(self._open.clear)  # the next frame opens a stream where it is kept

    def __iter__(self) -> Iterator[OpenStream]:
        return iter(list(self._open.values()))

    def announce(self, recording: Recording) -> None:
        """Announce a recording whose streams will be written."""
        self._recordings[recording.id] = recording

    def get(self, name: str) -> OpenStream | None:
        """A stream by its name, None where it is not open."""
        return self._open.get(name)

    def write(self, item: Item) -> None:
        """Take the next frame or note of its stream, opening that where it is not open.

        Raises:
            ValueError: The stream is of no recording that was announced.
        """
        stream = self._open.get(item.stream) or self._begin(item.stream)
        if not isinstance(item, Note):
            quiet = True
            for closed in stream.push(item):
                self._keep(stream, closed)
                quiet = False
            if quiet:
                self._keeper.make_ready()
        elif stream.add_note(item):
            self._keep_notes(stream)

    def finish(self, recording: str, end_s: float | None = None, *, cut_off: bool = False) -> list[str]:
        """Close the streams of a recording, keeping what is open of them; return their names.

        Args:
            recording: Its name.
            end_s: Where it ends, when known.
            cut_off: Whether it only broke off.
        """
        names = [stream.name for stream in self if stream.recording == recording]
        for stream in map(self._open.pop, names):
            for closed in stream.working.flush(end_s):
                self._keep(stream, closed)
            self._keep_notes(stream, last=True)
            if stream.followed:
                with self._mutex:
                    self._follower.flush(stream.name, cut_off=cut_off)
                    self._keeper.keep_things(stream.name)
        self._recordings.pop(recording, None)
        return names

    def delete(self, what: Filter | Origin | Sequence[int]) -> None:
        """Delete what is still open in main memory of what is to be deleted.

        Args:
            what: A filter, whose streams the next frame opens anew; or ids of entries, on whose streams every line
                that goes on would bring back what the screen showed; or an origin, likewise.
        """
        if isinstance(what, Origin):
            for stream in [stream for stream in self if what.of_stream(stream.name)]:
                stream.clear_screen()
            return
        if isinstance(what, Filter):
            for name in [stream.name for stream in self if what.of_stream(stream.name)]:
                del self._open[name]
            return
        entries = (self._store.entries.get(entry_id) for entry_id in what)
        for name in {entry.stream for entry in entries if entry is not None} & set(self._open):
            self._open[name].clear_screen()

    def _begin(self, name: str) -> OpenStream:
        owners = (recording for recording in self._recordings.values() if recording.has(name))
        recording = max(owners, key=lambda owner: len(owner.id), default=None)
        if recording is None:
            raise ValueError(f"stream {name!r} belongs to no recording that was announced with begin()")
        with self._mutex:  # or a recall in another thread would roll it back
            stream = _open_stream(self._store, name, recording, self._config, self._follower)
        self._open[name] = stream
        return stream

    def _keep(self, stream: OpenStream, closed: Event | Continuation) -> None:
        with one_thread():
            self._keep_notes(stream)
            if stream.followed:  # before the event: after a kill between, its frames are passed over
                with self._mutex:
                    self._keeper.keep_things(stream.name)
            with self._mutex:
                if isinstance(closed, Event):
                    self._keeper.add(closed, stream.working.state())
                else:
                    self._keeper.extend(closed, stream.working.state())

    def _keep_notes(self, stream: OpenStream, *, last: bool = False) -> None:
        rows = stream.take_notes(last=last)
        if rows:
            with self._mutex:
                self._keeper.keep_notes(rows)


def _open_stream(
    store: Store, name: str, recording: Recording, config: WorkingConfig, follower: Follower
) -> OpenStream:
    """Open a stream where its last stored event ended, adding it to the store where it is new."""
    store.streams.add(name, recording.id, recording.uri, recording.fingerprint, recording.fps)
    encoder = store.meta.encoder()
    store.coverage.looked_at_by(name, (*([encoder[1].id] if encoder else []), *recording.senses))
    if recording.recorded_s is not None:
        store.streams.note_recorded(name, recording.recorded_s)
    (row,) = [row for row in store.streams.rows(recording=recording.id) if row.id == name]
    state = store.streams.state(name)
    working = WorkingMemory(name, config, fps=recording.fps)
    if state:
        places = [
            Place(number=place.number, vector=unpack(place.vector), seen=place.seen, last_s=place.last_s)
            for place in store.places.of(name)
        ]
        working.restore(state, places)
    else:
        working.begin(1 + store.entries.last_place(name))
    end_s = store.streams.end_s(name) if row.last_seq >= 0 else None
    latest = [] if end_s is None else store.notes.within(name, end_s - working.gap_s, math.inf)
    lines = [note for note in latest if note.note.kind == SCREEN]
    preview = recording.fps == KEY_FRAMES
    if not preview:
        follower.restore(name, store.tracked.get(name) or b"")
    return OpenStream(
        recording.id,
        working,
        ScreenText(name, working.gap_s, lines, end_s),
        last_seq=row.last_seq,
        follower=None if preview else follower,
        by_change=config.by_change,
    )


def tiers_of(streams: Iterable[OpenStream]) -> list[TierStatus]:
    """What sensory and working memory hold of some streams now."""
    every = list(streams)
    return [
        TierStatus(
            name="sensory",
            entries=sum(len(stream.ring.frames()) for stream in every),
            bytes=sum(stream.ring.bytes for stream in every),
            budget_bytes=sum(stream.ring.max_bytes for stream in every),
            where="memory",
        ),
        TierStatus(
            name="working",
            entries=sum(stream.working.open_frames for stream in every),
            bytes=sum(stream.working.open_bytes for stream in every),
            budget_bytes=None,
            where="memory",
        ),
    ]


def tier_on_disk(entries: int, taken_bytes: int, budget_bytes: int) -> TierStatus:
    """What long-term memory holds."""
    return TierStatus(
        name="long-term", entries=entries, bytes=taken_bytes, budget_bytes=budget_bytes, where="disk"
    )
