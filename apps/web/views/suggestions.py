"""Questions that what is held can answer, offered before anything was asked.

A question names only what is beyond doubt: what the detector saw well and often, and nothing in drawings and on
screens, where it sees what is not there: in a cartoon of a rabbit it saw a cat for 38 seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import zip_longest

from fastapi import APIRouter

from hippocam.apps.ask.answer.facts import READ_FOR_DRAWN, SPOKEN, confused, drawn_streams, is_sure
from hippocam.apps.ask.search import Search
from hippocam.apps.web.views.site import Json, Site
from hippocam.memory.entities.records import Entity
from hippocam.stream.errors import HippocamError

# Questions that are offered at most, and of how many streams.
_MOST, _STREAMS = 6, 6


def suggestion_routes(site: Site) -> APIRouter:
    """The route of suggested questions."""
    router = APIRouter()

    @router.get("/hippocam/suggestions")
    def suggested() -> Json:
        return {"questions": suggestions(site)}

    return router


def suggestions(site: Site) -> list[str]:
    """Questions that what is held can answer: of each stream one, then of each another."""
    try:
        found, entities = site.library.status(), site.session.entities()
        streams = [stream.id for stream in found.streams][-_STREAMS:] if found else []
        sure = [entity for entity in entities if entity.stream in streams and any(map(is_sure, entity.visits))]
        doubtful = confused(entities) | _drawn(site, {entity.stream for entity in sure})
    except HippocamError:
        return []
    titles = site.titles.every()
    turns = zip_longest(
        *(
            asked_of(
                titles.get(stream, stream),
                [] if stream in doubtful else [entity for entity in sure if entity.stream == stream],
                spoken=_is_spoken(site, stream),
            )
            for stream in streams
        )
    )
    return [question for turn in turns for question in turn if question is not None][:_MOST]


def asked_of(stream: str, sure: Sequence[Entity], *, spoken: bool) -> list[str]:
    """What to ask of a stream.

    Args:
        stream: What it is called.
        sure: The things in it of which there is no doubt.
        spoken: Whether anybody was heard in it.
    """
    labels = Counter(entity.label for entity in sure)
    asked, whole = [], f"What happens in {stream}?"
    if 2 * labels["person"] > labels.total():
        asked.append(f"How many different people were there in {stream}?")
    if others := [label for label, _ in labels.most_common() if label != "person"]:
        article = "an" if others[0][0] in "aeiou" else "a"
        asked.append(f"When was {article} {others[0]} there in {stream}?")
    if spoken:
        asked.append(f"What is said in {stream}?")
    return [*asked, whole] if labels["person"] else [whole, *asked]


def _drawn(site: Site, streams: Collection[str]) -> set[str]:
    """Those of some streams that are drawings and screens."""
    if not streams:
        return set()
    opened = site.session.opened
    search = Search(opened.memories(), opened.reading_encoder())
    return {
        drawn
        for stream in streams
        for drawn in drawn_streams(moment for _, moment in search.notable({"stream": stream}, READ_FOR_DRAWN))
    }


def _is_spoken(site: Site, stream: str) -> bool:
    member, own = site.holder(stream)
    return any(note.kind in SPOKEN for note in member.memory.notes(own, 0.0, 1e12))
