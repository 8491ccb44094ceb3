"""Deletion that deletes: what lies beside the memory goes with what the memory forgets."""

import os

import pytest

from hippocam.apps.live.folder import JsonLines, LiveFolder, Pictures
from hippocam.apps.live.forget import delete_footage, footage_bytes
from hippocam.memory.filter import Filter

T0 = 1_800_000_000


@pytest.fixture
def place(tmp_path):
    made = LiveFolder(tmp_path / "m")
    made.make()
    for stream in ("door", "back-yard"):
        folder = made.look_back(stream)
        folder.mkdir(parents=True)
        for second in range(0, 40, 10):
            path = folder / f"{(T0 + second) * 1000}.mkv"
            path.write_bytes(b"footage")
            os.utime(path, (T0 + second + 10, T0 + second + 10))
            Pictures(made.alert_pictures, 99).add(stream, second, T0 + second, b"picture")
            JsonLines(made.alerts).add({"event": "alert", "stream": stream, "time_s": T0 + second})
        JsonLines(made.log).add({"event": "gap", "stream": stream, "from_s": T0 + 12, "to_s": T0 + 14})
    return made


def left(place):
    footage = sorted(f"{p.parent.name} {int(p.stem) // 1000 - T0}" for p in place.path.glob("look-back/*/*"))
    pictures = sorted(p.stem.partition("-")[2] for p in place.alert_pictures.iterdir())
    return footage, pictures, place.alerts.read_text().count("\n"), place.log.read_text().count("\n")


def test_a_whole_stream_goes_and_the_others_stay(place, tmp_path):
    assert delete_footage(tmp_path / "m", Filter(stream="back-yard")) == 4 + 4 + 4 + 1
    footage, pictures, alerts, gaps = left(place)
    assert footage == ["door 0", "door 10", "door 20", "door 30"]
    assert pictures == ["door-0", "door-10", "door-20", "door-30"]
    assert (alerts, gaps) == (4, 1)


def test_a_stretch_of_time_goes_with_every_file_that_holds_some_of_it(place, tmp_path):
    delete_footage(tmp_path / "m", Filter(stream="door", after_s=T0 + 11, before_s=T0 + 25))
    footage, pictures, alerts, gaps = left(place)
    assert [name for name in footage if "door" in name] == ["door 0", "door 30"]
    assert [name for name in pictures if "door" in name] == ["door-0", "door-10", "door-30"]
    assert (alerts, gaps) == (7, 1)


def test_what_goes_is_told_before_in_bytes_and_a_camera_whose_footage_is_gone_is_in_nobodys_way(place, tmp_path):
    wanted = Filter(stream="door", after_s=T0 + 11, before_s=T0 + 25)
    assert footage_bytes(tmp_path / "m", wanted) == 2 * len(b"footage") + len(b"picture")
    delete_footage(tmp_path / "m", Filter(stream="door"))
    assert list(place.look_back("door").iterdir()) == []
    assert footage_bytes(tmp_path / "m", wanted) == 0
    assert delete_footage(tmp_path / "m", Filter(stream="back-yard", before_s=T0 + 5)) == 1 + 1 + 1


def test_where_nothing_was_live_there_is_nothing_to_do(tmp_path):
    assert delete_footage(tmp_path / "other", Filter(stream="door")) == 0


def test_what_a_killed_process_left_half_goes_with_the_rest_and_is_in_nobodys_way(place, tmp_path):
    with place.alerts.open("a") as file:
        file.write('{"event": "alert", "stream": "do')
    half = place.alert_pictures / f"{(T0 + 20) * 1000:013d}-door-20.140012"
    half.write_bytes(b"pict")
    delete_footage(tmp_path / "m", Filter(stream="door"))
    footage, pictures, alerts, _ = left(place)
    assert all("door" not in name for name in footage + pictures)
    assert alerts == 4
    assert "door" not in place.alerts.read_text()


def test_half_pictures_count_among_the_most_that_are_kept(tmp_path):
    pictures = Pictures(tmp_path, 2)
    (tmp_path / f"{T0 * 1000:013d}-door-0.140012").write_bytes(b"pict")
    kept = [pictures.add("door", number, T0 + number, b"picture") for number in (1, 2)]
    assert sorted(tmp_path.iterdir()) == kept
