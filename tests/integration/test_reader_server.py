"""The reader `openai` against a real server with a real, small language model: llama-cpp-python's own."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from hippocam.memory.records import Evidence
from hippocam.models.readers.context import ContextConfig, build_context
from hippocam.models.readers.openai import OpenAIConfig, OpenAIReader


@pytest.fixture(scope="module")
def server(load_helpers):
    """Start it on a free port of this machine; gives its address."""
    model = load_helpers("gguf_model.py").model_or_skip()
    pytest.importorskip("sse_starlette", reason="llama-cpp-python[server] is not installed")
    pytest.importorskip("starlette_context", reason="llama-cpp-python[server] is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", model, "--host", "127.0.0.1"]
    command += ["--port", port, "--n_ctx", 2048, "--n_threads", 2]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )  # fmt: skip
    started, log = threading.Event(), []

    def read():
        for line in process.stderr:
            log.append(line)
            if "Uvicorn running" in line:
                started.set()
        started.set()

    reading = threading.Thread(target=read)
    reading.start()
    assert started.wait(600), "".join(log[-20:])
    assert process.poll() is None, "".join(log[-20:])
    yield f"http://127.0.0.1:{port}/v1"
    process.terminate()
    process.wait(600)
    reading.join()
    process.stderr.close()


@pytest.mark.parametrize("response_format", ["", "json_object"])
def test_a_real_server_is_asked_and_its_answer_checked(server, response_format, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    config = OpenAIConfig(
        base_url=server, model="smollm2", images=False, response_format=response_format, max_tokens=60, retries=0
    )
    reader = OpenAIReader(config, ContextConfig(tokens=1500, live_frames=0))
    evidence = [
        Evidence(
            id=f"id{k}", stream="driveway", t0_s=10.0 * k, t1_s=10.0 * k + 5, score=0.9, why="", image="",
            frame_s=10.0 * k, sentence="a blue car",
        )
        for k in (1, 2)
    ]  # fmt: skip
    reading = reader.read(build_context("When was a blue car there?", evidence, [], reader.budget))
    assert [given.mark for given in reading.given] == ["E1", "E2"]
    assert bool(reading.evidence_ids) != reading.unknown
    assert set(reading.evidence_ids) <= {"id1", "id2"}
