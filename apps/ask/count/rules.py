"""Rules that answer questions that count from the entities that were seen: how many, when the third, how long.

Each rule answers one form of question, and only where it knows all of the words that matter. Whoever asks for
women, red cars or people who run gets no number, since entities are told apart but not described. Where something
was ("on the shelf") is not looked at: the answer is about the camera's whole view, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.count.question import ANYTIME, WHOLE, Count, CountQuestion, Span, window_text
from hippocam.apps.ask.count.words import (
    ARRIVED,
    BACK,
    CAME,
    NOUN,
    NOW,
    NTH,
    NUMBERS,
    ORDINALS,
    PLACE,
    SIDE,
    SO_FAR,
    TAKEN,
    UNKNOWN,
    index_of,
    number_of,
    ordinal,
)
from hippocam.apps.ask.nouns import OFTEN_MISSED, labels_of, noun_for
from hippocam.memory.entities.records import Entity, Visit
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time, parse_time

# Things that leave within this many seconds of each other left together.
_TOGETHER_S = 1.6
_STAYS = r"stay(?:s|ed)|(?:is|was)(?: there| present)?|remain(?:s|ed)|(?:stands|stood|waits|waited)(?: there)?"
_ARRIVALS = ("arrive", "come", "appear", "enter", "show up")


def _so_far(question: CountQuestion) -> Count | None:
    """Answer "How many people have come so far?", "how many times did a car pass between 1:00 and 2:00?"."""
    found = re.match(r"how many (?P<times>times )?(?P<rest>.*)$", question.words)
    if found is None or re.search(NOW, question.words) or UNKNOWN.search(question.words):
        return None
    kinds: tuple[str, ...] = (
        (
            rf"(?:different |distinct |separate |individual )?{NOUN} (?:have |has |had |were |was |did (?:you |we "
            rf"|i |it |the camera )?|there )?(?:been )?(?P<came>{CAME}){SO_FAR}",
            rf"(?:different |distinct |separate ){NOUN} (?:were|are|have been)(?: there)?{SO_FAR}",
        )
        if not found["times"]
        else (rf"(?:did|has|have|was|were|is) (?:an? |any |the |some )?{NOUN} {CAME}{SO_FAR}",)
    )
    if (question.whole or question.window != ANYTIME) and not found["times"]:
        seen = (
            r"(?: (?:were|was|are|is|have been|do you see|can be|stands?|stood|lies?|lay))?"
            r"(?: (?:standing|lying|hanging|sitting|parked))?(?: there| visible| seen)?"
        )
        kinds += (rf"(?:different )?{NOUN}{seen}{SO_FAR}",)
    came = next((match for kind in kinds if (match := re.match(kind, found["rest"]))), None)
    if came is None or (labels := labels_of(came["noun"])) is None:
        return None
    arrived = found["times"] or re.match(ARRIVED, came.groupdict().get("came") or "")
    entities = question.entities(labels, came=arrived is not None)
    totals = [question.view.count(question.stream, label, question.at_s) for label in labels]
    given_up = sum(total.given_up for total in totals)
    if question.window == ANYTIME:
        number = sum(total.visits if found["times"] else total.entities for total in totals)
        more = f", {given_up} of them only counted" if given_up else ""
    else:
        number = sum(len(entity.visits) for entity in entities) if found["times"] else len(entities)
        more = f", beside {given_up} of whom no time is kept" if given_up else ""
    if not number and _may_be_missed(labels):
        return None
    spans = tuple(_span(visit) for entity in entities for visit in entity.visits)
    name = noun_for(labels, number)
    text = f"{number} {'times' if found['times'] else name} {window_text(question.window)}{more}"
    return Count(text=_whole(text), value=number, spans=spans, entities=_ids(entities), adds_up=True)


def _right_now(question: CountQuestion) -> Count | None:
    """Answer "How many cars are there now?", "how many people were there at 1:30?"."""
    found = re.match(
        r"how many (?P<noun>\w+(?: \w+)??) (?:are|is|were|was"
        r"|(?:do|can|could|did) (?:you|we|i) (?:see|spot|count|find)"
        r"|(?:can|could) be (?:seen|counted|found)|hangs?|hung|stands?|stood|lies?|lay)\b(?P<rest>.*)$",
        question.words,
    )
    if found is None or (labels := labels_of(found["noun"])) is None or UNKNOWN.search(found["rest"]):
        return None
    at_s = question.at_s
    if question.whole and not re.search(NOW, found["rest"]) and not re.search(r"\bat \d", found["rest"]):
        return None
    then = re.search(r"\bat (?P<time>\d+(?::\d+)*(?:\.\d+)?)(?: ?s(?:ec(?:onds?)?)?)?$", found["rest"])
    if then is not None:
        try:
            at_s = min(at_s, parse_time(then["time"]))
        except HippocamError:
            return None
    elif (re.search(r"\b(?:were|was)\b", found[0]) and not question.over) or re.search(
        r"\b(?:ing|ed)\b", found["rest"]
    ):
        return None
    where = re.sub(NOW, "", found["rest"][: then.start()] if then else found["rest"]).strip()
    if not re.match(
        r"(?:there|visible|present|here|left)?(?: ?(?:in|on|at|near|by|inside|outside) (?:the |this "
        r")?\w+(?: \w+)?)?$",
        where,
    ):
        return None
    if question.over and then is None and not re.search(NOW, found["rest"]):
        return _in_all(question, labels)
    there = question.there(labels, at_s)
    number = len(there)
    if not number and _may_be_missed(labels):
        return None
    when = question.when(None if then is None else at_s)
    spans = tuple(_span_at(visit, at_s) for _, visit in there)
    text = _whole(f"{number} {noun_for(labels, number)} {when}")
    return Count(
        text=text, value=number, spans=spans, entities=_ids([entity for entity, _ in there]), adds_up=True
    )


def _in_all(question: CountQuestion, labels: Sequence[str]) -> Count | None:
    """Say how many there were in a recording that is over: at once, and in all where these were more."""
    entities = question.entities(labels)
    if not entities and _may_be_missed(labels):
        return None
    visits = [visit for entity in entities for visit in entity.visits]
    at_once = max((len(_those_at(visits, visit.t0_s)) for visit in visits), default=0)
    text = f"{at_once} {noun_for(labels, at_once)}"
    if len(entities) > at_once:
        text += f" at most at once, {len(entities)} told apart in all"
    spans = tuple(map(_span, visits))
    return Count(text=_whole(text), value=at_once, spans=spans, entities=_ids(entities), adds_up=True)


def _anybody(question: CountQuestion) -> Count | None:
    """Answer "Is anybody there now?"."""
    found = re.match(
        r"(?:is|are) (?:there )?(?:an? |any )?(?P<noun>\w+(?: \w+)??)(?: (?:there|here|present|visible))?"
        rf"(?: (?:in|on|at|near|by) (?:the |this )?\w+)? ?{NOW}$",
        question.words,
    )
    if found is None or (labels := labels_of(found["noun"])) is None:
        return None
    there = question.there(labels, question.at_s)
    if not there and _may_be_missed(labels):
        return None
    spans = tuple(_span_at(visit, question.at_s) for _, visit in there)
    count, when = len(there) or "no", question.when(None)
    yes = "" if question.away_s is not None or not there else "yes, "
    text = f"{yes}{count} {noun_for(labels, len(there))} {when}"
    return Count(
        text=_whole(text), value=float(bool(there)), spans=spans, entities=_ids([entity for entity, _ in there])
    )


def _ordinal(question: CountQuestion) -> Count | None:
    """Answer "When did the third person leave?", "how long did the car stay?"."""
    arrive = (
        r"(?P<do>arrive|come|appear|enter|show up|leave|go away|go|disappear|drive off|drive away|depart)(?: in)?"
    )
    when = re.match(rf"(?:when|at what time) did the (?:(?P<nth>{NTH}) )?{NOUN} {arrive}{PLACE}$", question.words)
    stay = re.match(
        rf"(?:for )?(?:about |roughly |approximately )?how long (?:did|was) the (?:(?P<nth>{NTH}) )?{NOUN} "
        rf"(?:stay|remain|there|here|present|visible|stand|wait)(?: there)?{PLACE}$",
        question.words,
    )
    found = when or stay
    if found is None or (labels := labels_of(found["noun"])) is None:
        return None
    arrived = when is not None and found["do"] in _ARRIVALS
    if question.window != ANYTIME and not arrived:
        return None  # who left or stayed within a time is the third of what?
    entities = question.entities(labels, came=arrived)
    if not found["nth"] and len(entities) != 1:
        return None  # "the car": which of them?
    index = index_of(found["nth"] or "first", len(entities))
    if index is None:
        return None
    entity = entities[index]
    visit = entity.visits[0]
    name = " ".join(filter(None, ("the", found["nth"], found["noun"])))
    if stay is not None:
        seconds = entity.seconds
        spans = tuple(_span(each) for each in entity.visits)
        return Count(
            text=f"{name} stayed about {seconds:.0f} s", value=seconds, spans=spans, entities=(entity.id,)
        )
    if arrived:
        if visit.from_start:
            text = f"{name} was there from the start"
        else:
            text = f"{name} came at about {format_time(visit.t0_s)}"
        return Count(text=text, value=visit.t0_s, spans=(_span(visit),), entities=(entity.id,))
    latest = entity.visits[-1]
    if latest.gone_s is None:
        return Count(
            text=f"{name} is still there", value=question.at_s, spans=(_span(latest),), entities=(entity.id,)
        )
    if latest.cut_off:
        text = f"{name} was last seen at about {format_time(latest.t1_s)}, when the watching broke off"
        return Count(text=text, value=latest.t1_s, spans=(_span(latest),), entities=(entity.id,))
    text = f"{name} left at about {format_time(latest.t1_s)}"
    return Count(text=text, value=latest.t1_s, spans=(_span(latest),), entities=(entity.id,))


def _longest(question: CountQuestion) -> Count | None:
    """Answer "Who stayed the longest?"."""
    found = re.match(
        rf"(?:which|what) (?:of the )?(?P<noun>\w+(?: \w+)??) (?:{_STAYS}){PLACE}"
        rf"(?: for)? (?:the )?(?P<which>longest|shortest)(?: time)?{PLACE}$",
        question.words,
    ) or re.match(
        rf"(?P<noun>who) (?:{_STAYS}){PLACE}(?: for)? (?:the )?(?P<which>longest|shortest)(?: time)?{PLACE}$",
        question.words,
    )
    labels = (
        ["person"] if found is not None and found["noun"] == "who" else labels_of(found["noun"]) if found else None
    )
    if found is None or labels is None or not (entities := question.entities(labels)):
        return None
    sign = 1 if found["which"] == "longest" else -1
    index = max(range(len(entities)), key=lambda i: (sign * entities[i].seconds, -i))
    best = entities[index]
    noun = labels[0] if found["noun"] == "who" else found["noun"].removesuffix("s")
    times = f"from {format_time(best.first_s)} to {format_time(best.last_s)}"
    text = f"the {ordinal(index + 1)} {noun}, {times}, about {best.seconds:.0f} s"
    return Count(text=text, value=index + 1, spans=tuple(map(_span, best.visits)), entities=(best.id,))


def _between(question: CountQuestion) -> Count | None:
    """Answer "How long was it between the first and the second visitor?"."""
    which = rf"(?:{'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))"
    found = re.match(
        rf"(?:about )?how (?:long|much time) (?:was|were|passed|did)\b.*\bbetween the (?P<a>{which})(?: \w+)? and "
        rf"(?:the )?(?P<b>{which}) (?P<noun>\w+)$",
        question.words,
    )
    if found is None or (labels := labels_of(found["noun"])) is None:
        return None
    entities = question.entities(labels)
    a, b = index_of(found["a"], len(entities)), index_of(found["b"], len(entities))
    if a is None or b is None or b <= a:
        return None
    left, came = entities[a].visits[-1], entities[b].visits[0]
    if left.left_s is None or left.left_s > came.t0_s:
        return None
    seconds = came.t0_s - left.t1_s
    text = f"about {seconds:.1f} s, from {format_time(left.t1_s)} to {format_time(came.t0_s)}"
    spans = ((left.stream, left.t1_s, came.t0_s),)
    return Count(text=text, value=seconds, spans=spans, entities=(entities[a].id, entities[b].id))


def _most_at_once(question: CountQuestion) -> Count | None:
    """Answer "What was the largest number of cars?", "were there ever more than two people at once?"."""
    extreme = re.match(
        r"what (?:was|is) the (?P<which>smallest|lowest|fewest|least|minimum|largest|greatest|highest|"
        r"biggest|most|maximum)"
        r" number of (?P<noun>\w+(?: \w+)??)(?: (?:there|visible|seen))?(?: (?:in|on|at|near) (?:the "
        r"|this )?\w+)??"
        r"(?: (?:at any (?:one )?time|at once|at the same time|at one time|ever))?$",
        question.words,
    )
    more = re.match(
        rf"(?:was|were) there ever more than (?P<n>{'|'.join(NUMBERS)}|\d+) (?P<noun>\w+(?: \w+)??)(?: there)?"
        r"(?: (?:in|on|at|near) (?:the |this )?\w+)? (?:at the same time|at once|at any time|at one "
        r"time|together)$",
        question.words,
    )
    found = extreme or more
    if found is None or (labels := labels_of(found["noun"])) is None:
        return None
    visits = [visit for entity in question.entities(labels) for visit in entity.visits]
    # just after each arrival and each departure; before the first frame in which things were looked for, nothing
    # is known
    times = sorted(
        {t for v in visits for t in (v.first_s, v.gone_s) if t is not None and t <= question.at_s}
        | {question.at_s}
        | ({max(question.window[0] or 0.0, 0.0)} if question.window != ANYTIME else set())
    )
    times = [time_s for time_s in times if question.includes(time_s)]
    numbers = [
        (sum(visit.t0_s <= time_s and (visit.gone_s is None or time_s < visit.gone_s) for visit in visits), time_s)
        for time_s in times
    ]
    if more is not None:
        limit = number_of(more["n"])
        most, time_s = max(numbers, key=lambda pair: (pair[0], -pair[1]))
        text = (
            f"{'yes' if most > limit else 'no'}, {most} {noun_for(labels, most)} at most, at {format_time(time_s)}"
        )
        return Count(text=_whole(text), value=float(most > limit), spans=_those_at(visits, time_s), entities=())
    assert extreme is not None
    small = extreme["which"] in ("smallest", "lowest", "fewest", "least", "minimum")
    number, time_s = min(numbers, key=lambda pair: (pair[0] if small else -pair[0], pair[1]))
    if small and number > 0 and question.window[0] is None and not any(visit.from_start for visit in visits):
        number, time_s = 0, 0.0  # before the first came
    text = _whole(f"{number} {noun_for(labels, number)}, first at {format_time(time_s)}")
    return Count(text=text, value=number, spans=_those_at(visits, time_s), entities=())


def _taken(question: CountQuestion) -> Count | None:
    """Answer "How often was a bottle taken away?"."""
    found = re.match(
        r"how (?:often|many times) (?:was|were|has|have|did)(?: been)? (?P<what>.+?) (?:been |get |got )?"
        rf"(?P<do>{TAKEN}|{BACK}|disappear|leave|left)(?: (?:from|on|to|onto) (?:the |this )?\w+)?$",
        question.words,
    )
    if found is None or UNKNOWN.search(found["what"].replace(" or ", " ")) or SIDE.search(found["what"]):
        return None
    nouns = [labels_of(word) for word in re.findall(r"\w+", found["what"])]
    labels = next((labels for labels in nouns if labels is not None), None)
    if labels is None or labels == ["person"]:
        return None
    back = re.fullmatch(BACK, found["do"]) is not None
    groups = _groups(question, labels, came=back)
    word = "put there" if back else "taken away"
    groups = [group for group in groups if question.includes(_time_of(group[0], came=back))]
    times = ", ".join(format_time(_time_of(group[0], came=back)) for group in groups)
    text = f"{len(groups)} times {word}" + (f": at {times}" if groups else "")
    spans = tuple(
        (v.stream, _time_of(v, came=back) - 1, _time_of(v, came=back) + 1) for g in groups for v in g[:1]
    )
    return Count(
        text=text,
        value=len(groups),
        spans=spans,
        entities=tuple(v.entity for g in groups for v in g),
        adds_up=True,
    )


def _at_once_when(question: CountQuestion) -> Count | None:
    """Answer "When were two bottles put back together?"."""
    some = rf"(?P<n>{'|'.join(NUMBERS)}) (?P<noun>\w+(?: \w+)??)"
    together = r"(?:at once|together|at the same time)$"
    do = r"(?P<do>take|grab|remove|pick up|lift|put|place|return|bring)"
    somebody = r"when (?:does|do|did) (?:\w+|(?:an?|the) \w+)"
    found = re.match(rf"when (?:were|was) {some} (?P<do>{TAKEN}|{BACK}) {together}", question.words) or re.match(
        rf"{somebody} {do} {some}(?: (?:back|down|there|away|out|off|up))? {together}", question.words
    )
    if found is None or (labels := labels_of(found["noun"])) is None:
        return None
    back = re.fullmatch(rf"{BACK}|put|place|return|bring", found["do"]) is not None
    groups = [g for g in _groups(question, labels, came=back) if len(g) == number_of(found["n"])]
    if not groups:
        return None
    times = [_time_of(group[0], came=back) for group in groups]
    text = f"at about {', '.join(format_time(time_s) for time_s in times)}"
    spans = tuple((group[0].stream, time_s - 1, time_s + 1) for group, time_s in zip(groups, times, strict=True))
    return Count(text=text, value=times[0], spans=spans, entities=tuple(v.entity for g in groups for v in g))


def _groups(question: CountQuestion, labels: Sequence[str], *, came: bool) -> list[list[Visit]]:
    """Visits that began (or ended) together, by time; none from the start on, or that nobody saw leave."""
    visits = [visit for entity in question.entities(labels) for visit in entity.visits]
    if came:
        chosen = [visit for visit in visits if not visit.from_start]
    else:
        chosen = [visit for visit in visits if visit.left_s is not None]
    groups: list[list[Visit]] = []
    for visit in sorted(chosen, key=lambda each: (_time_of(each, came=came), each.id)):
        if groups and _time_of(visit, came=came) - _time_of(groups[-1][-1], came=came) <= _TOGETHER_S:
            groups[-1].append(visit)
        else:
            groups.append([visit])
    return groups


def _time_of(visit: Visit, *, came: bool) -> float:
    return visit.t0_s if came else visit.t1_s


def _those_at(visits: Sequence[Visit], time_s: float) -> tuple[Span, ...]:
    there = [v for v in visits if v.t0_s <= time_s and (v.gone_s is None or time_s < v.gone_s)]
    return tuple((v.stream, time_s, min(v.t1_s, time_s + 1) if v.t1_s > time_s else time_s) for v in there)


def _whole(text: str) -> str:
    return f"{text}{WHOLE}"


def _may_be_missed(labels: Sequence[str]) -> bool:
    """Whether some may be there though none was told apart: the detector often misses them."""
    return OFTEN_MISSED.issuperset(labels)


def _span(visit: Visit) -> Span:
    return visit.stream, visit.t0_s, visit.t1_s


def _span_at(visit: Visit, at_s: float) -> Span:
    """The last second of a visit until a time."""
    end_s = min(visit.t1_s, at_s) if visit.cut_off else at_s
    return visit.stream, max(visit.t0_s, end_s - 1), end_s


def _ids(entities: Sequence[Entity]) -> tuple[int, ...]:
    return tuple(entity.id for entity in entities)


# The first that fits answers.
RULES = (
    _between,
    _ordinal,
    _longest,
    _most_at_once,
    _taken,
    _at_once_when,
    _so_far,
    _right_now,
    _anybody,
)

# Those that know what a window of time is.
WINDOW_RULES = (_ordinal, _most_at_once, _taken, _so_far)
