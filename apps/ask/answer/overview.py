"""What there was and what happened: the most notable moments in order, things that were told apart, and words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import SPOKEN, WRITTEN, Facts, Watched
from hippocam.apps.ask.answer.phrases import RECOGNISED, lasting, listed, number, stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import labels_of, noun_for
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.note_text import one_line
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM, Reading, Sentence
from hippocam.models.readers.surety import Surety, hedged
from hippocam.models.sentences.words import plural

_K = QuestionKind
# Moments that are told of a question, and how many are looked through for them, so that all of the time is told.
_TOLD, _LOOKED = 8, 64
_LINES = 4
# That what was recognised at the time of a thing stands with it.
_WITH_IT = 0.6
# What is on or in something that fills much of a picture; beside a small thing stands anything.
_IN_VIEW = re.compile(r"(?:on|in|inside|at)\b", re.IGNORECASE)
# What is read so shortly beside a moment was read in it.
_BESIDE_S = 0.5
# What came, of all that was shown, and that it was the first.
_COMES = re.compile(
    r"\b(?:comes?|came|appears?|appeared|moves?|moved|enters?|entered|arrives?|arrived)\b", re.IGNORECASE
)
_BELIEF_CAME = 0.85
# The share of a moment, or of the time that is meant, that they have in common.
_SHARE = 0.2
# That what a film shows is told well by a few of its moments.
_BELIEF = 0.75


def overview(facts: Facts) -> Told | None:
    """Tell what there was: of each moment what it looks like, of things how many were told apart.

    Returns:
        None where the question names something to look for, or nothing is held of that time.
    """
    if facts.text or facts.beside:
        return None
    moments = _spread(facts, 1 if facts.kind in (_K.FIRST, _K.LAST) else _TOLD)
    if not moments:
        return None
    if facts.kind in (_K.FIRST, _K.LAST):
        return _edge(facts)
    heads = list[str]()
    if facts.kind == _K.SUMMARY:
        heads.append(_length(facts))
    things = _things(facts)
    if things:
        heads.append(f"{'Seen' if facts.kind != _K.WHAT else 'Things'}: {things}.")
    words = _words(facts) if facts.kind != _K.WHAT else []
    several = len({moment.stream for moment in moments}) > 1
    parts = [_line(moment, several) for moment in moments]
    if facts.kind == _K.WHAT:
        looks = list(dict.fromkeys(moment.sentence for moment in moments if moment.sentence))
        body = f"It looks like {'; '.join(looks)}." if looks else f"Moments: {'; '.join(parts)}."
    else:
        where = "" if several else f" in {moments[0].stream}"
        begin = "It looks like this" if any(moment.sentence for moment in moments) else "Moments"
        body = f"{begin}{where}: {'; '.join(parts)}."
    main = Sentence(text=body, evidence_ids=tuple(moment.id for moment in moments), known=True)
    sentences = [Sentence(text=" ".join(heads), known=True)] if heads else []
    sentences += [main, *(Sentence(text=text, known=True) for text in words)]
    reading = Reading(sentences=tuple(sentences), unknown=False, confidence=_BELIEF)
    return Told(reading=reading, evidence=tuple(moments), final=False)


def what_with(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Tell what was recognised where and when something was that a question names: "what stands on the table?".

    Args:
        facts: The question with its records.
        evidence: Moments of what it names, the strongest first.

    Returns:
        None where no moment is believed, or nothing else was recognised in it.
    """
    best = evidence[0] if evidence and evidence[0].score >= SEEN_FROM else None
    if facts.beside:
        return None
    if best is None:
        return _anywhere(facts) if _IN_VIEW.match(facts.text.strip()) else None
    named = {label for word in content_words(facts.text) for label in labels_of(word) or ()}
    things = dict[str, set[int]]()
    for stay in facts.stays(lambda entity: entity.label not in named):
        if stay.visit.stream == best.stream and stay.t0_s <= best.t1_s and stay.t1_s >= best.t0_s:
            things.setdefault(stay.entity.label, set()).add(stay.entity.id)
    if not things:
        return None
    found = listed([f"{number(len(ids))} {noun_for([label], len(ids))}" for label, ids in things.items()])
    looks = f". It looks like {best.sentence}" if best.sentence else ""
    text = hedged(f"with it {found}: {stretch(best.t0_s, best.t1_s)} in {best.stream}{looks}", Surety.PERHAPS)
    return told(text, [best], belief=min(best.score, _WITH_IT), final=False)


def _anywhere(facts: Facts) -> Told | None:
    """What was recognised in all, where nothing shows the place of which the contents are asked for."""
    things = _things(facts)
    stays = facts.filmed([stay for stay in facts.stays() if stay.sure])
    if not things:
        return None
    text = hedged(f"{things}, in the camera's whole view: nothing shows where in it is meant", Surety.PERHAPS)
    return told(text, facts.moments_of(stays, "recognised at these times", _WITH_IT), belief=_WITH_IT, final=False)


def background(facts: Facts) -> list[str]:
    """What was there in all, in sentences: how long the streams are, what was told apart, a few of the words."""
    things = _things(facts)
    return [_length(facts), *([f"Seen: {things}."] if things else []), *_words(facts)]


def _edge(facts: Facts) -> Told | None:
    """What was shown first, or last, of each stream; what came first, where that is asked."""
    if _COMES.search(facts.question) and (came := _that_came(facts)) is not None:
        return came
    moments = list[Evidence]()
    for each in facts.watched:
        time_s = each.start_s if facts.kind == _K.FIRST else each.end_s
        moment = facts.records.moment_at(each.stream, time_s)
        if moment is not None:
            moments.append(moment)
    if not moments:
        return None
    word = facts.kind.value.capitalize()
    parts = [_line(moment, len(moments) > 1) + _written(facts, moment) for moment in moments]
    where = "" if len(moments) > 1 else f" in {moments[0].stream}"
    return told(f"{word}{where}: {'; '.join(parts)}.", moments, belief=_BELIEF, final=False)


def _that_came(facts: Facts) -> Told | None:
    """The first thing that came, or the last: none that was there from the start."""
    stays = [stay for stay in facts.filmed(facts.stays()) if not stay.visit.from_start and stay.sure]
    if not stays:
        return None
    stay = stays[0] if facts.kind == _K.FIRST else max(stays, key=lambda stay: stay.t0_s)
    noun, colour = noun_for([stay.visit.label], 1), next((name for name in stay.visit.colours if name), "")
    name = facts.person(stay, "a person") if stay.visit.label == "person" else f"a {colour} {noun}"
    text = hedged(
        f"{' '.join(name.split())}: {stretch(stay.t0_s, stay.t1_s)} in {stay.visit.stream}", Surety.LIKELY
    )
    shown = facts.shown([(stay.visit.stream, stay.t0_s, stay.t1_s, stay.visit.frame_s)], RECOGNISED, _BELIEF_CAME)
    return told(text, shown, belief=_BELIEF_CAME, final=False)


def _written(facts: Facts, moment: Evidence) -> str:
    """The words that stand in a picture, which say more of a title or an end than what it looks like."""
    times = (moment.stream, moment.t0_s - _BESIDE_S, moment.t1_s + _BESIDE_S)
    lines = [
        n.text for n in facts.notes(WRITTEN) if n.stream == times[0] and times[1] <= n.t0_s and n.t1_s <= times[2]
    ]
    return f", on screen: {one_line(' / '.join(dict.fromkeys(lines)))}" if lines else ""


def _spread(facts: Facts, most: int) -> list[Evidence]:
    """The most notable moment of each part of the time, by time."""
    every = facts.records.notable(_LOOKED)
    found = [pair for pair in every if any(_is_within(pair[1], each) for each in facts.watched)] or every
    total = sum(each.end_s - each.start_s for each in facts.watched)
    if not found or total <= 0:
        return []
    step_s = total / most
    best, before_s = dict[tuple[str, int], tuple[float, Evidence]](), 0.0
    for each in sorted(facts.watched):  # so that one memory or several give the same moments
        for utility, moment in found:
            if moment.stream == each.stream:
                part = int((before_s + max(moment.t0_s - each.start_s, 0.0)) / step_s)
                key = (each.stream, part)
                if key not in best or utility > best[key][0]:
                    best[key] = (utility, moment)
        before_s += each.end_s - each.start_s
    chosen = sorted(best.values(), key=lambda pair: -pair[0])[:most]
    return sorted((moment for _, moment in chosen), key=lambda moment: (moment.stream, moment.t0_s))


def _is_within(moment: Evidence, each: Watched) -> bool:
    """Whether a moment shares more than its edge with a stretch of time: some of either."""
    both_s = min(moment.t1_s, each.end_s) - max(moment.t0_s, each.start_s)
    least_s = _SHARE * min(moment.t1_s - moment.t0_s, each.end_s - each.start_s)
    return moment.stream == each.stream and both_s >= least_s


def _line(moment: Evidence, several: bool) -> str:
    where = f" in {moment.stream}" if several else ""
    return f"{stretch(moment.t0_s, moment.t1_s)}{where}" + (f" {moment.sentence}" if moment.sentence else "")


def _length(facts: Facts) -> str:
    if len(facts.watched) == 1:
        return f"{facts.watched[0].stream}, {lasting(facts.watched[0].end_s - facts.watched[0].start_s)}."
    total = sum(each.end_s - each.start_s for each in facts.watched)
    return f"{number(len(facts.watched)).capitalize()} streams, {lasting(total)}."


def _things(facts: Facts) -> str:
    """How many of each kind were told apart, people first, then those that were there longest."""
    kinds = dict[str, tuple[set[int], float]]()
    for stay in facts.filmed([stay for stay in facts.stays() if stay.sure]):
        ids, seconds = kinds.get(stay.entity.label, (set(), 0.0))
        kinds[stay.entity.label] = ids | {stay.entity.id}, seconds + stay.t1_s - stay.t0_s
    ordered = sorted(kinds.items(), key=lambda kind: (kind[0] != "person", -kind[1][1], kind[0]))[:_TOLD]
    counted = {label: f"{number(len(ids))} {noun_for([label], len(ids))}" for label, (ids, _) in ordered}
    if "person" in counted:
        counted["person"] = _people(facts, kinds["person"][0])
    return listed(list(counted.values()))


def _people(facts: Facts, ids: set[int]) -> str:
    """How many people there were, and how many of them are women, men or children by their portraits."""
    known = {stay.entity.id: kind for stay in facts.stays() if (kind := facts.kind_of(stay))}
    counts = sorted(Counter(known[each] for each in ids if each in known).items(), reverse=True)
    parts = [f"{number(count)} {kind if count == 1 else plural(kind)}" for kind, count in counts]
    if sum(count for _, count in counts) == len(ids):
        return listed(parts)
    people = f"{number(len(ids))} {noun_for(['person'], len(ids))}"
    return f"{people} (of them {listed(parts)})" if parts else people


def _words(facts: Facts) -> list[str]:
    """A few of the words that were read and heard, in order: the lines whose words come most often."""
    sentences = list[str]()
    for what, kinds in (("On screen", WRITTEN), ("Said", SPOKEN)):
        notes = facts.notes(kinds)
        often = Counter(word for note in notes for word in set(content_words(note.text)))
        weights = {note.text: sum(often[word] - 1 for word in set(content_words(note.text))) for note in notes}
        telling = sorted(weights, key=lambda text: (-weights[text], -len(text), text))[:_LINES]
        lines = dict.fromkeys(one_line(note.text) for note in notes if note.text in telling)
        if lines:
            sentences.append(f"{what}: {'; '.join(lines)}.")
    return sentences
