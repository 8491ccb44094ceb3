from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.encoders.bundled.fusion import CALL, Fusion
from hippocam.models.encoders.bundled.head_file import ASSETS, FILE, Head, read_head, read_spec, write_head
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import EncoderSpec


def rows(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def fusion(weight: float) -> Fusion:
    return Fusion(
        conse_weight=weight,
        crowd=0.02,
        text_mean_E=rows(1, 384) * 0.1,
        conse_mean_E=rows(0, 384) * 0.1,
        head_mean_E=rows(2, 384) * 0.1,
        bank_QE=unit_rows(rows(4, 30, 384)),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    import torch

    from hippocam.models.encoders.bundled.caption_head import HeadConfig, ImageHead

    torch.manual_seed(0)
    config = HeadConfig(hidden=32, queries=4)
    head = Head(
        config=config,
        image=ImageHead(config).eval(),
        fusion=fusion(0.25),
    )
    spec = EncoderSpec(id="test:1", dim=385, normalised=True, midpoint=0.2, slope=12.5)
    assert write_head(tmp_path, head, spec) == tmp_path / FILE
    back = read_head(tmp_path)
    assert read_spec(tmp_path) == spec
    tokens = rows(5, 3, 65, 384)
    expected = head.image_vectors(tokens)
    assert (back.image_vectors(tokens) * expected).sum(1) == pytest.approx(1, abs=1e-3)  # bytes on disk
    assert (back.fusion.conse_weight, back.fusion.crowd) == (0.25, 0.02)
    assert np.array_equal(back.fusion.head_mean_E, head.fusion.head_mean_E)


def test_fused_product_is_the_cosine_with_the_weighted_sum_less_the_hub() -> None:
    parts = fusion(0.3)
    conse, head, text = rows(6, 5, 384), rows(7, 5, 384), rows(8, 4, 384)

    def unit(a: np.ndarray) -> np.ndarray:
        return np.asarray(a / np.linalg.norm(a, axis=1, keepdims=True))

    guess = unit(0.3 * unit(conse - parts.conse_mean_E) + 0.7 * unit(head - parts.head_mean_E))
    expected = unit(text - parts.text_mean_E) @ guess.T
    assert parts.sentences(text) @ parts.join(conse, head).T == pytest.approx(expected, abs=1e-5)
    pictures, texts = parts.images(conse, head), parts.texts(text)
    assert np.linalg.norm(pictures, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(texts, axis=1) == pytest.approx(1, abs=1e-5)
    # The same from the definition: what the bank finds is taken off all the same, whatever the text.
    soft = 0.05 * np.log(np.exp(parts.bank_QE @ guess.T / 0.05).mean(0))
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
        text_mean_E=none,
        conse_mean_E=none,
        head_mean_E=none,
        bank_QE=texts,
    )
    before = (parts.sentences(texts) @ parts.join(pictures, pictures).T).argmax(1)
    after = (parts.texts(texts) @ parts.images(pictures, pictures).T).argmax(1)
    assert (after == 40).sum() < (before == 40).sum()
    assert (after == np.arange(40)).sum() > (before == np.arange(40)).sum()


def test_committed_file_is_small_and_has_its_card() -> None:
    assert (ASSETS / FILE).stat().st_size < 5e6
    assert "research, non-commercial" in (ASSETS / "bundled_head.md").read_text(encoding="utf-8")
    assert read_spec().dim == read_head().fusion.bank_QE.shape[1] + 1 == 385
