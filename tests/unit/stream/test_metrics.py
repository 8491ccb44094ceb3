import time

import pytest

from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.ingest import run_local
from hippocam.stream.metrics import Meter, StageStatus
from hippocam.stream.pipeline import Job, PipelineConfig
from hippocam.stream.records import Embedding
from hippocam.stream.sources.video import VideoSource


class Slow(PaletteEncoder):
    """Takes 20 ms a picture."""

    def encode_images(self, images):
        time.sleep(0.02 * len(images))
        return super().encode_images(images)


def test_each_stage_counts_what_passed_it(tmp_path, colour_video):
    path = colour_video(tmp_path / "a.mp4", [("red", 5), ("blue", 5), ("green", 5)])
    chunks = list(run_local([Job(source=VideoSource(path), name="a")], Slow(), PipelineConfig(fps=2.0)))
    found = {stage.stage: stage for stage in chunks[-1].stages}
    assert list(found) == ["decode", "gate", "encode", "memory"]
    seen = [item for chunk in chunks for item in chunk.items]
    changed = sum(isinstance(item, Embedding) for item in seen)
    assert found["decode"].items == found["gate"].items == len(seen) == 30
    assert found["encode"].items == changed == 3
    assert found["encode"].busy_s >= 0.06
    assert found["decode"].busy_s > 0
    assert found["gate"].busy_s > 0
    assert found["encode"].latency_ms >= 20
    assert found["memory"] == StageStatus(stage="memory")


def test_meters_add_up():
    one, other = Meter(), Meter()
    one.add("encode", items=3, busy_s=1.5)
    other.add("encode", items=1, busy_s=0.5, waited_s=2.0)
    one.join(other.status())
    (encode,) = [s for s in one.status() if s.stage == "encode"]
    assert (encode.items, encode.busy_s, encode.waited_s, encode.rate, encode.latency_ms) == (4, 2, 2, 2, 500)
    assert (StageStatus(stage="gate").rate, StageStatus(stage="gate").latency_ms) == (0, 0)


def test_what_one_stage_takes_within_another_is_not_counted_twice():
    meter = Meter()

    def slow():
        for k in range(3):
            time.sleep(0.01)
            yield k

    start = time.perf_counter()
    assert list(meter.timed("decode", slow(), within="gate")) == [0, 1, 2]
    both_s = time.perf_counter() - start
    meter.add("gate", busy_s=both_s)
    decode, gate, *_ = meter.status()
    assert 0.03 <= decode.busy_s <= both_s
    assert gate.busy_s == pytest.approx(both_s - decode.busy_s)
