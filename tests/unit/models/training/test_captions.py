from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hippocam.models.training.captions import (
    HELD_OUT_PHOTOS,
    TEST_PHOTOS,
    change,
    check_folder,
    read_captions,
    recall,
    split,
)
from hippocam.stream.errors import HippocamError


def test_splits_do_not_meet_and_the_last_thousand_are_for_testing() -> None:
    training, held_out, test = split(8086)
    assert test.tolist() == list(range(8086 - TEST_PHOTOS, 8086))
    assert len(held_out) == HELD_OUT_PHOTOS
    assert sorted([*training, *held_out]) == list(range(8086 - TEST_PHOTOS))


def test_small_folder_keeps_most_for_training() -> None:
    training, held_out, test = split(160)
    assert (len(training), len(held_out), len(test)) == (130, 10, 20)


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
    with pytest.raises(HippocamError, match="holds 2 photographs; training takes 1000 at least"):
        check_folder(tmp_path)
    with pytest.raises(HippocamError, match=r"does not hold images/ and captions.tsv"):
        check_folder(tmp_path / "images")


def test_views_are_fixed_by_their_numbers() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert change(image, 0, 7) is image
    assert np.array_equal(change(image, 2, 7), change(image, 2, 7))
    assert change(image, 2, 7).dtype == np.uint8
    assert not np.array_equal(change(image, 2, 7), change(image, 2, 8))
    assert change(image[:1, :1], 1, 0).shape == (1, 1, 3)
