"""What tests of sources need: a source that is watched to its end, wherever that is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Source
from hippocam.stream.records import Observation


@pytest.fixture(scope="session")
def to_the_end() -> Callable[..., tuple[list[Observation], str]]:
    """Watch a source: all that it gives, and the reason why it broke off, "" where it did not."""

    def watch(source: Source, fps: float | None = None) -> tuple[list[Observation], str]:
        seen: list[Observation] = []
        try:
            for observation in source.observations(fps=fps):
                seen.append(observation)
        except SourceError as error:
            return seen, error.reason
        return seen, ""

    return watch
