"""Worlds that policies act in, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hippocam.apps.worlds import guided, levers, tour
from hippocam.models.policies.playing import GOALS, RECALLED, VIEWS, Game, PlayWorld
from hippocam.stream.errors import HippocamError


def _tour(rooms: int, delay: int, seed: Sequence[int]) -> Game:
    return tour.Tour(tour.TourConfig(rooms=rooms, delay=delay), seed)


def _guided(rooms: int, delay: int, seed: Sequence[int]) -> Game:
    return guided.GuidedTour(tour.TourConfig(rooms=rooms, delay=delay), seed)


def _tour_minigrid(rooms: int, delay: int, seed: Sequence[int]) -> Game:
    try:
        from hippocam.apps.worlds.minigrid_tour import MiniGridTour
    except ImportError as error:
        raise HippocamError("this world needs MiniGrid: pip install 'hippocam[robot-bench]'") from error
    return MiniGridTour(tour.TourConfig(rooms=rooms, delay=delay), seed)


def _tour_pixels(rooms: int, delay: int, seed: Sequence[int]) -> Game:
    try:
        from hippocam.apps.worlds.pixels.tour import PixelTour
    except ImportError as error:
        raise HippocamError("this world needs MiniWorld: pip install 'hippocam[robot-bench]'") from error
    return PixelTour(tour.TourConfig(rooms=rooms, delay=delay), seed)


def _minigrid_memory(size: int, delay: int, seed: Sequence[int]) -> Game:
    del delay  # the corridor is one
    try:
        from hippocam.apps.worlds.minigrid_memory import MiniGridMemory
    except ImportError as error:
        raise HippocamError("this world needs MiniGrid: pip install 'hippocam[robot-bench]'") from error
    return MiniGridMemory(size, seed)


def _levers(others: int, met: int, seed: Sequence[int]) -> Game:
    return levers.Levers(others, bool(met), seed)


_TOUR = PlayWorld(
    name="tour",
    play=_tour,
    sizes=(4, 8, 16, 32),
    delays=(0, 0, 0, 200),
    dim=tour.DIM,
    actions=tour.ACTIONS,
    tried_delays=(0, 200, 1000, 10_000, 100_000),
)
WORLDS = {
    world.name: world
    for world in (
        _TOUR,
        replace(_TOUR, name="tour-minigrid", play=_tour_minigrid),
        replace(_TOUR, name="tour-pixels", play=_tour_pixels, sizes=(8, 16), delays=(0,), tried_delays=(0, 200)),
        # a sign shows one step at a time
        replace(_TOUR, name="guided", play=_guided, replan=1, tried_delays=(0, 200)),
        PlayWorld(
            name="minigrid-memory",
            play=_minigrid_memory,
            sizes=(11, 13, 17),
            delays=(0,),
            dim=tour.DIM,
            actions=3,
            new_looks=(),
            steps=3000,
            tried_at=13,
        ),
        PlayWorld(  # sizes: machines tried before; delays: whether this one was, too
            name="levers",
            play=_levers,
            sizes=(0, 1, 4),
            delays=(0, 1),
            dim=tour.DIM,
            actions=levers.LEVERS,
            new_looks=(VIEWS, GOALS, RECALLED),
            replan=1,
            episodes=500,  # an episode has one or two moments to learn from
            tried_at=1,
            tried_delays=(0, 1),
        ),
    )
}


def world_named(name: str) -> PlayWorld:
    """The world of a name.

    Raises:
        HippocamError: There is none.
    """
    if name not in WORLDS:
        raise HippocamError(f"no world is called {name!r}; there are {', '.join(WORLDS)}")
    return WORLDS[name]
