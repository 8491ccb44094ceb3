"""Films whose edit list says what is shown: empty edits, several of them, in any order, from anywhere."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources import open_sources

GOP = 25

# By name: seconds that are shown and from which second of the film, None for nothing; and the frames of them.
CUTS: dict[str, tuple[list[tuple[float, float | None]], list[tuple[float, range]]]] = {
    "whole": ([(4, 0)], [(0, range(100))]),
    "begins late": ([(2, None), (4, 0)], [(2, range(100))]),
    "from within a group": ([(2, 1.52)], [(0, range(38, 88))]),
    "from within a group, late": ([(1, None), (2, 1.52)], [(1, range(38, 88))]),
    "two cuts": ([(1, 0), (1, 2.52)], [(0, range(25)), (1, range(63, 88))]),
    "the later first": ([(1, 2.52), (1, 0)], [(0, range(63, 88)), (1, range(25))]),
    "one cut twice": ([(1, 0), (1, 0)], [(0, range(25)), (1, range(25))]),
    "three cuts": (
        [(0.4, 3), (0.4, 0.2), (0.4, 2)],
        [(0, range(75, 85)), (0.4, range(5, 15)), (0.8, range(50, 60))],
    ),
}


def seen(path: Path, media: ModuleType, fps: float | None) -> list[tuple[float, int | None]]:
    (source,) = open_sources([path]).sources
    return [(round(one.time_s, 3), media.read_number(one.images[""])) for one in source.observations(fps=fps)]


@pytest.mark.parametrize("name", CUTS)
def test_what_an_edit_list_shows_is_seen_when_it_is_shown(tmp_path: Path, media: ModuleType, name: str) -> None:
    cuts, shown = CUTS[name]
    media.render_video(tmp_path / "a.mp4", frames=100, options=media.long_gop(GOP))
    media.edit(tmp_path / "a.mp4", cuts)
    every = [(round(at + k / 25, 3), number) for at, numbers in shown for k, number in enumerate(numbers)]
    assert seen(tmp_path / "a.mp4", media, None) == every
    some = seen(tmp_path / "a.mp4", media, 5)
    assert set(some) <= set(every)
    assert len(some) >= len(every) // 5


@pytest.mark.parametrize("cuts", [[(4, 50)], [(0, 1)]], ids=["beyond the end", "no time"])
def test_an_edit_list_that_hides_all_is_told(
    tmp_path: Path, media: ModuleType, cuts: list[tuple[float, float]]
) -> None:
    media.render_video(tmp_path / "a.mp4", frames=100, options=media.long_gop(GOP))
    media.edit(tmp_path / "a.mp4", cuts)
    with pytest.raises(SourceError, match="edit list hides every frame"):
        seen(tmp_path / "a.mp4", media, None)


def test_a_film_without_an_edit_list_begins_where_chromium_shows_it(tmp_path: Path, media: ModuleType) -> None:
    # Its first picture waits for those that are decoded before it is shown. requestVideoFrameCallback of Chromium
    # gives 0.08 s as the time of the first picture of this very film, and 0 for the one with an edit list.
    media.render_video(tmp_path / "a.mp4", frames=50, options=media.long_gop(GOP))
    content = (tmp_path / "a.mp4").read_bytes()
    assert content.count(b"edts") == 1
    (tmp_path / "bare.mp4").write_bytes(content.replace(b"edts", b"free"))
    assert seen(tmp_path / "a.mp4", media, None)[:2] == [(0.0, 0), (0.04, 1)]
    assert seen(tmp_path / "bare.mp4", media, None)[:2] == [(0.08, 0), (0.12, 1)]
