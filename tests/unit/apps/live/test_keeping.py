"""Which footage is kept by event, and for how long."""

import numpy as np
import pytest

from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.forget import delete_footage
from hippocam.apps.live.keeping import FootageKeeper, KeepConfig
from hippocam.memory.filter import Filter
from hippocam.stream.records import Embedding, Repeat, Sensed, Thing

T0, STEP_S, LENGTH_S = 1_800_000_000, 2, 60
THING = Thing(label="person", score=0.9, box=(0.1, 0.1, 0.5, 0.9), vector=np.ones(4, np.float32) / 2)


@pytest.fixture
def place(tmp_path):
    """A minute of footage of two cameras, in files of two seconds and 400 kB."""
    made = LiveFolder(tmp_path / "m")
    made.make()
    for stream in ("door", "yard"):
        folder = made.look_back(stream)
        folder.mkdir(parents=True)
        for second in range(0, LENGTH_S, STEP_S):
            (folder / f"{(T0 + second) * 1000}.mkv").write_bytes(bytes(400_000))
    return made


def frame(second, *, changed=True, things=(), stream="door"):
    if not changed:
        return Repeat(stream=stream, seq=second, time_s=T0 + second)
    return Embedding(
        stream=stream, seq=second, time_s=T0 + second, vector=np.ones(4, np.float32), jpeg=b"x",
        sensed=Sensed(things=tuple(things)),
    )  # fmt: skip


def kept(place, stream="door"):
    return sorted(int(path.stem) // 1000 - T0 for path in place.kept(stream).glob("*.mkv"))


@pytest.mark.parametrize(
    ("what", "seconds"),
    [
        ("nothing", []),
        ("alerts", [16, 18, 20, 22]),  # 20 s, with 4 s before and after
        ("things", [16, 18, 20, 22, 36, 38, 40, 42]),
        ("motion", [0, 2, 16, 18, 20, 22, 36, 38, 40, 42]),
        ("all", list(range(0, LENGTH_S - STEP_S, STEP_S))),  # but for the newest, which is open
    ],
)
def test_files_around_an_event_are_kept(place, what, seconds):
    keeper = FootageKeeper(KeepConfig(what=what, before_s=4, after_s=4), place)
    for second in range(LENGTH_S):
        changed = second in (0, 20, 40)
        item = frame(second, changed=changed, things=[THING] if second in (20, 40) else ())
        keeper.see(item, alerted=second == 20)
    keeper.look(T0 + LENGTH_S)
    assert kept(place) == seconds
    assert kept(place, "yard") == []


def test_what_is_kept_outlives_the_look_back_and_takes_no_room_twice(place):
    keeper = FootageKeeper(KeepConfig(what="alerts", before_s=1, after_s=1), place)
    keeper.see(frame(20), alerted=True)
    keeper.look(T0 + 30)
    (first, *_) = sorted(place.kept("door").iterdir())
    assert first.stat().st_nlink == 2
    for path in place.look_back("door").iterdir():
        path.unlink()
    assert first.stat().st_size == 400_000


def test_an_event_at_the_end_is_kept_once_its_files_are_closed(place):
    keeper = FootageKeeper(KeepConfig(what="alerts", before_s=0, after_s=6), place)
    keeper.see(frame(58), alerted=True)
    keeper.look(T0 + 59)
    assert kept(place) == []
    for second in range(60, 70, STEP_S):
        (place.look_back("door") / f"{(T0 + second) * 1000}.mkv").write_bytes(b"more")
    keeper.look(T0 + 70)
    assert kept(place) == [58, 60, 62]


def test_the_budget_holds_for_all_cameras_and_the_oldest_goes_first(place):
    keeper = FootageKeeper(KeepConfig(what="all", mb=2), place)
    for second in range(0, LENGTH_S, 2):
        for stream in ("door", "yard"):
            keeper.see(frame(second, stream=stream), alerted=False)
    keeper.look(T0 + LENGTH_S)
    sizes = [path.stat().st_size for path in place.path.glob("kept/*/*.mkv")]
    assert sum(sizes) == 2_000_000
    assert min(kept(place) + kept(place, "yard")) >= 52


def test_what_is_forgotten_is_not_kept_either(place, tmp_path):
    keeper = FootageKeeper(KeepConfig(what="all"), place)
    for second in range(0, LENGTH_S, 2):
        keeper.see(frame(second), alerted=False)
    keeper.look(T0 + LENGTH_S)
    delete_footage(tmp_path / "m", Filter(stream="door", before_s=T0 + 30))
    assert min(kept(place)) >= 30


@pytest.mark.parametrize("wrong", [{"what": "cats"}, {"before_s": -1}, {"mb": 0}])
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(ValueError, match="footage|seconds"):
        KeepConfig(**wrong)
