"""Zones and masks of recordings: what is masked is never seen, whoever watches; zones can be asked about."""

import json

import av
import numpy as np
import pytest

from hippocam.apps.ask.deep import DeepConfig
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings
from hippocam.stream.zones.polygons import CameraZones

LEFT = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
RED, GREEN, BLUE = (220, 30, 30), (40, 160, 60), (40, 80, 210)


def halves(path, left, right, seconds=8, rate=10):
    """A film whose left and right halves show colours of their own, by seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as out:
        track = out.add_stream("libx264", rate=rate, options={"preset": "ultrafast"})
        track.width, track.height, track.pix_fmt = 160, 90, "yuv420p"
        for k in range(seconds * rate):
            picture = np.empty((90, 160, 3), np.uint8)
            picture[:, :80], picture[:, 80:] = left(k / rate), right(k / rate)
            out.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(track.encode(None))
    return path


def red_on_the_left(path):
    """Green, but the left half is red in between, and in a flash between the frames of a second."""
    return halves(path, lambda s: RED if 3 <= s < 5 or 6.2 <= s < 6.7 else GREEN, lambda s: GREEN)


@pytest.fixture
def zones(tmp_path):
    def write(name):
        path = tmp_path / "zones.yaml"
        path.write_text(f"{name}:\n  zones:\n    gate: {json.dumps(LEFT)}\n  masks:\n    - {json.dumps(LEFT)}\n")
        return path

    return write


def reddest(memory, stream=None):
    with Session(memory) as session:
        return max((m.score for m in session.search("red", stream=stream)), default=0.0)


@pytest.mark.parametrize("name", ["yard", '"ya*"'])
def test_what_is_masked_is_not_seen_and_the_mask_stays(tmp_path, zones, name):
    film, memory = red_on_the_left(tmp_path / "yard.mp4"), tmp_path / "m"
    assert main(["watch", str(film), "--memory", str(tmp_path / "bare"), "--encoder", "palette"]) == 0
    assert reddest(tmp_path / "bare") > 0.9
    watch = ["watch", "--memory", str(memory), "--encoder", "palette"]
    assert main([*watch, str(film), "--zones", str(zones(name))]) == 0
    assert reddest(memory) < 0.5
    # what is watched later is masked, too, under a name that fits
    assert main([*watch, str(red_on_the_left(tmp_path / "later" / "yard.mp4"))]) == 0
    assert reddest(memory) < 0.5
    with Session(memory, settings=Settings(deep=DeepConfig(least=0.0, on=True))) as session:
        assert session.ask("something red", deep=True).unknown  # a second look is masked, too


def test_a_name_that_nothing_has_is_refused_before_anything_is_watched(tmp_path, zones, capsys):
    film = red_on_the_left(tmp_path / "yard.mp4")
    code = main(["watch", str(film), "--memory", str(tmp_path / "m"), "--zones", str(zones("yrad"))])
    assert code == 2
    assert "nothing that is watched is called yrad; there are yard" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_an_archive_masks_a_camera_whatever_its_files_are_called_also_when_it_is_run_again(tmp_path, zones):
    for number, camera in enumerate(("door", "yard")):  # a second apart, or one were a copy of the other
        path = tmp_path / "footage" / "2023-11-02" / "14" / camera / "05.00.mp4"
        halves(path, lambda s, n=number: RED if 3 + n <= s < 5 + n else GREEN, lambda s: GREEN)
    archive = ["archive", "--memories", str(tmp_path / "memories"), "--encoder", "palette", "--executor", "local"]
    footage = str(tmp_path / "footage")
    assert main([*archive, footage, "--per", "camera", "--zones", str(zones("yard"))]) == 0
    assert reddest(tmp_path / "memories" / "yard") < 0.5 < reddest(tmp_path / "memories" / "door")
    late = tmp_path / "footage" / "2023-11-03" / "09" / "yard" / "30.00.mp4"
    halves(late, lambda s: RED if s < 4 else BLUE, lambda s: GREEN)
    assert main([*archive, footage]) == 0
    assert reddest(tmp_path / "memories" / "yard") < 0.5
    with Session(tmp_path / "memories" / "yard") as session:
        assert len(session.status().streams) == 2
        assert session.ask("Who came through the gate?").answer.startswith("In the zone gate: ")


def test_zones_are_given_to_the_library_as_records(tmp_path):
    film = red_on_the_left(tmp_path / "yard.mp4")
    with Session(tmp_path / "m", encoder="palette") as session:
        session.watch([film], zones={"*": CameraZones(masks=[LEFT])})
    assert reddest(tmp_path / "m") < 0.5
