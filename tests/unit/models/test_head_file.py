from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.fusion import CALL, Fusion
from hippocam.models.head_file import ASSETS, FILES, Head, read_head, read_spec, write_head
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import EncoderSpec


def rows(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fusion(weight: float) -> Fusion:
    return Fusion(
        conse_weight=weight,
        crowd=0.02,
        conse_image_mean_E=rows(0, 384) * 0.1,
        conse_text_mean_E=rows(1, 384) * 0.1,
        head_image_mean_D=rows(2, 16) * 0.1,
        head_text_mean_D=rows(3, 16) * 0.1,
        bank_QJ=unit_rows(rows(4, 30, 400)),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    import torch

    from hippocam.models.caption_head import HeadConfig, ImageHead, TextHead

    torch.manual_seed(0)
    config = HeadConfig(dim=16, hidden=32, pooled=24, queries=4)
    name = "encoder.layer.5.output.dense.weight"
    head = Head(
        config=config,
        image=ImageHead(config).eval(),
        text=TextHead(config).eval(),
        fusion=fusion(0.25),
        tinyvit={
            "stages_3.blocks.0.mlp.fc1.weight": rows(10, 6, 5),
            "stages_3.blocks.0.mlp.fc1.bias": rows(11, 6),
        },
        minilm={name: (rows(12, 9, 2), rows(13, 2, 7))},
    )
    spec = EncoderSpec(id="test:1", dim=401, normalised=True, midpoint=0.2, slope=12.5)
    assert [path.name for path in write_head(tmp_path, head, spec)] == list(FILES)
    back = read_head(tmp_path)
    assert read_spec(tmp_path) == spec
    patches, pooled, sentences = rows(5, 3, 49, 320), rows(6, 3, 1280), unit_rows(rows(7, 3, 384))
    expected = head.image_vectors(patches, pooled)
    assert (back.image_vectors(patches, pooled) * expected).sum(1) == pytest.approx(1, abs=1e-3)  # bytes on disk
    assert (back.text_vectors(sentences) * head.text_vectors(sentences)).sum(1) == pytest.approx(1, abs=1e-3)
    assert (back.fusion.conse_weight, back.fusion.crowd) == (0.25, 0.02)
    assert np.array_equal(back.fusion.head_text_mean_D, head.fusion.head_text_mean_D)
    assert back.tinyvit.keys() == head.tinyvit.keys()
    for key, change in head.tinyvit.items():
        assert back.tinyvit[key] == pytest.approx(change, abs=0.02)
    assert back.minilm_changes()[name] == pytest.approx(head.minilm_changes()[name], abs=0.1)


def test_fused_product_is_the_weighted_mean_of_both_cosines_less_the_hub() -> None:
    parts = fusion(0.3)
    conse, head, text, head_text = rows(6, 5, 384), rows(7, 5, 16), rows(8, 4, 384), rows(9, 4, 16)

    def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T

    expected = 0.3 * cosines(text - parts.conse_text_mean_E, conse - parts.conse_image_mean_E)
    expected += 0.7 * cosines(head_text - parts.head_text_mean_D, head - parts.head_image_mean_D)
    joined = parts.join_images(conse, head)
    assert parts.join_texts(text, head_text) @ joined.T == pytest.approx(expected, abs=1e-5)
    pictures, texts = parts.images(conse, head), parts.texts(text, head_text)
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(texts, axis=1) == pytest.approx(1, abs=1e-5)
    # The same from the definition: what the bank finds is taken off all the same, whatever the text.
    soft = 0.05 * np.log(np.exp(parts.bank_QJ @ joined.T / 0.05).mean(0))
    own = 0.7 * (soft - 0.02)
    share = np.sqrt(1 - own**2 * (1 - CALL**2) / CALL**2)
    assert texts @ pictures.T == pytest.approx((expected * share - own) * np.sqrt(1 - CALL**2), abs=1e-5)
    assert np.ptp(own) > 1e-3


def test_hub_is_no_longer_nearest_to_every_text() -> None:
    """One picture is the mean of all texts: without the bank it would be found for most of them."""
    rng = np.random.default_rng(0)
    texts = unit_rows(rng.normal(size=(40, 8)).astype(np.float32) + 1)
    pictures = np.concatenate(
        [unit_rows(texts + rng.normal(0, 0.35, texts.shape)), unit_rows(texts.mean(0)[None])]
    )
    none = np.zeros(8, np.float32)
    parts = Fusion(
        conse_weight=0.5,
        crowd=0.8,
        conse_image_mean_E=none,
        conse_text_mean_E=none,
        head_image_mean_D=none,
        head_text_mean_D=none,
        bank_QJ=np.concatenate([texts, texts], axis=1) * np.float32(0.5**0.5),
    )
    before = (parts.join_texts(texts, texts) @ parts.join_images(pictures, pictures).T).argmax(1)
    after = (parts.texts(texts, texts) @ parts.images(pictures, pictures).T).argmax(1)
    assert (after == 40).sum() < (before == 40).sum()
    assert (after == np.arange(40)).sum() > (before == np.arange(40)).sum()


def test_committed_files_are_small_and_have_their_card() -> None:
    assert max((ASSETS / name).stat().st_size for name in FILES) < 5e6
    assert "research, non-commercial" in (ASSETS / "bundled_head.md").read_text(encoding="utf-8")
    fused = read_head().fusion
    assert read_spec().dim == fused.bank_QJ.shape[1] + 1 <= 768
