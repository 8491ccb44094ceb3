"""Entries of a small memory in words: what the detector saw and what was read is known, pictures are colours."""

import numpy as np
import pytest

from hippocam.apps.sentences.sentences import Sentences
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.models.sentences.compose import NOTHING_KNOWN
from hippocam.stream.records import Embedding, Sensed, Thing

LOOKS = np.eye(8, dtype=np.float32)
ENCODER = make_encoder("palette")


def person(index):
    return Thing(
        label="person", score=0.9, box=(0.1 + 0.3 * index, 0.2, 0.3 + 0.3 * index, 0.9), vector=LOOKS[index]
    )


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    """A wall of six colours, 10 s each: a person from 10 s, a second from 20 s, then nobody; a sign at 40 s."""
    folder = tmp_path_factory.mktemp("memory")
    colours = ENCODER.encode_texts(["red", "green", "blue", "yellow", "purple", "white"])
    with Memory.open_writer(folder, encoder="palette", spec=ENCODER.spec) as writer:
        writer.begin("door", uri="door", fps=1)
        for second in range(60):
            people = [person(k) for k, (t0_s, t1_s) in enumerate(((10, 30), (20, 30))) if t0_s <= second < t1_s]
            screen = ("DOOR CAMERA", *(["CLOSED ON SUNDAY"] if 40 <= second < 50 else []))
            item = Embedding(
                stream="door", seq=second, time_s=float(second), vector=colours[second // 10], jpeg=b"x",
                text="pick up the yellow bottle", sensed=Sensed(things=tuple(people), screen=screen),
            )  # fmt: skip
            writer.write([item])
        writer.finish("door")
    with Memory.open_reader(folder) as reader:
        yield reader


def sentence_at(memory, time_s, at_s=None):
    entry_id = memory.entry_at("door", time_s)
    return Sentences(memory).of_entry(memory.entry(entry_id), at_s)


def test_people_are_those_who_were_there_at_the_time_of_the_picture(memory):
    assert "person" not in sentence_at(memory, 5)
    assert sentence_at(memory, 15).startswith("a person ")
    assert sentence_at(memory, 25).startswith("two people ")
    assert not {"person", "people"} & set(sentence_at(memory, 35).split())


def test_what_is_read_is_quoted_but_for_what_stands_there_all_the_time(memory):
    told = sentence_at(memory, 45)
    assert told.endswith("with the words “CLOSED ON SUNDAY”")
    assert "DOOR CAMERA" not in told


def test_what_a_robot_was_told_is_not_quoted_as_if_it_stood_there(memory):
    assert all("bottle" not in sentence_at(memory, time_s) for time_s in (5, 15, 25, 45))


def test_nothing_later_is_told(memory):
    """The second person is known from the first frame that shows her; as the stream ended before, she was not."""
    assert sentence_at(memory, 25, at_s=29.0).startswith("two people ")
    assert sentence_at(memory, 25, at_s=15.0).startswith("a person ")


def test_a_memory_of_an_encoder_that_is_not_to_be_had_still_tells_who_was_there(memory, monkeypatch):
    monkeypatch.setattr(type(memory), "encoder", lambda self: ("gone", ENCODER.spec))
    assert sentence_at(memory, 25) == "two people"


def test_a_frame_that_is_not_kept_yet_is_told_from_what_was_found_in_it(memory):
    told = Sentences(memory).of_frame(ENCODER.encode_texts(["green"])[0], ["person", "person"], ["NO ENTRY HERE"])
    assert told.startswith("two people ")
    assert told.endswith("with the words “NO ENTRY HERE”")


def test_a_stretch_is_told_by_the_moment_nearest_to_its_mean(memory):
    sentences = Sentences(memory)
    assert sentences.of_span("door", 20, 29) == sentence_at(memory, 25)
    assert sentences.of_span("nowhere", 0, 9) == NOTHING_KNOWN
