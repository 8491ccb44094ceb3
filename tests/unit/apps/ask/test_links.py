"""Where a thing was before it came: by the visits of the same thing; recall of the words alone finds others."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.apps.api import answer_json
from hippocam.apps.ask import ask as asking
from hippocam.apps.session import Session
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Embedding, Sensed, Thing

YARDS, VISITS = 8, 4
LOOKS = {"car": np.eye(4, dtype=np.float32)[0], "dog": np.eye(4, dtype=np.float32)[1]}


def planned(seed):
    """Visits of a car and a dog by turns, each on one side of the picture: (label, t0_s, t1_s, box)."""
    rng = np.random.default_rng(seed)
    visits, time_s = [], 5
    for k in range(2 * VISITS):
        length_s, left = int(rng.integers(6, 12)), 0.05 if rng.random() < 0.5 else 0.75
        visits.append(("car" if k % 2 else "dog", time_s, time_s + length_s, (left, 0.4, left + 0.2, 0.6)))
        time_s += length_s + int(rng.integers(8, 15))
    return visits, time_s


def picture(box):
    image = np.full((120, 160, 3), 128, np.uint8)
    if box is not None:
        x0, y0, x1, y1 = box
        image[int(120 * y0) : int(120 * y1), int(160 * x0) : int(160 * x1)] = (200, 30, 30)
    return encode_jpeg(image, 160, 90)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("links") / "m"
    palette = make_encoder("palette")
    grey = palette.encode_images([np.full((48, 64, 3), 128, np.uint8)]).vectors_ND[0]
    with Memory.open_writer(folder, encoder="palette", spec=palette.spec) as memory:
        for seed in range(YARDS):
            visits, end_s = planned(seed)
            memory.begin(f"yard{seed}", uri="yard", fps=1, senses=("things test:1",))
            for seq in range(end_s):
                there = next((visit for visit in visits if visit[1] <= seq < visit[2]), None)
                label, _, _, box = there or (None, 0, 0, None)
                things = () if there is None else (Thing(label=label, score=0.9, box=box, vector=LOOKS[label]),)
                memory.write(
                    [
                        Embedding(
                            stream=f"yard{seed}", seq=seq, time_s=float(seq), vector=grey, jpeg=picture(box),
                            sensed=Sensed(things=things),
                        )
                    ]
                )  # fmt: skip
            memory.finish(f"yard{seed}")
    return folder


def right(session):
    """In how many yards the first moment that an answer cites is the car's last visit but one."""
    count = 0
    for seed in range(YARDS):
        cars = [visit for visit in planned(seed)[0] if visit[0] == "car"]
        answer = session.ask("Where was the car before it came in?", stream=f"yard{seed}")
        first = next((moment for moment in answer.evidence if moment.id in answer.cited), None)
        count += first is not None and abs(first.t0_s - cars[-2][1]) <= 1 and abs(first.t1_s - cars[-2][2]) <= 1
    return count


def test_links_find_what_the_words_alone_do_not(folder, monkeypatch):
    with Session(folder) as session:
        linked = right(session)
        monkeypatch.setattr(asking, "where_before", lambda *arguments: None)
        flat = right(session)
    print(f"right: {linked} with links, {flat} without, of {YARDS}")
    assert linked == YARDS
    assert flat <= YARDS / 4


def test_the_path_is_told(folder):
    with Session(folder) as session:
        answer = session.ask("Where was the car before?", stream="yard0")
        earlier = session.ask("Where was the car before?", stream="yard0", at_s=planned(0)[0][-1][1] - 1.0)
    cars = [visit for visit in planned(0)[0] if visit[0] == "car"]
    assert [step.link.value for step in answer.path] == ["found", "same thing, before"]
    assert [step.t1_s for step in answer.path] == pytest.approx([cars[-1][2], cars[-2][2]], abs=1)
    assert [step["link"] for step in answer_json(answer)["path"]] == ["found", "same thing, before"]
    assert "The same car: it came back at" in answer.answer
    assert all(step.t1_s < cars[-1][1] for step in earlier.path)


@pytest.mark.parametrize(
    "question", ["Where was the car?", "Where was the unicorn before?", "Where was the dog before the car came?"]
)
def test_other_questions_follow_no_link(folder, question):
    with Session(folder) as session:
        assert session.ask(question, stream="yard0").path == ()
