"""decord in a process of its own: used where it suits, and no loss where it dies."""

from __future__ import annotations

import logging
from pathlib import Path
from types import ModuleType

import pytest

from hippocam.stream.sources.decode import decord
from hippocam.stream.sources.video import VideoSource

ABORTS = "import os; os.abort()"
ABORTS_HALF_WAY = """
import os
from hippocam.stream.sources.decode import decord
real = decord._give
def half(reader, at, seqs, shape, out):
    real(reader, at, seqs[: len(seqs) // 2], shape, out)
    os.abort()
decord._give = half
decord.serve()
"""


@pytest.fixture
def clip(tmp_path: Path, media: ModuleType) -> Path:
    path = tmp_path / "a.mp4"
    media.render_video(path, frames=60, options=media.long_gop(20), size=(128, 64))
    return path


def _numbers(path: Path, media: ModuleType, after_seq: int = -1) -> list[tuple[int, int | None]]:
    source = VideoSource(path, decoder="decord", threads=2)
    seen = source.observations(fps=None, after_seq=after_seq)
    return [(o.seq, media.read_number(o.images[""])) for o in seen]


def test_decord_gives_all_of_it(clip: Path, media: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert _numbers(clip, media) == [(k, k) for k in range(60)]
    assert _numbers(clip, media, after_seq=31) == [(k, k) for k in range(32, 60)]
    assert "PyAV" not in caplog.text


@pytest.mark.parametrize("child", [ABORTS, ABORTS_HALF_WAY, "print('no json')", "print()"])
def test_where_it_dies_nothing_is_lost(
    clip: Path,
    media: ModuleType,
    child: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(decord, "_CHILD", child)
    assert _numbers(clip, media) == [(k, k) for k in range(60)]
    assert "PyAV" in caplog.text


def test_an_unfinished_walk_ends_the_process(clip: Path) -> None:
    walk = VideoSource(clip, decoder="decord", threads=2).observations(fps=None)
    first = next(walk)
    first.images[""][0, 0] = 1  # and pictures may be written to, as those of other decoders
    walk.close()  # type: ignore[attr-defined]
