"""Which encoder a memory gets, through the library and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hippocam.apps import encoder_choice as encoders
from hippocam.apps.cli.main import main
from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.errors import SettingsError
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings, load_settings
from hippocam.models.errors import UnknownModelError
from hippocam.models.inventory import Choice
from hippocam.models.registry import make_encoder, settled_name


@pytest.fixture
def best(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Say what is best on this machine."""

    def choose(name: str) -> None:
        monkeypatch.setattr(encoders, "best_encoder", lambda: Choice(name, "for a test"))

    return choose


@pytest.mark.parametrize(
    ("wanted", "own", "default", "name"),
    [
        (None, None, "bundled", "bundled"),
        (None, None, "auto", "best"),
        ("auto", None, "bundled", "best"),
        ("conse", None, "auto", "conse"),
        (None, "palette", "auto", "palette"),
        ("auto", "palette", "bundled", "palette"),
        ("conse", "palette", "bundled", "conse"),  # the memory refuses it, and says so
    ],
)
def test_asked_for_comes_before_own_and_own_before_settings(
    best: Callable[[str], None], wanted: str | None, own: str | None, default: str, name: str
) -> None:
    best("best")
    assert encoder_name(wanted, own, default) == name


def test_auto_says_what_it_took_and_a_memory_keeps_it(
    best: Callable[[str], None],
    tmp_path: Path,
    colour_video: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = colour_video(tmp_path / "a.mp4", [("red", 3), ("blue", 3)])
    best("palette")
    with Session(tmp_path / "m", encoder="auto") as session:
        session.watch([clip])
        assert session.memory_encoder()[0] == "palette"
    assert capsys.readouterr().err == "encoder auto: palette (for a test)\n"
    best("conse")
    other = colour_video(tmp_path / "b.mp4", [("green", 3)])
    for given in ("auto", None):
        with Session(tmp_path / "m", encoder=given, settings=Settings(encoder="auto")) as session:
            session.watch([other])
            assert session.memory_encoder()[0] == "palette"
            assert session.search("something green")[0].stream == "b"
    assert capsys.readouterr().err == ""


def test_settings_may_name_the_encoder_of_new_memories(
    best: Callable[[str], None], tmp_path: Path, colour_video: Callable[..., Path]
) -> None:
    best("palette")
    (tmp_path / "mine.yaml").write_text("encoder: auto\n")
    settings = load_settings(str(tmp_path / "mine.yaml"))
    with Session(tmp_path / "m", settings=settings) as session:
        session.watch([colour_video(tmp_path / "a.mp4", [("red", 3)])])
        assert session.memory_encoder()[0] == "palette"
    (tmp_path / "mine.yaml").write_text("encoder: 3\n")
    with pytest.raises(SettingsError, match="encoder must be text, in quotes, found 3"):
        load_settings(str(tmp_path / "mine.yaml"))


def test_auto_is_never_a_name_that_a_memory_keeps() -> None:
    with pytest.raises(UnknownModelError, match="cannot be kept"):
        make_encoder("auto")


def test_paths_in_names_hold_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.safetensors").write_bytes(b"")
    assert settled_name("onnx:clip") == f"onnx:{tmp_path}/clip"
    assert settled_name("open_clip:ViT-B-32/w.safetensors") == f"open_clip:ViT-B-32/{tmp_path}/w.safetensors"
    for name in ("open_clip:ViT-B-32/openai", "bundled", "someones:thing"):
        assert settled_name(name) == name


def test_models_are_listed_for_people_and_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert str(tmp_path) in lines[0]
    (at,) = [index for index, line in enumerate(lines) if line.split()[:2] == ["-", "conse"]]
    assert "Apache-2.0" in lines[at]
    assert lines[at + 1].strip() == "-> hippocam models pull conse"
    assert ["ready", "palette"] in [line.split() for line in lines]
    assert main(["models", "--json"]) == 0
    models = {(m["kind"], m["name"]): m for m in json.loads(capsys.readouterr().out)["models"]}
    assert set(models["encoder", "conse"]) == {
        *("kind", "name", "usable", "why", "fix", "size_bytes", "licence", "where"),
    }
    assert models["weights", "tinyvit"]["usable"] is False
    assert models["weights", "tinyvit"]["where"][0].startswith(str(tmp_path))


def test_pull_and_export_say_what_they_made_or_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from hippocam.models import inventory

    monkeypatch.setattr(inventory, "fetch", lambda name: tmp_path / name)
    assert main(["models", "pull", "minilm", "tinyvit", "--json"]) == 0
    pulled = {"minilm": [str(tmp_path / "minilm")], "tinyvit": [str(tmp_path / "tinyvit")]}
    assert json.loads(capsys.readouterr().out) == {"pulled": pulled}
    assert main(["models", "pull", "nothing"]) == 2
    assert "there is nothing to pull for 'nothing'" in capsys.readouterr().err
    assert main(["models", "export", "bundled", str(tmp_path / "x")]) == 2
    assert "'bundled' cannot be exported; give open_clip:MODEL/WEIGHTS" in capsys.readouterr().err
