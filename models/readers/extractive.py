"""The reader that needs no weights: states the best evidence in a sentence or two, or that there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hippocam.memory.recall.notes import about_speech, about_writing
from hippocam.memory.records import Evidence
from hippocam.models.readers.context import Context, ContextConfig
from hippocam.models.readers.note_text import IMPORTED, one_line, told_notes
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM, Given, Reading, Sentence, nearly_as_likely
from hippocam.models.readers.reply import NOTHING
from hippocam.models.readers.surety import (
    DETECTED_AT_MOST,
    ENCODER_AT_MOST,
    Surety,
    affirmed,
    hedged,
    of_picture,
)
from hippocam.stream.timecode import format_time

if TYPE_CHECKING:
    from hippocam.models.readers.config import ReaderConfig

# Moments this near to each other, in seconds, are told as one.
_GAP_S = 0.05
# Times that are named where something was seen often.
_NAMED = 5
# Characters of a source's words.
_WORDS = 160
# Kinds of notes that tell what was said, and what was to be read.
_SPOKEN = ("speech", "subtitle")
_WRITTEN = ("screen", "subtitle", "chapter", "mark")
# Kinds of questions that ask for more than when.
_OF_WORDS = (QuestionKind.WORDS, QuestionKind.SAID)
_SHOWN_ONLY = (QuestionKind.OTHER, QuestionKind.COLOUR)
# Of what these ask a picture tells a part at most.
_PARTLY = (*_SHOWN_ONLY, QuestionKind.WHAT, QuestionKind.BEFORE, QuestionKind.AFTER, QuestionKind.WHERE)
_BEYOND = (
    QuestionKind.OFTEN,
    QuestionKind.LONG,
    QuestionKind.FIRST,
    QuestionKind.LAST,
    QuestionKind.BEFORE,
    QuestionKind.AFTER,
    QuestionKind.WHERE,
    QuestionKind.WORDS,
    QuestionKind.SAID,
    QuestionKind.COUNT,
)
_UNHEARD = "Not heard: no words that are kept say anything of it."
# Lines that stood in a picture which are told with it.
_LINES = 6
# How many moments' words are told.
_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """Moments of one stream that follow one another, and their ids, the strongest first; see Evidence.coarse."""

    stream: str
    t0_s: float
    t1_s: float
    ids: tuple[str, ...]
    coarse: bool

    def __str__(self) -> str:
        about = "~" if self.coarse else ""
        return f"{about}{format_time(self.t0_s)} to {about}{format_time(self.t1_s)} in {self.stream}"


class ExtractiveReader:
    """Answers with the moments themselves: what, when, where, how often, first, last, before, after, words."""

    id = "extractive"

    @classmethod
    def from_config(cls, argument: str, config: ReaderConfig) -> ExtractiveReader:
        """Nothing can be set."""
        return cls()

    @property
    def budget(self) -> ContextConfig:
        """Five moments, no pictures."""
        return ContextConfig(moments=5, frames=0, live_frames=0)

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer what the question asks, and state the best evidence.

        Args:
            context: Only its evidence is used.
            on_token: Gets the whole answer at once.
        """
        evidence = context.evidence
        if context.kind in _OF_WORDS:
            kinds = _SPOKEN if context.kind == QuestionKind.SAID or about_speech(context.question) else _WRITTEN
            evidence = tuple(_only_words(moment, kinds) for moment in evidence)
        if not evidence:
            return Reading(sentences=(Sentence(text=NOTHING),), unknown=True)
        best, belief = evidence[0], evidence[0].score
        if context.kind == QuestionKind.SAID and not any(e.noted for e in _likely(evidence)):
            sentences, unknown, belief = [Sentence(text=_UNHEARD)], True, 0.0
        elif best.claimed and best.score < SEEN_FROM:
            sentences, unknown = [Sentence(text=_claim(best, context.question))], True
        elif best.score < SEEN_FROM:
            nearest = f"nothing in the memory matches well enough. The nearest is {_stretch(best)}"
            sentences, unknown = [Sentence(text=f"Not seen: {nearest}.")], True
        elif context.kind in _OF_WORDS and not any(e.notes or e.text for e in _likely(evidence)):
            text = f"I can show when, but not what it says: {_stretch(best)} may show it."
            sentences, unknown, belief = [Sentence(text=text)], True, 0.0
        else:
            sentences, unknown = _answer(context.kind, evidence), False
        given = tuple(
            Given(mark=f"E{place}", id=e.id, stream=e.stream, time_s=e.frame_s, picture=False)
            for place, e in enumerate(evidence, start=1)
        )
        reading = Reading(
            sentences=tuple(sentences),
            unknown=unknown,
            confidence=belief,
            given=given,
            sure=_surety(context.kind, best),
        )
        if on_token is not None:
            on_token(reading.answer)
        return reading


def _answer(kind: QuestionKind, evidence: Sequence[Evidence]) -> list[Sentence]:
    if kind.overall:
        return [Sentence(text=f"{_stretch(e)}{_shows(e)}.", evidence_ids=(e.id,)) for e in evidence]
    best, likely = evidence[0], _likely(evidence)
    surety = _surety(kind, best)
    if kind in _SHOWN_ONLY and not best.noted:
        return [_shown_only(kind, best)]
    own = f"{_noted(best)}, in {best.stream}{_from(best)}" if best.noted else f"{_stretch(best)}{_shows(best)}"
    if kind in _BEYOND:
        first = _special(kind, evidence, likely, surety)
        return [first, Sentence(text=f"Best seen: {own}.", evidence_ids=(best.id,))]
    text = affirmed(own, surety) if kind == QuestionKind.WHETHER else hedged(own, surety)
    said = Sentence(text=text, evidence_ids=(best.id,))
    _, *others = _joined([(e, e.t0_s, e.t1_s) for e in likely])
    if not others:
        return [said]
    names = "; ".join(str(other) for other in others[:3])
    ids = tuple(dict.fromkeys(found for other in others for found in other.ids))
    return [said, Sentence(text=f"Also {names}.", evidence_ids=ids)]


def _surety(kind: QuestionKind, best: Evidence) -> Surety:
    if best.noted:
        return Surety.of(best.score if kind in _OF_WORDS else min(best.score, DETECTED_AT_MOST))
    if kind in _PARTLY:
        return Surety.of(min(best.score, ENCODER_AT_MOST))
    return of_picture(best.score, detected=best.detected)


def _shown_only(kind: QuestionKind, best: Evidence) -> Sentence:
    """What looks like the moment that is asked about, where no more of it is known but its words."""
    what = "its colour" if kind == QuestionKind.COLOUR else "more of it"
    looks = f", which looks like {best.sentence}" if best.sentence else ""
    lines = [note for note in best.notes if note.kind == "screen"] if kind == QuestionKind.OTHER else []
    words = f" With it, {told_notes(lines[:_LINES])}" if lines else ""
    text = f"I can show when, but not tell {what}: {_stretch(best)}{looks}.{words}".rstrip(".") + "."
    return Sentence(text=text, evidence_ids=(best.id,))


def _claim(moment: Evidence, question: str) -> str:
    """What words claim where no picture bears them out; it is told as theirs, and not as seen.

    Of a question that is about words it is not said that they are not there.
    """
    said = _noted(moment) if moment.noted else _words(moment)
    told = f"{said}, in {moment.stream}" if moment.noted or moment.text else str(_stretch(moment))
    if about_writing(question) or about_speech(question):
        return f"Only words tell of it, and no picture bears them out: {told}{_from(moment)}."
    return f"Not seen: no picture bears out what words claim. {told[0].upper()}{told[1:]}{_from(moment)}."


def _from(moment: Evidence) -> str:
    return f", {IMPORTED}" if moment.imported else ""


def _likely(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The moments that are believed, and nearly as much as the best."""
    best = evidence[0].score
    return [e for e in evidence if e.score >= SEEN_FROM and nearly_as_likely(e.score, best)]


def _only_words(moment: Evidence, kinds: tuple[str, ...]) -> Evidence:
    """A moment with those of its notes that are of some kinds: what was said is not what a sign says."""
    noted = [note for note in moment.notes[: moment.noted] if note.kind in kinds]
    others = [note for note in moment.notes[moment.noted :] if note.kind in kinds]
    return replace(moment, notes=(*noted, *others), noted=len(noted))


def _special(
    kind: QuestionKind, evidence: Sequence[Evidence], likely: Sequence[Evidence], surety: Surety
) -> Sentence:
    """Answer what a question asks beyond when."""
    best = likely[0]
    if kind in (QuestionKind.BEFORE, QuestionKind.AFTER):
        same = [e for e in likely if e.sentence == best.sentence]  # another room that follows is not the same
        return _neighbour(kind, _joined([(e, e.t0_s, e.t1_s) for e in same])[0], evidence)
    if kind == QuestionKind.WHERE:
        return Sentence(text=hedged(f"in {_where(best)}", surety), evidence_ids=(best.id,))
    if kind in _OF_WORDS:
        told = [e for e in likely if e.noted][:_TOLD] or [e for e in likely if e.notes][:1]
        if told:
            text = "; ".join(_noted(e) for e in told)
            return Sentence(text=f"{text[0].upper()}{text[1:]}.", evidence_ids=tuple(e.id for e in told))
        words = next((e for e in likely if e.text), None)
        if words is None:
            return Sentence(text="No words are kept of it.", evidence_ids=(best.id,))
        return Sentence(text=f"The words there: {_words(words)}.", evidence_ids=(words.id,))
    if kind == QuestionKind.COUNT:
        return Sentence(text="How many cannot be told: these records do not count.", evidence_ids=(best.id,))
    stretches = sorted(
        _joined([(e, *span) for e in likely for span in _spans(e)]), key=lambda s: (s.t0_s, s.stream)
    )
    ids = tuple(dict.fromkeys(found for stretch in stretches for found in stretch.ids))
    if kind == QuestionKind.OFTEN:
        count = len(stretches) + sum(max(0, e.met - len(_spans(e))) for e in likely)
        more = "at least " if len(likely) == len(evidence) > 1 else ""
        times = "once" if count == 1 else "twice" if count == 2 else f"{count} times"
        named = "; ".join(map(str, stretches[:_NAMED])) + ("; ..." if len(stretches) > _NAMED else "")
        return Sentence(text=hedged(f"{more}{times}: {named}", surety), evidence_ids=ids)
    if kind == QuestionKind.LONG:
        longest = max(stretches, key=lambda s: s.t1_s - s.t0_s)
        return Sentence(text=hedged(f"for {_seconds(longest)}: {longest}", surety), evidence_ids=longest.ids)
    ends = {}
    for stretch in stretches if kind == QuestionKind.LAST else reversed(stretches):
        ends[stretch.stream] = stretch  # the last of each stream
    chosen = sorted(ends.values(), key=lambda s: (s.t0_s, s.stream))
    ids = tuple(dict.fromkeys(found for stretch in chosen for found in stretch.ids))
    word = "last" if kind == QuestionKind.LAST else "first"
    looks = {e.id: e for e in likely}
    seen = "; ".join(f"{stretch}{_shows(looks[stretch.ids[0]])}" for stretch in chosen)
    return Sentence(text=hedged(f"{word} seen {seen}", surety), evidence_ids=ids)


def _neighbour(kind: QuestionKind, best: _Stretch, evidence: Sequence[Evidence]) -> Sentence:
    """The moment beside the best one in time; its neighbours are among the evidence, however far they are."""
    same = [(span, e) for e in evidence if e.stream == best.stream and e.id not in best.ids for span in _spans(e)]
    if kind == QuestionKind.AFTER:
        later = [pair for pair in same if pair[0][0] >= best.t1_s - _GAP_S]
        near = min(later, key=lambda pair: pair[0][0], default=None)
    else:
        earlier = [pair for pair in same if pair[0][1] <= best.t0_s + _GAP_S]
        near = max(earlier, key=lambda pair: pair[0][1], default=None)
    word = "After" if kind == QuestionKind.AFTER else "Before"
    if near is None:
        return Sentence(text=f"{word} it, the memory holds no moment close by.", evidence_ids=best.ids)
    (t0_s, t1_s), moment = near
    told = replace(_stretch(moment), t0_s=t0_s, t1_s=t1_s)
    return Sentence(text=f"{word} it: {told}{_shows(moment)}.", evidence_ids=(moment.id, *best.ids))


def _joined(moments: Sequence[tuple[Evidence, float, float]]) -> list[_Stretch]:
    """Times of moments, the strongest first; those that follow one another are told as one."""
    found: list[_Stretch] = []
    for moment, t0_s, t1_s in moments:
        touching = [
            s for s in found if s.stream == moment.stream and t0_s <= s.t1_s + _GAP_S and s.t0_s <= t1_s + _GAP_S
        ]
        joined = _Stretch(
            stream=moment.stream,
            t0_s=min([t0_s, *(s.t0_s for s in touching)]),
            t1_s=max([t1_s, *(s.t1_s for s in touching)]),
            ids=tuple(dict.fromkeys([*(i for s in touching for i in s.ids), moment.id])),
            coarse=moment.coarse,
        )
        place = found.index(touching[0]) if touching else len(found)
        found = [s for s in found if s not in touching]
        found.insert(place, joined)
    return found


def _spans(evidence: Evidence) -> tuple[tuple[float, float], ...]:
    return evidence.spans or ((evidence.t0_s, evidence.t1_s),)


def _stretch(e: Evidence) -> _Stretch:
    return _Stretch(stream=e.stream, t0_s=e.t0_s, t1_s=e.t1_s, ids=(e.id,), coarse=e.coarse)


def _seconds(stretch: _Stretch) -> str:
    length_s = stretch.t1_s - stretch.t0_s
    return f"{length_s:.1f}".removesuffix(".0") + " s" if length_s < 60 else format_time(length_s)


def _where(e: Evidence) -> str:
    parts = [e.stream]
    if e.place:
        parts.append(f"place {e.place}")
    if e.sensors.pose is not None:
        parts.append("at x {:.1f} m, y {:.1f} m".format(*map(float, e.sensors.pose[:2])))
    return ", ".join(parts)


def _shows(e: Evidence) -> str:
    looks = f", which looks like {e.sentence}" if e.sentence else ""
    return looks + (f", with the words {_words(e)}" if e.text else "") + _from(e)


def _words(e: Evidence) -> str:
    """A source's own words, quoted and in one line."""
    return one_line(e.text, _WORDS)


def _noted(e: Evidence) -> str:
    """What was read, heard or given that speaks for a moment, or at its time."""
    return told_notes(e.notes[: e.noted or len(e.notes)])
