"""The card of a folder of exported networks, `encoder.yaml`: what the graphs do not say of themselves.

    id: my-clip:1               # goes into memories; give every model one of its own
    dim: 512                    # length of a vector
    mean: [0.481, 0.458, 0.408] # of the three colours on a scale of 0 to 1, subtracted
    deviation: [0.269, 0.261, 0.276]                # divided by after that
    midpoint: 0.22              # cosine of a text and the best of 20 pictures at which "shown" is as likely as not
    slope: 50                   # of that belief, for each unit of cosine

Everything else has a default, see `Card`. Vectors are scaled to length 1 whatever the networks give.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hippocam.models.errors import CardError, WeightsError
from hippocam.models.yaml_file import read_yaml
from hippocam.stream.records import EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

CARD = "encoder.yaml"
IMAGE = "image.onnx"
TEXT = "text.onnx"
TOKENIZER = "tokenizer.json"
FILES = (CARD, IMAGE, TEXT, TOKENIZER)
FORMAT = 1
RESIZES = ("shortest", "squash")
INTERPOLATIONS = ("bicubic", "bilinear")
_NO_PICTURE = "a picture must be uint8 [H, W, 3] RGB and not empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What `encoder.yaml` says.

    Attributes:
        id: Name and version of the vectors; two models must not share one.
        dim: Length D of a vector, 1 or more.
        mean: Mean of red, green and blue on a scale of 0 to 1, subtracted from a picture.
        deviation: Divisor of each colour after that, on the same scale, above 0.
        midpoint: As in `EncoderSpec`, -1 to 1.
        slope: As in `EncoderSpec`, above 0.
        growth: As in `EncoderSpec`, 0 or more.
        resize: "shortest": the shorter side to S and the middle cut out; "squash": both sides to S.
        interpolation: "bicubic" or "bilinear".
        size_px: S, where the graph of the pictures leaves it open; 0 where it does not.
        length: L, where the graph of the texts leaves it open; 0 where it does not.
        pad_id: Token that a short text is filled up with.
        image_output: Name of the output of image.onnx, where it has several; else "".
        text_output: Name of the output of text.onnx.
        licence: Licence of the weights, as it is listed.
        source: What it was exported from, "<model>/<tag or hash>"; "" if not by hippocam.
        versions: Versions of the packages that exported it.
        largest_difference: Largest difference between a number of a vector here and in torch, measured at export.
        times_as_fast: Speed of one picture over that in torch with as many threads, measured at export.
        sha256: Hash of the other files; those that are named here are checked.
        format: Format of this card.
    """

    id: str
    dim: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    midpoint: float
    slope: float
    growth: float = 0.0
    resize: str = "shortest"
    interpolation: str = "bicubic"
    size_px: int = 0
    length: int = 0
    pad_id: int = 0
    image_output: str = ""
    text_output: str = ""
    licence: str = ""
    source: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    largest_difference: float = 0.0
    times_as_fast: float = 0.0
    sha256: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def __post_init__(self) -> None:
        for name in ("id", "image_output", "text_output", "licence", "source"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text, found {getattr(self, name)!r}")
        if not self.id:
            raise ValueError("id must name the model, found nothing")
        for name, least in (("dim", 1), ("size_px", 0), ("length", 0), ("pad_id", 0)):
            _check(name, getattr(self, name), int, least, 1 << 20)
        for name in ("mean", "deviation"):
            values = getattr(self, name)
            if not isinstance(values, list | tuple) or len(values) != 3:
                raise ValueError(f"{name} must be three numbers, for red, green and blue, found {values!r}")
            for value in values:
                _check(name, value, int | float, 0 if name == "mean" else 1e-6, 1)
            object.__setattr__(self, name, tuple(float(value) for value in values))
        _check("midpoint", self.midpoint, int | float, -1, 1)
        _check("slope", self.slope, int | float, 1e-6, 1e6)
        _check("growth", self.growth, int | float, 0, 1)
        for name, allowed in (("resize", RESIZES), ("interpolation", INTERPOLATIONS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, found {getattr(self, name)!r}")
        for name in ("sha256", "versions"):
            if not isinstance(getattr(self, name), Mapping):
                raise ValueError(f"{name} must be names and values, found {getattr(self, name)!r}")
        if self.format != FORMAT:
            raise ValueError(f"format must be {FORMAT}, found {self.format!r}")

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        return EncoderSpec(
            id=self.id,
            dim=self.dim,
            normalised=True,
            midpoint=float(self.midpoint),
            slope=float(self.slope),
            growth=float(self.growth),
        )

    def picture(self, image: Image, side_px: int) -> FloatArray:
        """Give a picture as the network wants it, float32 [1, 3, side_px, side_px].

        Args:
            image: uint8 [H, W, 3], RGB, any size.
            side_px: S.

        Raises:
            ValueError: The picture is empty or not uint8 [H, W, 3].
        """
        from PIL.Image import Resampling, fromarray

        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(f"{_NO_PICTURE}, found {image.dtype} {image.shape}")
        how = Resampling.BILINEAR if self.interpolation == "bilinear" else Resampling.BICUBIC
        picture: Picture = fromarray(np.ascontiguousarray(image))
        if self.resize == "squash":
            picture = picture.resize((side_px, side_px), how)
        else:  # with the rounding of torchvision, so that the pixels are the same
            width, height = picture.size
            shorter = min(width, height)
            width, height = (int(side_px * side / shorter) for side in (width, height))
            picture = picture.resize((width, height), how)
            left, top = round((width - side_px) / 2), round((height - side_px) / 2)
            picture = picture.crop((left, top, left + side_px, top + side_px))
        unit = np.asarray(picture, np.float32) / np.float32(255)
        normal = (unit - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])

    def verify(self, folder: Path) -> None:
        """Compare the files of a folder with `sha256`; without hashes, only check that they are there.

        Raises:
            WeightsError: A file is missing or is another one.
        """
        for name in FILES:
            if not (folder / name).is_file():
                raise CardError(folder, f"{name} is missing", FILES)
        for name, wanted in self.sha256.items():
            if name not in FILES or not (folder / name).is_file():
                raise WeightsError(
                    f"onnx:{folder}: {CARD} names {name!r}, which is not there: correct sha256 in it"
                )
            if (found := sha256_of(folder / name)) != wanted:
                raise WeightsError(
                    f"onnx:{folder}: {name} is damaged or another one (its sha256 is {found[:12]}..., not"
                    f" {str(wanted)[:12]}...): export or copy it again, or correct sha256 in {CARD}"
                )


def read_card(folder: Path) -> Card:
    """Read the card of a folder.

    Raises:
        WeightsError: It is missing, or a key or value in it is wrong; the message names the fix.
    """
    path, where = folder / CARD, f"onnx:{folder}: {CARD}"
    try:
        values = read_yaml(path)
    except (FileNotFoundError, NotADirectoryError):
        raise CardError(folder, f"{CARD} is missing", FILES) from None
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{where} cannot be read as YAML ({' '.join(str(error).split())}): correct it"
        ) from error
    if not isinstance(values, dict):
        raise CardError(folder, f"{CARD} must hold keys and values, found {type(values).__name__}", FILES)
    names = {item.name: item for item in dataclasses.fields(Card)}
    for key in values:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
            raise WeightsError(f"{where}: unknown key {key!r}: {hint}")
    missing = [name for name in ("id", "dim", "mean", "deviation", "midpoint", "slope") if name not in values]
    if missing:
        raise WeightsError(f"{where} must also say {', '.join(missing)}: add them")
    try:
        return Card(**values)
    except ValueError as error:
        raise WeightsError(f"{where}: {error}: correct it") from error


def write_card(folder: Path, card: Card) -> None:
    """Write a card into a folder."""
    import yaml

    values: dict[str, Any] = dataclasses.asdict(card)
    values |= {"mean": list(card.mean), "deviation": list(card.deviation)}
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, default_flow_style=None)
    (folder / CARD).write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Give the hash of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(name: str, value: object, kind: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} must be {what} from {least:g} to {most:g}, found {value!r}")
