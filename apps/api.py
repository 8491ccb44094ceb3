"""Records of the library into JSON values: one shape for each, for the command line, the page and other programs.

Times are seconds and ids 16 hexadecimal digits everywhere. Code that prints for people reads the records instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

from hippocam.apps.archive.records import ArchiveReport, ArchiveStatus
from hippocam.apps.journal import numbers_of, sentence
from hippocam.apps.live.status import LiveStatus
from hippocam.apps.records import Answer, HeldMoment, ImportReport, SetApart, Status, WatchReport
from hippocam.apps.shown.evidence import evidence_json
from hippocam.apps.shown.json_shapes import (
    AnswerJson,
    ChangeJson,
    DeletionJson,
    EntitiesJson,
    EntityJson,
    EntryJson,
    ExplanationJson,
    HeldMomentJson,
    Json,
    PinnedJson,
    PreviewJson,
    StateJson,
    StatusJson,
    StreamJson,
    TimelineJson,
)
from hippocam.memory.asof.whereabouts import Whereabouts
from hippocam.memory.entities.describing import motion, position, size
from hippocam.memory.entities.records import Entity, EntityChange
from hippocam.memory.explanation import Explanation
from hippocam.memory.forget import Deleted
from hippocam.memory.forget_preview import ToDelete
from hippocam.memory.provenance.records import Provenance
from hippocam.memory.records import Entry, StreamStatus, format_id
from hippocam.memory.sleep.sleep import SleepReport
from hippocam.stream.clips.clip import Clip


def watch_json(report: WatchReport) -> Json:
    """The outcome of a watch."""
    return asdict(report)


def archive_json(report: ArchiveReport) -> Json:
    """The outcome of an archive run."""
    return asdict(report)


def archive_status_json(status: ArchiveStatus) -> Json:
    """How far an archive is."""
    return asdict(status)


def import_json(report: ImportReport) -> Json:
    """The outcome of an import."""
    return asdict(report)


def sleep_json(report: SleepReport) -> Json:
    """The outcome of a sleep."""
    return asdict(report)


def deletion_json(gone: Deleted) -> DeletionJson:
    """How much was deleted; which uploaded files went and which stay, where there are any."""
    value: DeletionJson = {
        "entries": gone.entries,
        "streams": gone.streams,
        "summaries": gone.summaries,
        "notes": gone.notes,
    }
    if gone.files:
        value["files"] = list(gone.files)
    if gone.kept:
        value["kept"] = list(gone.kept)
    return value


def preview_json(found: Sequence[ToDelete]) -> PreviewJson:
    """What would be deleted."""
    return {
        "to_delete": [
            {"stream": one.stream, "entries": one.entries, "t0_s": one.t0_s, "t1_s": one.t1_s} for one in found
        ]
    }


def pinned_json(entries: Sequence[str], pinned: bool) -> PinnedJson:
    """Entries that were pinned, or unpinned."""
    return {"entries": list(entries), "pinned": pinned}


def quarantine_json(found: SetApart) -> Json:
    """What is in quarantine, and the imports that it could name."""
    return {
        "quarantine": [
            {**asdict(one), "import_id": None if one.import_id is None else format_id(one.import_id)}
            for one in found.origins
        ],
        "imports": [
            {**asdict(one), "id": format_id(one.id), "streams": list(streams)} for one, streams in found.imports
        ],
        "changed": found.changed,
    }


def provenance_json(found: Provenance) -> Json:
    """Where an entry came from."""
    made_by = found.made_by
    return {
        **asdict(found),
        "senses": list(found.senses),
        "made_by": None if made_by is None else {**asdict(made_by), "id": format_id(made_by.id)},
    }


def camera_json(status: LiveStatus) -> Json:
    """The state of a live camera, in one flat object."""
    row = asdict(status)
    camera = row.pop("camera")
    numbers = {k: round(v, 3) if isinstance(v, float) else v for k, v in (camera | row).items()}
    return {"stream": status.stream, **numbers, "size": list(status.camera.size)}


def cameras_json(cameras: Sequence[LiveStatus]) -> Json:
    """The states of all cameras of a live process."""
    return {"cameras": [camera_json(status) for status in cameras]}


def clips_json(clips: Sequence[Clip]) -> Json:
    """Clips that were written from the look-back footage."""
    return {"clips": [{**asdict(clip), "path": str(clip.path)} for clip in clips]}


def state_json(one: Whereabouts) -> StateJson:
    """What is known of something in a stream, as of a moment; a time without a beginning is null."""
    return {
        "stream": one.stream,
        "state": one.state.value,
        "asked": [_time(one.t0_s), _time(one.t1_s)],
        "stay": None if one.stay is None else [_time(one.stay.t0_s), _time(one.stay.t1_s)],
        "without_s": _time(one.without_s),
        "earlier": [[_time(stay.t0_s), _time(stay.t1_s)] for stay in one.earlier],
        "looked": [[_time(t0_s), _time(t1_s)] for t0_s, t1_s in one.looked],
        "looked_s": _time(one.looked_s),
        "rough": one.rough,
    }


def _time(time_s: float | None) -> float | None:
    return None if time_s is None or not math.isfinite(time_s) else round(time_s, 3)


def answer_json(answer: Answer, *, explain: bool = False) -> AnswerJson:
    """An answer; with `explain`, also the prompt that the reader was given."""
    value: AnswerJson = {
        "answer": answer.answer,
        "unknown": answer.unknown,
        "confidence": round(answer.confidence, 4),
        "surety": answer.surety.value,
        "kind": answer.understood.kind.value if answer.understood else "",
        "evidence": [evidence_json(moment) for moment in answer.evidence],
        "cited": list(answer.cited),
        "sentences": [{"text": s.text, "evidence": list(s.evidence_ids)} for s in answer.sentences],
        "given": [{**asdict(given), "time_s": round(given.time_s, 3)} for given in answer.given],
        "reader": answer.reader,
        "failed": answer.failed,
        "understood": str(answer.understood or ""),
        "looked_again": None
        if answer.looked is None
        else {"stopped": answer.looked.stopped, "steps": [asdict(step) for step in answer.looked.steps]},
        "latency_ms": round(answer.latency_ms, 1),
        "states": [state_json(one) for one in answer.states],
        "path": [{**step._asdict(), "link": step.link.value} for step in answer.path],
    }
    if explain:
        value["prompt"] = answer.prompt
    return value


def stream_json(stream: StreamStatus) -> StreamJson:
    """What a memory holds of a stream."""
    return cast(StreamJson, {**asdict(stream), "coarse": stream.coarse})


def status_json(status: Status) -> StatusJson:
    """What a memory holds, by stream and by tier."""
    return {
        "memory": status.memory,
        "encoder": status.encoder,
        "bytes": status.bytes,
        "budget_bytes": status.budget_bytes,
        "streams": [stream_json(stream) for stream in status.streams],
        "tiers": [asdict(tier) for tier in status.tiers],
        "pending": list(status.pending),
    }


def timeline_json(moments: Sequence[HeldMoment], *, more: bool) -> TimelineJson:
    """Moments of streams by time; `more` says that there are further ones."""
    return {"moments": [held_moment_json(moment) for moment in moments], "more": more}


def held_moment_json(moment: HeldMoment) -> HeldMomentJson:
    """A moment as it is held, with what it looks like."""
    entry = entry_json(moment.entry)
    spans = [[round(t0_s, 3), round(t1_s, 3)] for t0_s, t1_s in moment.spans]
    return {
        **entry,
        "id": moment.id,
        "stream": moment.stream,
        "spans": spans,
        "looks_like": moment.sentence,
        "image": moment.image,
    }


def explain_json(entry_id: int, found: Explanation) -> ExplanationJson:
    """What an entry is, what happened to it, and what keeps it."""
    return {
        "id": format_id(entry_id),
        "entry": None if found.entry is None else entry_json(found.entry),
        "looks_like": found.sentence,
        "journal": [
            {
                "time_s": row.time_s,
                "action": row.action,
                "entry": format_id(row.entry_id),
                "other": None if row.other_id is None else format_id(row.other_id),
                "why": dict(numbers_of(row.why)),
                "text": sentence(row, entry_id),
            }
            for row in found.journal
        ],
        "provenance": None if found.provenance is None else provenance_json(found.provenance),
        "looked": None if found.looked is None else found.looked._asdict(),
        "worth": None if found.worth is None else {**found.worth._asdict(), "twin": _id(found.worth.twin)},
    }


def entry_json(entry: Entry) -> EntryJson:
    """An entry, without what a robot measured and did."""
    return {
        "id": format_id(entry.id),
        "stream": entry.stream,
        "frame_s": entry.frame_s,
        "spans": [[span.t0_s, span.t1_s] for span in entry.spans],
        "level": entry.level.name.lower(),
        "labels": list(entry.labels),
        "text": entry.text,
        "surprise": entry.surprise,
        "utility": entry.utility,
        "frames": entry.frames,
        "repeats": entry.repeats,
        "jpeg_bytes": entry.jpeg_bytes,
        "strength": entry.strength,
        "met": entry.met,
        "uses": entry.uses,
        "pinned": entry.pinned,
        "place": entry.place,
        "first_seq": entry.first_seq,
    }


def entity_json(entity: Entity) -> EntityJson:
    """A thing or person that was told apart.

    "visits" counts all visits, "spans" lists those that are still kept: id, start, end (None while it lasts).
    "box" is where the thing is at "exemplar_s": left, top, right, bottom as shares of the picture. "seen" tells
    of each of these visits where in the picture, how large, which way it went (null where that is not known),
    its colours by part from top to bottom, and whether it ended only because the watching broke off.
    """
    best = entity.exemplar
    return {
        "id": format_id(entity.id),
        "label": entity.label,
        "stream": entity.stream,
        "first_s": entity.first_s,
        "last_s": entity.last_s,
        "seconds": entity.seconds,
        "visits": len(entity.visits) + entity.earlier,
        "exemplar_s": best.frame_s,
        "box": best.box,
        "spans": [
            (format_id(visit.id), visit.t0_s, None if visit.gone_s is None else visit.t1_s)
            for visit in entity.visits
        ],
        "seen": [
            {
                "position": str(position(visit)),
                "size": size(visit),
                "motion": motion(visit),
                "colours": list(visit.colours),
                "cut_off": visit.cut_off,
            }
            for visit in entity.visits
        ],
    }


def entities_json(entities: Sequence[Entity]) -> EntitiesJson:
    """Things and people by the time of their first visit."""
    return {"entities": [entity_json(entity) for entity in entities]}


def change_json(change: EntityChange) -> ChangeJson:
    """What a merge, split or undo did."""
    return {"change": change.id, "kind": change.kind, "undone": change.undone}


def _id(entry_id: int | None) -> str:
    return "another" if entry_id is None else format_id(entry_id)
