"""A model of open_clip with random weights: loaded, batched, exported, cached; open_clip itself is the truth."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hippocam.models import inventory
from hippocam.models.encoders.onnx_folder import OnnxFolderEncoder
from hippocam.models.encoders.open_clip import export as clip_export
from hippocam.models.encoders.open_clip import network
from hippocam.models.encoders.open_clip.encoder import OpenClipEncoder
from hippocam.models.encoders.open_clip.network import import_open_clip
from hippocam.models.encoders.open_clip.tokens import clip_tokenizer
from hippocam.models.errors import WeightsError
from hippocam.models.registry import make_encoder

for needed in ("open_clip", "onnx", "onnxscript"):  # looked for, and not imported: that takes seconds
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} of the extra [clip] is not installed", allow_module_level=True)

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
MODEL = "hippocam-export"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("clip")
    (folder / f"{MODEL}.json").write_text(json.dumps(CONFIG))
    import_open_clip().add_model_config(folder)
    torch.manual_seed(0)
    save_file(import_open_clip().create_model(MODEL).state_dict(), folder / "tiny.safetensors")
    return folder / "tiny.safetensors"


@pytest.fixture(scope="module")
def exported(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that holds the export of the model."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HIPPOCAM_CACHE", str(cache))
        OpenClipEncoder(f"{MODEL}/{weights}").prepare()
    return cache


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def quick(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exporting takes the networks that were exported already, as torch takes 5 s for each; the rest is real."""
    (made,) = (exported / "encoders").glob("[!.]*")

    def write(_: object, folder: Path) -> tuple[int, int]:
        for name in ("image.onnx", "text.onnx"):
            (folder / name).write_bytes((made / name).read_bytes())
        return 16, 77

    monkeypatch.setattr(clip_export, "_write_networks", write)


def tags(monkeypatch: pytest.MonkeyPatch, **tags: dict[str, Any]) -> None:
    """Give the model tags, as open_clip's own table has them."""
    monkeypatch.setitem(import_open_clip().pretrained._PRETRAINED, MODEL, tags)


def picture(seed: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def theirs(weights: Path, image: np.ndarray, **options: Any) -> np.ndarray:
    """What open_clip itself makes of a picture."""
    import torch
    from PIL.Image import fromarray

    model, _, preprocess = import_open_clip().create_model_and_transforms(
        MODEL, pretrained=str(weights), **options
    )
    with torch.no_grad():
        return model.eval().encode_image(preprocess(fromarray(image))[None], normalize=True)[0].numpy()


def test_second_use_takes_the_export_and_not_the_model(
    weights: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIPPOCAM_CACHE", str(exported))
    monkeypatch.setattr(network, "import_open_clip", lambda: pytest.fail("open_clip is not needed"))
    encoder = make_encoder(f"open_clip:{MODEL}/{weights}")
    assert encoder.spec.id.startswith(f"open_clip:{MODEL}/sha256-")
    found = encoder.encode_images([picture(1)]).vectors_ND[0]
    monkeypatch.undo()
    assert found == pytest.approx(theirs(weights, picture(1)), abs=1e-5)


def test_spec_is_the_same_in_torch_in_onnx_and_wherever_the_file_lies(
    weights: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "elsewhere.safetensors"
    moved.write_bytes(weights.read_bytes())
    before = OpenClipEncoder(f"{MODEL}/{moved}", runtime="torch").spec  # no export in this cache
    monkeypatch.setenv("HIPPOCAM_CACHE", str(exported))
    assert OpenClipEncoder(f"{MODEL}/{weights}").spec == before
    moved.write_bytes(weights.read_bytes() + b" ")
    assert OpenClipEncoder(f"{MODEL}/{moved}").spec.id != before.id


def test_exported_tokens_are_those_of_open_clip() -> None:
    simple = import_open_clip().get_tokenizer("ViT-B-32")
    ours = clip_tokenizer(simple)
    ours.enable_truncation(77)
    texts = [
        *clip_export._TEXTS,
        "naïve café",
        "don't, we'll, it's",
        "e\u0301te\u0301",
        "a\u00a0b",
        "\x00",
        "x" * 300,
    ]
    texts += ["3.14 + 2.71 = 5.85", "¿Dónde está el coche rojo?", "красная машина", "빨간 차", "?!...", "½ cup"]
    for text in texts:
        wanted = [token for token in simple([text])[0].tolist() if token]
        assert [token for token in ours.encode(text).ids if token] == wanted, text


@pytest.mark.usefixtures("quick")
def test_broken_or_cut_off_exports_are_made_again(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_encoder(f"open_clip:{MODEL}/{weights}").encode_texts(["a dog"])
    made: list[Path] = []
    write = clip_export.export
    monkeypatch.setattr(clip_export, "export", lambda *given: made.append(given[-1]) or write(*given))
    (folder,) = (path for path in (cache / "encoders").glob("[!.]*"))
    whole = (folder / "image.onnx").read_bytes()

    (folder / "image.onnx").write_bytes(whole[: len(whole) // 2])
    encoder = make_encoder(f"open_clip:{MODEL}/{weights}")
    assert encoder.encode_images([picture(1)]).vectors_ND[0] == pytest.approx(
        theirs(weights, picture(1)), abs=1e-5
    )
    assert made == [folder]
    assert "image.onnx is damaged" in caplog.text

    (folder / "encoder.yaml").write_text("id: [")
    make_encoder(f"open_clip:{MODEL}/{weights}").encode_texts(["a dog"])
    assert made == [folder, folder]
    make_encoder(f"open_clip:{MODEL}/{weights}").encode_texts(["a dog"])
    assert made == [folder, folder]
    assert [path.name for path in folder.parent.glob("[!.]*")] == [folder.name]
    assert not list(folder.parent.glob(".export-*"))


def test_export_of_another_open_clip_is_not_taken(
    weights: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIPPOCAM_CACHE", str(exported))
    source = OpenClipEncoder(f"{MODEL}/{weights}")._find_source()
    assert clip_export.find_export(source) is not None
    monkeypatch.setattr(clip_export, "_versions", lambda: {"open_clip_torch": "99.0"})
    assert clip_export.find_export(source) is None
    monkeypatch.setattr(clip_export, "_versions", dict)  # not installed: then any will do
    assert clip_export.find_export(source) is not None


@pytest.mark.usefixtures("quick")
def test_what_differs_from_torch_stays_in_torch_and_is_not_tried_again(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = clip_export._write_networks

    def write_another(clip: network.TorchClip, folder: Path) -> tuple[int, int]:
        sizes = write(clip, folder)
        clip.model.visual.proj.data[0] += 1e-3  # torch now gives something else
        return sizes

    monkeypatch.setattr(clip_export, "_write_networks", write_another)
    encoder = make_encoder(f"open_clip:{MODEL}/{weights}")
    assert isinstance(encoder.prepare(), network.TorchClip)
    said = caplog.text
    assert "to ONNX Runtime, once" in said
    assert "runs in torch, not in ONNX Runtime: pictures differ from torch by" in said
    monkeypatch.setattr(clip_export, "export", lambda *_: pytest.fail("tried again"))
    again = make_encoder(f"open_clip:{MODEL}/{weights}")
    assert again.encode_images([picture(1)]).vectors_ND[0] == pytest.approx(theirs(weights, picture(1)), abs=1e-5)
    assert "pictures differ from torch by" in caplog.text
    assert not list((cache / "encoders").glob("[!.]*"))
    with pytest.raises(WeightsError, match=r"pictures differ from torch by .*, where 1e-05 is allowed"):
        OpenClipEncoder(f"{MODEL}/{weights}", runtime="onnx").prepare()


def test_without_the_exporter_torch_is_used_and_the_fix_is_named(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    encoder = make_encoder(f"open_clip:{MODEL}/{weights}")
    assert encoder.encode_texts(["a dog"]).shape == (1, 16)
    assert "onnxscript not installed: pip install 'hippocam[clip]'" in caplog.text
    with pytest.raises(WeightsError, match="onnxscript not installed"):
        encoder.export(cache / "folder")


@pytest.mark.usefixtures("quick")
def test_an_exported_folder_works_elsewhere_and_is_never_written_over(
    weights: Path, tmp_path: Path, cache: Path
) -> None:
    encoder = OpenClipEncoder(f"{MODEL}/{weights}", runtime="torch")
    card = encoder.export(tmp_path / "first")
    assert card.largest_difference <= clip_export.TOLERANCE
    (tmp_path / "first").rename(tmp_path / "moved")
    folder = make_encoder(f"onnx:{tmp_path / 'moved'}")
    assert folder.spec == encoder.spec
    images = [picture(seed, 30 + seed, 50) for seed in range(3)]
    assert folder.encode_images(images).vectors_ND == pytest.approx(
        encoder.encode_images(images).vectors_ND, abs=1e-5
    )
    with pytest.raises(WeightsError, match="is there already"):
        encoder.export(tmp_path / "moved")


def test_weights_get_the_activation_that_they_were_trained_with(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags(monkeypatch, quick={"file": str(weights), "quick_gelu": True}, usual={"file": str(weights)})
    quick, usual = (OpenClipEncoder(f"{MODEL}/{tag}", runtime="torch") for tag in ("quick", "usual"))
    image = picture(2)
    found = quick.encode_images([image]).vectors_ND[0]
    assert found == pytest.approx(theirs(weights, image, force_quick_gelu=True), abs=1e-5)
    assert usual.encode_images([image]).vectors_ND[0] == pytest.approx(theirs(weights, image), abs=1e-5)
    assert not np.allclose(found, theirs(weights, image), atol=1e-4)
    assert quick.spec.id == f"open_clip:{MODEL}-quickgelu/quick"  # as open_clip names such a model
    assert usual.spec.id == f"open_clip:{MODEL}/usual"


def test_pictures_for_a_file_of_weights_are_prepared_as_for_the_tags_of_its_model(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "interpolation": "bilinear", "resize_mode": "squash"}
    tags(monkeypatch, first={"hf_hub": "x/y/", **how})
    found = OpenClipEncoder(f"{MODEL}/{weights}", runtime="torch").encode_images([picture(3)]).vectors_ND[0]
    options = {"image_mean": (0, 0, 0), "image_std": (1, 1, 1)}
    wanted = theirs(weights, picture(3), **options, image_interpolation="bilinear", image_resize_mode="squash")
    assert found == pytest.approx(wanted, abs=1e-5)
    assert not np.allclose(found, theirs(weights, picture(3)), atol=1e-4)


def test_batches_for_a_gpu_give_what_one_by_one_gives(weights: Path) -> None:
    alone = network.load(MODEL, str(weights))
    assert (alone.batch, alone.half, alone.device) == (1, False, "cpu")
    images = [picture(seed) for seed in range(11)]  # a batch that is full and one that is filled up
    wanted = alone.images(images)
    assert replace(alone, batch=8).images(images) == pytest.approx(wanted, abs=1e-6)
    half = replace(alone, batch=8, half=True)
    assert (half.images(images) * wanted).sum(1).min() > 0.999  # bfloat16 has eight bits
    for index in (0, 7, 10):
        assert half.images([images[index]])[0] == pytest.approx(half.images(images)[index], abs=1e-6)


@pytest.mark.usefixtures("quick")
def test_pull_loads_what_the_hub_gives_and_exports_it(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def download(config: dict[str, Any], **_: object) -> str:
        asked.append(config["hf_hub"])
        return str(weights)

    tags(monkeypatch, mine={"hf_hub": "someone/model/"})
    monkeypatch.setattr(import_open_clip().factory, "download_pretrained", download)
    (folder,) = inventory.pull(f"open_clip:{MODEL}/mine")
    assert asked == ["someone/model/"]
    assert OnnxFolderEncoder(str(folder)).spec.id == f"open_clip:{MODEL}/mine"
    assert inventory.best_encoder() == (f"open_clip:{MODEL}/mine", "its export is on this disk")
    make_encoder(f"open_clip:{MODEL}/mine").encode_texts(["a dog"])
    assert asked == ["someone/model/"]


def test_a_hub_that_is_out_of_reach_is_one_line_with_the_fix(
    weights: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def download(*_: object, **__: object) -> str:
        raise FileNotFoundError("Failed to download file\nmore")

    tags(monkeypatch, mine={"hf_hub": "someone/model/"})
    monkeypatch.setattr(import_open_clip().factory, "download_pretrained", download)
    with pytest.raises(
        WeightsError, match="cannot be loaded .*: connect to the hub once, or name a file"
    ) as caught:
        inventory.pull(f"open_clip:{MODEL}/mine")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""
