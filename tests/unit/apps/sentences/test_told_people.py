"""People are told by their portraits, and never by one that is made only later."""

from types import SimpleNamespace

import numpy as np
import pytest

from hippocam.apps.sentences.people import People
from hippocam.memory.store.portraits import PortraitKey
from hippocam.models.encoders.bundled.head_file import ASSETS, read_spec
from hippocam.models.sentences.people import MEASURED_WITH
from hippocam.models.sentences.vectors import people_vectors
from hippocam.stream.records import EncoderSpec

OTHER = EncoderSpec(id="other:1", dim=385, normalised=True, midpoint=0.5, slope=10.0)


def key(visit_id, known_s):
    return PortraitKey(visit_id=visit_id, stream="cam", t0_s=0.0, t1_s=90.0, known_s=known_s)


class Portraits:
    """Two portraits: of a woman, known after 10 s, and of a man, known after 60 s."""

    def __init__(self):
        man, woman = people_vectors(read_spec(ASSETS))[:2]
        self.held = (key(1, 10.0), key(2, 60.0)), np.stack([woman - man, man - woman])

    def every(self):
        return self.held


@pytest.fixture
def memory():
    spec = read_spec(ASSETS)
    assert spec.id == MEASURED_WITH
    return SimpleNamespace(encoder=lambda: ("bundled", spec), store=SimpleNamespace(portraits=Portraits()))


@pytest.mark.parametrize(
    ("at_s", "told"),
    [(None, {1: "woman", 2: "man"}), (60.0, {1: "woman", 2: "man"}), (59.0, {1: "woman"}), (9.0, {})],
)
def test_a_portrait_counts_from_when_it_is_known(memory, at_s, told):
    assert People(memory).kinds(at_s) == {("cam", visit_id): kind for visit_id, kind in told.items()}


def test_portraits_that_change_are_told_anew(memory):
    people = People(memory)
    assert people.kinds()["cam", 1] == "woman"
    keys, vectors_ND = memory.store.portraits.held
    memory.store.portraits.held = keys, vectors_ND[::-1]
    assert people.kinds()["cam", 1] == "man"


def test_nothing_is_told_of_what_another_encoder_made(memory):
    memory.encoder = lambda: ("other", OTHER)
    assert People(memory).kinds() == {}
    memory.encoder = lambda: None
    assert People(memory).kinds() == {}
