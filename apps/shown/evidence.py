"""A moment into JSON values: one shape for the command line, the page and other programs."""

from __future__ import annotations

from hippocam.apps.shown.json_shapes import EvidenceJson
from hippocam.memory.records import Evidence


def evidence_json(evidence: Evidence) -> EvidenceJson:
    """A moment."""
    return {
        "id": evidence.id,
        "stream": evidence.stream,
        "t0_s": round(evidence.t0_s, 3),
        "t1_s": round(evidence.t1_s, 3),
        "score": round(evidence.score, 4),
        "looks_like": evidence.sentence,
        "why": evidence.why,
        "image": evidence.image,
        "spans": [[round(t0_s, 3), round(t1_s, 3)] for t0_s, t1_s in evidence.spans],
        "met": evidence.met,
        "place": evidence.place,
        "coarse": evidence.coarse,
        "claimed": evidence.claimed,
        "imported": evidence.imported,
        "notes": [
            {"kind": n.kind, "t0_s": round(n.t0_s, 3), "t1_s": round(n.t1_s, 3), "text": n.text}
            for n in evidence.notes
        ],
        "thing": evidence.thing,
        "visit": evidence.visit,
        "box": None if evidence.box is None else [round(edge, 4) for edge in evidence.box],
    }
