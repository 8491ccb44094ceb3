"""What becomes of sampled frames: times, gaps and events, with cameras and clocks that the test moves."""

import itertools
import json
import sqlite3
import threading

import numpy as np
import pytest

from hippocam.apps.live.alerts import Alerts
from hippocam.apps.live.folder import JsonLines, LiveFolder
from hippocam.apps.live.open_frames import OpenFrames
from hippocam.apps.live.retention import Retention
from hippocam.apps.live.senses.hearing import Said
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.watch import LiveWatch
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.ingest import Ingest
from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.camera import Camera, CameraConfig, State
from hippocam.stream.live.clock import Wall
from hippocam.stream.live.messages import Captured
from hippocam.stream.pipeline import NO_SENSES, PipelineConfig, Senses
from hippocam.stream.records import Sensed, Thing
from hippocam.stream.zones.polygons import CameraZones

EPOCH_S = 1_800_000_000.0
COLOURS = {"red": (220, 30, 30), "green": (40, 160, 60), "blue": (40, 80, 210), "orange": (240, 150, 30)}
PALETTE = PaletteEncoder()


class SeesRed:
    """Takes what is red or orange at the upper right for a person in the right half of the picture."""

    id = "sees-red:1"

    def look(self, image):
        look, box = np.eye(32, dtype=np.float32)[0], (0.6, 0.2, 0.8, 0.9)
        is_red = image[0, -1, 0] > 200
        return Sensed(things=(Thing(label="person", score=0.9, box=box, vector=look),) if is_red else ())


class World:
    """A memory, a live watch and clocks that stand until they are moved."""

    def __init__(self, folder, names=("door",), alerts=(), zones=None, hearing=None, senses=NO_SENSES):
        self.monotonic_s, self.offset_s = 1000.0, EPOCH_S - 1000.0
        self.memory = Memory.open_writer(folder, encoder="palette", spec=PALETTE.spec)
        self.place = LiveFolder(folder)
        self.place.make()
        self.cameras = {}
        for name in names:
            address = LiveAddress(kind="url", target=f"rtsp://h/{name}", uri=f"rtsp://h/{name}", id=name)
            self.cameras[name] = Camera(address, CameraConfig(ring=64), lambda: None)
            self.cameras[name].run = lambda: None  # the test puts frames into its ring
        self.frames = OpenFrames(PALETTE.spec, 15, self.place.shown)
        self.watch = LiveWatch(
            self.memory,
            Ingest(PALETTE, PipelineConfig(fps=2), senses),
            list(self.cameras.items()),
            gap_s=3.0,
            open_frames=self.frames,
            alerts=Alerts(alerts, PALETTE, self.place, detects=senses is not NO_SENSES, zones=zones),
            log=JsonLines(self.place.log),
            wall=Wall(lambda: self.monotonic_s + self.offset_s, lambda: self.monotonic_s),
            ready=threading.Event(),
            zones=zones,
            hearing=hearing,
        )

    def show(self, colour, seconds, name="door", size=(32, 24)):
        for _ in range(round(seconds * 2)):
            self.monotonic_s += 0.5
            image = np.full((*size[::-1], 3), COLOURS[colour], np.uint8)
            self.cameras[name].ring.put(Captured(taken_s=self.monotonic_s, image=image, size=size))
            self.watch.step()
            self.watch.look()

    def idle(self, seconds):
        self.monotonic_s += seconds
        self.watch.look()

    def logged_alerts(self):
        return [json.loads(line) for line in self.place.alerts.read_text().splitlines()]

    def logged(self, event):
        lines = self.place.log.read_text().splitlines() if self.place.log.exists() else []
        return [row for row in map(json.loads, lines) if row["event"] == event]

    def spans(self, text, name="door"):
        query = Query(text=text, vector=PALETTE.encode_texts([text])[0], stream=name)
        found = [c for c in self.memory.recall(query) if c.score > 0.6]
        return sorted((s.t0_s - EPOCH_S, s.t1_s - EPOCH_S) for c in found for s in c.spans)


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path / "m")
    yield made
    made.memory.close()


def test_a_frame_can_be_found_before_its_event_is_closed(world):
    world.show("green", 20)
    world.show("red", 0.5)
    (found,) = world.frames.search(PALETTE.encode_texts(["red"])[0], Filter(), top=1, compared=20)
    assert found["t0_s"] == EPOCH_S + 20.5
    assert found["score"] > 0.9
    assert world.spans("red") == []  # the memory has it when the event is closed
    world.show("blue", 12)
    assert world.spans("red") != []


def test_a_camera_that_goes_away_closes_its_event_and_nothing_spans_the_gap(world):
    world.show("red", 5)
    world.idle(60)
    assert world.spans("red") == [(0.5, 5)]  # kept at once, not only when it comes back
    world.show("red", 5)  # shows just what it showed before
    world.idle(10)
    assert world.spans("red") == [(0.5, 5), (65.5, 70)]
    (status,) = world.watch.status()
    assert (status.gaps, status.encoded) == (1, 2)
    assert status.gap_s == pytest.approx(60.5)
    assert world.logged("gap") == [
        {"event": "gap", "stream": "door", "from_s": EPOCH_S + 5, "to_s": EPOCH_S + 65.5}
    ]


def test_a_long_quiet_scene_before_and_after_a_gap_keeps_the_gap(world):
    world.show("red", 40)  # the first event, and continuations of it
    world.idle(30)
    world.show("red", 40)
    world.idle(10)
    assert not any(t0_s < 45 and t1_s > 65 for t0_s, t1_s in world.spans("red"))
    assert world.spans("red")[-1][1] == pytest.approx(110)


def test_a_short_pause_is_no_gap(world):
    world.show("red", 4)
    world.idle(2)
    world.show("red", 4)
    assert world.watch.status()[0].gaps == 0


def test_a_clock_set_forward_is_a_gap_and_one_set_back_bends_no_time(world):
    world.show("red", 5)
    world.offset_s += 3600
    world.watch.look()
    world.show("green", 5)
    assert world.logged("gap")[0]["to_s"] - EPOCH_S == pytest.approx(3605.5)
    assert len(world.logged("clock set forward")) == 1
    before_s = world.watch.status()[0].last_s
    world.offset_s -= 1800
    times_s = []
    for _ in range(20):
        world.show("blue", 0.5)
        times_s.append(world.watch.status()[0].last_s)
    assert all(a < b for a, b in itertools.pairwise([before_s, *times_s]))


def test_a_second_run_goes_on_behind_the_first_and_the_time_between_is_a_gap(tmp_path):
    first = World(tmp_path / "m")
    first.show("red", 12)
    first.watch.run(_set(), lambda: None)
    first.memory.close()
    second = World(tmp_path / "m")
    second.monotonic_s += 100
    second.show("red", 5)
    second.watch.run(_set(), lambda: None)
    assert second.logged("gap")[-1]["to_s"] - second.logged("gap")[-1]["from_s"] == pytest.approx(88.5, abs=0.6)
    rows = sqlite3.connect(tmp_path / "m" / "memory.db")
    assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows.close()
    assert len(second.spans("red")) == 2
    second.memory.close()


def _set():
    stop = threading.Event()
    stop.set()
    return stop


def test_the_watch_ends_with_its_cameras_and_keeps_what_was_open(world):
    camera = world.cameras["door"]
    image = np.full((24, 32, 3), COLOURS["red"], np.uint8)

    def run():
        for i in range(10):
            camera.ring.put(Captured(taken_s=world.monotonic_s + i / 2, image=image, size=(32, 24)))
        camera.state = State.ENDED

    camera.run = run
    world.watch.run(threading.Event(), lambda: None)
    assert world.watch.status()[0].seen == 10
    assert len(world.spans("red")) == 1


def test_another_picture_size_goes_on_in_the_same_stream(world):
    world.show("red", 3, size=(32, 24))
    world.show("blue", 3, size=(64, 24))
    world.show("red", 3, size=(16, 16))
    world.idle(10)
    assert len(world.memory.streams()) == 1
    assert len(world.spans("blue")) == 1


def test_cameras_have_streams_gaps_and_alerts_of_their_own(tmp_path):
    alert = AlertConfig(text="red", cooldown_s=0)
    world = World(tmp_path / "m", names=("door", "yard"), alerts=[alert])
    for _ in range(10):
        world.show("red", 0.5, "door")
        world.show("green", 0.5, "yard")
    for _ in range(10):
        world.show("blue", 0.5, "yard")
    world.show("red", 1, "door")
    assert [status.gaps for status in world.watch.status()] == [1, 0]
    assert [row["stream"] for row in world.logged_alerts()] == ["door", "door"]  # again after the gap
    world.memory.close()


def test_what_is_masked_is_neither_seen_nor_kept(tmp_path):
    world = World(tmp_path / "m", zones={"do*": CameraZones(masks=[[[0, 0], [1, 0], [1, 1], [0, 1]]])})
    world.show("red", 5)
    world.show("blue", 5)
    world.idle(10)
    (status,) = world.watch.status()
    assert status.encoded == 1  # all pictures are alike
    assert world.spans("red") == []
    world.memory.close()


LEFT, RIGHT = ([[x, 0], [x + 0.5, 0], [x + 0.5, 1], [x, 1]] for x in (0, 0.5))


def test_zones_that_are_saved_part_no_visit_and_repeat_no_alert(tmp_path):
    """Saved again and again, with the same masks written as tuples; only other masks end what is open."""
    anybody, gate = AlertConfig(text="a person"), AlertConfig(text="a person", zone="gate")
    zones = {"door": CameraZones(zones={"gate": LEFT}, masks=[LEFT])}
    world = World(tmp_path / "m", alerts=[anybody, gate], zones=zones, senses=Senses(looking=(SeesRed(),)))

    def somebody_moves():
        for _ in range(3):
            world.show("red", 0.5)
            world.show("orange", 0.5)

    def visits_cut_off():
        visits = [visit for entity in world.memory.entities.entities() for visit in entity.visits]
        return [visit.cut_off for visit in sorted(visits, key=lambda visit: visit.t0_s)]

    world.show("blue", 3)
    for corners in (LEFT, RIGHT, [[0, 0], [1, 0], [1, 1], [0, 1]]):
        somebody_moves()
        world.watch.mark("door", CameraZones(zones={"gate": corners}, masks=[tuple(map(tuple, LEFT))]))
    somebody_moves()
    world.show("blue", 6)
    assert [row["zone"] for row in world.logged_alerts()] == ["", "gate"]  # once each for the one visit
    assert visits_cut_off() == [False]
    somebody_moves()
    world.watch.mark("door", CameraZones(masks=[LEFT[:3]]))
    somebody_moves()
    world.show("blue", 6)
    assert visits_cut_off() == [False, True, False]
    world.memory.close()


def test_what_is_older_than_so_many_days_goes_and_what_is_newer_stays(world):
    day_s = 86_400.0
    retention = Retention(world.memory, 2, lambda: world.monotonic_s + world.offset_s)
    assert retention.due() is None
    world.show("red", 5)
    world.idle(3 * day_s)
    world.show("blue", 5)
    world.idle(10)
    wanted = retention.due()
    assert wanted is not None
    world.watch.change(None, lambda: retention.delete(wanted))
    assert world.spans("red") == []
    assert len(world.spans("blue")) == 1
    world.show("green", 5)  # and it goes on
    world.idle(10)
    assert len(world.spans("green")) == 1
    assert retention.due() is None  # once a day


class Ears:
    """Hears what the test says."""

    def __init__(self):
        self.waiting, self.last, self.ended = [], [], False

    def hear(self, text, from_s, to_s, stream="door"):
        self.waiting.append(Said(stream=stream, t0_s=from_s, t1_s=to_s, text=text))

    def said(self):
        said, self.waiting = self.waiting, []
        return said

    def heard_s(self, stream):
        return 0.0, 0.0

    def drop(self, is_meant):
        self.waiting = [one for one in self.waiting if not is_meant(one.stream, one.t0_s, one.t1_s)]

    def end(self, patience_s):
        self.ended, self.waiting = True, self.waiting + self.last


@pytest.fixture
def heard(tmp_path):
    ears = Ears()
    made = World(tmp_path / "m", names=("door", "yard"), hearing=ears)
    made.ears = ears
    yield made
    made.memory.close()


def words(world, stream="door"):
    return [(note.kind, note.t0_s - EPOCH_S, note.text) for note in world.memory.notes(stream, 0, EPOCH_S * 2)]


def test_what_is_said_is_kept_with_its_time_also_where_the_camera_is_away(heard):
    heard.show("red", 5)
    heard.ears.hear("Good day.", 1002.0, 1003.0)
    heard.watch.write_said()
    heard.show("blue", 12)
    assert words(heard) == [("speech", 2.0, "Good day.")]
    heard.idle(60)  # its event is closed: nothing comes that would keep what waits
    heard.ears.hear("Who is there?", 1015.0, 1016.5)
    heard.watch.write_said()
    assert words(heard)[1:] == [("speech", 15.0, "Who is there?")]
    heard.show("green", 5)
    heard.idle(10)
    assert len(heard.spans("green")) == 1


def test_what_was_said_last_is_kept_when_the_watch_ends_or_a_camera_is_taken_away(heard):
    heard.show("red", 5)
    heard.watch.add("gate", heard.cameras["yard"])
    heard.watch.remove("gate")
    heard.ears.hear("Bye.", 1001.0, 1002.0, "gate")
    heard.watch.write_said()
    heard.ears.hear("Again.", 1003.0, 1004.0, "gate")
    heard.ears.last = [Said(stream="door", t0_s=1004.0, t1_s=1005.0, text="The end.")]
    heard.watch.run(_set(), lambda: None)
    assert heard.ears.ended
    assert words(heard, "gate") == [("speech", 1.0, "Bye."), ("speech", 3.0, "Again.")]
    assert words(heard) == [("speech", 4.0, "The end.")]


def test_what_was_said_in_a_time_that_is_forgotten_does_not_come_back(heard):
    heard.show("red", 20)
    heard.ears.hear("A secret.", 1004.0, 1006.0)
    heard.ears.hear("No secret.", 1016.0, 1017.0)
    heard.ears.hear("Elsewhere.", 1004.0, 1006.0, "yard")
    heard.watch.change(Filter(stream="door", before_s=EPOCH_S + 10), lambda: None)
    heard.watch.write_said()
    assert words(heard) == [("speech", 16.0, "No secret.")]
    assert words(heard, "yard") == [("speech", 4.0, "Elsewhere.")]
