"""Folders of exported networks, with networks so small that their vectors can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from hippocam.models.encoders.onnx_card import sha256_of
from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder
from hippocam.models.errors import WeightsError
from hippocam.models.registry import make_encoder

onnx = pytest.importorskip("onnx", reason="the extra [clip] is not installed")
CARD = """\
id: colours:1
dim: 3
mean: [0, 0, 0]
deviation: [1, 1, 1]
midpoint: 0.5
slope: 10
"""
WORDS = {"[pad]": 0, "red": 1, "green": 2, "blue": 3}
# Of each word, its colour; of the pad nothing.
TABLE = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)


def save(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> None:
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs, constants)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def value(name: str, shape: list[Any], kind: str = "FLOAT") -> Any:
    return onnx.helper.make_tensor_value_info(name, getattr(onnx.TensorProto, kind), shape)


def save_image(folder: Path, shape: list[Any], *, extra: bool = False, dim: Any = 3) -> None:
    """The mean colour of a picture."""
    nodes = [onnx.helper.make_node("ReduceMean", ["picture"], ["colour"], axes=[2, 3], keepdims=0)]
    outputs = [value("colour", ["n", dim])]
    if extra:
        nodes += [onnx.helper.make_node("Neg", ["colour"], ["other"])]
        outputs += [value("other", ["n", dim])]
    save(folder / "image.onnx", nodes, [value("picture", shape)], outputs, [])


def save_text(
    folder: Path, shape: list[Any], *, kind: str = "INT64", mask: bool = False, more: bool = False
) -> None:
    """The sum of the colours of words."""
    nodes = [onnx.helper.make_node("Gather", ["table", "ids"], ["rows"])]
    inputs = [value("ids", shape, kind)]
    rows = "rows"
    constants = [onnx.numpy_helper.from_array(TABLE, "table"), onnx.numpy_helper.from_array(np.array([1]), "one")]
    if mask:  # with a table whose pad is not nothing, so that the mask must be fed, and rightly
        constants[0] = onnx.numpy_helper.from_array(TABLE + np.array([[9], [0], [0], [0]], np.float32), "table")
        constants += [onnx.numpy_helper.from_array(np.array([2]), "two")]
        inputs += [value("attention_mask", shape, kind)]
        nodes += [onnx.helper.make_node("Cast", ["attention_mask"], ["kept"], to=onnx.TensorProto.FLOAT)]
        nodes += [onnx.helper.make_node("Unsqueeze", ["kept", "two"], ["column"])]
        nodes += [onnx.helper.make_node("Mul", ["rows", "column"], ["masked"])]
        rows = "masked"
    if more:
        inputs += [value("weather", [1])]
    nodes += [onnx.helper.make_node("ReduceSum", [rows, "one"], ["vector"], keepdims=0)]
    save(folder / "text.onnx", nodes, inputs, [value("vector", ["n", 3])], constants)


def save_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel(vocab=WORDS, unk_token="[pad]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "clip"
    path.mkdir()
    (path / "encoder.yaml").write_text(CARD)
    save_image(path, ["n", 3, 8, 8])
    save_text(path, ["n", 4])
    save_tokenizer(path)
    return path


def plain(colour: tuple[int, int, int], height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_vectors_are_what_the_networks_give(folder: Path) -> None:
    encoder = make_encoder(f"onnx:{folder}")
    spec = encoder.spec
    assert (spec.id, spec.dim, spec.normalised, spec.midpoint, spec.slope) == ("colours:1", 3, True, 0.5, 10)
    pictures = encoder.encode_images([plain((255, 0, 0)), plain((30, 40, 0))]).vectors_ND
    assert pictures == pytest.approx(np.array([[1, 0, 0], [0.6, 0.8, 0]]), abs=1e-6)
    texts = encoder.encode_texts(["green", "blue red", "red red red red green green"])  # cut after four
    assert texts == pytest.approx(np.array([[0, 1, 0], [0.5**0.5, 0, 0.5**0.5], [1, 0, 0]]), abs=1e-6)


def test_colours_are_shifted_and_scaled_as_the_card_says(folder: Path) -> None:
    text = CARD.replace("mean: [0, 0, 0]", "mean: [0.2, 0.4, 0]").replace("[1, 1, 1]", "[0.5, 0.25, 1]")
    (folder / "encoder.yaml").write_text(text)
    found = make_encoder(f"onnx:{folder}").encode_images([plain((102, 153, 51))]).vectors_ND[0]
    wanted = np.array([(0.4 - 0.2) / 0.5, (0.6 - 0.4) / 0.25, 0.2])
    assert found == pytest.approx(wanted / np.linalg.norm(wanted), abs=1e-6)


@pytest.mark.parametrize(("resize", "wanted"), [("shortest", (0, 1, 0)), ("squash", (0.5**0.5, 0.5**0.5, 0))])
def test_the_middle_is_cut_out_or_all_is_squeezed(folder: Path, resize: str, wanted: tuple[float, ...]) -> None:
    image = plain((255, 0, 0), 16, 64)
    image[:, 16:48] = (0, 255, 0)  # the middle half, of which the square takes less
    (folder / "encoder.yaml").write_text(f"{CARD}resize: {resize}\ninterpolation: bilinear\n")
    found = make_encoder(f"onnx:{folder}").encode_images([image]).vectors_ND[0]
    assert found == pytest.approx(np.array(wanted), abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: save_image(folder, [1, 3, 8, 8]),
        lambda folder: save_text(folder, [1, 4]),
        lambda folder: save_text(folder, ["n", 4], kind="INT32"),
        lambda folder: save_text(folder, ["n", 4], mask=True),
        lambda folder: save_image(folder, ["n", 3, 8, 8], dim="d"),
        lambda folder: add(folder, "size_px: 8", lambda: save_image(folder, ["n", 3, "h", "w"])),
        lambda folder: add(folder, "length: 4", lambda: save_text(folder, ["n", "l"])),
        lambda folder: add(folder, "image_output: colour", lambda: save_image(folder, ["n", 3, 8, 8], extra=True)),
    ],
    ids=["one picture", "one text", "int32", "mask", "free dim", "free size", "free length", "two outputs"],
)
def test_names_and_shapes_are_read_from_the_graphs(folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    encoder = make_encoder(f"onnx:{folder}")
    assert encoder.encode_images([plain((0, 9, 0))]).vectors_ND[0] == pytest.approx(np.array([0, 1, 0]), abs=1e-6)
    assert encoder.encode_texts(["blue"])[0] == pytest.approx(np.array([0, 0, 1]), abs=1e-6)


def add(folder: Path, line: str, also: Callable[[], None] = lambda: None) -> None:
    (folder / "encoder.yaml").write_text(f"{CARD}{line}\n")
    also()


def card(*changes: tuple[str, str]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = CARD
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (folder / "encoder.yaml").write_text(text)

    return change


WRONG: list[tuple[Callable[[Path], Any], str]] = [
    (
        lambda f: (f / "encoder.yaml").unlink(),
        "encoder.yaml is missing: such a folder holds encoder.yaml, image.onnx",
    ),
    (lambda f: (f / "image.onnx").unlink(), "image.onnx is missing: such a folder holds encoder.yaml, image.onnx"),
    (lambda f: (f / "text.onnx").unlink(), "text.onnx is missing"),
    (lambda f: (f / "tokenizer.json").unlink(), "tokenizer.json is missing"),
    (
        lambda f: (f / "image.onnx").write_bytes(b"not a network"),
        "image.onnx is no ONNX model .*: export it again",
    ),
    (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer.json cannot be read .*: save it with"),
    (lambda f: (f / "encoder.yaml").write_text("a: ["), "cannot be read as YAML"),
    (lambda f: (f / "encoder.yaml").write_text("- 3"), "must hold keys and values, found list"),
    (card(("midpoint: 0.5\n", "")), "must also say midpoint: add"),
    (card(("slope: 10", "slop: 10")), "unknown key 'slop': did you mean 'slope'"),
    (card(("slope: 10", "slope: steep")), "slope must be a number from 1e-06 to 1e.06, found 'steep'"),
    (card(("dim: 3", "dim: 3.5")), "dim must be a whole number from 1 to"),
    (card(("dim: 3", "dim: 4")), "image.onnx gives .*3.* where encoder.yaml says dim 4: correct dim"),
    (card(("mean: [0, 0, 0]", "mean: 0")), "mean must be three numbers, for red, green and blue, found 0"),
    (card(("[1, 1, 1]", "[1, 1, 0]")), "deviation must be a number from 1e-06 to 1, found 0"),
    (card(("id: colours:1", "id: ''")), "id must name the model, found nothing"),
    (lambda f: add(f, "resize: crop"), "resize must be one of shortest, squash, found 'crop'"),
    (lambda f: add(f, "format: 2"), "format must be 1, found 2"),
    (lambda f: add(f, "size_px: 9"), "image.onnx takes 8 where encoder.yaml says 9: correct size_px"),
    (lambda f: add(f, "length: 9"), "text.onnx takes 4 where encoder.yaml says 9: correct length"),
    (lambda f: add(f, "pad_id: 77"), "tokenizer.json has no token 77: correct pad_id"),
    (lambda f: add(f, "image_output: x"), "image.onnx has no output 'x': image_output must be one of colour"),
    (lambda f: add(f, "sha256: {image.onnx: abc}"), "image.onnx is damaged or another one"),
    (lambda f: add(f, "sha256: {../secret: abc}"), "encoder.yaml names '../secret', which is not there"),
    (lambda f: save_image(f, [8, 3, 8, 8]), "image.onnx takes 8 at a time: export it for one at a time"),
    (lambda f: save_image(f, ["n", 4, 8, 8]), "image.onnx takes 4 channels"),
    (lambda f: save_image(f, ["n", 3, 8, 9]), "image.onnx takes 8 x 9 pictures: export it for squares"),
    (lambda f: save_image(f, ["n", 3, "h", "w"]), "image.onnx leaves open how much it takes: set size_px"),
    (
        lambda f: save_image(f, ["n", 3, 8, 8], extra=True),
        "image.onnx has the outputs colour, other: name the one",
    ),
    (lambda f: save_text(f, ["n", "l"]), "text.onnx leaves open how much it takes: set length"),
    (lambda f: save_text(f, ["n", 4], more=True), "text.onnx has the inputs ids, weather: export it with one"),
    (lambda f: (f / "image.onnx").write_bytes((f / "text.onnx").read_bytes()), "image.onnx takes tensor.int64."),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_each_thing_that_is_wrong_is_named_in_one_line(
    folder: Path, change: Callable[[Path], Any], message: str
) -> None:
    change(folder)
    encoder = make_encoder(f"onnx:{folder}")

    def use() -> None:
        encoder.encode_images([plain((1, 2, 3))])
        encoder.encode_texts(["red"])

    with pytest.raises(WeightsError, match=message) as caught:
        use()
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    encoder = OnnxFolderEncoder(str(tmp_path / "nowhere"))  # constructing is cheap, and finds nothing out
    with pytest.raises(WeightsError, match="nowhere: encoder.yaml is missing"):
        assert encoder.spec


def test_files_that_the_card_vouches_for_are_taken(folder: Path) -> None:
    sums = {name: sha256_of(folder / name) for name in ("image.onnx", "text.onnx", "tokenizer.json")}
    add(folder, f"sha256: {sums}")
    assert make_encoder(f"onnx:{folder}").encode_texts(["red"]).shape == (1, 3)


def test_a_picture_that_is_none(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"must be uint8 \[H, W, 3\] RGB and not empty"):
        make_encoder(f"onnx:{folder}").encode_images([np.zeros((0, 5, 3), np.uint8)])
