"""Standing questions: every frame of a live camera is compared with each; an alert says when one is answered.

When one fires, says triggers.py. It is written as a line of JSON, and may be posted to a webhook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from hippocam.apps.ask.nouns import thing_in
from hippocam.apps.ask.question.description import description, statement
from hippocam.apps.errors import SettingsError
from hippocam.apps.live.folder import JsonLines, LiveFolder, Pictures
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.triggers import BeliefTrigger, Firing, Followed, Look, VisitTrigger
from hippocam.apps.live.webhook import Webhook
from hippocam.memory.recall.recall import belief
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, FloatArray, Repeat
from hippocam.stream.zones.polygons import CameraZones, marked_for

_PICTURES = 200


class Alerts:
    """All standing questions of a live process.

    Args:
        configs: The questions.
        encoder: Encoder of the memory.
        live_folder: Where the log and the pictures go.
        webhook: Gets each alert posted; None for none.
        on_alert: Called with each alert; must return at once.
        detects: Whether a detector looks at the frames: else the encoder alone tells.
        zones: What is marked in the pictures of cameras, by their streams' names.

    Raises:
        SettingsError: A question names a zone that no camera has, or one of what no detector knows.
    """

    def __init__(
        self,
        configs: Sequence[AlertConfig],
        encoder: Encoder,
        live_folder: LiveFolder,
        webhook: Webhook | None = None,
        on_alert: Callable[[dict[str, object]], None] | None = None,
        *,
        detects: bool = False,
        zones: Mapping[str, CameraZones] | None = None,
    ) -> None:
        self._on_alert = on_alert
        self._configs, self._spec, self._webhook = list(configs), encoder.spec, webhook
        texts = [description(statement(config.text)) for config in configs]
        self._things = [thing_in(text) if detects else None for text in texts]
        self._zones = dict(zones or {})
        for config, thing in zip(self._configs, self._things, strict=True):
            _check_zone(config, self._zones, known=thing is not None)
        self._vectors_AD = _unit(encoder.encode_texts(texts)) if texts else np.zeros((0, 1), np.float32)
        self._log, self._pictures = JsonLines(live_folder.alerts), Pictures(live_folder.alert_pictures, _PICTURES)
        self._triggers: dict[tuple[int, str], BeliefTrigger | VisitTrigger] = {}
        self._followed = Followed() if any(self._things) else None
        self._last: dict[str, Embedding] = {}

    def see(self, item: Embedding | Repeat) -> list[dict[str, object]]:
        """Compare a frame with all questions; return, log and post the alerts that fire."""
        if not self._configs:
            return []
        beliefs: list[float | None] = [None] * len(self._configs)
        if isinstance(item, Embedding):
            self._last[item.stream] = item
            cosines_A = self._vectors_AD @ _unit(item.vector[None])[0]
            beliefs = [belief(float(cosine), self._spec, 1) for cosine in cosines_A]
        things = self._followed.see(item) if self._followed is not None else []
        alerts = []
        for number, (config, shown) in enumerate(zip(self._configs, beliefs, strict=True)):
            trigger = self._trigger(number, item.stream)
            fired = trigger.see(Look(item.time_s, shown, things)) if trigger is not None else None
            if fired is not None:
                alerts.append(self._fire(config, fired, item))
        return alerts

    def lose(self, stream: str) -> None:
        """Start again on a camera that was away."""
        for (_, name), trigger in self._triggers.items():
            if name == stream:
                trigger.lose()

    def mark(self, stream: str, marked: CameraZones) -> None:
        """Look at other zones of a camera; what was told of a visit is not told again."""
        self._zones[stream] = marked
        for number, config in enumerate(self._configs):
            trigger = self._triggers.get((number, stream))
            if config.zone and isinstance(trigger, VisitTrigger):
                trigger.zone = marked.zone(config.zone)

    def _trigger(self, number: int, stream: str) -> BeliefTrigger | VisitTrigger | None:
        """What a question waits for on a camera; None where it does not look at that."""
        config, thing = self._configs[number], self._things[number]
        zone = marked_for(self._zones, stream).zone(config.zone) if config.zone else None
        if (config.streams and stream not in config.streams) or (config.zone and zone is None):
            return None
        if (number, stream) not in self._triggers:
            self._triggers[number, stream] = (
                BeliefTrigger(config) if thing is None else VisitTrigger(config, thing, zone)
            )
        return self._triggers[number, stream]

    def _fire(self, config: AlertConfig, fired: Firing, item: Embedding | Repeat) -> dict[str, object]:
        shown = self._last.get(item.stream)
        picture = self._pictures.add(item.stream, item.seq, item.time_s, shown.jpeg) if shown else None
        alert: dict[str, object] = {
            "event": "alert",
            "time_s": round(item.time_s, 3),
            "time": datetime.fromtimestamp(round(item.time_s, 3), UTC).isoformat(timespec="milliseconds"),
            "stream": item.stream,
            "text": config.text,
            "belief": round(fired.belief, 4),
            "label": fired.label,
            "box": None if fired.box is None else [round(edge, 4) for edge in fired.box],
            "zone": config.zone,
            "image": str(picture) if picture else "",
        }
        self._log.add(alert)
        if self._webhook is not None:
            self._webhook.post(alert)
        if self._on_alert is not None:
            self._on_alert(alert)
        return alert


def _check_zone(config: AlertConfig, zones: Mapping[str, CameraZones], *, known: bool) -> None:
    if not config.zone:
        return
    names = sorted({name for camera in zones.values() for name in camera.zones})
    if config.zone not in names:
        raise SettingsError(
            f"alert {config.text!r}: no camera has a zone {config.zone!r}; there are {', '.join(names) or 'none'}"
        )
    if not known:
        raise SettingsError(
            f'alert {config.text!r}: in a zone only what the detector knows can be looked for, as "a person"'
        )


def _unit(vectors_ND: FloatArray) -> FloatArray:
    lengths_N1 = np.maximum(np.linalg.norm(vectors_ND, axis=1, keepdims=True), 1e-9)
    unit: FloatArray = (vectors_ND / lengths_N1).astype(np.float32)
    return unit
