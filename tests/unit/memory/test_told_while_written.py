"""A memory that is written tells others in its process what it holds, and none of them waits for ever.

SQLite calls back into Python for checksums while it holds its connection. A thread that holds Python's lock and
waits for that connection would then wait for the one that needs the lock: only a process of its own can show it.
"""

import subprocess
import sys

_PROGRAM = """
import sys, threading
import numpy as np
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncoderSpec

spec = EncoderSpec(id="test:1", dim=16, normalised=True, midpoint=0.5, slope=20.0)
rng, over = np.random.default_rng(0), threading.Event()
with Memory.open_writer(sys.argv[1], encoder="test", spec=spec, config=MemoryConfig()) as memory:
    memory.begin("cam", uri="/x/cam.mp4")
    def tell():
        while not over.is_set():
            memory.tiers()
    threads = [threading.Thread(target=tell) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seq in range(300):
        vector = rng.normal(size=16).astype(np.float32)
        vector /= np.linalg.norm(vector)
        memory.write([Embedding(stream="cam", seq=seq, time_s=float(seq), vector=vector, jpeg=b"x" * 100)])
    over.set()
    for thread in threads:
        thread.join()
    print(memory.tiers()[-1].entries > 0)
"""


def test_what_is_held_is_told_while_events_are_written(tmp_path):
    program = [sys.executable, "-c", _PROGRAM, str(tmp_path / "memory")]
    done = subprocess.run(program, capture_output=True, text=True, timeout=600, check=False)
    assert done.stdout.split() == ["True"], done.stderr
