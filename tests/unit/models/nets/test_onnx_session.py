"""How many threads a network takes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CHILD = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from hippocam.models.nets.onnx_graph import OnnxGraph
from hippocam.models.nets.onnx_session import open_session
graph = OnnxGraph("image", (1, 64, 64))
weight = graph.constant("weight", np.ones((64, 64), np.float32))
out = graph.node("MatMul", ["image", weight])
import onnxruntime
before = len(os.listdir("/proc/self/task"))
session = open_session(graph.to_bytes(out, (1, 64, 64)), 0)
session.run(None, {"image": np.ones((1, 64, 64), np.float32)})
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_a_process_that_was_given_one_core_gets_no_more_threads():
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, timeout=900)
    assert done.stdout.split() == ["0"]
