"""Embeddings into sensory, working and long-term memory, and questions into moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
    from hippocam.memory.bank.config import BankConfig
    from hippocam.memory.bank.worth import Worth
    from hippocam.memory.config import MIN_BUDGET_BYTES, MemoryConfig
    from hippocam.memory.entities.describing import Position, matching, motion, position, size
    from hippocam.memory.entities.detections import Presence
    from hippocam.memory.entities.records import Entity, EntityChange, EntityConfig, Visit
    from hippocam.memory.errors import (
        BudgetTooSmallError,
        ConsolidatorError,
        DamagedError,
        DiskError,
        EncoderMismatchError,
        FormatError,
        LockedError,
        MemoryFolderError,
        MixedEncodersError,
        NewerFormatError,
        NoMemoryError,
        NoPermissionError,
        NotAMemoryError,
        OlderFormatError,
        PicturesMissingError,
        UnknownEntityError,
        UnknownVisitError,
    )
    from hippocam.memory.explanation import Explanation
    from hippocam.memory.filter import Filter
    from hippocam.memory.forget import Deleted
    from hippocam.memory.memory import Memory, MemoryWriter
    from hippocam.memory.recall.query import Candidate, Query, RecallConfig, SummaryHit
    from hippocam.memory.records import (
        KEY_FRAMES,
        Continuation,
        Entry,
        Event,
        Evidence,
        Level,
        Span,
        StreamStatus,
        TierStatus,
        format_id,
    )
    from hippocam.memory.sleep.config import SleepConfig
    from hippocam.memory.sleep.sleep import SleepReport
    from hippocam.memory.store.meta import DEFAULT_BUDGET_BYTES
    from hippocam.memory.working.context import ContextConfig
    from hippocam.memory.working.working import WorkingConfig

_HOMES = {
    "MIN_BUDGET_BYTES": "config",
    "MemoryConfig": "config",
    "Position": "entities.describing",
    "matching": "entities.describing",
    "motion": "entities.describing",
    "position": "entities.describing",
    "size": "entities.describing",
    "Presence": "entities.detections",
    "Entity": "entities.records",
    "EntityChange": "entities.records",
    "EntityConfig": "entities.records",
    "Visit": "entities.records",
    "BudgetTooSmallError": "errors",
    "ConsolidatorError": "errors",
    "DamagedError": "errors",
    "DiskError": "errors",
    "EncoderMismatchError": "errors",
    "FormatError": "errors",
    "LockedError": "errors",
    "MemoryFolderError": "errors",
    "MixedEncodersError": "errors",
    "NewerFormatError": "errors",
    "NoMemoryError": "errors",
    "NoPermissionError": "errors",
    "NotAMemoryError": "errors",
    "OlderFormatError": "errors",
    "PicturesMissingError": "errors",
    "UnknownEntityError": "errors",
    "UnknownVisitError": "errors",
    "Explanation": "explanation",
    "Filter": "filter",
    "Deleted": "forget",
    "BankConfig": "bank.config",
    "Worth": "bank.worth",
    "Memory": "memory",
    "MemoryWriter": "memory",
    "Candidate": "recall.query",
    "Query": "recall.query",
    "RecallConfig": "recall.query",
    "SummaryHit": "recall.query",
    "Continuation": "records",
    "Entry": "records",
    "Event": "records",
    "Evidence": "records",
    "KEY_FRAMES": "records",
    "Level": "records",
    "Span": "records",
    "StreamStatus": "records",
    "TierStatus": "records",
    "format_id": "records",
    "SleepConfig": "sleep.config",
    "SleepReport": "sleep.sleep",
    "DEFAULT_BUDGET_BYTES": "store.meta",
    "ContextConfig": "working.context",
    "WorkingConfig": "working.working",
}

__all__ = [
    "DEFAULT_BUDGET_BYTES",
    "KEY_FRAMES",
    "MIN_BUDGET_BYTES",
    "BankConfig",
    "BudgetTooSmallError",
    "Candidate",
    "ConsolidatorError",
    "ContextConfig",
    "Continuation",
    "DamagedError",
    "Deleted",
    "DiskError",
    "EncoderMismatchError",
    "Entity",
    "EntityChange",
    "EntityConfig",
    "Entry",
    "Event",
    "Evidence",
    "Explanation",
    "Filter",
    "FormatError",
    "Level",
    "LockedError",
    "Memory",
    "MemoryConfig",
    "MemoryFolderError",
    "MemoryWriter",
    "MixedEncodersError",
    "NewerFormatError",
    "NoMemoryError",
    "NoPermissionError",
    "NotAMemoryError",
    "OlderFormatError",
    "PicturesMissingError",
    "Position",
    "Presence",
    "Query",
    "RecallConfig",
    "SleepConfig",
    "SleepReport",
    "Span",
    "StreamStatus",
    "SummaryHit",
    "TierStatus",
    "UnknownEntityError",
    "UnknownVisitError",
    "Visit",
    "WorkingConfig",
    "Worth",
    "format_id",
    "matching",
    "motion",
    "position",
    "size",
]

__getattr__ = exporter(__name__, _HOMES)
