from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hippocam.models.errors import PluginError, UnknownModelError
from hippocam.models.inventory import inventory
from hippocam.models.plugins import encoder_plugins
from hippocam.models.registry import make_encoder

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package by hand: `install("its-name", {"encoder": "module:thing"}, "code of the module")`."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(package: str, points: dict[str, str], code: str = "", module: str = "hippocam_plugged") -> None:
        info = tmp_path / f"{package.replace('-', '_')}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.1\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join(["[hippocam.encoders]", *lines]))
        (tmp_path / f"{module}.py").write_text(code)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


ENCODER = """
class Encoder:
    def __init__(self, argument):
        self.argument = argument
    spec = encode_images = encode_texts = "there"

def make(argument):
    return Encoder("made of " + argument)

number = 3

def half(argument):
    return object()

def fails(argument):
    raise KeyError("no\\nkey")
"""


def of(name: str) -> dict[str, object]:
    (line,) = [model for model in inventory() if model.kind == "encoder" and model.name == name]
    return {"usable": line.usable, "why": line.why, "fix": line.fix}


def test_class_or_function_gets_what_stands_behind_the_colon(install: Install) -> None:
    install("good", {"one": "hippocam_plugged:Encoder", "two": "hippocam_plugged:make"}, ENCODER)
    assert make_encoder("one").argument == ""
    assert make_encoder("one:/a:b").argument == "/a:b"
    assert make_encoder("two:x").argument == "made of x"
    assert of("one") == {"usable": True, "why": "of good 0.1", "fix": ""}


def test_nothing_of_a_package_runs_before_it_is_chosen(install: Install) -> None:
    install("eager", {"eager": "hippocam_plugged:Encoder"}, "raise SystemError('imported')")
    assert "eager" in encoder_plugins()
    assert make_encoder("palette")
    with pytest.raises(UnknownModelError, match="Did you mean 'eager'"):
        make_encoder("eagre")
    assert "hippocam_plugged" not in sys.modules


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("hippocam_plugged:gone", "cannot be imported: AttributeError: module .*: update or uninstall it"),
        ("hippocam_nowhere:Encoder", "cannot be imported: ModuleNotFoundError"),
        ("hippocam_plugged:number", "is no class and no function"),
        ("hippocam_plugged:half", "has no spec and no encode_images and no encode_texts"),
        ("hippocam_plugged:fails", "hippocam_plugged:fails fails: KeyError: 'no"),
    ],
)
def test_broken_packages_are_named_and_hurt_nobody(install: Install, value: str, message: str) -> None:
    install("bad", {"mine": value}, ENCODER)
    with pytest.raises(PluginError, match=message) as caught:
        make_encoder("mine")
    assert "encoder 'mine' of bad 0.1 is broken" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert of("palette")["usable"]


def test_broken_packages_are_listed_with_the_reason(install: Install) -> None:
    install("bad", {"mine": "hippocam_plugged:Encoder"}, "raise RuntimeError('needs a\\nGPU')")
    line = of("mine")
    assert not line["usable"]
    assert "RuntimeError: needs a GPU" in str(line["why"])
    assert line["fix"] == "mend bad 0.1"


def test_our_names_cannot_be_taken(install: Install) -> None:
    install("thief", {"palette": "hippocam_plugged:Encoder"}, ENCODER)
    assert type(make_encoder("palette")).__name__ == "PaletteEncoder"
    lines = [model for model in inventory() if model.name == "palette"]
    assert [line.usable for line in lines] == [True, False]
    assert lines[1].why == "of thief 0.1; the name is taken"


def test_two_packages_with_one_name_are_not_guessed_between(install: Install) -> None:
    install("first", {"mine": "hippocam_plugged:Encoder"}, ENCODER)
    install("second", {"mine": "hippocam_plugged:make"}, ENCODER)
    with pytest.raises(PluginError, match="'mine' is brought by first 0.1 and second 0.1: uninstall all but one"):
        make_encoder("mine")
