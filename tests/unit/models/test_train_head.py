"""Training on made-up features of which the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.captions import (
    HELD_OUT_PHOTOS,
    TEST_PHOTOS,
    Captioned,
    change,
    read_captions,
    recall,
    split,
)


def made_up(photos: int) -> Captioned:
    """Patches and sentences that are different fixed maps of the same 12 hidden numbers."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(photos, 12))
    patches = hidden @ rng.normal(size=(12, 320))
    sentences = np.repeat(hidden, 2, axis=0) @ rng.normal(size=(12, 384))
    sentences /= np.linalg.norm(sentences, axis=1, keepdims=True)
    return Captioned(
        patches_VNPC=np.repeat(patches[None, :, None], 49, axis=2).astype(np.float16),
        conse_NE=rng.normal(size=(photos, 384)).astype(np.float32),
        sentences_ME=sentences.astype(np.float32),
        photo_of_M=np.repeat(np.arange(photos), 2),
    )


def test_head_learns_what_both_sides_share() -> None:
    from hippocam.models.caption_head import HeadConfig, Members
    from hippocam.models.train_head import TrainConfig, fuse, train, vectors

    data = made_up(300)
    seen, new = np.arange(200), np.arange(200, 300)
    sizes = HeadConfig(members=1, dim=32, hidden=32, queries=2, image_dropout=0.1, text_dropout=0.1)
    image, text = train(data, seen, sizes, TrainConfig(steps=80, batch=64))
    head = fuse(data, seen, Members([image], 32).eval(), Members([text], 32).eval(), conse_weight=0.0)
    pictures, texts, truth = vectors(data, new, head)
    assert recall(texts @ pictures.T, truth)[1] > 0.5  # by chance 0.01


def test_same_seed_gives_the_same_head() -> None:
    import torch

    from hippocam.models.caption_head import HeadConfig
    from hippocam.models.train_head import TrainConfig, train

    data, sizes = made_up(80), HeadConfig(members=1, dim=8, hidden=8, queries=2)
    runs = [train(data, np.arange(80), sizes, TrainConfig(steps=3, batch=16, seed=4))[0] for _ in range(2)]
    for first, second in zip(runs[0].parameters(), runs[1].parameters(), strict=True):
        assert torch.equal(first, second)


def test_splits_do_not_meet_and_the_last_thousand_are_for_testing() -> None:
    training, held_out, test = split(3000)
    assert test.tolist() == list(range(3000 - TEST_PHOTOS, 3000))
    assert len(held_out) == HELD_OUT_PHOTOS
    assert sorted([*training, *held_out]) == list(range(3000 - TEST_PHOTOS))


def test_recall_counts_the_rank_of_the_own_photograph() -> None:
    cosines = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.6], [0.1, 0.2, 0.3]], np.float32)
    assert recall(cosines, np.array([0, 1, 2])) == pytest.approx({1: 2 / 3, 5: 1, 10: 1})


def test_captions_are_matched_to_files_by_name(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("b.jpg", "a.jpg"):
        (tmp_path / "images" / name).touch()
    (tmp_path / "captions.tsv").write_text("images/b.jpg\tsecond\nimages/a.jpg\tfirst, with\ta tab\n")
    files, captions, photo_of = read_captions(tmp_path)
    assert [file.name for file in files] == ["a.jpg", "b.jpg"]
    assert captions == ["second", "first, with\ta tab"]
    assert photo_of.tolist() == [1, 0]


def test_views_are_fixed_by_their_numbers() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert change(image, 0, 7) is image
    assert np.array_equal(change(image, 1, 7), image[:, ::-1])
    assert np.array_equal(change(image, 2, 7), change(image, 2, 7))
    assert change(image, 2, 7).dtype == np.uint8
    assert not np.array_equal(change(image, 2, 7), change(image, 2, 8))
