import ast
import importlib
import pickle
import pkgutil
import re
from pathlib import Path

import pytest

import hippocam.apps
from hippocam.apps import errors
from hippocam.apps.cli.advice import ADVICE
from hippocam.apps.cli.main import _parser
from hippocam.apps.web.advice import ADVICE as PAGE_ADVICE

ROOT = Path(__file__).parents[3]
LOWER = [path for folder in ("stream", "memory", "models") for path in (ROOT / folder).rglob("*.py")]
# Where our own options look like those of pip, which is called there.
BORROWED = {"models/weights.py"}


def drawn():
    """The tree of the docstring: (name, name of its base), in its order."""
    above, pairs = [], []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"    ((?:│  |   |├─ |└─ )*)([A-Z]\w+Error)\b", line):
            depth = len(found[1]) // 3
            above[depth:] = [found[2]]
            pairs.append((found[2], above[depth - 1] if depth else "Exception"))
    return pairs


def every_error():
    for package in ("stream", "memory", "models", "apps"):
        module = importlib.import_module(f"hippocam.{package}")
        for found in pkgutil.walk_packages(module.__path__, f"hippocam.{package}."):
            name = found.name
            if re.search(r"class \w+Error\(", Path(importlib.util.find_spec(name).origin).read_text()):
                importlib.import_module(name)
    kinds = [errors.HippocamError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return kinds


def test_the_tree_is_drawn_as_it_is():
    ours = [kind for kind in every_error() if kind.__module__.startswith("hippocam.")]
    assert sorted(drawn()) == sorted((kind.__name__, kind.__base__.__name__) for kind in ours)
    assert {kind.__name__ for kind in ours} <= set(errors.__all__)
    assert hippocam.apps.HippocamError is errors.HippocamError


@pytest.mark.parametrize(
    "error",
    [
        errors.BudgetTooSmallError(Path("m"), needed_bytes=2_500_000, given_bytes=1_000_000),
        errors.EncoderMismatchError(Path("m"), "a", "a:1", asked_for="b", asked_for_id="b:2"),
        errors.OlderFormatError(Path("m"), found=2, reads=3),
        errors.NoMemoryError(Path("m")),
        errors.TooManyWorkersError(9, free=2, cores=4),
        errors.SourceError("a.mp4", "is empty"),
        errors.SettingsError("unknown key"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_travels_between_processes_with_its_data(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_the_nearest_class_that_has_advice_gives_it():
    advice = {errors.HippocamError: "general", errors.MemoryFolderError: lambda error: f"not {error.folder}"}
    assert errors.advised(errors.LockedError(Path("m")), advice).endswith("wait for it; not m")
    assert errors.advised(errors.LiveError("away"), advice) == "away; general"
    assert errors.advised(ValueError("two\nlines"), advice) == "two lines"


def options_and_commands():
    """All long options, and what can follow `hippocam`."""
    options, commands = set(), []
    parsers = [_parser()]
    for parser in parsers:
        for action in parser._actions:
            options |= {option for option in action.option_strings if option.startswith("--")}
            if isinstance(action.choices, dict):
                commands.append(set(action.choices))
                parsers += action.choices.values()
    return options, commands[0]


def strings(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


@pytest.mark.parametrize("path", LOWER, ids=lambda path: str(path.relative_to(ROOT)))
def test_lower_layers_know_no_command_line(path):
    options, commands = options_and_commands()
    assert "--budget-mb" in options
    assert {"watch", "models"} <= commands
    command = re.compile(rf"\bhippocam ({'|'.join(sorted(commands))})\b")
    for line, text in strings(path):
        assert not command.search(text), f"{path}:{line} names a command"
        if str(path.relative_to(ROOT)) in BORROWED:
            assert not options & set(re.findall(r"--[a-z][a-z-]*", text)), f"{path}:{line} names an option of ours"
        else:
            assert not re.search(r"(?<![\w-])--[a-z]", text), f"{path}:{line} names an option"


def test_advice_names_only_options_and_commands_that_there_are():
    options, commands = options_and_commands()
    told = [
        *(said for table in (ADVICE, PAGE_ADVICE) for said in table.values() if isinstance(said, str)),
        errors.advised(errors.EntryGivenUpError("0a"), ADVICE),
        errors.advised(errors.NoMemoryError(Path("m")), ADVICE),
        errors.advised(errors.OlderFormatError(Path("m"), found=2, reads=3), ADVICE),
        errors.advised(errors.OlderFormatError(Path("m"), found=2, reads=3), PAGE_ADVICE),
        errors.advised(
            errors.EncoderMismatchError(Path("m"), "a", "a:1", asked_for="b", asked_for_id="b:2"), ADVICE
        ),
        errors.advised(
            errors.EncoderMismatchError(Path("m"), "a", "a:1", asked_for="a", asked_for_id="a:2"), ADVICE
        ),
    ]
    for text in told:
        assert set(re.findall(r"--[a-z][a-z-]*", text)) <= options, text
        assert set(re.findall(r"hippocam (?!reads|that)([a-z]+)", text)) <= commands, text
