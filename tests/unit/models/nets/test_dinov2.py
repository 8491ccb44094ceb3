from __future__ import annotations

import cv2
import numpy as np
import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.nets.dinov2 import DinoV2
from hippocam.models.nets.onnx_read import read_constants
from hippocam.models.weights import fetch


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    try:
        fetch("dinov2")
    except WeightsError as error:
        pytest.skip(f"DINOv2 cannot be fetched here: {error}")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Three drawn scenes, of other sizes."""
    rng, drawn = np.random.default_rng(0), []
    for height, width in ((224, 224), (90, 160), (480, 360)):
        canvas = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
        for _ in range(12):
            centre, colour = rng.integers(0, (width, height)).tolist(), rng.integers(0, 256, 3).tolist()
            cv2.circle(canvas, centre, int(rng.integers(5, height // 3)), colour, -1)
        drawn.append(canvas)
    return drawn


def test_unrounded_it_computes_what_the_published_model_computes(pictures: list[np.ndarray]) -> None:
    """Patches are what that model gives; its token of the whole is inside, and made an output here."""
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    model = onnx.load(str(fetch("dinov2")))
    inside = "/norm/Add_1_output_0"
    model.graph.output.append(onnx.helper.make_tensor_value_info(inside, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    network = DinoV2(1, rounded=False)
    for picture in pictures:
        square = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_CUBIC)
        if min(picture.shape[:2]) > 224:
            square = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA)
        normal = (square / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]  # of ImageNet
        patches, tokens = session.run(None, {"input": normal.transpose(2, 0, 1)[None].astype(np.float32)})
        found = network.tokens(picture)
        assert found[0] == pytest.approx(tokens[0, 0], abs=2e-3)
        assert found[1:] == pytest.approx(patches.reshape(64, 384), abs=2e-3)


def test_rounded_it_stays_near(pictures: list[np.ndarray]) -> None:
    exact, rounded = DinoV2(1, rounded=False), DinoV2(1)
    for picture in pictures:
        before, after = exact.tokens(picture), rounded.tokens(picture)
        cosines = (before * after).sum(1) / np.linalg.norm(before, axis=1) / np.linalg.norm(after, axis=1)
        assert not np.array_equal(before, after)
        assert cosines.mean() > 0.97
        assert np.array_equal(rounded.tokens(picture), after)


def test_constants_are_the_publishers() -> None:
    """Sizes of ViT-S/14 (Dosovitskiy et al. 2021; Oquab et al. 2023): 22 million numbers."""
    constants = read_constants(fetch("dinov2").read_bytes())
    assert constants["blocks.11.mlp.fc1.weight"].shape == (384, 1536)
    assert sum(values.size for values in constants.values()) == pytest.approx(22.06e6, rel=0.01)
