"""Files of a camera as one source: times that only rise, positions that stay, and nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.libraries.pieces import Folders, Piece, PieceSource, Words

T0_S = 1_762_088_405.0


def seen(source: PieceSource, **more: int) -> list[tuple[int, float]]:
    return [(one.seq, round(one.time_s - T0_S, 3)) for one in source.observations(fps=1.0, **more)]


@pytest.fixture
def clip(tmp_path: Path, media: ModuleType) -> Path:
    """Four seconds of video."""
    media.render_video(tmp_path / "a.mp4", frames=40, fps=10)
    return tmp_path / "a.mp4"


def test_positions_are_times_so_that_they_stay_when_older_files_go(clip: Path) -> None:
    pieces = [Piece(path=clip, start_s=T0_S + after, end_s=T0_S + after + 4) for after in (0.0, 4.0, 100.0)]
    every = seen(PieceSource(id="yard", uri="db#yard", pieces=pieces))
    assert [time_s for _, time_s in every] == [0, 1, 2, 3, 4, 5, 6, 7, 100, 101, 102, 103]
    assert [seq for seq, _ in every] == [round((T0_S + time_s) * 1000) for _, time_s in every]
    fewer = PieceSource(id="yard", uri="db#yard", pieces=pieces[1:])
    assert seen(fewer) == every[4:]
    assert seen(fewer, after_seq=every[5][0]) == every[6:]
    assert seen(fewer, after_seq=every[-1][0]) == []


def test_time_never_goes_back_where_files_overlap(clip: Path) -> None:
    pieces = [Piece(path=clip, start_s=T0_S + after) for after in (0.0, 1.5)]
    times = [time_s for _, time_s in seen(PieceSource(id="yard", uri="u", pieces=pieces))]
    assert times == sorted(set(times))
    assert times[-1] == 4.5


def test_frames_have_the_times_that_their_program_gives_them(clip: Path) -> None:
    times = {0: T0_S, 5: T0_S + 30, 39: T0_S + 90, 1000: T0_S + 99}
    piece = Piece(path=clip, start_s=T0_S, end_s=T0_S + 90, times_s=times)
    assert [t for _, t in seen(PieceSource(id="screen", uri="u", pieces=[piece]))] == [0, 30, 90]


def test_what_cannot_be_read_is_told_once_all_else_was_given(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    pieces = [
        Piece(path=tmp_path / "bad.jpg", start_s=T0_S - 9),
        Piece(path=clip, start_s=T0_S),
        Piece(path=tmp_path / "bad.mp4", start_s=T0_S + 9),
    ]
    walk = PieceSource(id="yard", uri="u", pieces=pieces).observations(fps=1.0)
    assert [next(walk).time_s - T0_S for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(SourceError, match=r"bad\.jpg: .*; and 1 more; all others were kept"):
        next(walk)


def test_words_that_were_told_are_not_told_again(clip: Path) -> None:
    words = [Words(kind="mark", t0_s=T0_S + after, t1_s=T0_S + after + 1, text=str(after)) for after in (1, 2, 3)]
    source = PieceSource(id="yard", uri="u", pieces=[], words=words)
    assert [note.text for _, note in source.notes("yard", hearing=None)] == ["1", "2", "3"]
    assert [note.text for _, note in source.notes("yard", hearing=None, after_s=T0_S + 2)] == ["2", "3"]


def test_files_are_found_by_as_much_of_their_path_as_fits_and_only_below_the_folders(tmp_path: Path) -> None:
    root = tmp_path / "media"
    (root / "recordings" / "yard").mkdir(parents=True)
    (root / "recordings" / "yard" / "a.mp4").write_bytes(b"x")
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    folders = Folders([root])
    for named in ("/media/frigate/recordings/yard/a.mp4", "recordings/yard/a.mp4", r"D:\recordings\yard\a.mp4"):
        assert folders.find(named) == root / "recordings" / "yard" / "a.mp4"
    for named in (str(tmp_path / "secret.mp4"), "../secret.mp4", "link.mp4", "", "/", "recordings/yard"):
        assert folders.find(named) is None
