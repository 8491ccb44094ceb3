"""Settings into the senses that perceive beside the encoder; nothing is loaded before it is used."""

from __future__ import annotations

import importlib.util
import logging

from hippocam.models.errors import WeightsError
from hippocam.models.senses.config import SensesConfig
from hippocam.models.senses.ocr import Ocr
from hippocam.models.senses.speech import Speech
from hippocam.models.senses.things import ThingsSense
from hippocam.models.weights import cached_path, fetch
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import Senses

log = logging.getLogger(__name__)


def make_senses(config: SensesConfig) -> Senses:
    """Give the senses that settings ask for, with their weights fetched where they are not there yet.

    Raises:
        HippocamError: A sense is "on" and cannot be had: it is not installed, or its weights cannot be fetched.
    """
    heard = importlib.util.find_spec("faster_whisper") is not None
    if config.speech == "on" and not heard:
        raise HippocamError('senses.speech is "on" and faster-whisper is missing: pip install "hippocam[speech]"')
    reads = config.text != "off" and _have(Ocr.weights, must=config.text == "on")
    hears = config.speech != "off" and heard and _have(Speech.weights, must=config.speech == "on")
    finds = config.things != "off" and _have(ThingsSense.weights, must=config.things == "on")
    return Senses(
        looking=(ThingsSense(config.finding),) if finds else (),
        reading=Ocr(config.ocr) if reads else None,
        hearing=Speech(config.hearing) if hears else None,
    )


def _have(weights: tuple[str, ...], *, must: bool) -> bool:
    """Whether weights are there, fetching them where they are not."""
    try:
        for name in weights:
            if not cached_path(name).exists():
                fetch(name)
    except WeightsError as error:
        if must:
            raise
        log.warning("going on without: %s", error)
        return False
    return True
