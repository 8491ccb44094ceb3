import socket
from contextlib import closing

import pytest

from hippocam.stream.archive.nodes import Room, WorkersConfig, room_on
from hippocam.stream.archive.parts import read_part
from hippocam.stream.archive.plan import Footage, Segment, segments_of
from hippocam.stream.archive.runner import Order, run_here, run_on_ray
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.archive.worker import MAX_TRIES, Made, SegmentWorker, Work, give_up
from hippocam.stream.errors import HippocamError
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.sources.video import VideoSource

GB = 1e9


@pytest.mark.parametrize(
    ("free", "config", "expected"),
    [
        ({"CPU": 16, "memory": 64 * GB}, WorkersConfig(), Room(16, 0.0, 900_000_000)),
        ({"CPU": 16, "memory": 64 * GB}, WorkersConfig(workers=2), Room(2, 0.0, 900_000_000)),
        ({"CPU": 16, "memory": 8 * GB}, WorkersConfig(), Room(8, 0.0, 900_000_000, 8)),
        ({"CPU": 4, "memory": 0.5 * GB}, WorkersConfig(), Room(1, 0.0, 500_000_000, 3)),
        ({"CPU": 16, "memory": 8 * GB}, WorkersConfig(memory_mb=0), Room(16)),
        ({"CPU": 8, "GPU": 1}, WorkersConfig(memory_mb=0), Room(8, 0.125)),
        ({"CPU": 64, "GPU": 1}, WorkersConfig(memory_mb=0), Room(10, 0.1)),
        ({"CPU": 8, "GPU": 2}, WorkersConfig(memory_mb=0, gpu_share=0.5), Room(4, 0.5)),
        ({"CPU": 8, "GPU": 2}, WorkersConfig(memory_mb=0, gpu_share=0), Room(8)),
        ({"CPU": 2, "GPU": 4}, WorkersConfig(memory_mb=0), Room(2, 1.0)),
        ({"CPU": 8}, WorkersConfig(gpu_share=0.5), Room(0)),
        ({"CPU": 0, "memory": 64 * GB}, WorkersConfig(), Room(0)),
    ],
)
def test_as_many_workers_as_a_machine_has_cores_gpus_and_memory_for(free, config, expected):
    assert room_on(free, config) == expected


def test_a_cluster_that_is_not_there_is_told_at_once(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    work = work_of(WorkFolder.begin(tmp_path / "work", {"k"}))
    config = WorkersConfig(address=address)
    with pytest.raises(HippocamError, match=f"Ray at {address}: nobody answers there"):
        run_on_ray(order_of(tmp_path / "a.mp4", work), config, ahead=9)


def test_values_out_of_range_are_told():
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        WorkersConfig(workers=0)
    with pytest.raises(ValueError, match="gpu_share must be 0 to 1"):
        WorkersConfig(gpu_share=2)
    with pytest.raises(ValueError, match="memory_mb must be 0 or more"):
        WorkersConfig(memory_mb=-1)


class Paper:
    """A book of a run that is over before anything is written."""


def work_of(folder):
    return Work(folder=folder, pipeline=PipelineConfig(), segment_s=60.0)


def footage_of(path):
    return Footage(source=VideoSource(path), key="k", segments=1)


def order_of(path, work):
    return Order(footage=[footage_of(path)], work=work, make_encoder=Broken, book=Paper())


class Broken:
    spec = None

    def encode_images(self, images):
        raise RuntimeError("out of memory on the GPU")


def test_a_segment_that_kills_its_workers_is_given_up(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=30)
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    for tries in range(MAX_TRIES):
        assert folder.attempt("k", 0) == tries
    SegmentWorker(work_of(folder), Broken).make(footage_of(tmp_path / "a.mp4"), 0)
    (end,) = read_part(folder.part("k", 0), "a")
    assert "its worker died 3 times on it" in end.error
    folder.delete("k")
    WorkFolder.begin(tmp_path / "work", {"k"})
    assert folder.attempt("k", 0) == 0, "another run begins anew"


def test_a_machine_that_is_lost_is_no_fault_of_the_footage(tmp_path):
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    for _ in range(5):
        assert folder.attempt("k", 0) == 0
        folder.forgive("k", 0)


def test_an_encoder_that_fails_is_no_fault_of_the_footage(tmp_path, media):
    media.render_video(tmp_path / "a.mp4", frames=30)
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    worker, footage = SegmentWorker(work_of(folder), Broken), footage_of(tmp_path / "a.mp4")
    with pytest.raises(HippocamError, match="the encoder failed"):
        worker.prepare()
    made = worker.make(footage, 0)
    assert made == Made("the encoder failed (RuntimeError: out of memory on the GPU)")
    assert not give_up(work_of(folder), footage, 0, made)
    assert not folder.part("k", 0).exists()


def test_footage_that_is_gone_is_given_up_and_footage_that_one_machine_lacks_is_not(tmp_path, media):
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    work, footage = work_of(folder), footage_of(tmp_path / "a.mp4")
    made = SegmentWorker(work, Broken).make(footage, 0)
    assert f"does not see {tmp_path / 'a.mp4'}" in made.problem
    media.render_video(tmp_path / "a.mp4", frames=30)
    assert not give_up(work, footage, 0, made), "this process sees it"
    (tmp_path / "a.mp4").unlink()
    assert give_up(work, footage, 0, made)
    (end,) = read_part(folder.part("k", 0), "a")
    assert "no such file" in end.error


def test_a_machine_that_does_not_see_the_work_folder_is_told(tmp_path):
    folder = WorkFolder.begin(tmp_path / "work", {"k"})
    WorkFolder.begin(tmp_path / "work", {"k"})  # another run, as on another machine's disk
    worker = SegmentWorker(work_of(folder), Broken)
    assert "does not see" in worker.make(footage_of(tmp_path / "a.mp4"), 0).problem
    with pytest.raises(HippocamError, match="that all machines of the cluster share"):
        worker.prepare()
    with pytest.raises(HippocamError, match="does not see"):
        run_here(order_of(tmp_path / "a.mp4", work_of(folder)))


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


def test_segments_come_by_footage_and_time(tmp_path):
    footage = [Footage(source=VideoSource(tmp_path / "a"), key="k", segments=n) for n in (2, 1, 1)]
    assert segments_of(footage) == [Segment(index=i, number=n) for i, n in ((0, 0), (0, 1), (1, 0), (2, 0))]
