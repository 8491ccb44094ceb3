"""Kept pictures looked at again: what they show, whether vectors were made of them, what is written there."""

import dataclasses

import cv2
import numpy as np
import pytest

from hippocam.apps.ask.checked import KeptPictures
from hippocam.memory.memory import Memory
from hippocam.memory.records import Level
from hippocam.models.errors import WeightsError
from hippocam.models.senses.ocr import Ocr
from hippocam.stream.records import Embedding, EncoderSpec

SPEC = EncoderSpec(id="colours:1", dim=3, normalised=True, midpoint=0.5, slope=20.0)
RED, GREEN, BLUE = np.eye(3, dtype=np.float32)


class Encoded:
    def __init__(self, vectors_ND):
        self.vectors_ND = vectors_ND


class Colours:
    """Sees the mean colour of a picture."""

    spec = SPEC

    def encode_images(self, images):
        means_ND = np.array([image.reshape(-1, 3).mean(axis=0) for image in images], np.float32)
        return Encoded(means_ND / np.linalg.norm(means_ND, axis=1, keepdims=True))


def picture(left, right):
    """A JPEG whose halves have two colours."""
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :32], image[:, 32:] = 250 * left, 250 * right
    return cv2.imencode(".jpg", image[..., ::-1])[1].tobytes()


@pytest.fixture
def checked(tmp_path):
    """Makes a memory of one entry with a picture and the vector that it is said to have; gives what checks it."""
    opened = []

    def make(jpeg, vector):
        memory = Memory.open_writer(tmp_path / "m", encoder="colours", spec=SPEC)
        opened.append(memory)
        memory.begin("shared", uri="/x/shared")
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        frames = [
            Embedding(stream="shared", seq=seq, time_s=float(seq), vector=unit, jpeg=jpeg) for seq in range(3)
        ]
        memory.write(frames)
        memory.finish("shared")
        (entry_id,) = memory.store.entries.ids()
        return KeptPictures(memory, Colours()), memory.entry(entry_id)

    yield make
    for memory in opened:
        memory.close()


def test_a_picture_that_its_vector_was_made_of_says_what_it_shows(checked):
    check, entry = checked(picture(RED, RED), RED + 0.2 * GREEN)
    assert check.cosine(entry, RED, None) == pytest.approx(1, abs=0.02)
    assert check.cosine(entry, BLUE, None) == pytest.approx(0, abs=0.05)


def test_a_vector_that_was_not_made_of_its_picture_is_believed_nothing(checked):
    """Also where the picture by chance is somewhat like what is asked for."""
    check, entry = checked(picture(RED, BLUE), GREEN + 0.2 * RED)
    assert check.cosine(entry, RED, None) == -1
    assert check.cosine(entry, RED, (0.0, 0.0, 0.5, 1.0)) == -1


def test_a_part_of_a_picture_is_looked_at_by_itself(checked):
    check, entry = checked(picture(RED, BLUE), RED + BLUE)
    half, whole = check.cosine(entry, RED, (0.0, 0.0, 0.4, 1.0)), check.cosine(entry, RED, None)
    assert half > whole == pytest.approx(0.7, abs=0.03)


def written(text):
    """A JPEG with a line of text."""
    image = np.full((200, 480, 3), 235, np.uint8)
    cv2.putText(image, text, (20, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (10, 10, 10), 2, cv2.LINE_AA)
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["locked", "door"], True),
        (["locked", "gate"], True),
        (["open", "gate", "door"], False),
        (["weather"], False),
        ([], False),
    ],
)
def test_words_are_borne_out_where_half_of_them_stand_in_the_kept_picture(checked, words, read):
    check, entry = checked(written("A Locked DOOR"), RED)
    assert check.reads(entry, words) is read


def test_nothing_is_borne_out_without_a_picture_or_without_a_reader_of_text(checked, monkeypatch):
    check, entry = checked(written("locked door"), RED)

    def gone(self, image):
        raise WeightsError("no network")

    monkeypatch.setattr(Ocr, "read", gone)
    assert not check.reads(entry, ["locked"])
    monkeypatch.undo()
    assert check.reads(entry, ["locked"])
    other = dataclasses.replace(entry, level=Level.VECTORS, id=entry.id + 1)
    assert not check.reads(other, ["locked"])
