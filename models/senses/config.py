"""Which senses perceive beside the encoder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from hippocam.models.senses.ocr import OcrConfig
from hippocam.models.senses.speech import SpeechConfig
from hippocam.models.senses.things import ThingsConfig

Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SensesConfig:
    """What is perceived beside the encoder: "on", "off", or "auto" where it can be had.

    Notes of all kinds are added to a memory: one that was made without a sense goes on with it.

    Attributes:
        text: Whether text in pictures is read. "auto" is "on".
        speech: Whether speech is written down. "auto" is "on" where the extra [speech] is installed.
        things: Whether things and people are found, and followed as entities. "auto" is "on".
        ocr: How pictures are read.
        hearing: How sound is heard.
        finding: What counts as found.
    """

    text: Switch = "auto"
    speech: Switch = "auto"
    things: Switch = "auto"
    ocr: OcrConfig = field(default_factory=OcrConfig)
    hearing: SpeechConfig = field(default_factory=SpeechConfig)
    finding: ThingsConfig = field(default_factory=ThingsConfig)

    def __post_init__(self) -> None:
        for name in ("text", "speech", "things"):
            value = getattr(self, name)
            if value not in get_args(Switch):
                # YAML reads a bare on or off as true or false
                raise ValueError(f'senses.{name} must be "auto", "on" or "off" (quoted), found {value!r}')
