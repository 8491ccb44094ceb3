"""Embeddings into sensory, working and long-term memory, and questions into moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hippocam.stream.exports import exporter

if TYPE_CHECKING:
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
        UnknownEntityError,
        UnknownVisitError,
    )
    from hippocam.memory.filter import Filter
    from hippocam.memory.forget import Forgotten
    from hippocam.memory.longterm.bank import BankConfig, Worth
    from hippocam.memory.memory import Explanation, Memory, MemoryConfig, TierStatus
    from hippocam.memory.recall.recall import Candidate, Query, RecallConfig, SummaryHit
    from hippocam.memory.records import (
        KEY_FRAMES,
        Continuation,
        Entry,
        Event,
        Evidence,
        Level,
        Span,
        StreamStatus,
        format_id,
    )
    from hippocam.memory.sleep.sleep import SleepConfig, SleepReport
    from hippocam.memory.working.context import ContextConfig
    from hippocam.memory.working.working import WorkingConfig

_HOMES = {
    "BudgetTooSmallError": "errors",
    "ConsolidatorError": "errors",
    "DamagedError": "errors",
    "FormatError": "errors",
    "LockedError": "errors",
    "MixedEncodersError": "errors",
    "NewerFormatError": "errors",
    "NoMemoryError": "errors",
    "NoPermissionError": "errors",
    "NotAMemoryError": "errors",
    "UnknownEntityError": "errors",
    "UnknownVisitError": "errors",
    "Entity": "entities.records",
    "EntityChange": "entities.records",
    "EntityConfig": "entities.records",
    "Visit": "entities.records",
    "DiskError": "errors",
    "EncoderMismatchError": "errors",
    "MemoryFolderError": "errors",
    "OlderFormatError": "errors",
    "Filter": "filter",
    "Forgotten": "forget",
    "BankConfig": "longterm.bank",
    "Worth": "longterm.bank",
    "Explanation": "memory",
    "Memory": "memory",
    "MemoryConfig": "memory",
    "TierStatus": "memory",
    "Candidate": "recall.recall",
    "Query": "recall.recall",
    "RecallConfig": "recall.recall",
    "SummaryHit": "recall.recall",
    "Continuation": "records",
    "Entry": "records",
    "Event": "records",
    "Evidence": "records",
    "KEY_FRAMES": "records",
    "Level": "records",
    "Span": "records",
    "StreamStatus": "records",
    "format_id": "records",
    "SleepConfig": "sleep.sleep",
    "SleepReport": "sleep.sleep",
    "ContextConfig": "working.context",
    "WorkingConfig": "working.working",
}

__all__ = [
    "KEY_FRAMES",
    "BankConfig",
    "BudgetTooSmallError",
    "Candidate",
    "ConsolidatorError",
    "ContextConfig",
    "Continuation",
    "DamagedError",
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
    "Forgotten",
    "FormatError",
    "Level",
    "LockedError",
    "Memory",
    "MemoryConfig",
    "MemoryFolderError",
    "MixedEncodersError",
    "NewerFormatError",
    "NoMemoryError",
    "NoPermissionError",
    "NotAMemoryError",
    "OlderFormatError",
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
]

__getattr__ = exporter(__name__, _HOMES)
