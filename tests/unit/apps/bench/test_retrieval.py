from __future__ import annotations

import cv2
import numpy as np
import pytest

from hippocam.apps.bench import retrieval
from hippocam.apps.bench.perception_cache import identity, kept
from hippocam.apps.bench.retrieval import fit, judge, ranks, read_set, read_sets
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import HippocamError


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))


COLOURS = {"red": (200, 20, 20), "green": (20, 160, 40), "blue": (20, 40, 200), "yellow": (250, 230, 30)}


@pytest.fixture
def photographs(tmp_path):
    """Four photographs of one colour each, with two captions each."""
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    lines = []
    for name, colour in COLOURS.items():
        picture = np.full((24, 32, 3), colour, np.uint8)
        cv2.imwrite(str(folder / "images" / f"{name}.jpg"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        lines += [f"images/{name}.jpg\tsomething {name}", f"images/{name}.jpg\ta {name} thing"]
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n")
    return folder


def ranks_by_sorting(cosines_MN, photo_of_M):
    """The same by looking at each list from its top; no two cosines are equal."""
    images = [list(np.argsort(-row)).index(own) for row, own in zip(cosines_MN, photo_of_M, strict=True)]
    texts = []
    for photo, column in enumerate(cosines_MN.T):
        order = [int(photo_of_M[m]) for m in np.argsort(-column)]
        texts.append(order.index(photo))
    return images, texts


def test_ranks_are_those_of_sorted_lists():
    rng = np.random.default_rng(0)
    photo_of_M = np.repeat(np.arange(12), 5)
    cosines_MN = rng.normal(size=(60, 12)).astype(np.float32)
    cosines_MN[np.arange(60), photo_of_M] += 1
    image_ranks, text_ranks = ranks(cosines_MN, photo_of_M)
    true_images, true_texts = ranks_by_sorting(cosines_MN, photo_of_M)
    assert image_ranks.tolist() == true_images
    assert text_ranks.tolist() == true_texts


def test_who_says_the_same_of_everything_finds_nothing():
    image_ranks, text_ranks = ranks(np.ones((6, 3), np.float32), np.repeat(np.arange(3), 2))
    assert image_ranks.tolist() == [2] * 6
    assert text_ranks.tolist() == [4] * 3


def test_an_encoder_that_knows_colours_finds_them_both_ways(photographs):
    result = judge(read_set(photographs), PaletteEncoder())
    assert result.count == 4
    assert result.to_image.recall == {1: 1.0, 5: 1.0, 10: 1.0}
    assert result.to_text.recall[1] == 1.0
    assert result.to_image.sd[1] == 0.0


def test_the_bootstrap_agrees_with_the_formula_for_a_share():
    """Of 400 photographs with one caption each 100 are found: sd = sqrt(p (1 - p) / n)."""
    found = retrieval._direction(np.repeat([0, 3], [100, 300]), np.arange(400))
    assert found.recall[1] == 0.25
    assert found.sd[1] == pytest.approx(np.sqrt(0.25 * 0.75 / 400), rel=0.1)


def test_only_the_last_thousand_of_a_large_folder_are_for_testing(tmp_path):
    folder = tmp_path / "many"
    (folder / "images").mkdir(parents=True)
    names = [f"{n:05d}.jpg" for n in range(5050)]
    for name in names:
        (folder / "images" / name).touch()
    (folder / "captions.tsv").write_text("".join(f"images/{name}\tcaption {name}\n" for name in names))
    test = read_set(folder)
    assert [file.name for file in test.files] == names[-1000:]
    assert test.captions == tuple(f"caption {name}" for name in names[-1000:])
    assert test.photo_of_M.tolist() == list(range(1000))
    assert test.trains


def test_sets_are_found_and_their_absence_is_told(photographs, tmp_path):
    assert [s.name for s in read_sets(photographs.parent)] == ["set"]
    assert [s.name for s in read_sets(photographs)] == ["set"]
    with pytest.raises(HippocamError, match="captions.tsv"):
        read_sets(tmp_path / "nowhere")


def test_ridge_is_the_least_of_its_loss():
    """Against the normal equations of the loss by gradient: no step from the solution makes it smaller."""
    rng = np.random.default_rng(1)
    rows, texts = rng.normal(size=(50, 6)).astype(np.float32), rng.normal(size=(50, 3)).astype(np.float32)
    mean_F, map_FD, shift_D = fit(rows, texts, 0.1)
    x, y = rows - rows.mean(0), texts - texts.mean(0)
    penalty = 0.1 * (x**2).sum() / 6

    def loss(weights):
        return ((x @ weights - y) ** 2).sum() + penalty * (weights**2).sum()

    np.testing.assert_allclose(mean_F, rows.mean(0), atol=1e-6)
    np.testing.assert_allclose(shift_D, texts.mean(0), atol=1e-6)
    for _ in range(20):
        assert loss(map_FD + 1e-2 * rng.normal(size=map_FD.shape)) > loss(map_FD)


def test_kept_arrays_are_made_once_for_the_same_parts():
    made = []

    def make():
        made.append(1)
        return {"a": np.arange(3), "names": np.array(["x", "yz"])}

    for _ in range(2):
        got = kept(("one", "two"), make)
        assert got["a"].tolist() == [0, 1, 2]
        assert got["names"].tolist() == ["x", "yz"]
    assert len(made) == 1
    kept(("one", "three"), make)
    assert len(made) == 2


def test_another_encoding_under_the_same_name_is_another_identity():
    class Other(PaletteEncoder):
        def encode_texts(self, texts):
            return super().encode_texts(texts)[:, ::-1].copy()

    assert identity(PaletteEncoder()) == identity(PaletteEncoder())
    assert Other().spec.id == PaletteEncoder().spec.id
    assert identity(Other()) != identity(PaletteEncoder())
