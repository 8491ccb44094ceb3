import pytest

from hippocam.apps.records import Failure, StreamReport, WatchReport
from hippocam.apps.training.videos import memory_of_videos
from hippocam.stream.errors import HippocamError

STREAM = StreamReport(
    id="a", source="a.mp4", duration_s=9.0, frames_seen=9, frames_encoded=3, events=2, entries=2, fps=1.0,
    resumed=False,
)  # fmt: skip


def test_the_memory_is_deleted_afterwards():
    def watch(folder):
        (folder / "memory.db").write_text("all of it")
        return WatchReport(streams=(STREAM, STREAM), seconds=1.0, failed=())

    with memory_of_videos(watch) as (folder, streams):
        assert (folder / "memory.db").exists()
        assert streams == 2
    assert not folder.exists()


def test_videos_that_cannot_be_watched_are_named():
    failed = (Failure(source="a.mp4", reason="text, not a video"),)
    with (
        pytest.raises(HippocamError, match="nothing could be watched: a.mp4: text, not a video"),
        memory_of_videos(lambda folder: WatchReport(seconds=0.0, failed=failed)),
    ):
        pass
