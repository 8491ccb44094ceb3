from __future__ import annotations

import subprocess
import sys

import pytest

from hippocam.models.errors import UnknownModelError, WeightsError
from hippocam.models.readers.config import ReaderConfig
from hippocam.models.readers.openai import OpenAIConfig
from hippocam.models.registry import make_encoder, make_reader


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("conce", "Did you mean 'conse'"),
        ("zzz", "There are: bundled, conse, "),
        ("", "There are"),
        ("open_clip", "open_clip:MobileCLIP2-S0/dfndr2b"),
        ("open_clip:", "open_clip:MobileCLIP2-S0/dfndr2b"),
        ("conse:large", "takes no argument, found 'large'"),
        ("conse:", "takes no argument"),
    ],
)
def test_wrong_name_is_explained(name: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=message):
        make_encoder(name)


def test_wrong_reader_is_explained() -> None:
    with pytest.raises(UnknownModelError, match="Did you mean 'extractive'"):
        make_reader("extractiv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("transformers", "needs an argument, for example 'transformers:"),
        ("extractive:x", "takes no argument"),
        ("openal:x", "Did you mean 'openai'"),
    ],
)
def test_wrong_arguments_of_readers_are_explained(name: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=message):
        make_reader(name)


def test_argument_reaches_the_reader() -> None:
    assert make_reader("gguf:/models/small.gguf").id == "gguf:small"
    assert make_reader("gguf").id == "gguf:smollm2"
    assert make_reader("transformers:owner/model").id == "transformers:owner/model"
    server = ReaderConfig(openai=OpenAIConfig(base_url="http://x/v1", model="a"))
    assert make_reader("openai", server).id == "openai:a"
    assert make_reader("openai:b:7b", server).id == "openai:b:7b"


def test_argument_reaches_the_encoder() -> None:
    with pytest.raises(WeightsError, match="open_clip:ViT-B-32 must be"):
        make_encoder("open_clip:ViT-B-32")


def test_constructing_an_encoder_imports_nothing_heavy() -> None:
    names = ["bundled", "conse", "open_clip:ViT-B-32/openai"]
    code = f"""
import sys
from hippocam.models.readers.config import ReaderConfig
from hippocam.models.readers.openai import OpenAIConfig
from hippocam.models.registry import make_encoder
for name in {names}:
    make_encoder(name)
heavy = {{"torch", "onnxruntime", "open_clip", "tokenizers", "cv2", "torchvision"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_constructing_a_reader_imports_nothing_heavy() -> None:
    code = """
import os, sys
os.environ |= {"OPENAI_BASE_URL": "http://x/v1", "HIPPOCAM_READER_MODEL": "m"}
from hippocam.models.registry import make_reader
for name in ["extractive", "openai", "transformers:owner/model", "gguf"]:
    make_reader(name)
heavy = {"torch", "transformers", "httpx", "llama_cpp", "cv2", "PIL"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
