"""Prometheus metrics: what a memory holds, and how many requests were answered, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hippocam.apps.records import Status
from hippocam.stream.errors import HippocamError

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Bounds of the histogram, seconds: from a picture that is sent to a model that reasons.
_BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
# Words of an address that are told: what follows may be names of streams and entries.
_WORDS = {"api": 3, "v1": 2, "hippocam": 2}


class Held(Protocol):
    """What is told of a memory: a `Library`, as far as it is needed here."""

    def status(self) -> Status | None:
        """What the memory holds now; None where nothing was watched yet."""


class Metrics:
    """Counts requests, and tells what is held when it is asked.

    Args:
        held: What is told of.
    """

    def __init__(self, held: Held) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_OfMemory(held))
        self._requests = Counter(
            "hippocam_http_requests", "Requests that were answered", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "hippocam_http_request_seconds",
            "From a request to the end of its answer",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        route = _route(path) if status < 400 else "refused"
        self._requests.labels(route, f"{status // 100}xx").inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        return generate_latest(self._registry)


class Counted:
    """Middleware: counts the requests that are answered.

    Args:
        app: What answers.
        metrics: Where they are counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            self._metrics.count(scope["path"], status, time.monotonic() - started)


def _route(path: str) -> str:
    words = path.split("/")[1:]
    return "/" + "/".join(words[: _WORDS.get(words[0], 0)]) if words[0] in _WORDS else "page"


class _OfMemory(Collector):
    """Tells what a memory holds at the time of asking."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def collect(self) -> Iterator[Metric]:
        try:
            status = self._held.status()
        except HippocamError:
            status = None
        up = GaugeMetricFamily("hippocam_memory_up", "Whether there is a memory that can be read")
        up.add_metric([], float(status is not None))
        yield up
        if status is None:
            return
        for name, text, value in (
            ("bytes", "What the memory takes on disk", status.bytes),
            ("budget_bytes", "What it may take", status.budget_bytes),
            ("streams", "Streams that it holds", len(status.streams)),
            ("entries", "Moments that it holds", sum(stream.entries for stream in status.streams)),
            ("given_up", "Moments that it gave up", sum(stream.evicted for stream in status.streams)),
        ):
            gauge = GaugeMetricFamily(f"hippocam_memory_{name}", text)
            gauge.add_metric([], float(value))
            yield gauge
