"""The papers against the code: every command, option and setting stands in docs/, and nothing else does."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hippocam.apps.cli.bench.commands import BENCHES
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.apps.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
# Described once for all commands, at the top of commands.md.
COMMON = {"--help", "--memory", "--config", "--json"}
GROUPS = ("live", "models", "train")
COMMANDS = (
    *("watch", "live add", "live remove", "live status", "live stop", "clip", "archive"),
    *("ask", "search", "chat", "web", "mcp"),
    *("entities", "status", "explain", "pin", "unpin", "forget", "sleep", "export", "import", "verify", "upgrade"),
    *("quarantine", "release", "robot replay", "robot map", "robot serve", "robot train", "robot eval"),
    *("models", "models pull", "models export", "train consolidation", "train sleep", "train encoder", "bench"),
)


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    return capsys.readouterr().out


def options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What `--help` lists, without what its texts mention."""
    listed = re.findall(r"^  (-\S.*?)(?:  |$)", help_of(command, capsys), flags=re.MULTILINE)
    return {option for line in listed for option in options_in(line)}


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def sections() -> Iterator[tuple[str, str]]:
    """Each section on one or more commands: its heading, and its text."""
    for page in ("commands.md", "live.md", "archive.md", "robots.md"):
        for part in re.split(r"^##+ ", (DOCS / page).read_text(), flags=re.MULTILINE)[1:]:
            heading, _, text = part.partition("\n")
            if heading.startswith("hippocam"):
                yield heading, text


def section_of(command: str) -> str:
    """The text of all sections whose headings name a command."""
    group, _, name = command.rpartition(" ")
    wanted = rf"hippocam {group}\b.*\b{name}\b" if group else rf"hippocam {name}\b"
    return "\n".join(text for heading, text in sections() if re.search(wanted, heading))


def test_all_commands_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    listed = re.findall(r"^      ([a-z]+)(?: |$)", help_of("", capsys), flags=re.MULTILINE)
    assert sorted(listed) == sorted({command.split()[0] for command in COMMANDS})


@pytest.mark.parametrize("command", [c for c in COMMANDS if c != "bench"])
def test_every_option_of_a_command_is_described(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    there = options_of(command, capsys) - COMMON
    assert there <= options_in(section_of(command)), f"{command} has options that docs/ does not name"


def test_no_option_is_described_that_no_command_has(capsys: pytest.CaptureFixture[str]) -> None:
    every = (*COMMANDS, *(f"bench {name}" for name in BENCHES))
    there = {option for command in every for option in options_of(command, capsys)}
    for page in (*DOCS.glob("*.md"), ROOT / "README.md"):
        foreign = {
            "--extra-index-url",
            "--user",
            "--now",
            "--head",
            "--args",
        }  # pip's, systemctl's, Ray's, vla-eval's
        assert options_in(page.read_text()) - there <= foreign, page.name


def test_every_bench_stands_in_the_table_and_no_other() -> None:
    table = (DOCS / "commands.md").read_text().partition("| bench |")[2]
    assert set(re.findall(r"^\| `([a-z]+)", table, flags=re.MULTILINE)) == set(BENCHES)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting that holds no others: its path, and its default."""
    for field in dataclasses.fields(value):
        inner, name = getattr(value, field.name), f"{path}{field.name}"
        if dataclasses.is_dataclass(inner):
            yield from leaves(inner, f"{name}.")
        else:
            yield name, inner


def test_every_setting_stands_with_its_default_and_no_other_does() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| `(.*?)` \|", (DOCS / "settings.md").read_text(), flags=re.MULTILINE)
    assert len(rows) == len(dict(rows))
    assert {name: yaml.safe_load(value) for name, value in rows} == dict(leaves(Settings()))


def test_the_library_page_names_every_method_with_its_own_parameters() -> None:
    lines = (DOCS / "library.md").read_text().splitlines()
    cells = "\n".join(line.split("|")[1] for line in lines if line.startswith("| `"))
    public = {name for name, value in vars(Session).items() if callable(value) and not name.startswith("_")}
    assert set(re.findall(r"`(\w+)[(`]", cells)) == public
    for name, given in re.findall(r"`(\w+)\(([^)]*)\)`", cells):
        parameters = set(inspect.signature(getattr(Session, name)).parameters)
        assert {part.strip(" =*") for part in given.split(",") if part} <= parameters, name


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), flags=re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


FOLDERS = ("stream", "memory", "models", "apps", "configs", "docs", "examples", "tests")


@pytest.mark.parametrize(
    "page", ["ARCHITECTURE.md", *(f"docs/design/{path.name}" for path in DOCS.glob("design/*"))]
)
def test_files_that_architecture_names_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    there = [str(file.relative_to(ROOT)) for folder in FOLDERS for file in (ROOT / folder).rglob("*")]
    missing = [
        name
        for name in re.findall(r"`([\w./-]+(?:\.py|\.md|/))`", text)
        if not (ROOT / name).exists() and not any(file.endswith(f"/{name}") for file in there)
    ]
    assert missing == []


def test_the_drawing_of_the_folders_is_true() -> None:
    drawing = (ROOT / "ARCHITECTURE.md").read_text().partition("## The folders\n")[2].partition("\n## ")[0]
    folder, named = "", set()
    for line in drawing.splitlines():
        if not line.startswith("    "):
            continue
        names = line.strip().partition("  ")[0].split()
        if not line.startswith("      "):
            folder = names[0]
            named.update(name.rstrip("/") for name in names)
        inside = [name for name in names if line.startswith("      ")]
        for path in (ROOT / folder / name for name in inside):
            assert path.is_dir() or path.with_suffix(".py").is_file(), path
        if not inside:
            assert all((ROOT / name).is_dir() for name in names), names
    assert named == set(FOLDERS)


def test_the_pictures_of_the_page_are_small_and_shown() -> None:
    assert (DOCS / "page.jpg").stat().st_size < 150_000
    shown = set(re.findall(r"\]\((page/[\w-]+\.webp)\)", (DOCS / "page.md").read_text()))
    assert shown == {f"page/{path.name}" for path in (DOCS / "page").iterdir()}
    assert all((DOCS / name).stat().st_size < 60_000 for name in shown)
