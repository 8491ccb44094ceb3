"""The page's picture from above, of a robot's memory and of one without any robot."""

import numpy as np
import pytest
from fastapi.testclient import TestClient

from hippocam import Session
from hippocam.apps.web.server import build_app
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.models.registry import make_encoder
from hippocam.stream.records import Embedding, Sensors

LOCAL = "http://127.0.0.1:7860"


def answered(folder, find=""):
    with Session(folder) as session, TestClient(build_app(session), base_url=LOCAL) as client:
        return client.get("/hippocam/memory/overhead", params={"find": find})


@pytest.mark.parametrize("posed", [True, False])
def test_a_robots_memory_has_a_picture_from_above(tmp_path, posed):
    encoder = make_encoder("palette")
    config = MemoryConfig(budget_bytes=2_000_000)
    with Memory.open_writer(tmp_path / "m", encoder="palette", spec=encoder.spec, config=config) as memory:
        memory.begin("drive", uri="robot://drive")
        for seq in range(10):
            vector = encoder.encode_images([np.full((8, 8, 3), 20 * seq, np.uint8)]).vectors_ND[0]
            sensors = Sensors(pose=np.array([seq, 0, 0, 0, 0, 0, 1.0])) if posed else Sensors()
            memory.write(
                [Embedding(stream="drive", seq=seq, time_s=seq, vector=vector, jpeg=b"", sensors=sensors)]
            )
        memory.finish("drive")
    plain, found = answered(tmp_path / "m"), answered(tmp_path / "m", "something black")
    if posed:
        assert plain.headers["content-type"] == "image/png"
        assert plain.content.startswith(b"\x89PNG")
        assert found.content != plain.content
    else:
        assert (plain.status_code, plain.content) == (204, b"")
