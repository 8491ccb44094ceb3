"""Where what a memory holds came from, and what of it is in quarantine: kept, and never recalled.

Little of it is stored. What an entry rests on follows from its own row, and a note's kind is the sense by which it
came. An import is written down once for each stream that came with it; all up to a frame of that stream is its.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hippocam.stream.records import WORDLESS, Note

# The senses by which words come, as notes name them.
WORD_SENSES = ("screen", "speech", "subtitle", "chapter", "mark", *WORDLESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A file of another memory that was taken in.

    Attributes:
        id: Hash of its content: the same file is the same import.
        file: Its name, as it was typed. Untrusted.
        made_s: When, in seconds since 1970.
    """

    id: int
    file: str
    made_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPart:
    """What of a stream came with an import: all up to a frame. What was watched behind it is own footage.

    Attributes:
        made_by: The import.
        last_seq: Position of the last frame that came with it.
        end_s: Time of the end of what came with it.
    """

    made_by: Import
    last_seq: int
    end_s: float

    def holds(self, first_seq: int) -> bool:
        """Whether an entry of the stream came with the import, by the position of its first frame."""
        return first_seq <= self.last_seq

    def holds_time(self, time_s: float) -> bool:
        """Whether what the stream showed at a time came with the import."""
        return time_s <= self.end_s


def import_of(part: ImportedPart | None, first_seq: int) -> int | None:
    """Id of the import that an entry came with, by the position of its first frame; None for own footage.

    Args:
        part: What of the entry's stream came with an import; None for nothing.
        first_seq: Position of the entry's first frame.
    """
    return part.made_by.id if part is not None and part.holds(first_seq) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Entries and notes by where they came from; a field that is None sets no condition.

    Attributes:
        stream: In this stream, or in one of this source's cameras.
        import_id: Came with this import.
        sense: Only notes, and those that came by this sense: one of WORD_SENSES.
    """

    stream: str | None = None
    import_id: int | None = None
    sense: str | None = None

    def __post_init__(self) -> None:
        if self.sense is not None and self.sense not in WORD_SENSES:
            raise ValueError(f"Origin.sense must be one of {', '.join(WORD_SENSES)}, found {self.sense!r}")

    def __bool__(self) -> bool:
        return self != Origin()

    def __str__(self) -> str:
        named = [f"stream {self.stream}"] if self.stream is not None else []
        if self.import_id is not None:
            named.append(f"import {self.import_id:016x}")
        if self.sense is not None:
            named.append(f"sense {self.sense}")
        return ", ".join(named) or "everything"

    def of_stream(self, stream: str) -> bool:
        """Whether a stream meets the condition on streams."""
        return self.stream is None or stream == self.stream or stream.startswith(self.stream + "/")

    def of_part(self, part: ImportedPart | None) -> bool:
        """Whether what a stream got with an import meets the condition on imports."""
        return self.import_id is None or (part is not None and part.made_by.id == self.import_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """What is kept and never recalled.

    Attributes:
        origins: What is in it, the oldest first.
        parts: By stream, what came with an import; empty where no origin names one.
    """

    origins: tuple[Origin, ...] = ()
    parts: Mapping[str, ImportedPart] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.origins)

    def holds_stream(self, stream: str) -> bool:
        """Whether all of a stream's pictures are in it, those to come too."""
        return any(o.sense is None and o.import_id is None and o.of_stream(stream) for o in self.origins)

    def share_of(self, stream: str, last_seq: int) -> Literal["", "part", "all"]:
        """How much of a stream's pictures is in it: "" for none.

        Args:
            stream: Its name.
            last_seq: Position of the last frame that is in the memory.
        """
        part = self.parts.get(stream)
        if not any(o.sense is None and o.of_stream(stream) and o.of_part(part) for o in self.origins):
            return ""
        return "all" if self.holds_entry(stream, last_seq) else "part"

    def holds_entry(self, stream: str, first_seq: int) -> bool:
        """Whether an entry is in it.

        Args:
            stream: Its stream.
            first_seq: Position of its first frame.
        """
        part = self.parts.get(stream)
        own = part is None or not part.holds(first_seq)
        return any(
            o.sense is None and o.of_stream(stream) and o.of_part(None if own else part) for o in self.origins
        )

    def holds_time(self, stream: str, t0_s: float) -> bool:
        """Whether what a stream showed from a time on is in it."""
        part = self.parts.get(stream)
        own = part is None or t0_s > part.end_s
        return any(
            o.sense is None and o.of_stream(stream) and o.of_part(None if own else part) for o in self.origins
        )

    def holds_note(self, note: Note) -> bool:
        """Whether a note is in it, by its sense, or with its stream or import."""
        part = self.parts.get(note.stream)
        own = part is None or note.t0_s > part.end_s
        return any(
            o.sense in (None, note.kind) and o.of_stream(note.stream) and o.of_part(None if own else part)
            for o in self.origins
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an entry came from.

    Attributes:
        source: Address of its stream's source. Untrusted where it was imported.
        encoder: Id of the encoder that made its vectors.
        senses: What it rests on: "picture", "words" of the source, and the kinds of the notes of its time.
        frames: Frames that were encoded.
        repeats: Frames that were counted as unchanged.
        made_by: The import that it came with; None where it was watched here.
        quarantined: Whether it is in quarantine.
    """

    source: str
    encoder: str
    senses: tuple[str, ...]
    frames: int
    repeats: int
    made_by: Import | None
    quarantined: bool
