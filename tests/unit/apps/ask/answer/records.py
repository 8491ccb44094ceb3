"""A yard and a hall whose records are known: people, a car, words, and what the moments look like."""

from dataclasses import replace

from hippocam.apps.ask.answer.facts import Facts, Watched
from hippocam.apps.ask.question.understand import understand
from hippocam.memory.entities.records import Entity, Visit
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.stream.records import Note


def visit(
    k,
    stream,
    label,
    t0_s,
    t1_s,
    *,
    score=0.9,
    hits=9,
    gone=True,
    entity=None,
    colours=(),
    path=(),
    box=(0.1, 0.2, 0.3, 0.8),
):
    return Visit(
        id=k, entity=entity or k, stream=stream, label=label, t0_s=t0_s, t1_s=t1_s, first_s=t0_s, known_s=t0_s,
        linked_s=t0_s, gone_s=t1_s + 0.5 if gone else None, from_start=False, hits=hits, score=score,
        frame_s=(t0_s + t1_s) / 2, box=box, colours=colours, path=path,
    )  # fmt: skip


def entity(k, *visits):
    return Entity(id=k, stream=visits[0].stream, label=visits[0].label, visits=visits)


# In the yard two people, one of whom comes twice, and a car; in the hall one person; nothing else was recognised.
ENTITIES = (
    entity(1, visit(1, "yard", "person", 5, 20), visit(4, "yard", "person", 60, 70, entity=1)),
    entity(2, visit(2, "yard", "person", 20, 40)),
    entity(3, visit(3, "yard", "car", 24, 32)),
    entity(5, visit(5, "hall", "person", 100, 110)),
)
NOTES = (
    Note(stream="yard", kind="screen", t0_s=10, t1_s=20, text="EXIT"),
    Note(stream="yard", kind="screen", t0_s=10.5, t1_s=20, text="No parking"),
    Note(stream="hall", kind="speech", t0_s=50, t1_s=54, text="The harbour is open."),
)
STREAMS = {"yard": 80.0, "hall": 200.0, "slides": 30.0}


class Yard:
    """Looks up the above."""

    def __init__(self, entities=ENTITIES, notes=NOTES, detected=(), people=()):
        self._entities, self._notes, self._detected, self._people = entities, notes, detected, dict(people)

    def entities(self):
        return self._entities

    def people(self):
        return self._people

    def detected(self):
        return self._detected

    def notes(self):
        return self._notes

    def moment_at(self, stream, time_s, within=None):
        start_s = 10.0 * int(time_s // 10)
        return Evidence(
            id=f"{stream}{start_s:g}", stream=stream, t0_s=start_s, t1_s=start_s + 10, score=0.0, why="", image="",
            frame_s=start_s, sentence="an open gate" if stream == "yard" else "a long hall",
        )  # fmt: skip

    def notable(self, top):
        return [(1.0 + k, self.moment_at("yard", 10.0 * k)) for k in range(8)]


def crossing():
    """A blue car that crosses the yard from left to right, a truck; people in black and in red."""
    way = tuple((40.0 + k, (0.1 * k, 0.4, 0.1 * k + 0.2, 0.6)) for k in range(8))
    return Yard(
        (
            entity(1, visit(1, "yard", "person", 5, 20, colours=("black", "blue"))),
            entity(2, visit(2, "yard", "person", 24, 32, colours=("red", "red"))),
            entity(3, visit(3, "yard", "car", 40, 47, colours=("blue",), path=way)),
            entity(4, visit(4, "yard", "truck", 50, 60, colours=("white",))),
        ),
        (*NOTES, Note(stream="yard", kind="screen", t0_s=1, t1_s=2, text="2023-11-14 22:13")),
    )


def shelf():
    """Three cups in a row: the left one is gone and comes back, the right one is taken at 0:50."""
    row = {1: (0.1, 0.4, 0.2, 0.6), 2: (0.45, 0.4, 0.55, 0.6), 3: (0.8, 0.4, 0.9, 0.6)}
    return Yard(
        (
            entity(1, visit(1, "yard", "cup", 0, 20, box=row[1]),
                   visit(4, "yard", "cup", 30, 80, entity=1, box=row[1])),
            entity(2, visit(2, "yard", "cup", 0, 80, box=row[2])),
            entity(3, visit(3, "yard", "cup", 0, 50, box=row[3])),
        ),
        (Note(stream="yard", kind="screen", t0_s=2, t1_s=4, text="Chapter 1"),
         Note(stream="yard", kind="screen", t0_s=40, t1_s=44, text="Version 2.10.1"),
         Note(stream="yard", kind="screen", t0_s=79.8, t1_s=80.2, text="The end")),
    )  # fmt: skip


def status(name, length_s):
    return StreamStatus(
        id=name, source=name, fps=1, duration_s=length_s, complete=True, frames_seen=9, frames_encoded=9, events=9,
        entries=9, entry_bytes=1, evicted=0, t0_s=0.0, t1_s=length_s,
    )  # fmt: skip


def facts(question, streams=("yard",), records=None):
    """What is known for a question about some streams, as `ask` puts it together."""
    meaning = understand(question, [status(name, STREAMS[name]) for name in streams])
    watched = []
    for name in dict.fromkeys([*(span.stream for span in meaning.spans if span.stream), *streams]):
        spans = [span for span in meaning.spans if span.stream in (None, name)]
        if spans:
            span = spans[0]
            end_s = STREAMS[name] if span.before_s is None else min(span.before_s, STREAMS[name])
            watched.append(Watched(name, span.after_s or 0.0, end_s))
    return Facts(
        question=meaning.question, kind=meaning.kind, text=meaning.text, nth=meaning.nth,
        beside=meaning.anchor is not None, watched=tuple(watched), records=records or Yard(), top=5,
    )  # fmt: skip


def weaker(records, label):
    """The same, with a detector that was hardly sure of one label."""
    return Yard(
        tuple(
            replace(e, visits=tuple(replace(v, score=0.45, hits=1) for v in e.visits)) if e.label == label else e
            for e in records.entities()
        )
    )
