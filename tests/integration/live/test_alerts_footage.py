"""Standing questions on real footage, replayed as a camera; what is true was written down by eye."""

import json
from dataclasses import replace

import pytest

from hippocam.apps.live.alerts import Alerts
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.settings import Settings
from hippocam.models.registry import make_encoder
from hippocam.models.senses.build import make_senses
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import Job
from hippocam.stream.records import Note
from hippocam.stream.sources.opening import open_sources

NEVER = ("an elephant", "a dog", "a bird", "a truck", "a train", "a fire", "a woman in a red dress")


def alerts(tmp_path, video, *texts):
    """When each question was told, in seconds."""
    settings, encoder, place = Settings(), make_encoder("bundled"), LiveFolder(tmp_path / "m")
    place.make()
    senses = make_senses(replace(settings.senses, text="off", speech="off"))
    standing = Alerts([AlertConfig(text=text) for text in texts], encoder, place, detects=True)
    (source,) = open_sources([video]).sources
    told = {text: [] for text in texts}
    for chunk in Ingest(encoder, replace(settings.pipeline, fps=1.0), senses).run(Job(name="room", source=source)):
        for item in chunk:
            for row in [] if isinstance(item, Note) else standing.see(item):
                told[row["text"]].append(row["time_s"])
    return told


def test_six_visitors_are_six_alerts_and_what_never_came_is_none(shared_data, tmp_path):
    truth = json.loads((shared_data / "bench/local_ground_truth/one_by_one.json").read_text())
    visits = [(row["start"], row["end"]) for row in truth["events"] if row["text"].startswith("visitor")]
    told = alerts(tmp_path, shared_data / truth["video"], "a person", *NEVER)
    assert len(visits) == len(told["a person"]) == 6
    for (start_s, _), time_s in zip(visits, told["a person"], strict=True):
        assert start_s - 1 <= time_s <= start_s + 5
    assert {text: told[text] for text in NEVER} == {text: [] for text in NEVER}


@pytest.mark.parametrize("text", ["a truck", "a red car", "an elephant"])
def test_a_blue_car_is_no_truck_and_not_red(shared_data, tmp_path, text):
    told = alerts(tmp_path, shared_data / "video/cctv/driveway_prius_60s.mov", "a car", text)
    assert len(told["a car"]) == 1
    assert told[text] == []
