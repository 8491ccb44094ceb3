from dataclasses import fields

import numpy as np
import pytest

from hippocam.stream.archive.plan import Footage, FootageReader, count_segments, load_index, save_index
from hippocam.stream.errors import SourceError
from hippocam.stream.sources.packet_index import build_index
from hippocam.stream.sources.video import VideoSource


def read(path, folder, *, segment_s=2.0, fps=5.0, after_seq=-1):
    source = VideoSource(path)
    footage = Footage(source=source, key="k", segments=count_segments(source, segment_s), after_seq=after_seq)
    reader = FootageReader(segment_s=segment_s, longest_px=640, fps=fps)
    return [list(reader.observations(footage, n, folder / "k" / "index.npz")) for n in range(footage.segments)]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("fps", [5.0, None])
def test_the_segments_together_are_the_video(tmp_path, media, name, fps):
    media.render_video(tmp_path / name, frames=200, fps=25)
    segments = read(tmp_path / name, tmp_path, fps=fps)
    found = [seen for segment in segments for seen in segment]
    whole = list(VideoSource(tmp_path / name).observations(fps=fps))
    assert [(seen.seq, seen.time_s) for seen in found] == [(seen.seq, seen.time_s) for seen in whole]
    assert all(np.array_equal(a.images[""], b.images[""]) for a, b in zip(found, whole, strict=True))


@pytest.mark.parametrize("open_gop", [False, True])
def test_segments_are_cut_on_key_frames(tmp_path, media, open_gop):
    media.render_video(tmp_path / "a.mp4", frames=250, fps=25, options=media.long_gop(30, open_gop=open_gop))
    index = build_index(tmp_path / "a.mp4", "a")
    segments = [[seen.seq for seen in segment] for segment in read(tmp_path / "a.mp4", tmp_path, fps=None)]
    groups = [{index.key_before(seq) for seq in segment} for segment in segments]
    assert sum(map(len, groups)) == len(set().union(*groups)), "no group of pictures is decoded twice"
    assert len([segment for segment in segments if segment]) >= 4
    assert [seq for segment in segments for seq in segment] == list(range(250))


def test_a_video_of_one_group_is_one_segment(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=200, fps=25, options=media.long_gop(1000))
    sizes = [len(segment) for segment in read(tmp_path / "a.mp4", tmp_path)]
    assert sizes == [40, 0, 0, 0]


def test_a_truncated_video_says_so_in_its_last_segment(tmp_path, media):
    media.render_video(tmp_path / "whole.mp4", frames=300, container_options={"movflags": "faststart"})
    cut = media.cut(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 0.7)
    reader = FootageReader(segment_s=2.0, longest_px=640, fps=5.0)
    footage = Footage(source=VideoSource(cut), key="k", segments=6)
    for number in range(5):
        list(reader.observations(footage, number, tmp_path / "k" / "index.npz"))
    with pytest.raises(SourceError, match="truncated: read up to"):
        list(reader.observations(footage, 5, tmp_path / "k" / "index.npz"))


def test_what_was_watched_before_is_not_decoded(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=200, fps=25, options=media.long_gop(25))
    sizes = [len(segment) for segment in read(tmp_path / "a.mp4", tmp_path, segment_s=1.0, after_seq=120)]
    assert sizes[0] == 0
    assert sizes[-1] > 0


def test_an_index_that_is_read_is_what_was_written(tmp_path, media):
    media.render_video(tmp_path / "a.mkv", frames=50, sound_s=1.0)
    index = build_index(tmp_path / "a.mkv", "a")
    save_index(index, tmp_path / "index.npz")
    read_back = load_index(tmp_path / "index.npz")
    for field in fields(index):
        was, now = getattr(index, field.name), getattr(read_back, field.name)
        assert type(was) is type(now)
        assert np.array_equal(was, now)
