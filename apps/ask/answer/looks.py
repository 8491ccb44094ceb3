"""What colour a thing had, where in the picture it was and which way it went, from the visit that is meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Closer, Facts, Stay, different
from hippocam.apps.ask.answer.phrases import RECOGNISED, by_stream, listed, number, stretch
from hippocam.apps.ask.answer.places import placed
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.count.words import one_named, says_which
from hippocam.apps.ask.nouns import ABOVE, BELOW, Thing, noun_for, thing_in
from hippocam.memory.entities.describing import box_at, motion, position
from hippocam.memory.records import Evidence, format_id
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, hedged
from hippocam.stream.records import Box

_K = QuestionKind
# Colours of crops and ways of boxes are right less often than that a thing was there.
_BELIEF = 0.85
_TOLD = 3
# That what is told of one of several things is told of the one that is meant.
_ONE_OF = 0.6
_WORN = re.compile(r"\b(?:wear\w*|clothes|clothing|dress\w*|outfit)\b", re.IGNORECASE)
_LOOK_LIKE = re.compile(r"\blook(?:s|ed)?\b", re.IGNORECASE)
# What no box tells: only the colour of all of a thing, and of somebody's clothes above and below, is kept.
_PART = re.compile(
    r"'s \w+|\b(?:caps?|hats?|hair|shoes?|boots?|bags?|eyes?|wheels?|roof|box|background)\b", re.IGNORECASE
)
# Where of an upright person's box a picture shows it: left, top, right, bottom.
_PARTS: tuple[tuple[re.Pattern[str], Box], ...] = (
    (re.compile(r"\b(?:caps?|hats?|hair|helmets?|beanies?)\b", re.IGNORECASE), (0.25, 0.0, 0.75, 0.14)),
    (re.compile(r"\b(?:shoes?|boots?|sneakers|trainers)\b", re.IGNORECASE), (0.1, 0.9, 0.9, 1.0)),
)
# What fills the part of the picture that shows it.
_FILLS = re.compile(
    r"^(?:the )?(?:[\w-]+ )?(?:grass|lawn|meadow|field|sky|floor|ground|wall|walls|ceiling|carpet|road|street|path"
    r"|water|sea|lake|river|snow|sand|beach|curtains?|tiles|leaves|forest|trees|hills?|mountains?|room)\b",
    re.IGNORECASE,
)
# Moments that are looked at again: nearly as much believed as the best, and from which belief on where the
# detector knows no such thing, since nobody asks for the colour of a wall that is not there.
_LOOKED, _ALSO, _SUPPOSED_FROM = 3, 0.8, 0.25
_BACKGROUND = re.compile(r"^(?:the )?background\b", re.IGNORECASE)
# What tells the moment that is meant: "the wall when the light goes on".
_WHEN = re.compile(r"\s+(?:when|while)\b", re.IGNORECASE)
# Where somebody lives or goes is no place in a picture.
_ELSEWHERE = re.compile(r"\b(?:lives?|comes? from|goes|go|went|works?|hides?)\b", re.IGNORECASE)
_SIDE = re.compile(r"\b(from|to) the (?:left|right)\b", re.IGNORECASE)
# "From which side does it come in?", "which way do they leave?"
_IN_OR_OUT = re.compile(
    r"^(?:from (?:which|what) (?:side|direction|way)|where (?:does|do|did) .* come from)\b"
    r".*\b(?:c[ao]me|enter|arrive|appear|drive in|walk in)"
    r"|^(?:(?:to |on |in )?(?:which|what) (?:side|direction|way)|where (?:does|do|did))\b"
    r".*\b(?P<out>leave|left|exit|disappear|(?:walk|go|went|drive|run|move)\w* (?:out|off|away))\b",
    re.IGNORECASE,
)
# So near to a side of the picture, as a share of its width, it comes in or leaves there.
_AT_EDGE = 0.03
_WAY = re.compile(
    r"\b(?:which (?:way|direction)|(?:from|to) which side|which side .*\bfrom"
    r"|from the (?:left|right)|to the (?:left|right)|towards?|away|direction"
    r"|where (?:did|does|do) .* (?:go|come|walk|run|drive|move))\b",
    re.IGNORECASE,
)


def looks(facts: Facts, evidence: Sequence[Evidence], closer: Closer | None = None) -> Told | None:
    """Answer what colour, where, or which way, of the visit that a question means.

    Args:
        facts: The question with its records.
        evidence: What was found for it, the strongest first: of several visits it says which is meant.
        closer: Looks for what no visit is of in the picture of a moment; None for nobody.
    """
    question, thing = facts.question, thing_in(re.sub(r"'s\b", "", facts.text))
    person = thing is not None and thing.labels == ("person",) and says_which(facts.text)
    worn = facts.kind == _K.OTHER and (
        _WORN.search(question) is not None or (person and _LOOK_LIKE.search(question) is not None)
    )
    if thing is None and (worn or _garment(facts.text) or _WORN.search(facts.text)):
        thing = Thing(labels=("person",), noun="person", plain=False, after=facts.text)
    if facts.beside:
        return None
    if thing is None:
        return _close_up(facts, evidence, closer)
    stays = _nth_of(facts, thing) or chosen(facts, thing, evidence)
    if not stays and facts.kind in (_K.COLOUR, _K.WHERE) and not _placed(facts, thing):
        return _close_up(facts, evidence, closer)
    if not stays and (facts.kind in (_K.COLOUR, _K.WHERE) or worn):
        stays = _one_of_few(facts, thing)
        return _each(facts, stays, closer, worn=worn) if stays else _close_up(facts, evidence, closer)
    if not stays:
        return None if evidence and evidence[0].score >= SEEN_FROM else _only_there(facts, thing)
    if facts.kind == _K.COLOUR or worn:
        return _colour(facts, stays, closer, worn=worn) or _close_up(facts, evidence, closer)
    if _WAY.search(question):
        return _way(facts, stays)
    if facts.kind == _K.WHERE:
        return _where(facts, stays)
    return None if evidence and evidence[0].score >= SEEN_FROM else _only_there(facts, thing)


def _close_up(facts: Facts, evidence: Sequence[Evidence], closer: Closer | None) -> Told | None:
    """The colour or the place of what the detector does not know, from the pictures of the best moments."""
    least = SEEN_FROM if facts.kind == _K.WHERE else _SUPPOSED_FROM
    likely = [m for m in evidence if m.score >= max(least, _ALSO * evidence[0].score)][:_LOOKED]
    if not likely or closer is None or facts.kind not in (_K.COLOUR, _K.WHERE) or _ELSEWHERE.search(facts.text):
        return None
    named = _WHEN.split(facts.text)[0]
    if facts.kind == _K.WHERE:
        close = closer.find(likely[0], named, fills=False)
        found, best = "" if close is None else f"{close.where}", likely[0]
    else:
        found, best = _closest_colour(likely, named, closer)
    if not found:
        return None
    looks = f", which looks like {best.sentence}" if facts.kind == _K.WHERE and best.sentence else ""
    text = hedged(f"{found}: {stretch(best.t0_s, best.t1_s)} in {best.stream}{looks}", Surety.PERHAPS)
    return told(text, [best], belief=max(SEEN_FROM, min(best.score, _ONE_OF)), final=False)


def _closest_colour(moments: Sequence[Evidence], named: str, closer: Closer) -> tuple[str, Evidence]:
    """The colour that what is named has in most of some pictures, each counted as near as it comes; and where."""
    if _BACKGROUND.search(named):
        return closer.background(moments[0]), moments[0]
    fills = _FILLS.search(named) is not None
    close = [(found, moment) for moment in moments if (found := closer.find(moment, named, fills=fills))]
    votes = dict[str, float]()
    for found, _ in close:
        if found.colour:
            votes[found.colour] = votes.get(found.colour, 0.0) + max(found.nearness, 0.01)
    if not votes:
        return "", moments[0]
    colour = max(votes, key=lambda name: votes[name])
    _, best = max((pair for pair in close if pair[0].colour == colour), key=lambda pair: pair[0].nearness)
    return colour, best


def _only_there(facts: Facts, thing: Thing) -> Told | None:
    """That somebody or something of the kind was there, where no more is known: it was seen, whatever it did."""
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    if not stays or facts.kind == _K.WHETHER:
        return None
    spans = [(s.visit.stream, s.t0_s, s.t1_s) for s in stays]
    shown = facts.shown([(*span, s.visit.frame_s) for span, s in zip(spans, stays, strict=True)], RECOGNISED, 0.5)
    kind = noun_for(thing.labels, 1)
    article = "an" if kind[0] in "aeiou" else "a"
    looks = f", which looks like {shown[0].sentence}" if shown and shown[0].sentence else ""
    text = f"I can show when there was {article} {kind}, but not tell more of it: {by_stream(spans)}{looks}."
    return told(text, shown, belief=0.5, final=False)


def _nth_of(facts: Facts, thing: Thing) -> list[Stay]:
    """The visits of the one that is meant by when it came: "the last visitor"; none where that is not said."""
    return one_named(facts.text, facts.came(thing.labels)) or []


def chosen(facts: Facts, thing: Thing, evidence: Sequence[Evidence]) -> list[Stay]:
    """The visits that are meant: by the colours that are named, else those of the best moment, else all."""
    stays = _placed(facts, thing)
    if thing.plain:
        return stays
    if thing.shown_as:
        stays = facts.likely_of(thing.shown_as, stays)
        if different(stays) == 1:
            return stays
    named = set(re.findall(r"[a-z]+", f"{thing.before} {thing.after}".casefold()))
    coloured = [stay for stay in stays if named & set(stay.visit.colours)]
    if coloured:
        return coloured
    if not evidence or evidence[0].score < SEEN_FROM:
        return stays if different(stays) == 1 else []
    best = evidence[0]
    own = [stay for stay in stays if best.visit.endswith(format_id(stay.visit.id))] if best.visit else []
    near = [s for s in stays if s.visit.stream == best.stream and s.t0_s < best.t1_s and s.t1_s > best.t0_s]
    return own or (near if different(near) == 1 else [])


def _placed(facts: Facts, thing: Thing) -> list[Stay]:
    """The visits of a kind of things, of those in the place that is named; none of what drawings show."""
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    stays = stays if thing.labels == ("person",) else facts.filmed(stays)
    there = {visit.id for visit in placed([stay.visit for stay in stays], f"{thing.before} {thing.after}")}
    return [stay for stay in stays if stay.visit.id in there]


def _one_of_few(facts: Facts, thing: Thing) -> list[Stay]:
    """A visit of each of a few things of the kind, where nothing tells which of them is meant; else none."""
    stays = _placed(facts, thing)
    firsts = list({stay.entity.id: stay for stay in reversed(stays)}.values())[::-1]
    return firsts if len(firsts) <= _TOLD else []


def _each(facts: Facts, stays: Sequence[Stay], closer: Closer | None, *, worn: bool) -> Told | None:
    """What is known of each of a few things, one of which is meant: its colours, and where it was."""
    if facts.kind == _K.COLOUR and not worn and _PART.search(facts.text) and not _garment(facts.text):
        return _part_colours(facts, stays, closer)
    parts = [f"{_named(stay)} {position(stay.visit)}, {stretch(stay.t0_s, stay.t1_s)}" for stay in stays]
    kind = noun_for([stays[0].visit.label], len(stays))
    one = f"one of {number(len(stays))} {kind}" if len(stays) > 1 else f"the {kind}"
    text = hedged(f"{one}: {'; '.join(parts)} in {stays[0].visit.stream}", Surety.PERHAPS)
    return told(text, facts.moments_of(stays, RECOGNISED, _ONE_OF), belief=_ONE_OF)


def _garment(text: str) -> bool:
    return ABOVE.search(text) is not None or BELOW.search(text) is not None


def _part_colours(facts: Facts, stays: Sequence[Stay], closer: Closer | None) -> Told | None:
    """The colours of what some people have on their heads, or feet, in the pictures that show them best."""
    part = next((box for words, box in _PARTS if words.search(facts.text)), None)
    if part is None or closer is None:
        return None
    found = list[tuple[str, Stay]]()
    for stay in stays if stays[0].visit.label == "person" else ():
        moment = facts.records.moment_at(stay.visit.stream, stay.visit.frame_s)
        box = None if moment is None else box_at(stay.visit, moment.frame_s)
        if moment is not None and box is not None and (colour := closer.part(moment, box, part)):
            found.append((colour, stay))
    if not found:
        return None
    parts = [f"{colour}, {position(stay.visit)}, {stretch(stay.t0_s, stay.t1_s)}" for colour, stay in found]
    text = hedged(f"{'; '.join(parts)} in {found[0][1].visit.stream}", Surety.PERHAPS)
    return told(text, facts.moments_of([stay for _, stay in found], RECOGNISED, _ONE_OF), belief=_ONE_OF)


def _named(stay: Stay) -> str:
    """A thing of several, by its colours: "one in black", "a blue one"."""
    if stay.visit.label == "person":
        return f"one {stay.clothes}".strip()
    name = next((name for name in stay.visit.colours if name), "")
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name} one" if name else "one"


def _colour(facts: Facts, stays: Sequence[Stay], closer: Closer | None, *, worn: bool) -> Told | None:
    if not worn and _PART.search(facts.text) and not _garment(facts.text):
        return _part_colours(facts, stays[:_TOLD], closer)
    parts = list[tuple[str, Stay]]()
    for stay in stays:
        names = (*stay.visit.colours, "", "")
        if ABOVE.search(facts.text):
            name = names[0]
        elif BELOW.search(facts.text):
            name = names[1]
        elif stay.visit.label == "person":
            name = stay.clothes.removeprefix("in ")
        else:
            name = names[0]
        if name:
            parts.append((name, stay))
    if not parts:
        return None
    counted = Counter(name for name, _ in parts)
    named = [name for name, _ in counted.most_common(_TOLD)]
    shown = [stay for name, stay in parts if name in named]
    what = listed(named) if len({stay.entity.id for _, stay in parts}) > 1 else named[0]
    times = ", ".join(stretch(stay.t0_s, stay.t1_s) for stay in shown[:_TOLD])
    return _told(facts, f"{what}: {times} in {shown[0].visit.stream}", shown)


def _where(facts: Facts, stays: Sequence[Stay]) -> Told:
    shown = sorted(stays, key=lambda stay: -stay.visit.score)[:_TOLD]
    parts = [f"{position(s.visit)}, {stretch(s.t0_s, s.t1_s)} in {s.visit.stream}" for s in shown]
    return _told(facts, f"{'; '.join(parts)} (as the camera sees it)", shown)


def _way(facts: Facts, stays: Sequence[Stay]) -> Told | None:
    side = _SIDE.search(facts.question)
    if side is not None and any(stay.visit.path for stay in stays):
        shown = [stay for stay in stays if stay.visit.path][:_TOLD]
        index = 0 if side[1].casefold() == "from" else -1
        parts = [
            f"{side[1].casefold()} the {_half(s.visit.path[index][1])}, {stretch(s.t0_s, s.t1_s)}" for s in shown
        ]
        return _told(facts, f"{'; '.join(parts)} in {shown[0].visit.stream}", shown)
    ways = [(way, stay) for stay in stays if (way := motion(stay.visit)) is not None]
    edge, followed = _IN_OR_OUT.search(facts.question), [stay for stay in stays if stay.visit.path]
    if edge is not None and followed:
        out = edge["out"] is not None
        crossing = [stay for stay in followed if _side_crossed(stay, out=out)]
        ways = [(way, stay) for way, stay in ways if way in ("comes nearer", "goes away")]
        if crossing or not ways:
            return _in_or_out(facts, crossing or followed, out=out)
    if not ways:
        return None
    parts = [
        f"{'from ' if way.startswith(('left', 'right')) else 'it '}{way}, {stretch(stay.t0_s, stay.t1_s)}"
        for way, stay in ways[:_TOLD]
    ]
    return _told(facts, f"{'; '.join(parts)} in {ways[0][1].visit.stream}", [stay for _, stay in ways])


def _in_or_out(facts: Facts, stays: Sequence[Stay], *, out: bool) -> Told:
    """On which side some came into the picture, or left it; if at neither side, where they were first, or last."""
    seen, at = ("last", -1) if out else ("first", 0)
    sides = [
        _side_crossed(stay, out=out) or f"{seen} seen on the {_half(stay.visit.path[at][1])}" for stay in stays
    ]
    if len(set(sides)) == 1:
        text = f"{sides[0]}: {by_stream([(s.visit.stream, s.t0_s, s.t1_s) for s in stays])}"
        return _told(facts, text, stays)
    shown = list(zip(sides, stays, strict=True))[:_TOLD]
    parts = [f"{side}, {stretch(stay.t0_s, stay.t1_s)}" for side, stay in shown]
    return _told(facts, f"{'; '.join(parts)} in {stays[0].visit.stream}", stays[:_TOLD])


def _side_crossed(stay: Stay, *, out: bool) -> str:
    """The side of the picture at which it came, or left: "from the left"; "" where it was at neither then."""
    box, word = stay.visit.path[-1 if out else 0][1], "to" if out else "from"
    left, right = box[0] <= _AT_EDGE, box[2] >= 1 - _AT_EDGE
    return f"{word} the {'left' if left else 'right'}" if left != right else ""


def _half(box: Box) -> str:
    return "left" if (box[0] + box[2]) / 2 < 0.5 else "right"


def _told(facts: Facts, text: str, stays: Sequence[Stay]) -> Told:
    evidence = facts.moments_of(stays, RECOGNISED, _BELIEF)
    return told(hedged(text, Surety.of(_BELIEF)), evidence, belief=_BELIEF)
