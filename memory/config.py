"""How a memory cuts, keeps and finds; every part's settings stand beside that part."""

from __future__ import annotations

from dataclasses import dataclass, field

from hippocam.memory.bank.config import BankConfig
from hippocam.memory.entities.records import EntityConfig
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.working.working import WorkingConfig

MIN_BUDGET_BYTES = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConfig:
    """How a memory cuts, keeps and finds.

    Attributes:
        budget_bytes: What its folder may take, 400,000 or more; None keeps what it was made with.
        working: Where events are cut.
        bank: When two events are the same thing, and how entries fade.
        recall: How candidates are weighed.
        sleep: When and how far the bank is made smaller while the memory is idle.
        notes_share: Share of the budget for words that were read, heard or given, 0 to 0.5.
        questions: Whether answered questions are kept, for a hundredth of the budget at most, and learned from.
        entities: When detections are one thing, and how many bytes entities may take: a twentieth of the budget at
            most.
    """

    budget_bytes: int | None = None
    working: WorkingConfig = field(default_factory=WorkingConfig)
    bank: BankConfig = field(default_factory=BankConfig)
    recall: RecallConfig = field(default_factory=RecallConfig)
    sleep: SleepConfig = field(default_factory=SleepConfig)
    notes_share: float = 0.1
    questions: bool = True
    entities: EntityConfig = field(default_factory=EntityConfig)

    def __post_init__(self) -> None:
        if not 0 <= self.notes_share <= 0.5:
            raise ValueError(f"memory.notes_share must be 0 to 0.5, found {self.notes_share}")
        if self.budget_bytes is not None and self.budget_bytes < MIN_BUDGET_BYTES:
            raise ValueError(
                f"budget must be {MIN_BUDGET_BYTES / 1e6:g} MB or more, found {self.budget_bytes / 1e6:g} MB"
            )
