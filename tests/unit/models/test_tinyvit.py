from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.onnx_read import read_constants
from hippocam.models.tinyvit import TinyViT, tinyvit_input
from hippocam.models.weights import WeightsError, fetch


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    try:
        fetch("tinyvit")
    except WeightsError as error:
        pytest.skip(f"TinyViT cannot be fetched here: {error}")


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_network_in_torch_is_the_onnx_model_also_after_it_learned() -> None:
    import torch

    from hippocam.models.tinyvit_network import TinyViTNetwork

    def patches(network: TinyViTNetwork) -> np.ndarray:
        with torch.inference_mode():
            rows = network(network.frozen(torch.from_numpy(tinyvit_input(picture()))))[0].numpy()
        return rows.reshape(7, 7, 320).transpose(1, 0, 2).reshape(49, 320)  # the model goes column by column

    network = TinyViTNetwork(drop_path=0.5).eval()
    before = patches(network)
    assert np.abs(before).max() > 10
    assert TinyViT(1).patches(picture()) == pytest.approx(before, abs=2e-3)
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in network.stages_3.parameters():
            weight += 0.01 * torch.randn_like(weight)
    assert np.abs(patches(network) - before).max() > 1
    changed = TinyViT(1, network.changes()).patches(picture())
    assert changed == pytest.approx(patches(network), abs=2e-3)


def test_constants_are_the_publishers() -> None:
    """Sizes of TinyViT-5M (Wu et al. 2022): 5.4 million numbers, of which 0.2 go with its classifier."""
    constants = read_constants(bytearray(Path(fetch("tinyvit")).read_bytes()))
    named = {name: values.shape for name, values in constants.items() if name.endswith((".weight", ".bias"))}
    assert named["patch_embed.conv1.weight"] == (32, 3, 3, 3)
    assert named["stages_3.blocks.1.mlp.fc1.weight"] == (320, 1280)
    assert sum(int(np.prod(shape)) for shape in named.values()) == pytest.approx(5.1e6, rel=0.02)
