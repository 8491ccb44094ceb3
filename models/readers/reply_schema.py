"""The form of a reply as a JSON schema, for models whose output can be held to one."""

from __future__ import annotations

from typing import Any

from hippocam.models.readers.context import Context


def reply_schema(context: Context) -> dict[str, Any]:
    """The schema of a reply to a context: only marks that were given can be cited."""
    marks = [shown.mark for shown in context.shown]
    return {
        "type": "object",
        "properties": {
            "answer": {"type": "string"},
            "evidence": {"type": "array", "items": {"type": "string", "enum": marks}},
            "confidence": {"type": "number"},
            "unknown": {"type": "boolean"},
        },
        "required": ["answer", "evidence", "confidence", "unknown"],
        "additionalProperties": False,
    }
