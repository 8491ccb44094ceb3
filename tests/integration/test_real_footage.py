"""The default encoder on real footage whose moments were annotated by eye: the main job, end to end."""

import pytest

from hippocam.apps import Session
from hippocam.models.errors import WeightsError
from hippocam.models.weights import fetch


@pytest.fixture(scope="module")
def weights():
    try:
        for name in ("efficientnet-lite2", "minilm", "dinov2"):
            fetch(name)
    except WeightsError as error:
        pytest.skip(f"the default encoder's networks cannot be fetched here: {error}")


@pytest.fixture(scope="module")
def cameras(tmp_path_factory, shared_data, weights):
    with Session(tmp_path_factory.mktemp("real") / "m") as session:
        cctv = shared_data / "video" / "cctv"
        report = session.watch([str(cctv / name) for name in ("driveway*", "intel*")], budget_mb=2)
        assert report.failed == ()
        assert report.memory_bytes <= 2_000_000
        yield session


@pytest.mark.parametrize(
    ("question", "stream", "window"),
    [
        ("When was a blue car in the driveway?", "driveway_prius_60s", (6.0, 29.5)),
        ("When were there bottles?", "intel_bottle_detection", (0.0, 39.85)),
        ("a man in a black jacket", "intel_one_by_one_person_detection", (23.0, 44.5)),
    ],
)
def test_the_best_moment_is_the_true_one(cameras, question, stream, window):
    answer = cameras.ask(question)
    assert not answer.unknown
    best = answer.evidence[0]
    assert best.stream == stream
    assert min(best.t1_s, window[1]) > max(best.t0_s, window[0])
    assert best.id in answer.cited


def test_a_colour_tells_the_cars_of_one_camera_apart(cameras):
    """A red one among white and black ones; among all cameras a blue one that is larger may come first."""
    found = cameras.search("a red car", top=8)
    own = [moment for moment in found if moment.stream == "intel_car_detection"]
    assert min(own[0].t1_s, 19.3) > max(own[0].t0_s, 15.0)
    assert found.index(own[0]) <= 1


@pytest.mark.parametrize(
    "question", ["Did an elephant walk by?", "a birthday cake with candles", "a snowboarder jumps"]
)
def test_what_no_camera_saw_is_said_to_be_unknown(cameras, question):
    assert cameras.ask(question).unknown


def test_a_robot_log_is_a_stream_a_camera_with_its_state_beside_the_frames(tmp_path, shared_data):
    import numpy as np
    from pyarrow import parquet

    dataset = shared_data / "robot" / "g1_pick_bottle"
    with Session(tmp_path / "m", encoder="palette") as session:
        report = session.watch([dataset], fps=5)
        assert report.failed == ()
        assert len(report.streams) == 4
        for stream in report.streams:
            episode = stream.id.split("/")[1]
            assert stream.id == f"g1_pick_bottle/{episode}/cam_high"
            rows = parquet.read_table(dataset / "data" / "chunk-000" / f"{episode}.parquet").to_pydict()
            for moment in session.search("the yellow bottle", stream=stream.id):
                assert moment.text == "Pick up the yellow bottle on the table."
                row = int(np.argmin(np.abs(np.array(rows["timestamp"]) - moment.frame_s)))
                np.testing.assert_allclose(moment.sensors.state, rows["observation.state"][row], rtol=1e-6)
                np.testing.assert_allclose(moment.sensors.action, rows["action"][row], rtol=1e-6)
