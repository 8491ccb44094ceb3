"""The fields of a line into what is known of a thing, with every value checked."""

from __future__ import annotations

from hippocam.apps.transfer.fields import MAX_TIME_S, Fields, short
from hippocam.memory.asof.coverage import Run
from hippocam.memory.entities.bank import VisitRow
from hippocam.memory.entities.detections import Detected
from hippocam.memory.entities.records import Visit
from hippocam.stream.records import Box

# Most numbers of a look.
_MAX_LOOK = 4096
# Most times that a thing was out of sight.
_MAX_GAPS = 10_000
# Most points of a path, and parts that have a colour.
_MAX_POINTS = 256
_MAX_PARTS = 8


def visit_of(fields: Fields, dim: int) -> VisitRow:
    """Read a visit.

    Args:
        fields: Those of its line; of an older format some are missing.
        dim: Length D of the encoder's vectors.

    Raises:
        LineError: A value is missing, of another kind or out of its range.
    """
    visit = Visit(
        id=fields.id("id"),
        entity=fields.id("entity"),
        stream=fields.name("stream"),
        label=fields.name("label"),
        t0_s=fields.time("t0_s"),
        t1_s=fields.time("t1_s"),
        first_s=fields.time("first_s"),
        known_s=fields.time("known_s"),
        linked_s=fields.time("linked_s"),
        gone_s=fields.maybe_number("gone_s", -MAX_TIME_S, MAX_TIME_S),
        from_start=fields.flag("from_start"),
        hits=fields.whole("hits", 1),
        score=fields.number("score", 0, 1),
        frame_s=fields.time("frame_s"),
        box=_box_of(fields),
        gaps=tuple(fields.pairs("gaps", _MAX_GAPS)),
        path=_path_of(fields),
        colours=_colours_of(fields),
        portrait_s=fields.maybe_number("portrait_s", -MAX_TIME_S, MAX_TIME_S)
        if fields.has("portrait_s")
        else None,
    )
    if not visit.t0_s <= visit.t1_s:
        fields.refuse("'t0_s' and 't1_s' are not in order")
    look = fields.blob("look", _MAX_LOOK + 4)
    if look is not None and len(look) < 5:
        fields.refuse("'look' is too short")
    portrait = fields.vector("portrait", dim) if fields.has("portrait") else None
    return VisitRow(visit, look, portrait)


def detected_of(fields: Fields) -> Detected:
    """Read when a label was detected.

    Raises:
        LineError: A value is missing, of another kind or out of its range.
    """
    row = Detected(
        stream=fields.name("stream"),
        label=fields.name("label"),
        t0_s=fields.time("t0_s"),
        t1_s=fields.time("t1_s"),
        frames=fields.whole("frames", 1),
        score=fields.number("score", 0, 1),
    )
    if not row.t0_s <= row.t1_s:
        fields.refuse("'t0_s' and 't1_s' are not in order")
    return row


def looked_of(fields: Fields) -> Run:
    """Read when a stream was looked at.

    Raises:
        LineError: A value is missing, of another kind or out of its range.
    """
    run = Run(
        stream=fields.name("stream"),
        t0_s=fields.time("t0_s"),
        t1_s=fields.time("t1_s"),
        looked_s=fields.number("looked_s", 0, 2 * MAX_TIME_S),
        looks=fields.whole("looks", 1),
        by=fields.texts("by"),
    )
    if not run.t0_s <= run.t1_s or run.looked_s > run.t1_s - run.t0_s + 1e-6:
        fields.refuse("'t0_s', 't1_s' and 'looked_s' do not fit together")
    return run


def _box_of(fields: Fields) -> Box:
    (left, top), (right, bottom) = fields.pairs("box", 2, flat=True)
    return _checked(fields, "box", (left, top, right, bottom))


def _checked(fields: Fields, name: str, box: Box) -> Box:
    left, top, right, bottom = box
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        fields.refuse(f"{name!r} must be left, top, right, bottom within 0 to 1")
    return box


def _path_of(fields: Fields) -> tuple[tuple[float, Box], ...]:
    if not fields.has("path"):
        return ()
    points = fields.take("path")
    if not isinstance(points, list) or len(points) > _MAX_POINTS:
        fields.refuse(f"'path' must be a list of {_MAX_POINTS} points at most")
    made = list[tuple[float, Box]]()
    for point in points:
        numbers = isinstance(point, list) and len(point) == 5 and all(type(one) in (int, float) for one in point)
        if not numbers or abs(point[0]) > MAX_TIME_S:
            fields.refuse(f"'path' must hold a time and a box, found {short(point)}")
        time_s, left, top, right, bottom = map(float, point)
        made.append((time_s, _checked(fields, "path", (left, top, right, bottom))))
    return tuple(made)


def _colours_of(fields: Fields) -> tuple[str, ...]:
    if not fields.has("colours"):
        return ()
    names = fields.take("colours")
    fits = isinstance(names, list) and len(names) <= _MAX_PARTS
    if not fits or not all(isinstance(name, str) and len(name) <= 32 and name.isprintable() for name in names):
        fields.refuse(f"'colours' must be a list of {_MAX_PARTS} names at most, found {short(names)}")
    return tuple(names)
