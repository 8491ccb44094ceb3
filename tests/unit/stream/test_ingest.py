import cv2
import numpy as np
import pytest

from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.ingest import Ingest, run_local
from hippocam.stream.pipeline import Job, PipelineConfig
from hippocam.stream.records import Embedding, Observation, Repeat


def picture(colour, size=(90, 160)):
    return np.full((*size, 3), colour, np.uint8)


RED, BLUE = picture((220, 30, 30)), picture((40, 80, 210))


class Scripted:
    """A source whose observations are given."""

    id, uri, duration_s, keyframes_only = "script", "script", None, False

    def __init__(self, images, error=None):
        self._images, self._error = images, error

    def notes(self, stream, *, hearing, stretch=None, after_s=None):
        return iter(())

    def segments(self, segment_s):
        return 1

    def observations(self, *, fps, after_seq=-1, stretch=None):
        for seq, image in enumerate(self._images):
            if seq > after_seq:
                yield Observation(
                    seq=seq, time_s=seq / 2, images=image if isinstance(image, dict) else {"": image}
                )
        if self._error:
            raise self._error


def test_embeddings_carry_vector_picture_and_true_time():
    (first, repeat, last) = [i for c in run([RED, RED, BLUE]) for i in c]
    assert isinstance(first, Embedding)
    assert isinstance(repeat, Repeat)
    assert (first.time_s, repeat.time_s, last.time_s) == (0.0, 0.5, 1.0)
    assert last.vector @ PaletteEncoder().encode_texts(["blue"])[0] > 0.9
    decoded = cv2.cvtColor(cv2.imdecode(np.frombuffer(last.jpeg, np.uint8), 1), cv2.COLOR_BGR2RGB)
    assert np.abs(decoded.astype(int) - BLUE).max() < 12


def run(images, error=None, **kwargs):
    job = Job(source=Scripted(images, error), name="script", **kwargs)
    return Ingest(PaletteEncoder(), PipelineConfig()).run(job)


def test_a_source_that_breaks_off_gives_what_it_had_first():
    chunks = run([RED, BLUE, RED], SourceError("script", "cut"))
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


def test_an_encoder_that_fails_is_no_fault_of_the_source():
    class Broken:
        def encode_images(self, images):
            raise RuntimeError("out of memory")

    job = Job(source=Scripted([RED]), name="a")
    with pytest.raises(HippocamError, match="the encoder failed .RuntimeError: out of memory.") as raised:
        list(run_local([job], Broken(), PipelineConfig()))
    assert not isinstance(raised.value, SourceError)
