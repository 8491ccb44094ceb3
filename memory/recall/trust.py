"""What is believed of what was found, where somebody may have planted it.

Four rules, each told in SECURITY.md:

- A question for what was seen is answered by pictures. Words (read, heard, given by a container, written in an
  import) lift none; where no picture is believed, they are a claim, no answer.
- Near-copies are one witness, and make way for other moments: those of one source after the first two; of the very
  same picture in several sources that for which something else speaks, and all but two others. See ranking.py.
- Of a slide about something what was read is an answer only where it can be read in the kept picture, too, if one
  of its time is kept or it came with an import.
- What came with an import is not taken at its word: its picture is looked at again, by the encoder that is here.
  Until that has borne it out, it stands behind own footage that is believed; and where its vectors are not the
  picture's, somebody made them up.

Shapes: N candidates, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from hippocam.memory.entities.records import Visit
from hippocam.memory.provenance.records import import_of
from hippocam.memory.provenance.table import ProvenanceTable
from hippocam.memory.recall.words import Words, content_words
from hippocam.memory.records import Entry, Level
from hippocam.stream.records import Box, FloatArray, Note

# Belief from which a moment is an answer.
BELIEVED_FROM = 0.5
# The most that is believed of a claim: less than of an answer.
_MOST_CLAIMED = 0.49
# Pictures of imports that are looked at again for one question.
_MOST_CHECKS = 64
# Pictures that are read again for one question.
_MOST_READINGS = 8


class PictureCheck(Protocol):
    """Looks at a picture of the memory again."""

    def cosine(self, entry: Entry, asked_D: FloatArray, box: Box | None) -> float | None:
        """Cosine of a question, float32 [D], with an entry's picture, or a box of it, as the encoder sees it.

        Returns:
            The cosine; None without a picture. -1 where the entry's vectors are not those of its picture.
        """

    def reads(self, entry: Entry, words: Sequence[str]) -> bool:
        """Whether most of some words stand in an entry's kept picture; not without a picture."""


class Beliefs(NamedTuple):
    """What speaks for a moment, 0 to 1: its picture, what was recognised in it, words of its source, notes.

    Where it is a thing in the picture that speaks for it, `box` is where that is.
    """

    seen: float
    labels: float = 0.0
    text: float = 0.0
    notes: float = 0.0
    box: Box | None = None


class Judgement(NamedTuple):
    """What is believed of a moment; fields as in Candidate."""

    seen: float
    score: float
    claimed: bool
    made_by: int | None
    doubted: bool = False
    witnessed: float | None = None


class Trust:
    """Judges what speaks for the moments of one question.

    Args:
        provenance: Where they came from.
        asked_D: float32 [D], the question in the encoder's space.
        believed: The belief that a picture at some cosine shows it.
        check: Looks at pictures of imports again; None takes their vectors at their word.
        words: Which words can be the answer.

    Attributes:
        doubts_imports: Whether there are imports, beside own footage.
    """

    def __init__(
        self,
        provenance: ProvenanceTable,
        asked_D: FloatArray,
        believed: Callable[[float], float],
        check: PictureCheck | None,
        *,
        words: Words,
    ) -> None:
        self._parts = provenance.parts()
        # a memory that is all imports was moved here: there is no own footage for them to stand behind
        self.doubts_imports = bool(self._parts) and provenance.own_footage(self._parts)
        self._words, self._asked_D = words, asked_D
        self._believed, self._check = believed, check
        self._checks, self._readings = _MOST_CHECKS, _MOST_READINGS

    def judge(
        self, entry: Entry, beliefs: Beliefs, notes: Sequence[Note] = (), found: Sequence[str] = ()
    ) -> Judgement:
        """What is believed of an entry; call it with the strongest first, for only so many imports are checked.

        Args:
            entry: The entry.
            beliefs: What speaks for it.
            notes: Those of them that are notes.
            found: Words of the question in these; none where they were found by what they mean.
        """
        in_words = self._words.answer(notes) and self._bears_out(entry, beliefs.notes, notes, found)
        made_by = self._made_by(entry)
        seen, labels, text, noted, box = beliefs
        if made_by is None or not self.doubts_imports:
            shown = 1 - (1 - seen) * (1 - labels) * (1 - text)
            score, claimed = joined(shown, [noted], in_words=in_words)
            witnessed = _witnessed(shown, [noted], in_words=in_words)
            return Judgement(seen, score, claimed, made_by, witnessed=witnessed)
        refuted, doubted = False, True
        if seen >= BELIEVED_FROM and self._check is not None:
            cosine = self._check.cosine(entry, self._asked_D, box) if self._checks > 0 else None
            self._checks -= 1
            seen = _as_claim(seen) if cosine is None else min(seen, self._believed(cosine))
            refuted = doubted = seen < BELIEVED_FROM  # its vector claims what its picture does not show
        told = [labels, text, noted]
        score, claimed = joined(seen, told, in_words=in_words)
        claimed = claimed or (refuted and score < BELIEVED_FROM)
        return Judgement(seen, score, claimed, made_by, doubted, _witnessed(seen, told, in_words=in_words))

    def _bears_out(self, entry: Entry, belief: float, notes: Sequence[Note], found: Sequence[str]) -> bool:
        """Whether words that were read may be taken for what stood there: they can be read in the kept picture.

        Words of own footage were read here, by nobody else, so they are taken as they are where no picture of
        their time is kept. Where any words are asked for, or nobody looks again, they always are.
        """
        if self._words is Words.ALL or self._check is None:
            return True
        of_their_time = any(note.t0_s <= entry.frame_s <= note.t1_s for note in notes)
        if not self.doubts(entry) and (entry.level >= Level.VECTORS or not of_their_time):
            return True
        if belief < BELIEVED_FROM or self._readings == 0:
            return False
        self._readings -= 1
        return self._check.reads(entry, found or content_words(" ".join(note.text for note in notes)))

    def doubts(self, entry: Entry) -> bool:
        """Whether an entry came with an import that stands beside own footage."""
        return self.doubts_imports and self._made_by(entry) is not None

    def _made_by(self, entry: Entry) -> int | None:
        """Id of the import that an entry came with; None for own footage."""
        return import_of(self._parts.get(entry.stream), entry.first_seq)

    def unseen(self, visit: Visit, belief: float) -> Judgement:
        """What is believed of a thing whose time no entry holds any more: no picture can be looked at again."""
        made_by = self._made_at(visit.stream, visit.t0_s)
        if made_by is None or not self.doubts_imports:
            return Judgement(belief, belief, False, made_by)
        kept = belief if belief < BELIEVED_FROM else _as_claim(belief)
        return Judgement(kept, kept, belief >= BELIEVED_FROM, made_by, True)

    def told(self, belief: float, notes: Sequence[Note]) -> tuple[float, bool]:
        """What is believed of notes without a picture, and whether it is a claim."""
        doubted = self.doubts_imports and any(self._made_at(n.stream, n.t0_s) is not None for n in notes[:1])
        taken = self._words is Words.ALL or self._check is None or not doubted
        return joined(0.0, [belief], in_words=taken and self._words.answer(notes))

    def _made_at(self, stream: str, time_s: float) -> int | None:
        """Id of the import with which what a stream showed at a time came; None for own footage."""
        part = self._parts.get(stream)
        return part.made_by.id if part is not None and part.holds_time(time_s) else None


def _witnessed(shown: float, told: Sequence[float], *, in_words: bool) -> float | None:
    return shown if any(told) and not in_words else None


def joined(shown: float, told: Sequence[float], *, in_words: bool) -> tuple[float, bool]:
    """Join what a picture shows and what words tell, as independent causes (noisy-or).

    Words that come with a picture are no second witness to it: whoever planted them chose the picture, too. So
    where words are no answer, a picture is believed as by itself; words only say where to look first while none is
    believed.

    Args:
        shown: Belief that the picture shows it, 0 to 1.
        told: Beliefs of the words.
        in_words: Whether words can be the answer.

    Returns:
        The belief, and whether it is a claim: words say so more than the picture does, and that is not believed.
    """
    missed = 1.0
    for belief in told:
        missed *= 1 - belief
    everything = 1 - (1 - shown) * missed
    if in_words:
        return everything, False
    if shown >= BELIEVED_FROM:
        return shown, False
    score = everything if everything < BELIEVED_FROM else _as_claim(everything)
    return score, 1 - missed > shown


def _as_claim(belief: float) -> float:
    """What is believed of a claim: less than of an answer, and more than of pictures that are none.

    Where no picture is believed, the words of an honest screen mostly are what was asked for. Claims keep their
    order.
    """
    return _MOST_CLAIMED * (0.98 + 0.02 * belief)
