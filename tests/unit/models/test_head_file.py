from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.fusion import Fusion
from hippocam.models.head_file import HEAD_FILE, Head, read_head, read_spec, write_head
from hippocam.stream.records import EncoderSpec


def rows(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fusion(weight: float) -> Fusion:
    return Fusion(
        conse_weight=weight,
        conse_image_mean_E=rows(0, 384) * 0.1,
        conse_text_mean_E=rows(1, 384) * 0.1,
        head_image_mean_D=rows(2, 16) * 0.1,
        head_text_mean_D=rows(3, 16) * 0.1,
    )


def test_written_head_is_read_back(tmp_path: Path) -> None:
    import torch

    from hippocam.models.caption_head import HeadConfig, build

    torch.manual_seed(0)
    config = HeadConfig(members=2, dim=8, hidden=32, queries=4)
    image, text = build(config)
    head = Head(image=image.eval(), text=text.eval(), fusion=fusion(0.25))
    spec = EncoderSpec(id="test:1", dim=400, normalised=True, midpoint=0.2, slope=12.5)
    write_head(tmp_path / "head.safetensors", head, config, spec)
    back = read_head(tmp_path / "head.safetensors")
    assert read_spec(tmp_path / "head.safetensors") == spec
    patches, sentences = rows(4, 3, 49, 320), rows(5, 3, 384) / 20
    assert back.image_vectors(patches) == pytest.approx(head.image_vectors(patches), abs=2e-3)  # float16 on disk
    assert back.text_vectors(sentences) == pytest.approx(head.text_vectors(sentences), abs=2e-3)
    assert back.fusion.conse_weight == 0.25
    assert back.fusion.head_text_mean_D == pytest.approx(head.fusion.head_text_mean_D, abs=1e-3)


def test_fused_product_is_the_weighted_mean_of_both_cosines() -> None:
    parts = fusion(0.3)
    conse, head, text, head_text = rows(6, 5, 384), rows(7, 5, 16), rows(8, 4, 384), rows(9, 4, 16)

    def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T

    expected = 0.3 * cosines(text - parts.conse_text_mean_E, conse - parts.conse_image_mean_E)
    expected += 0.7 * cosines(head_text - parts.head_text_mean_D, head - parts.head_image_mean_D)
    assert parts.texts(text, head_text) @ parts.images(conse, head).T == pytest.approx(expected, abs=1e-5)
    assert np.linalg.norm(parts.images(conse, head), axis=1) == pytest.approx(1, abs=1e-5)


def test_committed_head_is_small_and_has_its_card() -> None:
    assert HEAD_FILE.stat().st_size < 5e6
    card = HEAD_FILE.with_suffix(".md").read_text(encoding="utf-8")
    assert "research, non-commercial" in card
    assert read_spec().dim == 384 + read_head().image.dim
