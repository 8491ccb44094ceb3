"""Pictures and texts into the space of an exported model that a folder holds: "onnx:<folder>".

The folder holds four files, and needs neither torch nor open_clip:

    image.onnx       one input, float [1 or free, 3, S, S]; one output [.., D] (name it where there are several)
    text.onnx        ids of tokens, int [1 or free, L], perhaps with an attention_mask beside them; output [.., D]
    tokenizer.json   of the `tokenizers` library
    encoder.yaml     the card, see `hippocam.models.encoders.onnx_card`

open_clip/export.py writes such a folder, and the cache of `open_clip:` holds them.
Pictures and texts run one by one, so that no neighbour can change a vector; ONNX Runtime is no faster in batches
on a CPU (measured: ViT-B-32, 1 thread, 86 ms a picture alone, 83 ms among eight).

Shapes: N pictures or texts; D of a vector; S side of a picture; L tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hippocam.models.encoders.onnx_card import IMAGE, TEXT, TOKENIZER, Card, read_card
from hippocam.models.errors import WeightsError
from hippocam.models.lazy import Lazy
from hippocam.models.nets.onnx_session import open_session
from hippocam.models.pictures import unit_rows
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

_FLOATS: dict[str, type[np.generic]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_INTS: dict[str, type[np.generic]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_MASK = "attention_mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tower:
    """One of the two networks, and what its graph says of itself.

    Attributes:
        session: Runs it.
        input: Name of the input that is fed.
        kind: dtype of that input.
        mask: Name of the attention mask's input, "" where it has none.
        output: Name of the output that is taken.
        size: Side of a picture in pixels, or tokens of a text.
    """

    session: onnxruntime.InferenceSession
    input: str
    kind: type[np.generic]
    mask: str
    output: str
    size: int

    def run(self, values: NDArray[Any], mask: NDArray[Any] | None = None) -> FloatArray:
        """Give the vector of one picture or text, float32 [D]."""
        fed = {self.input: values.astype(self.kind)}
        if self.mask and mask is not None:
            fed[self.mask] = mask.astype(self.kind)
        (rows_1D,) = self.session.run([self.output], fed)
        return np.asarray(rows_1D, np.float32).reshape(-1)


class OnnxFolderEncoder:
    """An exported pair of networks, run by ONNX Runtime on the CPU.

    Args:
        argument: The folder.
        threads: Threads for one picture, 0 for as many as ONNX Runtime likes (one per core).

    Raises:
        WeightsError: Something in the folder is missing or wrong (at first use).
    """

    def __init__(self, argument: str, *, threads: int = 0) -> None:
        self.folder = Path(argument).expanduser()
        self._threads = threads
        self._card = Lazy(self._read_card)
        self._checked = Lazy(self._check)
        self._image = Lazy(self._open_image)
        self._text = Lazy(self._open_text)

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors; reads the card alone."""
        return self._card().spec

    def verify(self) -> None:
        """Make sure that the folder is whole, as far as its card says how it was.

        Raises:
            WeightsError: A file is missing, or is not the one that the card names by its sha256.
        """
        self._checked()

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures of any size as the card says; no labels."""
        card, vectors_ND = self._card(), np.zeros((len(images), self.spec.dim), np.float32)
        if len(images):
            tower = self._image()
            for row, image in enumerate(images):
                vectors_ND[row] = tower.run(card.picture(image, tower.size))
        return EncodedImages(vectors_ND=unit_rows(vectors_ND), labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts to float32 [N, D]; longer texts than the model reads are cut."""
        vectors_ND = np.zeros((len(texts), self.spec.dim), np.float32)
        if len(texts):
            tower, tokenizer = self._text()
            for row, text in enumerate(texts):
                tokens = tokenizer.encode(text)
                vectors_ND[row] = tower.run(np.array([tokens.ids]), np.array([tokens.attention_mask]))
        return unit_rows(vectors_ND)

    def tokens(self, text: str) -> list[int]:
        """Return the ids that the text network reads, L of them."""
        return list(self._text()[1].encode(text).ids)

    def _read_card(self) -> Card:
        return read_card(self.folder)

    def _check(self) -> None:
        self._card().verify(self.folder)

    def _open_image(self) -> _Tower:
        card = self._card()
        tower = self._open(IMAGE, _FLOATS, output=card.image_output, rank=4)
        _, channels, height, width = tower.session.get_inputs()[0].shape
        if channels not in (3, None) and not isinstance(channels, str):
            raise self._wrong(
                IMAGE, f"takes {channels} channels where 3 must stand", "export it with [N, 3, S, S]"
            )
        if height != width and isinstance(height, int) and isinstance(width, int):
            raise self._wrong(IMAGE, f"takes {height} x {width} pictures", "export it for squares")
        return self._sized(tower, IMAGE, "size_px", card.size_px, [height, width])

    def _open_text(self) -> tuple[_Tower, Tokenizer]:
        from tokenizers import Tokenizer

        card = self._card()
        tower = self._open(TEXT, _INTS, output=card.text_output, rank=2)
        named = {node.name: node.shape for node in tower.session.get_inputs()}
        tower = self._sized(tower, TEXT, "length", card.length, [named[tower.input][1]])
        try:
            tokenizer = Tokenizer.from_file(str(self.folder / TOKENIZER))
        except (
            Exception
        ) as error:  # the library raises plain Exception, and nothing else, for a file it cannot read
            raise self._wrong(
                TOKENIZER, f"cannot be read ({error})", "save it with the tokenizers library"
            ) from error
        token = tokenizer.id_to_token(card.pad_id)
        if token is None:
            raise self._wrong(TOKENIZER, f"has no token {card.pad_id}", "correct pad_id in encoder.yaml")
        tokenizer.enable_truncation(tower.size)
        tokenizer.enable_padding(length=tower.size, pad_id=card.pad_id, pad_token=token)
        return tower, tokenizer

    def _open(self, name: str, kinds: dict[str, type[np.generic]], *, output: str, rank: int) -> _Tower:
        """Open one network and find out what goes in and comes out."""
        self.verify()
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        try:
            session = open_session(str(self.folder / name), self._threads)
        except (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.InvalidArgument) as error:
            raise self._wrong(name, f"is no ONNX model ({_first_line(error)})", "export it again") from error
        except (state.NotImplemented, state.RuntimeException, state.NoSuchFile) as error:
            fix = "export it again, in one file and with operators that ONNX Runtime has on a CPU"
            raise self._wrong(name, f"cannot be run ({_first_line(error)})", fix) from error
        inputs = {node.name: node for node in session.get_inputs()}
        mask = _MASK if len(inputs) == 2 and _MASK in inputs else ""
        fed = [node for node in inputs.values() if node.name != mask]
        if len(fed) != 1:
            raise self._wrong(name, f"has the inputs {', '.join(inputs)}", "export it with one input")
        (node,) = fed
        if node.type not in kinds or len(node.shape) != rank:
            wanted = "[N, 3, S, S] of floats" if rank == 4 else "[N, L] of ints"
            raise self._wrong(name, f"takes {node.type} {node.shape}", f"export it with {wanted}")
        if isinstance(node.shape[0], int) and node.shape[0] != 1:
            fix = "export it for one at a time, or with a free first axis"
            raise self._wrong(name, f"takes {node.shape[0]} at a time", fix)
        chosen = self._output(name, session, output)
        return _Tower(session=session, input=node.name, kind=kinds[node.type], mask=mask, output=chosen, size=0)

    def _output(self, name: str, session: onnxruntime.InferenceSession, wanted: str) -> str:
        outputs = {node.name: node.shape for node in session.get_outputs()}
        field = "image_output" if name == IMAGE else "text_output"
        if wanted and wanted not in outputs:
            raise self._wrong(name, f"has no output {wanted!r}", f"{field} must be one of {', '.join(outputs)}")
        rows = [wanted] if wanted else [key for key, shape in outputs.items() if len(shape) == 2]
        if len(rows) != 1:
            fix = f"name the one that gives [N, D] as {field} in encoder.yaml"
            raise self._wrong(name, f"has the outputs {', '.join(outputs)}", fix)
        shape, dim = outputs[rows[0]], self.spec.dim
        if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != dim):
            fix = f"correct dim in encoder.yaml, or {field}"
            raise self._wrong(name, f"gives {shape} where encoder.yaml says dim {dim}", fix)
        return rows[0]

    def _sized(self, tower: _Tower, name: str, field: str, said: int, found: list[Any]) -> _Tower:
        """Return the tower with its size, from the graph, or from the card where the graph leaves it open."""
        fixed = {size for size in found if isinstance(size, int)}
        if fixed and said and fixed != {said}:
            raise self._wrong(name, f"takes {min(fixed)} where encoder.yaml says {said}", f"correct {field} there")
        size = min(fixed) if fixed else said
        if not size:
            raise self._wrong(name, "leaves open how much it takes", f"set {field} in encoder.yaml")
        return _Tower(
            session=tower.session,
            input=tower.input,
            kind=tower.kind,
            mask=tower.mask,
            output=tower.output,
            size=size,
        )

    def _wrong(self, name: str, found: str, fix: str) -> WeightsError:
        return WeightsError(f"onnx:{self.folder}: {name} {found}: {fix}")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
