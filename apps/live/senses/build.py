"""Settings into what perceives beside the encoder while live cameras run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hippocam.apps.live.config import LiveConfig
from hippocam.apps.live.senses.hearing import LiveHearing
from hippocam.apps.live.senses.reading import SharedReading
from hippocam.apps.settings import Settings
from hippocam.models.senses.build import make_senses
from hippocam.models.senses.speech import Speech
from hippocam.stream.pipeline import Senses


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSenses:
    """What perceives beside the encoder.

    Attributes:
        senses: All of it, for the pipeline and for what is written of a stream.
        reading: What of it reads, within its share; None where nothing does.
        hearing: What hears the cameras, within its share; None where nothing does.
    """

    senses: Senses
    reading: SharedReading | None = None
    hearing: LiveHearing | None = None

    @property
    def detects(self) -> bool:
        """Whether a detector looks at the frames."""
        return any(name.startswith("things ") for name in self.senses.named)

    def status(self) -> dict[str, Any]:
        """The shares of those that have one, and what became of them."""
        parts = {"reading": self.reading, "hearing": self.hearing}
        return {name: part.status() for name, part in parts.items() if part is not None}


def live_senses(settings: Settings, config: LiveConfig) -> LiveSenses:
    """Make the senses of a live process.

    Raises:
        HippocamError: See make_senses.
    """
    wanted = settings.senses
    senses = make_senses(
        replace(
            wanted,
            text=wanted.text if config.read_share else "off",
            speech=wanted.speech if config.hear_share else "off",
        )
    )
    reading, hearing = None, None
    if senses.reading is not None:
        senses.reading.look(np.zeros((64, 64, 3), np.uint8))  # loads it, which counts for no share
        reading = SharedReading(senses.reading, config.read_share)
        senses = replace(senses, reading=reading)
    if isinstance(senses.hearing, Speech):
        hearing = LiveHearing(senses.hearing, config.hear_share)
    return LiveSenses(senses=senses, reading=reading, hearing=hearing)
