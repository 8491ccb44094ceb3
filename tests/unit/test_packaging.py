import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("stream", "memory", "models", "apps", "configs")


def test_every_package_is_listed_for_the_wheel():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        "hippocam." + str(init.parent.relative_to(ROOT)).replace("/", ".")
        for folder in FOLDERS
        for init in (ROOT / folder).rglob("__init__.py")
    }
    assert set(listed) == found | {"hippocam"}


def test_every_data_file_is_listed_for_the_wheel():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert data.pop("hippocam") == ["py.typed"]
    assert (ROOT / ".types" / "hippocam" / "py.typed").is_file()
    shipped = {
        path
        for package, patterns in data.items()
        for pattern in patterns
        for path in (ROOT / package.removeprefix("hippocam.").replace(".", "/")).glob(pattern)
    }
    there = {
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert there == shipped


# Imported where somebody has them, or part of a package that is asked for.
COME_WITH = {
    "huggingface-hub": "open-clip-torch",
    "mcp-types": "mcp",
    "pyglet": "miniworld",
    "timm": "open-clip-torch",
    "rerun-sdk": "whoever asks for --rerun, which says so where it is missing",
}


def of_package(requirement):
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=; ]", requirement)[0]).lower()


def test_every_package_that_is_imported_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    asked = {of_package(one) for some in (project["dependencies"], *extras) for one in some}
    imported = set()
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    providers = packages_distributions()
    foreign = imported - sys.stdlib_module_names - {"hippocam"}
    here = {name: {of_package(one) for one in providers[name]} for name in foreign if name in providers}
    assert {name for name, packages in here.items() if not packages & (asked | set(COME_WITH))} == set()


def test_the_licence_is_that_of_the_text():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_type_checkers_see_the_folders_under_the_import_name():
    for folder in FOLDERS:
        assert (ROOT / ".types" / "hippocam" / folder).resolve() == ROOT / folder
