"""What a robot's streams are called: env/episode/camera, so that each of the three can be asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Stands for the environment of a robot that has no name for it.
UNNAMED = "robot"
_EPISODE = re.compile(r"(?P<env>.+)/(?P<episode>\d{6})")


def recording_name(env: str, episode: int) -> str:
    """Name of the recording of an episode of an environment."""
    return f"{env or UNNAMED}/{episode:06d}"


def episode_of(recording: str) -> tuple[str, int] | None:
    """Environment and number of an episode by the name of its recording; None where it is no episode's."""
    found = _EPISODE.fullmatch(recording)
    return None if found is None else (found["env"], int(found["episode"]))


def newest_episodes(recordings: Iterable[str]) -> dict[str, int]:
    """The number of the newest episode of each environment, by the name of its recordings."""
    newest: dict[str, int] = {}
    for found in filter(None, map(episode_of, recordings)):
        newest[found[0]] = max(found[1], newest.get(found[0], 0))
    return newest
