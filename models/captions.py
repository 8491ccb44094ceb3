"""A folder of captioned photographs into what a head is trained on and judged by: features, captions, recall.

The folder holds `images/` and `captions.tsv`, a line per caption: "images/<file>", tab, caption. The 1,000 files
whose names sort last are for testing only (as the folder's README says); of the rest 500 are held out for choices.

Shapes: N photographs; V views; P = 49 patches; C = 320; E = 384; K = 1000 classes; M captions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray, Image

TEST_PHOTOS, HELD_OUT_PHOTOS, VIEWS = 1000, 500, 3
_SPLIT_SEED = 123
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """Features of photographs and of their captions.

    Attributes:
        patches_VNPC: float16 [V, N, 49, 320] of TinyViT: as it is, mirrored, and changed at random.
        conse_NE: float32 [N, 384], ConSE's sums.
        sentences_ME: float32 [M, 384], MiniLM's vectors.
        photo_of_M: int64 [M], which photograph each caption belongs to.
    """

    patches_VNPC: NDArray[np.float16]
    conse_NE: FloatArray
    sentences_ME: FloatArray
    photo_of_M: Indices

    def captions_of(self, photos: Indices) -> tuple[Indices, Indices]:
        """Give the captions of some photographs, and for each the position of its photograph among them."""
        position_N = np.full(len(self.conse_NE), -1)
        position_N[photos] = np.arange(len(photos))
        captions = np.flatnonzero(position_N[self.photo_of_M] >= 0)
        return captions, position_N[self.photo_of_M[captions]]


def split(photos: int) -> tuple[Indices, Indices, Indices]:
    """Give the positions of the photographs to train on, to choose by, and to test on."""
    shuffled = np.random.default_rng(_SPLIT_SEED).permutation(photos - TEST_PHOTOS)
    return shuffled[HELD_OUT_PHOTOS:], shuffled[:HELD_OUT_PHOTOS], np.arange(photos - TEST_PHOTOS, photos)


def read_captions(folder: Path) -> tuple[list[Path], list[str], Indices]:
    """Read a folder: its photographs sorted by name, all captions, and which photograph each belongs to."""
    files = sorted((folder / "images").iterdir())
    position = {f"images/{file.name}": index for index, file in enumerate(files)}
    rows = [line.split("\t", 1) for line in (folder / "captions.tsv").read_text(encoding="utf-8").splitlines()]
    return files, [caption for _, caption in rows], np.array([position[name] for name, _ in rows])


def extract(folder: Path, cache: Path, views: int) -> Captioned:
    """Compute the features of a folder, or read them from an earlier run.

    Args:
        folder: The captioned photographs.
        cache: Folder to keep features in; about 0.25 GB a view of 8,000 photographs, 10 minutes on one core.
        views: How many views of each photograph, from 1.
    """
    from hippocam.models.encoders.conse import ConseEncoder
    from hippocam.models.tinyvit import CHANNELS, PATCHES, TinyViT

    files, captions, photo_of_M = read_captions(folder)
    cache.mkdir(parents=True, exist_ok=True)
    patches, kept = [], []
    network = TinyViT(threads=1)
    for view in range(views):
        kept.append(cache / f"{folder.name}-tinyvit-{view}.npy")
        if not kept[-1].exists():
            view_NPC = np.empty((len(files), PATCHES, CHANNELS), np.float16)
            for index, file in enumerate(files):
                view_NPC[index] = network.patches(change(read_photo(file), view, index))
            np.save(kept[-1], view_NPC)
        patches.append(np.load(kept[-1]).reshape(len(files), PATCHES, CHANNELS))
    encoder = ConseEncoder()
    if not (file_of_conse := cache / f"{folder.name}-conse.npy").exists():
        np.save(file_of_conse, np.concatenate([encoder.mix([read_photo(file)])[0] for file in files]))
    if not (file_of_texts := cache / f"{folder.name}-minilm.npy").exists():
        np.save(file_of_texts, encoder.encode_texts(captions))
    return Captioned(
        patches_VNPC=np.stack(patches),
        conse_NE=np.load(file_of_conse),
        sentences_ME=np.load(file_of_texts),
        photo_of_M=photo_of_M,
    )


def read_photo(file: Path) -> Image:
    """Read a JPEG as uint8 [H, W, 3], RGB."""
    import cv2

    pixels = cv2.imread(str(file))
    if pixels is None:
        raise ValueError(f"{file} is not a picture that can be read")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def change(image: Image, view: int, index: int) -> Image:
    """Give one view of a photograph: 0 as it is, 1 mirrored, others cropped, recoloured, sometimes blurred.

    Args:
        image: uint8 [H, W, 3], RGB.
        view: Which view.
        index: Which photograph; with the view it is the seed of what is random.
    """
    import cv2

    if view < 2:
        return image[:, ::-1] if view else image
    rng = np.random.default_rng([view, index])
    height, width = image.shape[:2]
    share_y, share_x = rng.uniform(0.7, 1, 2)
    crop_y, crop_x = int(height * share_y), int(width * share_x)
    top, left = rng.integers(0, height - crop_y + 1), rng.integers(0, width - crop_x + 1)
    values = image[top : top + crop_y, left : left + crop_x].astype(np.float32)
    values = values * rng.uniform(0.7, 1.3) + rng.uniform(-20, 20)
    grey = values.mean(2, keepdims=True)
    values = grey + (values - grey) * rng.uniform(0, 1.3)
    if rng.random() < 0.3:
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), rng.uniform(0.5, 1.5)))
    changed: Image = np.clip(values, 0, 255).astype(np.uint8)
    return changed[:, ::-1] if rng.random() < 0.5 else changed


def recall(cosines_MN: FloatArray, truth_M: Indices) -> dict[int, float]:
    """Give recall at 1, 5 and 10: how often a caption's own photograph is among the first so many."""
    own_M1 = cosines_MN[np.arange(len(truth_M)), truth_M][:, None]
    rank_M = (cosines_MN > own_M1).sum(1)
    return {first: float((rank_M < first).mean()) for first in (1, 5, 10)}
