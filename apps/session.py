"""The library: watch sources into a memory, search it, ask it.

from hippocam.apps import Session

with Session("my-memory") as session:
    session.watch(["holiday.mp4"])
    answer = session.ask("When did the dog jump into the water?")
    print(answer.answer, answer.evidence[0].t0_s)
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Unpack

from hippocam.apps.ask import ask as asking
from hippocam.apps.ask.ask import Reader, Where
from hippocam.apps.ask.meaning import Turn
from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.ids import find_entry
from hippocam.apps.live.forget import forget_footage
from hippocam.apps.live.open_frames import latest_frames
from hippocam.apps.records import Answer, Failure, Status, WatchProgress, WatchReport
from hippocam.apps.settings import Settings, budget_bytes
from hippocam.apps.watch import Executor, Work, watch_sources
from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import Entity, EntityChange
from hippocam.memory.errors import EncoderMismatchError
from hippocam.memory.filter import Filter
from hippocam.memory.folder import has_memory
from hippocam.memory.forget import Forgotten
from hippocam.memory.memory import Explanation, Memory, MemoryWriter
from hippocam.memory.records import Evidence, format_id
from hippocam.memory.sleep.sleep import SleepReport
from hippocam.memory.store.migrations import upgrade
from hippocam.models.lazy import Lazy
from hippocam.models.registry import make_encoder, make_reader
from hippocam.models.senses.build import make_senses
from hippocam.stream import opencv
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import NO_SENSES
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, EncoderSpec
from hippocam.stream.sources import open_sources

DEFAULT_MEMORY = "hippocam-memory"


class Session:
    """One memory folder and the encoder that belongs to it. A context manager.

    Args:
        memory: The memory's folder.
        encoder: Name of the encoder, or "auto" for the best that is here; None for the memory's own, or where it
            is new for what the settings say.
        settings: Everything else that can be set.
    """

    def __init__(
        self,
        memory: str | Path = DEFAULT_MEMORY,
        *,
        encoder: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.folder = Path(memory)
        self._settings = settings or Settings()
        self._wanted_encoder = encoder
        self._senses = Lazy(functools.partial(make_senses, self._settings.senses))
        self._encoder: tuple[str, Encoder] | None = None
        self._reader: Memory | None = None
        self._writer: MemoryWriter | None = None
        self._answering: dict[str, Reader] = {}
        self._lock = threading.RLock()  # a page asks from several threads

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memory."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    # watching --------------------------------------------------------------------------------------------

    def watch(
        self,
        sources: Sequence[str | Path],
        *,
        fps: float | None = None,
        fast: bool = False,
        budget_mb: float | None = None,
        executor: Executor = "local",
        on_progress: Callable[[WatchProgress], None] | None = None,
    ) -> WatchReport:
        """Watch sources into the memory. What was watched before is passed over or gone on with.

        Args:
            sources: Video files, folders, globs, folders of numbered images, LeRobot datasets.
            fps: Frames a second that are looked at; None for the settings' rate (1 by default).
            fast: Preview videos by their key frames alone, one in 4 s at most. What is found has the times of key
                frames then; watching the same video again without it takes the preview's place.
            budget_mb: What the memory's folder may take, in millions of bytes, 1 or more; None keeps its own.
            executor: "local" in this process, "ray" on Ray actors; the memory is the same.
            on_progress: Called after every chunk.

        Raises:
            HippocamError: The memory cannot be used or the encoder not be loaded. A source that cannot be
                read is no error: it stands in the report's `failed`.
            ValueError: fps or budget_mb is out of its range.
        """
        started = time.monotonic()
        pipeline, config = self._settings.pipeline, self._settings.memory
        if fps is not None:
            pipeline = replace(pipeline, fps=fps)
        if budget_mb is not None:
            config = replace(config, budget_bytes=budget_bytes(budget_mb))
        config_of_sources = self._settings.sources
        if fast:
            config_of_sources = replace(config_of_sources, keyframes_only=True)
        opened = open_sources(sources, config_of_sources)
        failed = tuple(Failure(source=e.uri, reason=e.reason) for e in opened.failed)
        if opened.sources:
            opencv.load()
        senses = NO_SENSES if fast else self._senses()  # a preview is for speed
        name, encoder = self._encoder_for(writing=True)
        if not opened.sources:  # and no empty memory is left behind
            return WatchReport(failed=failed, seconds=time.monotonic() - started)
        work = Work(
            encoder=encoder, make_encoder=functools.partial(make_encoder, name), pipeline=pipeline, senses=senses
        )
        with self._writing(name, encoder, config) as memory:
            report = watch_sources(
                memory, opened.sources, work, executor=executor, started=started, on_progress=on_progress
            )
        return replace(report, failed=(*failed, *report.failed))

    # asking ----------------------------------------------------------------------------------------------

    def search(self, text: str, **where: Unpack[Where]) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first.

        Args:
            text: A description in a few words.
            where: See `Where`: stream, camera, place_of, near, after_s, before_s, at_s, top, beside.

        Raises:
            HippocamError: There is no memory, the text is empty, or the memory does not know a stream, camera or
                entry that is named.
        """
        return asking.OneMemory(*self._asked()).search(text, where)

    def ask(
        self,
        question: str,
        *,
        reader: str | Reader | None = None,
        on_token: Callable[[str], None] | None = None,
        before: Turn | None = None,
        deep: bool | None = None,
        **where: Unpack[Where],
    ) -> Answer:
        """Answer a question with the moments that the answer rests on.

        A reader that fails, as where its server is away, leaves its reason in the answer's `failed`; the
        evidence is there all the same.

        Args:
            question: In plain words.
            reader: Name of the reader, or a reader; None for the settings'.
            on_token: Gets the words of the answer as they come, before they are checked.
            before: The last question of a conversation; see `Conversation`, which keeps it.
            deep: Whether to look at the source again where the evidence is thin; None for the settings'.
            where: As for `search`.

        Raises:
            HippocamError: As for `search`, or the reader is unknown or not set up.
        """
        config = self._settings.reader
        with self._lock:
            if reader is None or isinstance(reader, str):
                name = reader or config.name
                if name not in self._answering:  # made once: it may hold a model
                    self._answering[name] = make_reader(name, config)
                reader = self._answering[name]
        memory, encoder = self._asked()
        settings = self._settings.deep
        return asking.ask(
            asking.OneMemory(memory, encoder),
            encoder,
            question,
            where,
            reader,
            latest=self.latest,
            on_token=on_token,
            before=before,
            deep=settings if deep is None else replace(settings, on=deep),
        )

    def status(self) -> Status:
        """What the memory holds now.

        Raises:
            HippocamError: There is no memory.
        """
        memory = self._open_reader()
        encoder = memory.encoder()
        tiers = (self._writer or memory).tiers()
        return Status(
            memory=str(self.folder),
            encoder=f"{encoder[0]} ({encoder[1].id})" if encoder else "none yet",
            bytes=sum(tier.bytes for tier in tiers if tier.where == "disk"),
            budget_bytes=memory.budget_bytes(),
            streams=tuple(memory.streams()),
            tiers=tuple(tiers),
        )

    def explain(self, entry: str) -> tuple[int, Explanation]:
        """Why an entry is held, or was given up.

        Args:
            entry: Its id, or the beginning of it where no other begins so.

        Returns:
            Its id, and what is known of it.

        Raises:
            HippocamError: There is no memory, or the id fits no entry or several.
        """
        memory = self._open_reader()
        number = find_entry(memory, entry)
        return number, memory.explain(number)

    def pin(self, entries: Sequence[str], pinned: bool = True) -> tuple[str, ...]:
        """Never give up some entries whatever comes, or do so again like any others.

        Args:
            entries: Their ids, as for `explain`.
            pinned: Whether they stay.

        Returns:
            Their whole ids.

        Raises:
            HippocamError: An entry is not known or no longer held, of which none is changed then; or somebody
                else writes to the memory.
        """
        name, spec = self.memory_encoder()
        with Memory.open_writer(self.folder, encoder=name, spec=spec, config=self._settings.memory) as memory:
            numbers = [find_entry(memory, entry) for entry in entries]
            gone = [format_id(number) for number in numbers if memory.entry(number) is None]
            if gone:
                raise HippocamError(f"entry {gone[0]} was given up; see hippocam explain {gone[0]}")
            for number in numbers:
                memory.pin(number, pinned)
            return tuple(map(format_id, numbers))

    def forget(
        self,
        entries: Sequence[str] = (),
        *,
        stream: str | None = None,
        camera: str | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
    ) -> Forgotten:
        """Delete entries, or all that a stream, a camera or a stretch of time left behind; from the disk too.

        Args:
            entries: Their ids, as for `explain`; then nothing else.
            stream: This stream, or the cameras of this source. Without a time it goes whole.
            camera: The cameras of this name.
            after_s: What was seen after this time.
            before_s: What was seen before this time.

        Raises:
            HippocamError: An entry or the stream is not known, nothing was named, or somebody else writes to the
                memory.
        """
        wanted = Filter(stream=stream, camera=camera, after_s=after_s, before_s=before_s)
        if bool(entries) == bool(wanted):
            raise HippocamError("name entries, or a stream, a camera or a time to forget")
        name, spec = self.memory_encoder()
        with Memory.open_writer(self.folder, encoder=name, spec=spec, config=self._settings.memory) as memory:
            if stream is not None:
                asking.check_stream(memory, stream)
            gone = memory.forget(wanted if wanted else [find_entry(memory, entry) for entry in entries])
            if wanted:
                forget_footage(self.folder, wanted)
            return gone

    def sleep(self, target: float | None = None) -> SleepReport:
        """Make the memory smaller, as far as what it can recall holds.

        Args:
            target: Share of the entries that is to be left, above 0 up to 1; None for the settings'.

        Raises:
            HippocamError: There is no memory, or somebody else writes to it.
            ValueError: The share is out of its range.
        """
        name, spec = self.memory_encoder()
        with Memory.open_writer(self.folder, encoder=name, spec=spec, config=self._settings.memory) as memory:
            return memory.sleep(target)

    def wake(self) -> int:
        """Undo the last sleep: what it merged are entries of their own again, as far as it is remembered.

        Sleeps are remembered for a week, within a share of the budget (`memory.sleep` in the settings).

        Returns:
            How many entries came back; their pictures stay gone.

        Raises:
            HippocamError: There is no memory, or somebody else writes to it.
        """
        name, spec = self.memory_encoder()
        with Memory.open_writer(self.folder, encoder=name, spec=spec, config=self._settings.memory) as memory:
            return memory.wake()

    # entities --------------------------------------------------------------------------------------------

    def entities(
        self, *, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> Sequence[Entity]:
        """Things and people that were told apart, by the time of their first visit; nobody has a name.

        Args:
            stream: Only of this stream.
            label: Only what is called so: person, car, bottle.
            at_s: As if the streams ended here.

        Raises:
            HippocamError: There is no memory, or it does not know the stream.
        """
        memory = self._open_reader()
        if stream is not None:
            asking.check_stream(memory, stream)
        return memory.entities.entities(stream, label, at_s)

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Make two entities one; `undo_entities` takes it back.

        Raises:
            HippocamError: One is not known, they are the same, or somebody else writes to the memory.
        """
        return self._change_entities(lambda entities: entities.merge(into, other))

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own; `undo_entities` takes it back.

        Raises:
            HippocamError: It is not known, its entity's only one, or somebody else writes to the memory.
        """
        return self._change_entities(lambda entities: entities.split(visit))

    def undo_entities(self, change: int) -> EntityChange:
        """Take a link, merge or split back.

        Raises:
            HippocamError: It is not known, was undone or is in the way of a later one, or somebody else writes.
        """
        return self._change_entities(lambda entities: entities.undo(change))

    def _change_entities(self, change: Callable[[EntityMemory], EntityChange]) -> EntityChange:
        name, spec = self.memory_encoder()
        with Memory.open_writer(self.folder, encoder=name, spec=spec, config=self._settings.memory) as memory:
            return memory.change_entities(change)

    def memory_encoder(self) -> tuple[str, EncoderSpec]:
        """Name and spec of the memory's encoder.

        Raises:
            HippocamError: There is no memory, or nothing was watched into it.
        """
        found = self._open_reader().encoder()
        if found is None:
            raise HippocamError(f"{self.folder}: nothing was watched yet")
        return found

    def entry_at(self, stream: str, time_s: float) -> str | None:
        """Id of the evidence with a picture that covers a time of a stream, else the nearest; None without one."""
        number = self._open_reader().entry_at(stream, time_s)
        return None if number is None else format_id(number)

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream that this session is watching, the oldest first."""
        writer = self._writer
        return writer.latest(stream) if writer is not None else latest_frames(self.folder, stream)

    @contextmanager
    def _writing(self, name: str, encoder: Encoder, config: MemoryConfig) -> Iterator[MemoryWriter]:
        with Memory.open_writer(self.folder, encoder=name, spec=encoder.spec, config=config) as memory:
            self._writer = memory
            try:
                yield memory
            finally:
                self._writer = None

    # parts -----------------------------------------------------------------------------------------------

    def _asked(self) -> tuple[Memory, Encoder]:
        """The memory to ask, and the encoder that made its vectors."""
        memory = self._open_reader()
        name, encoder = self._encoder_for(writing=False)
        made_with = memory.encoder()
        if made_with is not None and made_with[1].id != encoder.spec.id:
            raise EncoderMismatchError(
                self.folder, made_with[0], made_with[1].id, asked_for=name, asked_for_id=encoder.spec.id
            )
        return memory, encoder

    def _open_reader(self) -> Memory:
        with self._lock:
            if self._reader is None:
                self._reader = Memory.open_reader(self.folder, self._settings.memory)
            return self._reader

    def _encoder_for(self, *, writing: bool) -> tuple[str, Encoder]:
        """The encoder that was asked for, else the memory's own, else what the settings say."""
        own = None
        if has_memory(self.folder):
            if writing:
                upgrade(self.folder)
            found = self._open_reader().encoder()
            own = found[0] if found else None
        wanted = self._wanted_encoder if writing or own is None else None
        name = encoder_name(wanted, own, self._settings.encoder)
        with self._lock:
            if self._encoder is None or self._encoder[0] != name:
                self._encoder = (name, make_encoder(name))
            return self._encoder
