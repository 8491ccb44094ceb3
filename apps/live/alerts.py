"""Standing questions: every frame of a live camera is compared with each; an alert says when one is answered.

An alert fires when the encoder's belief has been high for some time. It fires again only after the belief was low
and a pause is over. It is written as a line of JSON, and may be posted to a webhook.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hippocam.apps.ask.question.description import description, statement
from hippocam.apps.errors import SettingsError
from hippocam.apps.live.folder import JsonLines, LiveFolder, Pictures
from hippocam.apps.live.webhook import Webhook
from hippocam.apps.settings import build
from hippocam.memory.recall.recall import belief
from hippocam.models.yaml_file import read_yaml
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, FloatArray, Repeat

_PICTURES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertConfig:
    """A standing question.

    Attributes:
        text: What is looked for, in plain words: "tell me when a truck stops here".
        threshold: Belief from which it counts as shown, above 0 up to 1.
        release: Belief below which it counts as gone, 0 to threshold.
        hold_s: How long it must be shown before the alert fires, seconds, 0 or more.
        cooldown_s: How long the alert then stays silent on that camera, seconds, 0 or more.
        streams: Names of the streams that are looked at; empty for all.
    """

    text: str
    threshold: float = 0.6
    release: float = 0.4
    hold_s: float = 0.0
    cooldown_s: float = 60.0
    streams: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not str(self.text).strip():
            raise ValueError("an alert's text is empty: say what to look for")
        if not 0 < self.threshold <= 1 or not 0 <= self.release <= self.threshold:
            raise ValueError(
                f"alert {self.text!r}: threshold must be above 0 up to 1 and release at most that, "
                f"found {self.threshold} and {self.release}"
            )
        if self.hold_s < 0 or self.cooldown_s < 0:
            raise ValueError(f"alert {self.text!r}: hold_s and cooldown_s must be 0 or more")


def read_alerts(path: Path) -> list[AlertConfig]:
    """Read standing questions from a YAML file: a list, each with the fields of AlertConfig.

    Raises:
        SettingsError: There is no such file, or something in it is wrong.
    """
    where = f"--alerts {path}"
    try:
        values = read_yaml(path)
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error
    if not isinstance(values, list):
        raise SettingsError(f"{where}: expected a list of alerts, each with a text")
    return [build(AlertConfig, value, where=f"{where}: alert {n}") for n, value in enumerate(values, start=1)]


@dataclass(slots=True)
class Trigger:
    """Decides when a standing question fires on one camera."""

    config: AlertConfig
    belief: float = 0.0
    since_s: float | None = None
    armed: bool = True
    fired_s: float = field(default=float("-inf"))

    def see(self, time_s: float, shown: float | None) -> bool:
        """Return whether the alert fires.

        Args:
            time_s: Time of the frame.
            shown: Belief that the frame shows it; None for an unchanged frame.
        """
        self.belief = self.belief if shown is None else shown
        if self.belief < self.config.release:
            self.since_s, self.armed = None, True
        elif self.belief >= self.config.threshold and self.since_s is None:
            self.since_s = time_s
        if (
            self.armed
            and self.since_s is not None
            and time_s - self.since_s >= self.config.hold_s
            and time_s - self.fired_s >= self.config.cooldown_s
        ):
            self.armed, self.fired_s = False, time_s
            return True
        return False

    def lose(self) -> None:
        """Start again after the camera was away."""
        self.belief, self.since_s, self.armed = 0.0, None, True


class Alerts:
    """All standing questions of a live process.

    Args:
        configs: The questions.
        encoder: Encoder of the memory.
        live_folder: Where the log and the pictures go.
        webhook: Gets each alert posted; None for none.
        on_alert: Called with each alert; must return at once.
    """

    def __init__(
        self,
        configs: Sequence[AlertConfig],
        encoder: Encoder,
        live_folder: LiveFolder,
        webhook: Webhook | None = None,
        on_alert: Callable[[dict[str, object]], None] | None = None,
    ) -> None:
        self._on_alert = on_alert
        self._configs, self._spec, self._webhook = list(configs), encoder.spec, webhook
        texts = [description(statement(config.text)) for config in configs]
        self._vectors_AD = _unit(encoder.encode_texts(texts)) if texts else np.zeros((0, 1), np.float32)
        self._log, self._pictures = JsonLines(live_folder.alerts), Pictures(live_folder.alert_pictures, _PICTURES)
        self._triggers: dict[tuple[int, str], Trigger] = {}
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
        alerts = []
        for number, (config, shown) in enumerate(zip(self._configs, beliefs, strict=True)):
            if config.streams and item.stream not in config.streams:
                continue
            trigger = self._triggers.setdefault((number, item.stream), Trigger(config))
            if trigger.see(item.time_s, shown):
                alerts.append(self._fire(config, trigger, item))
        return alerts

    def lose(self, stream: str) -> None:
        """Start again on a camera that was away."""
        for (_, name), trigger in self._triggers.items():
            if name == stream:
                trigger.lose()

    def _fire(self, config: AlertConfig, trigger: Trigger, item: Embedding | Repeat) -> dict[str, object]:
        shown = self._last.get(item.stream)
        picture = self._pictures.add(item.stream, item.seq, item.time_s, shown.jpeg) if shown else None
        alert: dict[str, object] = {
            "event": "alert",
            "time_s": round(item.time_s, 3),
            "time": datetime.fromtimestamp(round(item.time_s, 3), UTC).isoformat(timespec="milliseconds"),
            "stream": item.stream,
            "text": config.text,
            "belief": round(trigger.belief, 4),
            "image": str(picture) if picture else "",
        }
        self._log.add(alert)
        if self._webhook is not None:
            self._webhook.post(alert)
        if self._on_alert is not None:
            self._on_alert(alert)
        return alert


def _unit(vectors_ND: FloatArray) -> FloatArray:
    lengths_N1 = np.maximum(np.linalg.norm(vectors_ND, axis=1, keepdims=True), 1e-9)
    unit: FloatArray = (vectors_ND / lengths_N1).astype(np.float32)
    return unit
