from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hippocam.models import inventory, weights
from hippocam.models.encoders.onnx_card import Card, write_card
from hippocam.models.encoders.open_clip import export as clip_export
from hippocam.models.errors import UnknownModelError, WeightsError
from hippocam.models.inventory import HUB_MODELS, NEEDS, Model, best_encoder
from hippocam.models.lazy import Lazy
from hippocam.models.nets import minilm
from hippocam.models.registry import ENCODERS, READERS, make_encoder
from hippocam.models.weights import WEIGHTS, cached_path

FIRST, SECOND = (model.name for model in HUB_MODELS)


def test_all_that_watching_uses_is_the_encoder_and_the_senses() -> None:
    assert set(NEEDS["bundled"]) < set(inventory.needed()) <= WEIGHTS.keys()
    assert {"efficientdet-lite0", "osnet", "ocr-reader"} <= set(inventory.needed())
    assert "qwen2.5-coder-1.5b" not in inventory.needed()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of ours and of the hub."""
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    if importlib.util.find_spec("huggingface_hub"):
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def line(name: str, kind: str = "encoder") -> Model:
    (found,) = [model for model in inventory.inventory() if (model.name, model.kind) == (name, kind)]
    return found


def put_export(name: str) -> Path:
    source = name.partition(":")[2]
    folder = clip_export.export_path(source)
    folder.mkdir(parents=True)
    card = Card(
        id=name, dim=4, mean=(0, 0, 0), deviation=(1, 1, 1), midpoint=0.2, slope=50, source=source, licence="MIT"
    )
    write_card(folder, card)
    return folder


def put_on_hub(cache: Path, repository: str) -> None:
    file = (
        cache
        / "hub"
        / f"models--{repository.replace('/', '--')}"
        / "snapshots"
        / "1"
        / "open_clip_model.safetensors"
    )
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")


def test_every_model_and_file_is_listed(cache: Path) -> None:
    models = inventory.inventory()
    named = {kind: {m.name.partition(":")[0] for m in models if m.kind == kind} for kind in ("encoder", "reader")}
    assert named["encoder"] >= set(ENCODERS)
    assert named["reader"] == set(READERS)
    assert {model.name for model in models if model.kind == "weights"} == set(WEIGHTS)
    for model in models:
        assert model.usable != bool(model.fix or model.fetchable), (
            model
        )  # what cannot be used says what to do, and only that
        assert model.usable or model.why, model


def test_what_is_not_fetched_says_how_to_fetch_it_and_then_is_ready(cache: Path) -> None:
    assert line("palette").usable
    conse = line("conse")
    assert not conse.usable
    assert conse.fetchable
    assert "minilm, minilm-tokenizer not fetched" in conse.why
    assert conse.size_bytes == sum(WEIGHTS[name].size_bytes for name in NEEDS["conse"])
    for name in NEEDS["conse"]:
        cached_path(name).parent.mkdir(parents=True, exist_ok=True)
        cached_path(name).write_bytes(b"there")
    assert line("conse").usable
    assert not line("bundled").usable
    assert line("minilm", "weights").where == (str(cached_path("minilm")),)
    assert line("tinyvit", "weights").fetchable


@pytest.mark.parametrize("name", ["bundled", "conse"])
def test_what_an_encoder_needs_is_what_it_reads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    path = weights.cached_path
    monkeypatch.setattr(minilm, "shared_minilm", Lazy(minilm.MiniLM))  # else another test may have read it
    monkeypatch.setattr(weights, "cached_path", lambda part: read.add(part) or path(part))
    encoder = make_encoder(name)
    try:
        encoder.encode_texts(["a dog"])
        encoder.encode_images([np.zeros((8, 8, 3), np.uint8)])
    except WeightsError as error:
        pytest.skip(f"{name} needs weights that cannot be fetched here: {error}")
    assert read == set(NEEDS[name])


def test_pull_fetches_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "fetch", lambda name: Path(f"/cache/{name}"))
    assert inventory.pull("minilm") == [Path("/cache/minilm")]
    assert inventory.pull("conse") == [Path(f"/cache/{name}") for name in NEEDS["conse"]]
    for name in ("extractive", "nothing", "onnx:/folder", "open_clip"):
        with pytest.raises(UnknownModelError, match="there is nothing to pull for"):
            inventory.pull(name)


def test_auto_takes_a_clip_that_is_here_in_the_documented_order(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert best_encoder().name == "bundled"
    put_export("open_clip:Another/tag")
    put_export("open_clip:Aaa/sha256-0123456789abcdef")  # of a file: its name would not hold
    assert best_encoder().name == "open_clip:Another/tag"
    put_export(SECOND)
    assert best_encoder() == (SECOND, "its export is on this disk")
    if importlib.util.find_spec("open_clip") is None:
        pytest.skip("the extra [clip] is not installed")
    put_on_hub(cache, HUB_MODELS[0].repository)
    assert best_encoder() == (FIRST, "its weights are on this disk")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "open_clip" else find(name))
    assert best_encoder().name == SECOND  # its export needs no open_clip


def test_clips_say_what_they_lack(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "open_clip" else find(name))
    assert line(FIRST).fix == "pip install 'hippocam[clip]'"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "open_clip" or find(name))
    assert line(FIRST).fetchable
    folder = put_export(FIRST)
    assert line(FIRST).usable
    assert line(FIRST).where == (str(folder),)
    other = put_export("open_clip:Aaa/sha256-0123456789abcdef")
    assert line(f"onnx:{other}").usable


def test_servers_are_ready_when_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("HIPPOCAM_READER_MODEL", "m")
    assert line("openai", "reader").why == "OPENAI_BASE_URL not set"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://x/v1")
    assert line("openai", "reader").usable


def test_listing_imports_nothing_heavy() -> None:
    code = """
import sys
from hippocam.models.inventory import best_encoder, inventory
inventory(), best_encoder()
heavy = {"torch", "onnxruntime", "open_clip", "tokenizers", "cv2", "torchvision", "transformers", "PIL"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
