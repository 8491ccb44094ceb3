"""What recalls says whether all was read, and takes what is open without reading the database."""

import threading
import time
from ctypes import c_bool
from multiprocessing import get_context

import numpy as np
import pytest

from hippocam.apps.robot.recaller import Recaller, RecallerJob, Request
from hippocam.apps.robot.records import Fresh, FreshFrame
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.rows import Condition
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding
from hippocam.stream.robot.shared_ring import SharedRing

SPEC = make_encoder("palette").spec
LATEST = Request(number=1, question=None, condition=Condition(), top=4)


@pytest.fixture
def job(tmp_path):
    return RecallerJob(
        folder=tmp_path / "robot",
        encoder="palette",
        memory=MemoryConfig(budget_bytes=2_000_000),
        fresh=SharedRing(4, 1 << 16),
        requests=SharedRing(2, 1 << 16),
        stop=get_context("spawn").Value(c_bool, False, lock=False),
    )


def test_an_answer_is_complete_once_what_the_memory_held_was_read(job):
    vector = np.eye(SPEC.dim, dtype=np.float32)[0]
    with Memory.open_writer(job.folder, encoder="palette", spec=SPEC, config=job.memory) as memory:
        memory.begin("robot/000000/front", uri="robot://robot")
        memory.write([Embedding(stream="robot/000000/front", seq=0, time_s=1.0, vector=vector, text="the task")])
        memory.finish("robot/000000/front")
    recaller = Recaller(job)
    before = recaller.answer(LATEST)
    assert not before.complete
    assert not before.entries
    following = threading.Thread(target=recaller.follow)
    following.start()
    while not (reply := recaller.answer(LATEST)).complete:
        time.sleep(0.01)
    job.stop.value = True
    following.join()
    assert [(entry.stream, entry.text, entry.image) for entry in reply.entries] == [
        ("robot/000000/front", "the task", "")
    ]


def test_what_is_open_is_known_while_the_database_is_not_read(job):
    recaller = Recaller(job)
    frame = FreshFrame("robot/000000/front", 2.0, 2.5, np.eye(SPEC.dim, dtype=np.float32)[1], None, "go")
    job.fresh.put(Fresh(frames=(frame,), as_of={"": (0, 2.5)}))
    recaller.take_fresh()
    reply = recaller.answer(LATEST)
    assert reply.as_of == {"": (0, 2.5)}
    assert [(entry.t0_s, entry.t1_s, entry.id) for entry in reply.entries] == [(2.0, 2.5, "")]
    assert not reply.complete
