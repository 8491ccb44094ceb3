import socket
from contextlib import closing
from types import SimpleNamespace

import pytest

from hippocam.stream.archive.parts import read_part
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.runner import WorkersConfig, room, run_ray_data
from hippocam.stream.archive.work_folder import WorkFolder, order
from hippocam.stream.archive.worker import MAX_TRIES, SegmentWorker, Work
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.sources.video import VideoSource


def machine(cores, gpus=0, *, held=0):
    return SimpleNamespace(
        available_resources=lambda: {"CPU": cores - held, "GPU": gpus},
        cluster_resources=lambda: {"CPU": cores, "GPU": gpus},
    )


@pytest.mark.parametrize(
    ("ray", "config", "segments", "expected"),
    [
        (machine(16), WorkersConfig(), 100, (16, 0.0)),
        (machine(16, held=4), WorkersConfig(), 100, (12, 0.0)),
        (machine(16), WorkersConfig(), 3, (3, 0.0)),
        (machine(16), WorkersConfig(workers=2), 100, (2, 0.0)),
        (machine(8, 1), WorkersConfig(), 100, (8, 0.125)),
        (machine(64, 1), WorkersConfig(), 100, (10, 0.1)),
        (machine(8, 2), WorkersConfig(gpu_share=0.5), 100, (4, 0.5)),
        (machine(8, 2), WorkersConfig(gpu_share=0), 100, (8, 0.0)),
        (machine(2, 4), WorkersConfig(), 100, (2, 1.0)),
    ],
)
def test_workers_are_sized_to_the_machine(ray, config, segments, expected):
    assert room(ray, config, segments) == expected


@pytest.mark.parametrize(
    ("ray", "config", "told"),
    [
        (machine(2, held=2), WorkersConfig(), "0 of its 2 cores free"),
        (machine(2), WorkersConfig(workers=3), "3 workers: Ray has 2 of its 2"),
        (machine(2), WorkersConfig(gpu_share=0.5), "no free GPU"),
    ],
)
def test_too_little_room_is_told(ray, config, told):
    with pytest.raises(HippocamError, match=told):
        room(ray, config, 9)


def test_a_cluster_that_is_not_there_is_told_at_once(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    work = work_of(WorkFolder.begin(tmp_path / "work", {"k"}), tmp_path / "a.mp4")
    with pytest.raises(HippocamError, match=f"Ray at {address}: nobody answers there"):
        next(run_ray_data(work, Broken, WorkersConfig(address=address), on_start=print))


def test_values_out_of_range_are_told():
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        WorkersConfig(workers=0)
    with pytest.raises(ValueError, match="gpu_share must be 0 to 1"):
        WorkersConfig(gpu_share=2)


def work_of(folder, path, *, ahead=9):
    return Work(
        footage=[Footage(source=VideoSource(path), key="k", segments=1)],
        folder=folder,
        pipeline=PipelineConfig(),
        segment_s=60.0,
        ahead=ahead,
    )


class Broken:
    spec = None

    def encode_images(self, images):
        raise RuntimeError("out of memory on the GPU")


def test_a_segment_that_kills_its_workers_is_given_up(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=30)
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    for tries in range(MAX_TRIES):
        assert folder.attempt("k", 0) == tries
    SegmentWorker(work_of(folder, tmp_path / "a.mp4"), Broken)({"at": 0, "index": 0, "number": 0})
    (end,) = read_part(folder.part("k", 0), "a")
    assert "its worker died 3 times on it" in end.error
    folder.delete("k")
    WorkFolder.begin(tmp_path / "work", {"k"})
    assert folder.attempt("k", 0) == 0, "another run begins anew"


def test_an_encoder_that_fails_is_no_fault_of_the_footage(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=30)
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    row = SegmentWorker(work_of(folder, tmp_path / "a.mp4"), Broken)({"at": 0, "index": 0, "number": 0})
    assert row == {"at": 0, "fatal": "the encoder failed (RuntimeError: out of memory on the GPU)"}
    assert not folder.part("k", 0).exists()


def test_a_machine_that_does_not_see_the_work_folder_is_told(tmp_path):
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    WorkFolder.begin(tmp_path / "work", {"k"})  # another run, as on another machine's disk
    row = SegmentWorker(work_of(folder, tmp_path / "a.mp4"), Broken)({"at": 0, "index": 0, "number": 0})
    assert "does not see" in row["fatal"]


def test_work_that_nobody_wants_any_more_is_cleared_up(tmp_path):
    folder = WorkFolder.begin(tmp_path / "work", {"k", "old"})
    folder.attempt("old", 0)
    folder.part("old", 0).write_text("part")
    folder.call_off("old")
    folder.delete("old")
    assert folder.is_called_off("old"), "workers may still be at it"
    assert not folder.part("old", 0).exists()
    folder.part("old", 1).write_text("part")
    WorkFolder.begin(tmp_path / "work", {"k"})
    assert not (tmp_path / "work" / "old").exists()
    folder.end()
    assert not (tmp_path / "work").exists()


def test_segments_come_by_footage_and_time():
    assert order([2, 1, 0, 1]) == [Segment(index=i, number=n) for i, n in ((0, 0), (0, 1), (1, 0), (3, 0))]
