"""The records that travel: what a source saw, one camera's frame of it, that frame as an embedding.

Shapes: H, W image height and width; D embedding dimension; S, A state and action sizes.
Times are true presentation times in seconds from the start of their source, never index / fps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.timecode import LATEST_S

Image = NDArray[np.uint8]
# Kinds of notes that nobody reads or hears: which entries a robot acted on (robot/acts.py), and what the numbers
# of its state and action are called (robot/dimensions.py).
ACTED, STATE_NAMES, ACTION_NAMES = "acted", "state names", "action names"
WORDLESS = (ACTED, STATE_NAMES, ACTION_NAMES)
FloatArray = NDArray[np.float32]
Numbers = TypeVar("Numbers", bound=NDArray[Any])
# Left, top, right, bottom, as shares of a picture's width and height, 0 to 1.
Box = tuple[float, float, float, float]


def _check_image(owner: str, image: object) -> None:
    ok = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    if not ok or not image.size:  # type: ignore[attr-defined]
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"{owner} must be uint8 [H, W, 3] RGB, found {found}")


def _check_vector(owner: str, vector: object, size: int | None = None) -> None:
    ok = isinstance(vector, np.ndarray) and vector.dtype == np.float32 and vector.ndim == 1
    if not ok or (size is not None and len(vector) != size):  # type: ignore[arg-type]
        found = f"{vector.dtype} {vector.shape}" if isinstance(vector, np.ndarray) else type(vector).__name__
        raise ValueError(f"{owner} must be float32 [{size or 'N'}], found {found}")


def _is_double(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def known(numbers: Numbers | None) -> Numbers | None:
    """What a sensor told: None where it told nothing, or one of its numbers is not finite."""
    return numbers if numbers is not None and np.isfinite(numbers).all() else None


def storable(text: str) -> str:
    """Words as UTF-8 can hold them: half a pair of UTF-16, as in file names of other encodings, becomes a mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _settle(record: object, name: str, value: object) -> None:
    """Put a plain value in the place of what a frozen record was made with."""
    if value is not getattr(record, name):
        object.__setattr__(record, name, value)


def _settle_numbers(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if isinstance(value, np.generic):
            _settle(record, name, value.item())


def _settle_words(record: object, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not isinstance(value, str):
            raise ValueError(f"{type(record).__name__}.{name} must be text, found {type(value).__name__}")
        _settle(record, name, storable(value))


def _settle_instant(record: Observation | Frame | Repeat | Embedding) -> None:
    """Check position and time of a record; NumPy's numbers become plain ones."""
    _settle_numbers(record, "seq", "time_s")
    owner, seq, time_s = type(record).__name__, record.seq, record.time_s
    if not isinstance(seq, int) or not 0 <= seq < 2**63:
        raise ValueError(f"{owner}.seq must be a whole number from 0, found {seq!r}")
    if not isinstance(time_s, (int, float)) or not abs(time_s) <= LATEST_S:
        raise ValueError(
            f"{owner}.time_s must be a finite number of seconds, {LATEST_S:g} at most, found {time_s!r}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One of the segments that a source is cut into, which several workers read side by side.

    Attributes:
        number: Which segment, from 0.
        count: Into how many the source is cut, 1 or more.
        segment_s: Their length, seconds above 0.
        index_file: Where the workers share what they must know of the whole file; made by the first.
    """

    number: int
    count: int
    segment_s: float
    index_file: Path

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count:
            raise ValueError(f"Stretch.number must be 0 to {self.count - 1}, found {self.number}")

    @property
    def is_last(self) -> bool:
        """Whether the source ends with it."""
        return self.number == self.count - 1

    @property
    def from_s(self) -> float:
        """Time from which on notes belong to it; the first takes those before its start too."""
        return self.number * self.segment_s if self.number else -math.inf

    @property
    def to_s(self) -> float:
        """Time before which notes belong to it; the last takes all that are left."""
        return math.inf if self.is_last else (self.number + 1) * self.segment_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """What a robot knew beside its pictures at one instant; each part may be absent. All numbers are finite.

    Attributes:
        state: float32 [S], joint positions and the like, in the source's own units.
        action: float32 [A], the command sent at this instant, in the source's own units.
        pose: float32 or float64 [7], x, y, z in metres and the quaternion qx, qy, qz, qw, in the source's frame.
    """

    state: FloatArray | None = None
    action: FloatArray | None = None
    pose: FloatArray | NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name, size in (("state", None), ("action", None), ("pose", 7)):
            value = getattr(self, name)
            if value is not None:
                numbers = value.astype(np.float32) if name == "pose" and _is_double(value) else value
                _check_vector(f"Sensors.{name}", numbers, size)
                if known(value) is None:
                    raise ValueError(f"Sensors.{name} must be finite, found {value}")


NO_SENSORS = Sensors()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a source saw at one instant. A video is the simplest case: one camera, no sensors.

    Attributes:
        seq: Position within the source, from 0, strictly increasing even where time is not.
        time_s: True time in seconds from the start of the source.
        images: uint8 [H, W, 3] RGB by camera name. A source with one unnamed camera uses "".
        sensors: State, action and pose at this instant.
        text: Words that the source itself gives for this instant (a robot's task); "" for none. Untrusted.
        cut_s: Time of a film's last cut since the observation before; None where it was not cut, or nobody looked.
        mark: Why an event begins here whatever is seen (another task); "" where it need not.
    """

    seq: int
    time_s: float
    images: Mapping[str, Image]
    sensors: Sensors = NO_SENSORS
    text: str = ""
    cut_s: float | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        _settle_instant(self)
        _settle_words(self, "text")
        for camera, image in self.images.items():
            _check_image(f"Observation.images[{camera!r}]", image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One camera's picture out of an observation, on its way to the encoder.

    Attributes:
        stream: Which camera of which source, for example "kitchen" or "g1/episode_000010/cam_high".
        seq: As in Observation.
        time_s: As in Observation.
        image: uint8 [H, W, 3], RGB.
        sensors: As in Observation.
        text: As in Observation.
        read: Whether what is written in it is to be read: see reading_gate.py.
        cut_s: As in Observation.
        mark: As in Observation.
    """

    stream: str
    seq: int
    time_s: float
    image: Image
    sensors: Sensors = NO_SENSORS
    text: str = ""
    read: bool = False
    cut_s: float | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        _settle_instant(self)
        _settle_words(self, "stream", "text")
        _check_image("Frame.image", self.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A frame that the change gate found the same as the last kept one: counted, not encoded.

    What a robot knew is kept all the same: it may move where nothing changes before its camera.
    """

    stream: str
    seq: int
    time_s: float
    sensors: Sensors = NO_SENSORS

    def __post_init__(self) -> None:
        _settle_instant(self)
        _settle_words(self, "stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that a detector found in one box of a frame.

    Attributes:
        label: What it is, of the detector's names: "person", "car".
        score: How sure the detector is, 0 to 1.
        box: Where it is in the picture.
        vector: float32 [A], how it looks, of length 1; the same thing seen again has a high dot product.
        colours: Names of its colours by part, from top to bottom; "" for a part that tells none.
        portrait: float32 [D], its own picture in the encoder's space; None where it was not encoded by itself.
    """

    label: str
    score: float
    box: Box
    vector: FloatArray
    colours: tuple[str, ...] = ()
    portrait: FloatArray | None = None

    def __post_init__(self) -> None:
        _check_vector("Thing.vector", self.vector)
        if self.portrait is not None:
            _check_vector("Thing.portrait", self.portrait)
        x0, y0, x1, y1 = self.box
        if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
            raise ValueError(f"Thing.box must be left, top, right, bottom within 0 to 1, found {self.box}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """What the senses beside the encoder found in one picture.

    Attributes:
        things: What detectors found.
        screen: Lines of text that were read in it, top to bottom; None where nobody tried to read.
    """

    things: tuple[Thing, ...] = ()
    screen: tuple[str, ...] | None = None


NOTHING_SENSED = Sensed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words with a time of their own: read in the picture, heard, or given by the container. Untrusted.

    Attributes:
        stream: Which stream.
        kind: "screen", "speech", "subtitle", "chapter", "mark" for what a robot marked, or one of WORDLESS.
        t0_s: When it was first there, or begins to be said.
        t1_s: When it was last there, or has been said.
        text: The words.
        line: Which line of its screen it was when it was last read, from the top, 0 first; 0 of all other kinds.
    """

    stream: str
    kind: str
    t0_s: float
    t1_s: float
    text: str
    line: int = 0

    def __post_init__(self) -> None:
        _settle_numbers(self, "t0_s", "t1_s")
        _settle_words(self, "stream", "kind", "text")
        if not -LATEST_S <= self.t0_s <= self.t1_s <= LATEST_S:
            raise ValueError(f"Note must have finite times in order, found {self.t0_s} to {self.t1_s}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """A frame after the encoder: a vector, the picture as JPEG bytes, and what came beside it.

    Attributes:
        stream: As in Frame.
        seq: As in Frame.
        time_s: As in Frame.
        vector: float32 [D], of length 1 when the encoder's spec says normalised.
        labels: Names of what the encoder recognised, the surest first; may be empty.
        jpeg: The frame as JPEG.
        sensors: As in Frame.
        text: As in Frame.
        sensed: What the senses beside the encoder found in it.
        cut_s: As in Observation.
        mark: As in Observation.
    """

    stream: str
    seq: int
    time_s: float
    vector: FloatArray
    labels: tuple[str, ...] = ()
    jpeg: bytes = b""
    sensors: Sensors = NO_SENSORS
    text: str = ""
    sensed: Sensed = NOTHING_SENSED
    cut_s: float | None = None
    mark: str = ""

    def __post_init__(self) -> None:
        _settle_instant(self)
        _settle_words(self, "stream", "text")
        _check_vector("Embedding.vector", self.vector)


# What a memory is given, each stream in the order of its seq.
Item = Embedding | Repeat | Note


def later(item: Item, by_s: float) -> Item:
    """An item with all its times some seconds later: it counts from 1970 then, not from the start of a file."""
    if isinstance(item, Note):
        return replace(item, t0_s=item.t0_s + by_s, t1_s=item.t1_s + by_s)
    if isinstance(item, Repeat):
        return replace(item, time_s=item.time_s + by_s)
    cut_s = None if item.cut_s is None else item.cut_s + by_s
    return replace(item, time_s=item.time_s + by_s, cut_s=cut_s)


def stream_id(source_id: str, camera: str) -> str:
    """Name of one camera's stream: the source's own id where it has one unnamed camera."""
    return f"{source_id}/{storable(str(camera))}" if camera else source_id


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """What makes two vectors comparable, written into every memory: a memory never mixes two specs.

    Attributes:
        id: Name and version of the encoder, for example "conse-lite2-minilm:1" or "open_clip:ViT-B-32/openai".
        dim: Length D of a vector.
        normalised: Whether vectors have length 1, so that a dot product is a cosine.
        midpoint: Cosine of a text with the best of 20 pictures at which "shown" and "not shown" are equally
            likely.
        slope: Steepness of that belief, per unit of cosine: p = 1 / (1 + exp(-slope * (cosine - midpoint))).
        growth: How much the midpoint rises when e times as many pictures are compared, since the best of more
            wrong ones comes nearer.
    """

    id: str
    dim: int
    normalised: bool
    midpoint: float
    slope: float
    growth: float = 0.0

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise ValueError(f"EncoderSpec.dim must be 1 or more, found {self.dim}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImages:
    """What an encoder gives for N pictures.

    Attributes:
        vectors_ND: float32 [N, D].
        labels: For each picture, names of what was recognised, the surest first; may be empty.
    """

    vectors_ND: FloatArray
    labels: tuple[tuple[str, ...], ...]
