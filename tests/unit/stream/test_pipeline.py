import threading
import time

import cv2
import numpy as np
import pytest

from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import SourceError
from hippocam.stream.gate import ChangeGate, GateConfig
from hippocam.stream.pipeline import Job, PipelineConfig, ahead, embed, encode_jpeg, run_local, split
from hippocam.stream.records import Embedding, Frame, Observation, Repeat


def picture(colour, size=(90, 160)):
    return np.full((*size, 3), colour, np.uint8)


RED, BLUE = picture((220, 30, 30)), picture((40, 80, 210))


class Scripted:
    """A source whose observations are given."""

    id, uri, duration_s = "script", "script", None

    def __init__(self, images, error=None):
        self._images, self._error = images, error

    def observations(self, *, fps, after_seq=-1):
        for seq, image in enumerate(self._images):
            if seq > after_seq:
                yield Observation(
                    seq=seq, time_s=seq / 2, images=image if isinstance(image, dict) else {"": image}
                )
        if self._error:
            raise self._error


def test_the_gate_passes_what_differs_from_the_last_kept_frame():
    gate = ChangeGate()
    assert gate.changed(RED)
    noise = np.random.default_rng(0).integers(-6, 7, RED.shape)
    assert not gate.changed((RED + noise).clip(0, 255).astype(np.uint8))
    person = RED.copy()
    person[30:50, 20:26] = 0  # 0.8 % of the picture
    assert gate.changed(person)
    assert gate.changed(RED)


def test_slow_drift_adds_up_until_the_gate_notices():
    gate = ChangeGate()
    kept = [level for level in range(100, 160) if gate.changed(picture(level))]
    assert kept[0] == 100
    assert set(np.diff(kept)) == {GateConfig().level + 1}


def test_the_gate_takes_a_change_of_resolution():
    gate = ChangeGate()
    assert gate.changed(RED)
    assert not gate.changed(picture((220, 30, 30), (180, 320)))


def test_every_camera_is_gated_by_itself():
    images = [{"left": RED, "right": BLUE}, {"left": RED, "right": RED}]
    items = list(split("rig", Scripted(images).observations(fps=None), GateConfig()))
    assert [(i.stream, i.seq, type(i)) for i in items] == [
        ("rig/left", 0, Frame),
        ("rig/right", 0, Frame),
        ("rig/left", 1, Repeat),
        ("rig/right", 1, Frame),
    ]


def test_embeddings_carry_vector_picture_and_true_time():
    (first, repeat, last) = [i for c in run_embed([RED, RED, BLUE]) for i in c]
    assert isinstance(first, Embedding)
    assert isinstance(repeat, Repeat)
    assert (first.time_s, repeat.time_s, last.time_s) == (0.0, 0.5, 1.0)
    assert last.vector @ PaletteEncoder().encode_texts(["blue"])[0] > 0.9
    decoded = cv2.cvtColor(cv2.imdecode(np.frombuffer(last.jpeg, np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert np.abs(decoded.astype(int) - BLUE).max() < 12


def run_embed(images, error=None, **kwargs):
    return embed(Job(source=Scripted(images, error), name="script", **kwargs), PaletteEncoder(), PipelineConfig())


def test_a_source_that_breaks_off_gives_what_it_had_first():
    chunks = run_embed([RED, BLUE, RED], SourceError("script", "cut"))
    assert [i.seq for i in next(chunks)] == [0, 1, 2]
    with pytest.raises(SourceError, match="cut"):
        next(chunks)


def test_the_local_run_reports_the_break_and_goes_on_with_the_next_job():
    jobs = [
        Job(source=Scripted([RED], SourceError("script", "cut")), name="a"),
        Job(source=Scripted([BLUE, RED]), name="b", after_seq=0),
    ]
    chunks = list(run_local(jobs, PaletteEncoder(), PipelineConfig()))
    assert [(c.job, [i.seq for i in c.items], c.ended, c.error is not None) for c in chunks] == [
        (0, [0], False, False),
        (0, [], True, True),
        (1, [1], False, False),
        (1, [], True, False),
    ]


def test_a_picture_is_made_smaller_and_never_larger():
    def size(image):
        return cv2.imdecode(np.frombuffer(encode_jpeg(image, 64, 80), np.uint8), 1).shape[:2]

    assert size(picture(9, (90, 160))) == (36, 64)
    assert size(picture(9, (20, 30))) == (20, 30)


def test_ahead_is_bounded_and_stops_with_its_consumer():
    made = []

    def items():
        for n in range(1000):
            made.append(n)
            yield n

    feed = ahead(items(), depth=3)
    assert next(feed) == 0
    time.sleep(0.3)
    assert len(made) <= 6  # one taken, three ready, one being handed over
    feed.close()
    assert not [t for t in threading.enumerate() if t.name == "hippocam-decode"]


@pytest.mark.parametrize(("name", "value"), [("fps", 0), ("chunk", 0), ("jpeg_quality", 101)])
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        PipelineConfig(**{name: value})
