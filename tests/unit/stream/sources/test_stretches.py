import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Stretch
from hippocam.stream.sources.decode.packet_index import build_index
from hippocam.stream.sources.video import VideoSource


def read(path, folder, *, segment_s=2.0, fps=5.0, after_seq=-1):
    source = VideoSource(path)
    stretches = cut(source.segments(segment_s), segment_s, folder)
    return [list(source.observations(fps=fps, after_seq=after_seq, stretch=stretch)) for stretch in stretches]


def cut(count, segment_s, folder):
    index_file = folder / "k" / "index.npz"
    return [Stretch(number=n, count=count, segment_s=segment_s, index_file=index_file) for n in range(count)]


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
    source = VideoSource(media.cut(tmp_path / "whole.mp4", tmp_path / "cut.mp4", 0.7))
    *others, last = cut(6, 2.0, tmp_path)
    for stretch in others:
        list(source.observations(fps=5.0, stretch=stretch))
    with pytest.raises(SourceError, match="truncated: read up to"):
        list(source.observations(fps=5.0, stretch=last))


def test_what_was_watched_before_is_not_decoded(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=200, fps=25, options=media.long_gop(25))
    sizes = [len(segment) for segment in read(tmp_path / "a.mp4", tmp_path, segment_s=1.0, after_seq=120)]
    assert sizes[0] == 0
    assert sizes[-1] > 0
