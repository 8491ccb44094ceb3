"""A folder of captioned photographs into what an encoder is trained on and judged by: features and recall.

The folder holds `images/` and `captions.tsv`, a line per caption: "images/<file>", tab, caption. The 1,000 files
whose names sort last are for testing only (as the folder's README says); of the rest 500 are held out for choices.
In a folder with fewer than 4,000 it is an eighth and a sixteenth.

Shapes: N photographs; V views; T = 65 tokens and C = 384 channels of DINOv2; E = 384; M captions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray, Image

TEST_PHOTOS = 1000
HELD_OUT_PHOTOS = 500
FEWEST_PHOTOS = 1000
_SPLIT_SEED = 123
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """Features of photographs and of their captions.

    Attributes:
        tokens_VNTC: DINOv2's tokens, float16 [N, 65, 384] for each view: first of the photograph as it is, then
            changed at random.
        conse_NE: float32 [N, 384], ConSE's sums.
        sentences_ME: float32 [M, 384], MiniLM's vectors.
        photo_of_M: int64 [M], which photograph each caption belongs to.
    """

    tokens_VNTC: tuple[NDArray[np.float16], ...]
    conse_NE: FloatArray
    sentences_ME: FloatArray
    photo_of_M: Indices

    def captions_of(self, photos: Indices) -> tuple[Indices, Indices]:
        """Return the captions of some photographs, and for each the index of its photograph among them."""
        position_N = np.full(len(self.conse_NE), -1)
        position_N[photos] = np.arange(len(photos))
        captions = np.flatnonzero(position_N[self.photo_of_M] >= 0)
        return captions, position_N[self.photo_of_M[captions]]


def split(photos: int) -> tuple[Indices, Indices, Indices]:
    """Return the indices of the photographs to train on, to choose by, and to test on."""
    small = photos < 4 * TEST_PHOTOS
    test, held_out = (photos // 8, photos // 16) if small else (TEST_PHOTOS, HELD_OUT_PHOTOS)
    shuffled = np.random.default_rng(_SPLIT_SEED).permutation(photos - test)
    return shuffled[held_out:], shuffled[:held_out], np.arange(photos - test, photos)


def check_folder(folder: Path) -> None:
    """Check that a folder holds captioned photographs, enough of them to train on.

    Raises:
        HippocamError: It does not hold them.
    """
    if not (folder / "captions.tsv").is_file() or not (folder / "images").is_dir():
        raise HippocamError(f"{folder} does not hold images/ and captions.tsv")
    if (found := sum(1 for _ in (folder / "images").iterdir())) < FEWEST_PHOTOS:
        raise HippocamError(f"{folder} holds {found} photographs; training takes {FEWEST_PHOTOS} at least")


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
        cache: Folder to keep features in; a view of 8,000 photographs takes 0.4 GB.
        views: How many views of each photograph, from 1.
    """
    from hippocam.models.encoders.conse import ConseEncoder

    files, captions, photo_of_M = read_captions(folder)
    cache.mkdir(parents=True, exist_ok=True)
    tokens = []
    for view in range(views):
        kept = cache / f"{folder.name}-dinov2-{view}.npy"
        if not kept.exists():
            _save_tokens(kept, files, view)
        tokens.append(np.load(kept, mmap_mode="r"))
    encoder, kept = ConseEncoder(), cache / f"{folder.name}-conse.npz"
    if not kept.exists():
        conse_NE = np.concatenate([encoder.mix([read_photo(file)])[0] for file in files])
        np.savez(kept, conse_NE=conse_NE, sentences_ME=encoder.encode_texts(captions))
    return Captioned(tokens_VNTC=tuple(tokens), **np.load(kept), photo_of_M=photo_of_M)


def _save_tokens(path: Path, files: list[Path], view: int) -> None:
    """Run the network that does not learn; the file appears when it is whole."""
    from hippocam.models.nets.dinov2 import CHANNELS, TOKENS, DinoV2

    network, part = DinoV2(threads=1), path.with_suffix(".part")
    tokens_NTC = np.lib.format.open_memmap(part, "w+", np.float16, (len(files), TOKENS, CHANNELS))
    for index, file in enumerate(files):
        tokens_NTC[index] = network.tokens(change(read_photo(file), view, index))
    tokens_NTC.flush()
    part.replace(path)


def read_photo(file: Path) -> Image:
    """Read a JPEG as uint8 [H, W, 3], RGB."""
    pixels = cv2.imread(str(file))
    if pixels is None:
        raise ValueError(f"{file} is not a picture that can be read")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def change(image: Image, view: int, index: int) -> Image:
    """Give one view of a photograph: 0 as it is, others cropped, recoloured, sometimes blurred or mirrored.

    Args:
        image: uint8 [H, W, 3], RGB.
        view: Which view.
        index: Which photograph; with the view it is the seed of what is random.
    """
    if view == 0:
        return image
    rng = np.random.default_rng([view, index])
    height, width = image.shape[:2]
    area, aspect = rng.uniform(0.45, 1), np.exp(rng.uniform(-0.25, 0.25))
    crop_y = min(height, max(1, int(height * np.sqrt(area / aspect))))
    crop_x = min(width, max(1, int(width * np.sqrt(area * aspect))))
    top, left = rng.integers(0, height - crop_y + 1), rng.integers(0, width - crop_x + 1)
    values = image[top : top + crop_y, left : left + crop_x].astype(np.float32)
    values = values * rng.uniform(0.7, 1.3) + rng.uniform(-20, 20)
    grey = values.mean(2, keepdims=True)
    values = grey + (values - grey) * rng.uniform(0.2, 1.4)
    if rng.random() < 0.3:
        values = np.asarray(cv2.GaussianBlur(values, (0, 0), rng.uniform(0.5, 1.5)))
    changed: Image = np.clip(values, 0, 255).astype(np.uint8)
    return changed[:, ::-1] if rng.random() < 0.5 else changed


def recall(cosines_MN: FloatArray, truth_M: Indices) -> dict[int, float]:
    """Return recall at 1, 5 and 10: how often a caption's own photograph is among that many first ones."""
    own_M1 = cosines_MN[np.arange(len(truth_M)), truth_M][:, None]
    rank_M = (cosines_MN > own_M1).sum(1)
    return {first: float((rank_M < first).mean()) for first in (1, 5, 10)}
