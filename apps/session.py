"""The library: watch sources into a memory, search it, ask it.

from hippocam import Session

with Session("my-memory") as session:
    session.watch(["holiday.mp4"])
    answer = session.ask("When did the dog jump into the water?")
    print(answer.answer, answer.evidence[0].t0_s)

with Session(["monday", "tuesday"]) as session:  # several memories, read as one
    print(session.search("a red van")[0].stream)  # monday/cam1
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Unpack

from hippocam.apps.ask.ask import ask
from hippocam.apps.ask.memories import distinct_folders
from hippocam.apps.ask.question.description import description
from hippocam.apps.ask.question.meaning import Turn
from hippocam.apps.ask.reader import Reader
from hippocam.apps.ask.search import Search
from hippocam.apps.ask.where import Where, on_clock
from hippocam.apps.folders import Folders
from hippocam.apps.live import changes
from hippocam.apps.records import Answer, Failure, Status, WatchProgress, WatchReport
from hippocam.apps.settings import Settings, budget_bytes
from hippocam.apps.watch import Executor, Work, watch_sources
from hippocam.apps.wording import legible
from hippocam.apps.zones.opening import open_marked
from hippocam.memory.entities.records import Entity, EntityChange
from hippocam.memory.errors import MemoryFolderError
from hippocam.memory.explanation import Explanation
from hippocam.memory.filter import Filter
from hippocam.memory.forget import Deleted, pending
from hippocam.memory.records import Evidence
from hippocam.memory.sleep.sleep import SleepReport
from hippocam.models.encoders.absent import AbsentEncoder
from hippocam.models.errors import UnknownModelError
from hippocam.models.lazy import Lazy
from hippocam.models.registry import make_encoder, make_reader
from hippocam.models.senses.build import make_senses
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import NO_SENSES
from hippocam.stream.records import Embedding, EncoderSpec
from hippocam.stream.zones.polygons import CameraZones

log = logging.getLogger(__name__)

DEFAULT_MEMORY = "hippocam-memory"


class Session:
    """A memory to watch into and to ask, or several memories to ask as one. A context manager.

    With several memories streams are named "MEMORY/stream" and entries "MEMORY/id", with the folder's name for
    MEMORY; they can be read, and not be changed.

    Args:
        memory: The memory's folder, or the folders of several that were made with one encoder. A folder that is
            named twice counts once.
        encoder: Name of the encoder of a new memory, or "auto" for the best on this machine; None for the memory's
            own, or for a new memory what the settings say.
        settings: Everything else that can be set.

    Attributes:
        folders, settings: The memories' folders, and the settings given.
        opened: What is open of the memories, for what shows more than answers: the page.

    Raises:
        HippocamError: No folder was named; or, of several, one is no memory or was made with another encoder.
    """

    def __init__(
        self,
        memory: str | Path | Sequence[str | Path] = DEFAULT_MEMORY,
        *,
        encoder: str | None = None,
        settings: Settings | None = None,
    ) -> None:
        folders = (Path(memory),) if isinstance(memory, str | Path) else distinct_folders(memory)
        self.settings = settings or Settings()
        self.folders = folders
        self.opened = Folders(folders, encoder=encoder, settings=self.settings)
        if len(folders) > 1:
            self.opened.memories()  # fails at once if one of them cannot be read
        self._senses = Lazy(functools.partial(make_senses, self.settings.senses))
        self._readers: dict[str, Reader] = {}
        self._lock = threading.RLock()  # a page asks from several threads

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open for reading."""
        self.opened.close()

    @property
    def folder(self) -> Path:
        """The memory's folder.

        Raises:
            HippocamError: There are several.
        """
        return self.opened.single

    # watching --------------------------------------------------------------------------------------------

    def watch(
        self,
        sources: Sequence[str | Path],
        *,
        fps: float | None = None,
        fast: bool = False,
        dated: bool = False,
        budget_mb: float | None = None,
        executor: Executor = "local",
        zones: Mapping[str, CameraZones] | None = None,
        on_progress: Callable[[WatchProgress], None] | None = None,
    ) -> WatchReport:
        """Watch sources into the memory. What was watched before is skipped or gone on with.

        Args:
            sources: Video files, folders, globs, folders of numbered images, LeRobot datasets.
            fps: Frames a second that are looked at; None for the settings' rate (1 by default).
            fast: Preview videos by their key frames alone, one in 4 s at most; watching again refines.
            dated: Let times be dates where names or the file tell when it was recorded, as in an archive.
            budget_mb: What the memory's folder may take, in millions of bytes, 1 or more; None keeps its own.
            executor: "local" in this process, "ray" on Ray actors; the memory is the same.
            zones: What is marked in pictures, by the names of recordings or cameras, beside what is kept already.
            on_progress: Called after every chunk; it ends the watch by raising BrokenOffError.

        Raises:
            HippocamError: The memory cannot be used, or the encoder cannot be loaded. A source that cannot be
                read is no error: it stands in the report's `failed`.
            ValueError: fps or budget_mb is out of its range.
        """
        started = time.monotonic()
        pipeline, config, source_config = self.settings.pipeline, self.settings.memory, self.settings.sources
        if fps is not None:
            pipeline = replace(pipeline, fps=fps)
        if budget_mb is not None:
            config = replace(config, budget_bytes=budget_bytes(budget_mb))
        if fast:
            source_config = replace(source_config, keyframes_only=True)
        opened = open_marked(sources, source_config, self.opened.single, zones or {})
        failed = tuple(Failure(source=e.uri, reason=e.reason) for e in opened.failed)
        senses = NO_SENSES if fast else self._senses()  # a preview is for speed
        name, encoder = self.opened.writing_encoder()
        if not opened.sources:  # and no empty memory is left behind
            return WatchReport(failed=failed, seconds=time.monotonic() - started)
        make = functools.partial(make_encoder, name)
        work = Work(encoder=encoder, make_encoder=make, pipeline=pipeline, senses=senses, dated=dated)
        with self.opened.writing(name, encoder.spec, config) as memory:
            report = watch_sources(
                memory, opened.sources, work, executor=executor, started=started, on_progress=on_progress
            )
        return replace(report, failed=(*failed, *report.failed))

    # asking ----------------------------------------------------------------------------------------------

    def search(self, text: str, **where: Unpack[Where]) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first.

        Args:
            text: A description in a few words.
            where: See `Where`: stream, camera, place_of, near, after_s, before_s, at_s, top, beside. With several
                memories `stream` is "MEMORY/stream", "MEMORY" for all of one memory, or a name that only one of
                them knows; `place_of` likewise.

        Raises:
            HippocamError: There is no memory, the text is empty, or the memory does not know a stream, camera or
                entry that is named, or several memories know it; or only words can be found, and none are.
        """
        search = self._search()
        found = search.search(legible(text), self.opened.memories().resolve(where))
        if not found and isinstance(search.encoder, AbsentEncoder):
            raise UnknownModelError(search.encoder.why)
        return found

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
            deep: Whether to look at the source again where the evidence is thin; None for what the settings say.
            where: As for `search`.

        Raises:
            HippocamError: As for `search`, or the reader is unknown or not set up.
        """
        reader = self._reader(reader)
        search, settings = self._search(), self.settings.deep
        return ask(
            search,
            search.encoder,
            legible(question),
            self.opened.memories().resolve(where),
            reader,
            latest=self.latest,
            on_token=on_token,
            before=before,
            deep=settings if deep is None else replace(settings, on=deep),
        )

    def used(self, answer: Answer) -> None:
        """Say that an answer was of use: what it rests on is kept longer, and sleep must go on to find it.

        The one thing that asking leaves in a memory; `memory.questions` in the settings switches it off. A memory
        that cannot be written to, as on a read-only disk, learns nothing.
        """
        meaning = answer.understood
        if not answer.cited or answer.unknown:
            return
        text = meaning.text if meaning is not None else ""
        encoder = self._search().encoder
        compared = bool(text) and not isinstance(encoder, AbsentEncoder)
        question = encoder.encode_texts([description(text)])[0] if compared else None
        try:
            self.opened.memories().used(answer.cited, question)
        except MemoryFolderError as error:
            log.info("the question is not learned from: %s", error)

    def latest(self, stream: str) -> list[Embedding]:
        """The newest frames of a stream that is being watched, the oldest first."""
        return self.opened.latest(stream)

    def _search(self) -> Search:
        return Search(self.opened.memories(), self.opened.reading_encoder())

    def _reader(self, reader: str | Reader | None) -> Reader:
        """A reader by its name, made once: it may hold a model."""
        if reader is not None and not isinstance(reader, str):
            return reader
        config = self.settings.reader
        name = reader or config.name
        with self._lock:
            if name not in self._readers:
                self._readers[name] = make_reader(name, config)
            return self._readers[name]

    # what is held ----------------------------------------------------------------------------------------

    def status(self) -> Status:
        """What the memory holds now, or several memories together.

        Raises:
            HippocamError: There is no memory.
        """
        memories = self.opened.memories()
        encoder = memories.encoder()
        tiers = (self.opened.writer or memories).tiers()
        return Status(
            memory=", ".join(map(str, self.folders)),
            encoder=f"{encoder[0]} ({encoder[1].id})" if encoder else "none yet",
            bytes=sum(tier.bytes for tier in tiers if tier.where == "disk"),
            budget_bytes=memories.budget_bytes(),
            streams=tuple(memories.streams()),
            tiers=tuple(tiers),
            pending=tuple(str(p) for m in memories.members if (p := pending(m.memory.store)) is not None),
        )

    def memory_encoder(self) -> tuple[str, EncoderSpec]:
        """Name and spec of the memory's encoder.

        Raises:
            HippocamError: There is no memory, or nothing was watched into it.
        """
        return self.opened.made_with()

    def explain(self, entry: str) -> tuple[int, Explanation]:
        """Why an entry is held, or was given up.

        Args:
            entry: Its id, or the beginning of it where no other begins so.

        Returns:
            Its id within its memory, and what is known of it.

        Raises:
            HippocamError: There is no memory, or the id fits no entry or several.
        """
        owner, entry_id = self.opened.memories().find(entry)
        return entry_id, owner.explain(entry_id)

    def entry_at(self, stream: str, time_s: float, within: tuple[float, float] | None = None) -> str | None:
        """Id of the entry with a picture that covers a time of a stream, else the nearest; None without one.

        Pictures that were taken `within` a stretch of time come first.
        """
        return self.opened.memories().entry_at(stream, time_s, within)

    def picture(self, entry: str) -> Path | None:
        """Path of an entry's picture, by its whole id; None where none is kept."""
        return self.opened.memories().picture(entry)

    # housekeeping ----------------------------------------------------------------------------------------

    def pin(self, entries: Sequence[str], pinned: bool = True) -> tuple[str, ...]:
        """Keep entries whatever comes, or let the budget give them up again like any others.

        Args:
            entries: Their ids, as for `explain`.
            pinned: Whether they stay.

        Returns:
            Their whole ids.

        Raises:
            HippocamError: An entry is not known or no longer held, and then none is changed; or somebody else
                writes to the memory, and no live process.
        """
        return changes.pin(self.opened, entries, pinned)

    def forget(
        self,
        entries: Sequence[str] = (),
        *,
        stream: str | None = None,
        camera: str | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
        import_id: str | None = None,
        sense: str | None = None,
    ) -> Deleted:
        """Delete entries, what a stream, camera or time left behind, or by provenance; from the disk too.

        Args:
            entries: Their ids, as for `explain`; then nothing else.
            stream: This stream, or the cameras of this source. Without a time all of it is deleted.
            camera: The cameras of this name.
            after_s: What was seen after this time.
            before_s: What was seen before this time.
            import_id: What came with this import, by its id or the beginning of it; beside it only a stream.
            sense: Only notes, of this sense: screen, speech, subtitle, chapter or mark.

        Raises:
            HippocamError: What was named is not known or nothing was, a time is not on the clock of a stream that
                is meant, or somebody else writes to the memory.
        """
        wanted = Filter(stream=stream, camera=camera, after_s=after_s, before_s=before_s)
        by_origin = import_id is not None or sense is not None
        if by_origin and (entries or wanted != Filter(stream=stream)):
            raise HippocamError("beside an import or a sense only a stream can be named")
        if not by_origin and bool(entries) == bool(wanted):
            raise HippocamError("name entries, or a stream, a camera, a time, an import or a sense to forget")
        if wanted and not by_origin:
            wanted = on_clock(wanted, self.opened.memories().streams(), dates=True)
        return changes.forget(self.opened, entries, wanted, {"import_id": import_id, "sense": sense})

    def sleep(self, target: float | None = None) -> SleepReport:
        """Make the memory smaller, as far as what it can recall holds.

        Args:
            target: Share of the entries' bytes that is to be left, above 0 up to 1; None for the settings'.

        Raises:
            HippocamError: There is no memory, or somebody else writes to it.
            ValueError: The share is out of its range.
        """
        return changes.sleep(self.opened, target)

    def wake(self) -> int:
        """Undo the last sleep, as far as it is remembered: what it merged or reduced becomes what it was.

        Sleeps are remembered for a week, within a share of the budget (`memory.sleep` in the settings).

        Returns:
            How many entries came back or have their whole vectors back; pictures are not restored.

        Raises:
            HippocamError: There is no memory, or somebody else writes to it.
        """
        return changes.wake(self.opened)

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
        memories = self.opened.memories()
        where = memories.resolve({"stream": stream, "at_s": at_s})
        memories.check(where)
        return memories.entities(where["stream"], label, at_s)

    def merge_entities(self, into: int, other: int) -> EntityChange:
        """Make two entities one; `undo_entities` takes it back.

        Raises:
            HippocamError: One is not known, they are the same, or somebody else writes to the memory.
        """
        with self.opened.changing() as memory:
            return memory.change_entities(lambda entities: entities.merge(into, other))

    def split_entity(self, visit: int) -> EntityChange:
        """Make a visit an entity of its own; `undo_entities` takes it back.

        Raises:
            HippocamError: It is not known, its entity's only one, or somebody else writes to the memory.
        """
        with self.opened.changing() as memory:
            return memory.change_entities(lambda entities: entities.split(visit))

    def undo_entities(self, change: int) -> EntityChange:
        """Undo a link, merge or split.

        Raises:
            HippocamError: It is not known, was undone or is in the way of a later one, or somebody else writes.
        """
        with self.opened.changing() as memory:
            return memory.change_entities(lambda entities: entities.undo(change))
