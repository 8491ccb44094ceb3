"""The shape of the house: small rooms, modules and classes of one idea, imports that go few levels deep."""

import ast
import functools
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("stream", "memory", "models", "apps", "configs")
MOST_MODULES, MOST_LINES, MOST_METHODS, MOST_LEVELS = 20, 450, 25, 7
RAY = {"stream/ray.py"}


def name_of(path):
    parts = ["hippocam", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def modules(*folders):
    return {name_of(path): path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))}


@functools.cache
def imports_of(path):
    """What one imports anywhere in it, lazily and for its types too: modules, each with a name out of it."""
    found = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update((alias.name, "") for alias in node.names)
    return found


def imported(path, known):
    """The modules of ours that one imports."""
    found = {f"{module}.{name}" if f"{module}.{name}" in known else module for module, name in imports_of(path)}
    return (found & known) - {name_of(path)}


def longest_chain(folder):
    """The longest chain of imports within a folder."""
    paths = modules(folder)
    graph = {name: imported(path, paths.keys()) for name, path in paths.items()}

    @functools.cache
    def chain(name):
        return max(((name, *chain(other)) for other in graph[name]), key=len, default=(name,))

    return max(map(chain, graph), key=len)


def test_no_folder_has_more_modules_than_can_be_told_apart():
    every = [path for folder in (*CODE, "tests") for path in (ROOT / folder).rglob("*.py")]
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in every)
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_module_is_too_long():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules(*CODE).items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_class_has_too_many_methods():
    counts = {
        f"{name}.{node.name}": sum(isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body)
        for name, path in modules(*CODE).items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in counts.items() if count > MOST_METHODS} == {}


@pytest.mark.parametrize("folder", ["apps", "memory"])
def test_imports_go_few_levels_deep(folder):
    chain = longest_chain(folder)
    assert len(chain) <= MOST_LEVELS, " > ".join(chain)


def test_ray_is_imported_where_it_is_started():
    importers = {
        path.relative_to(ROOT).as_posix()
        for path in modules(*CODE).values()
        if any(module.split(".")[0] == "ray" for module, _ in imports_of(path))
    }
    assert importers == RAY


def outside(*rooms):
    """Our modules by name, but for those of some rooms."""
    return {
        name: path
        for name, path in modules(*CODE).items()
        if not any(name == room or name.startswith(room + ".") for room in rooms)
    }


def importers_of(room, paths):
    inside = {name for name in modules(*CODE) if name == room or name.startswith(room + ".")}
    return {name for name, path in paths.items() if imported(path, inside)}


def test_the_product_imports_no_bench():
    bench, commands = "hippocam.apps.bench", "hippocam.apps.cli.bench"
    assert importers_of(bench, outside(bench, commands)) == set()


def test_only_what_is_run_from_a_terminal_imports_the_command_line():
    assert importers_of("hippocam.apps.cli", outside("hippocam.apps.cli")) <= {"hippocam.apps.demo"}
