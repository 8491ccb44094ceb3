"""Open frames, the socket that answers for them, and the folder where they are."""

import threading
from pathlib import Path

import numpy as np
import pytest

from hippocam.apps.errors import LiveError
from hippocam.apps.live.endpoint import Endpoint, ask_live
from hippocam.apps.live.folder import JsonLines, LiveFolder, Pictures
from hippocam.apps.live.open_frames import OpenFrames, answer_latest, answer_open, latest_frames, open_moments
from hippocam.memory.filter import Filter
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Evidence
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.records import Embedding, Repeat

PALETTE = PaletteEncoder()
RED, BLUE = (220, 30, 30), (40, 80, 210)


def seen(stream, seq, time_s, colour):
    encoded = PALETTE.encode_images([np.full((9, 9, 3), colour, np.uint8)])
    return Embedding(stream=stream, seq=seq, time_s=time_s, vector=encoded.vectors_ND[0], jpeg=b"\xff\xd8")


def with_open_moments(memory, held, query):
    every = (*held, *open_moments(memory, held, query))
    return tuple(sorted(every, key=lambda moment: -moment.score)[: max(query.top, len(held))])


def asked(text, **conditions):
    return Query(text=text, vector=PALETTE.encode_texts([text])[0], **conditions)


@pytest.fixture
def frames(tmp_path):
    made = OpenFrames(PALETTE.spec, 15.0, tmp_path / "shown")
    made.add([seen("door", 0, 100, BLUE), seen("yard", 0, 100, BLUE), seen("door", 1, 101, RED)])
    return made


@pytest.fixture
def memory(tmp_path, frames):
    place = LiveFolder(tmp_path / "m")
    place.make()

    def handle(request):
        if request["op"] == "latest":
            return answer_latest(request, frames)
        return answer_open(request, frames, dim=12, compared=20)

    with Endpoint(place.socket, handle):
        yield tmp_path / "m"


def test_the_newest_of_the_frames_that_show_it_best_is_given_one_a_camera(frames):
    frames.add([seen("door", 2, 102, RED), Repeat(stream="door", seq=3, time_s=103)])
    best, other = frames.search(asked("red").vector, Filter(), top=5, compared=20)
    assert (best["id"], best["t0_s"], best["t1_s"]) == ("open-door-2", 102, 103)
    assert best["score"] > 0.9
    assert Path(best["image"]).read_bytes() == b"\xff\xd8"
    assert other["stream"] == "yard"
    assert other["score"] < 0.5


def test_frames_are_held_no_longer_than_an_event_may_be_open(frames):
    frames.add([Repeat(stream="door", seq=2, time_s=118)])
    (found,) = frames.search(asked("blue").vector, Filter(stream="door"), top=5, compared=20)
    assert found["t0_s"] == 101  # the blue one is past, the red one still shown
    frames.add([seen("door", 9, 200, BLUE)])
    (found,) = frames.search(asked("red").vector, Filter(stream="door"), top=5, compared=20)
    assert found["t0_s"] == 200


def test_a_question_to_a_running_process_finds_what_is_open(memory):
    (best, *_) = with_open_moments(memory, [], asked("red"))
    assert (best.stream, best.t0_s, best.id) == ("door", 101, "open-door-1")
    assert "still open" in best.why


def test_what_is_open_is_worded_from_its_vector_and_what_was_found_in_it(memory):
    def wording(vector, labels, lines):
        return f"{len(vector)} numbers, things {list(labels)}, lines {list(lines)}"

    query = asked("red")
    (best, *_) = open_moments(memory, [], query, wording)
    assert best.sentence == f"{len(query.vector)} numbers, things [], lines []"
    assert open_moments(memory, [], query)[0].sentence == ""


def test_what_the_memory_gave_is_not_given_twice(memory):
    span = {"t0_s": 99, "t1_s": 101.5, "frame_s": 100, "spans": ((99, 101.5),)}
    held = Evidence(id="0" * 16, stream="door", score=0.7, why="", image="", **span)
    found = with_open_moments(memory, [held], asked("red"))
    assert [moment.id for moment in found] == ["0" * 16, "open-yard-0"]


def test_an_event_that_ends_where_the_open_one_begins_does_not_hide_it(memory):
    span = {"t0_s": 99, "t1_s": 101, "frame_s": 100, "spans": ((99, 101),)}
    before = Evidence(id="0" * 16, stream="door", score=0.1, why="", image="", **span)
    assert with_open_moments(memory, [before], asked("red"))[0].id == "open-door-1"


def test_the_newest_frames_of_a_camera_come_whole(memory, frames):
    for seq in range(2, 20):
        frames.add([seen("door", seq, 100 + seq / 10, BLUE)])
    got = latest_frames(memory, "door")
    assert [frame.seq for frame in got] == list(range(12, 20))
    assert np.allclose(got[-1].vector, seen("door", 0, 0, BLUE).vector)
    assert got[-1].jpeg == b"\xff\xd8"
    assert latest_frames(memory, "nowhere") == []
    assert latest_frames(memory.with_name("other"), "door") == []


def test_a_closed_event_is_open_no_more(memory, frames):
    frames.close("door")
    assert [moment.stream for moment in with_open_moments(memory, [], asked("red"))] == ["yard"]


@pytest.mark.parametrize(
    ("conditions", "times"),
    [({"at_s": 100.5}, [100, 100]), ({"stream": "yard"}, [100]), ({"after_s": 100.5}, [101]), ({"top": 1}, [101])],
)
def test_conditions_hold_for_open_events_too(memory, conditions, times):
    assert [moment.t0_s for moment in with_open_moments(memory, [], asked("red", **conditions))] == times


def test_a_place_is_not_known_of_an_open_event(memory):
    assert with_open_moments(memory, [], asked("red", near=(0, 0, 1))) == ()


def test_without_a_live_process_the_memory_answers_alone(tmp_path):
    assert with_open_moments(tmp_path / "m", [], asked("red")) == ()


def test_a_wrong_request_is_refused_in_words(memory):
    socket = LiveFolder(memory).socket
    with pytest.raises(LiveError, match="12 numbers"):
        ask_live(socket, {"op": "open", "vector": [1.0], "top": 1})
    with pytest.raises(LiveError, match="'vector'"):
        ask_live(socket, {"op": "open"})


def test_what_a_killed_process_left_behind_answers_for_nobody(tmp_path):
    place = LiveFolder(tmp_path / "m")
    place.make()
    place.socket.touch()
    assert ask_live(place.socket, {"op": "status"}) is None
    with Endpoint(place.socket, lambda request: {"ok": True}):
        assert ask_live(place.socket, {"op": "status"}) == {"ok": True}
        assert place.socket.stat().st_mode & 0o077 == 0
    assert not place.socket.exists()


def test_a_folder_with_a_long_name_is_no_obstacle(tmp_path):
    place = LiveFolder(tmp_path / ("long-" * 20) / ("name-" * 20))
    place.path.mkdir(parents=True)
    with Endpoint(place.socket, dict):
        assert ask_live(place.socket, {"op": "x"}) == {"op": "x"}


def test_many_ask_at_once(memory):
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(with_open_moments(memory, [], asked("red"))))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20
    assert all(answer[0].id == "open-door-1" for answer in answers)


def test_a_line_that_cannot_be_written_is_said_once_and_stops_nobody(tmp_path, caplog):
    lines = JsonLines(tmp_path / "live" / "log.jsonl")
    (tmp_path / "live").write_bytes(b"a file where the folder was")
    for number in range(3):
        lines.add({"number": number})
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    (tmp_path / "live").unlink()  # as where there is room again
    lines.add({"number": 3})
    assert (tmp_path / "live" / "log.jsonl").read_text() == '{"number": 3}\n'


def test_the_log_and_the_pictures_are_bounded(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl", 1000)
    for n in range(500):
        log.add({"n": n})
        assert sum(p.stat().st_size for p in tmp_path.glob("log.jsonl*")) <= 2100
    pictures = Pictures(tmp_path / "p", 5)
    for n in range(20):
        pictures.add("door", n, 1000 + n, b"x")
    assert len(list((tmp_path / "p").iterdir())) == 5
    assert (tmp_path / "p" / "0000001019000-door-19.jpg").exists()
