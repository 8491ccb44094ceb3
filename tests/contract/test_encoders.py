"""One suite that every encoder passes; those whose weights cannot be fetched here are skipped, and say so."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hippocam.memory.bank.bank import Bank
from hippocam.memory.codec import pack, sign_bytes, signs, unpack
from hippocam.memory.records import Level, Slot
from hippocam.models.encoders.open_clip.encoder import OpenClipEncoder
from hippocam.models.errors import WeightsError
from hippocam.models.registry import make_encoder
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Image

TINY_CLIP = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small CLIP with random weights, saved as a file; gives our name for it."""
    from hippocam.models.torchvision_shim import define_missing_operators

    define_missing_operators()
    open_clip = pytest.importorskip("open_clip", reason="the extra [clip] is not installed")
    import torch

    folder = tmp_path_factory.mktemp("clip")
    (folder / "hippocam-tiny.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder)
    torch.manual_seed(0)
    model = open_clip.create_model("hippocam-tiny")
    torch.save(model.state_dict(), folder / "tiny.pt")
    return f"open_clip:hippocam-tiny/{folder / 'tiny.pt'}"


@pytest.fixture(scope="module")
def in_torch(tiny_clip: str) -> OpenClipEncoder:
    made = OpenClipEncoder(tiny_clip.removeprefix("open_clip:"), runtime="torch")
    made.prepare()
    return made


@pytest.fixture(scope="module")
def in_onnx(tiny_clip: str, tmp_path_factory: pytest.TempPathFactory) -> OpenClipEncoder:
    for needed in ("onnx", "onnxscript"):  # looked for, and not imported: torch does that
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} of the extra [clip] is not installed")
    made = OpenClipEncoder(tiny_clip.removeprefix("open_clip:"), runtime="onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIPPOCAM_CACHE", str(tmp_path_factory.mktemp("cache")))
        made.prepare()
        assert made.spec
    return made


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package that brings an encoder, installed by hand; gives the encoder's name."""
    site = tmp_path_factory.mktemp("site")
    (site / "hippocam_grey.py").write_text(GREY)
    info = site / "hippocam_grey-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hippocam-grey\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[hippocam.encoders]\ngrey = hippocam_grey:GreyEncoder\n")
    sys.path.insert(0, str(site))
    yield "grey:8"
    sys.path.remove(str(site))
    sys.modules.pop("hippocam_grey", None)


@pytest.fixture(
    scope="module",
    params=["palette", "conse", "bundled", "open_clip in torch", "open_clip in onnx", "onnx folder", "plug-in"],
)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param.startswith("open_clip"):
        return request.getfixturevalue("in_torch" if request.param.endswith("torch") else "in_onnx")
    if request.param == "onnx folder":
        made = make_encoder(f"onnx:{request.getfixturevalue('in_onnx').prepare().folder}")
    elif request.param == "plug-in":
        made = make_encoder(request.getfixturevalue("plugin"))
    else:
        made = make_encoder(request.param)
    try:
        made.encode_texts(["a dog"])
        made.encode_images([picture(0, 8, 8)])
    except WeightsError as error:
        pytest.skip(f"{request.param} needs weights that cannot be fetched here: {error}")
    return made


GREY = """
import numpy as np
from hippocam.stream.records import EncodedImages, EncoderSpec


class GreyEncoder:
    def __init__(self, argument):
        self.spec = EncoderSpec(id=f"grey-{argument}", dim=int(argument), normalised=True, midpoint=0.5, slope=9.0)

    def encode_images(self, images):
        dim = self.spec.dim
        rows = [np.histogram(image.mean(2), dim, (0, 256))[0] for image in images]
        rows = np.array(rows, np.float32).reshape(len(images), dim)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return EncodedImages(vectors_ND=rows, labels=((),) * len(images))

    def encode_texts(self, texts):
        rows = np.eye(self.spec.dim, dtype=np.float32)
        return rows[[len(text) % self.spec.dim for text in texts]].reshape(len(texts), self.spec.dim)
"""


def picture(seed: int, height: int, width: int) -> Image:
    """A smooth random picture: noise enlarged."""
    import cv2

    noise = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_spec_says_what_the_vectors_are(encoder: Encoder) -> None:
    spec = encoder.spec
    assert spec == encoder.spec
    assert spec.id
    assert spec.normalised
    assert -1 < spec.midpoint < 1
    assert spec.slope > 0
    assert encoder.encode_images([picture(1, 40, 60)]).vectors_ND.shape == (1, spec.dim)
    assert encoder.encode_texts(["a dog", "a cat"]).shape == (2, spec.dim)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 13), (224, 224), (361, 641), (720, 1280)])
def test_pictures_of_any_size_give_unit_vectors(encoder: Encoder, shape: tuple[int, int]) -> None:
    vectors = encoder.encode_images([picture(2, *shape)]).vectors_ND
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("value", [0, 127, 255])
def test_flat_pictures_give_unit_vectors(encoder: Encoder, value: int) -> None:
    vectors = encoder.encode_images([np.full((48, 64, 3), value, np.uint8)]).vectors_ND
    assert np.isfinite(vectors).all()
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-5)


def test_views_and_read_only_pictures_are_taken_and_left_alone(encoder: Encoder) -> None:
    whole = picture(3, 64, 80)
    whole.setflags(write=False)
    copy = whole.copy()
    mirrored = encoder.encode_images([whole[:, ::-1]]).vectors_ND
    assert np.array_equal(whole, copy)
    assert np.array_equal(mirrored, encoder.encode_images([np.ascontiguousarray(whole[:, ::-1])]).vectors_ND)


def test_nothing_in_gives_nothing_out(encoder: Encoder) -> None:
    none = encoder.encode_images([])
    assert none.vectors_ND.shape == (0, encoder.spec.dim)
    assert none.vectors_ND.dtype == np.float32
    assert none.labels == ()
    assert encoder.encode_texts([]).shape == (0, encoder.spec.dim)


def test_labels_are_words_for_each_picture(encoder: Encoder) -> None:
    encoded = encoder.encode_images([picture(seed, 50, 50) for seed in range(3)])
    assert len(encoded.labels) == 3
    assert all(isinstance(label, str) and label for labels in encoded.labels for label in labels)


def test_same_picture_gives_the_same_vector(encoder: Encoder) -> None:
    image = picture(4, 90, 120)
    first, second = (encoder.encode_images([image]).vectors_ND for _ in range(2))
    assert np.array_equal(first, second)


def test_neighbours_do_not_change_a_picture(encoder: Encoder) -> None:
    images = [picture(seed, 60 + seed, 80) for seed in range(4)]
    together = encoder.encode_images(images)
    for index, image in enumerate(images):
        alone = encoder.encode_images([image])
        assert np.array_equal(together.vectors_ND[index], alone.vectors_ND[0])
        assert together.labels[index] == alone.labels[0]


TEXTS = [
    "a dog",
    "",
    "  ",
    "Ein Hund läuft 🐕",
    "犬が走る",
    "a\nb\tc",
    "\x00",
    "word " * 500,
    "A DOG on the beach",
]


def test_any_text_gives_a_unit_vector(encoder: Encoder) -> None:
    vectors = encoder.encode_texts(TEXTS)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_neighbours_do_not_change_a_text(encoder: Encoder) -> None:
    together = encoder.encode_texts(TEXTS)
    for index, text in enumerate(TEXTS):
        assert together[index] == pytest.approx(encoder.encode_texts([text])[0], abs=1e-5)


def test_different_things_have_different_vectors(encoder: Encoder) -> None:
    assert not np.allclose(*encoder.encode_texts(["a brown dog", "a red sports car"]))
    assert not np.allclose(*encoder.encode_images([picture(5, 64, 64), picture(6, 64, 64)]).vectors_ND)


def test_its_vectors_can_be_reduced_to_their_signs(encoder: Encoder) -> None:
    """The ladder's best step works for every encoder, however many numbers its vectors have."""
    pictures = encoder.encode_images([picture(seed, 64, 64) for seed in range(4)]).vectors_ND
    for vector in pictures:
        blob = pack(signs(vector))
        assert len(blob) == sign_bytes(encoder.spec.dim) == (encoder.spec.dim + 7) // 8 + 4
        assert np.array_equal(unpack(blob) > 0, vector > 0)
    bank = Bank(encoder.spec.dim)
    bank.add(
        Slot(entry_id=1, stream="s", place=0, key_D=pictures[0], utility=1.0, last_s=0.0, level=Level.VECTORS)
    )
    step = bank.next_step()
    assert step is not None
    assert step.to == Level.SIGNS


def test_pictures_in_one_thread_and_texts_in_another(encoder: Encoder) -> None:
    image = picture(7, 64, 64)
    expected = {"image": encoder.encode_images([image]).vectors_ND, "text": encoder.encode_texts(["a dog"])}
    wrong: list[str] = []

    def watch(part: str, encode: Callable[[], np.ndarray]) -> None:
        for _ in range(5):
            if not np.allclose(encode(), expected[part], atol=1e-5):
                wrong.append(part)

    threads = [
        threading.Thread(target=watch, args=("image", lambda: encoder.encode_images([image]).vectors_ND)),
        threading.Thread(target=watch, args=("text", lambda: encoder.encode_texts(["a dog"]))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("runtime", ["in_torch", "in_onnx"])
def test_open_clip_gives_what_the_library_gives(
    tiny_clip: str, runtime: str, request: pytest.FixtureRequest
) -> None:
    import open_clip
    import torch
    from PIL.Image import fromarray

    weights = Path(tiny_clip.partition("/")[2])
    model, _, preprocess = open_clip.create_model_and_transforms("hippocam-tiny", pretrained=str(weights))
    image, texts = picture(8, 50, 70), ["a dog", "two cats on a sofa"]
    with torch.no_grad():
        image_D = model.eval().encode_image(preprocess(fromarray(image))[None], normalize=True)[0].numpy()
        texts_ND = model.encode_text(open_clip.get_tokenizer("hippocam-tiny")(texts), normalize=True).numpy()
    encoder = request.getfixturevalue(runtime)
    assert encoder.encode_images([image]).vectors_ND[0] == pytest.approx(image_D, abs=1e-5)
    assert encoder.encode_texts(texts) == pytest.approx(texts_ND, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("open_clip:Nope/openai", "no model 'Nope'"),
        ("open_clip:ViT-B-32/nope", "neither a file nor a tag of ViT-B-32"),
        ("open_clip:hippocam-tiny/{other}", "cannot be loaded"),
        ("open_clip:hippocam-tiny/{text}", "cannot be loaded"),
    ],
)
def test_open_clip_explains_in_one_line_what_it_cannot_load(
    tiny_clip: str, tmp_path: Path, name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    torch.save({"visual.proj": torch.zeros(3, 3)}, tmp_path / "other.pt")
    (tmp_path / "text.pt").write_text("no weights")
    made = make_encoder(name.format(other=tmp_path / "other.pt", text=tmp_path / "text.pt"))
    with pytest.raises(WeightsError, match=message) as caught:
        made.encode_texts(["a dog"])
    assert "\n" not in str(caught.value)
