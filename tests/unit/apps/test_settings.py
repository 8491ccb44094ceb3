import importlib.resources

import pytest

from hippocam.apps.errors import SettingsError
from hippocam.apps.settings import Settings, load_settings


def test_a_file_names_only_what_differs(tmp_path):
    (tmp_path / "mine.yaml").write_text("memory:\n  working: {gamma: 0.9}\npipeline: {fps: 4.0}\n")
    settings = load_settings(str(tmp_path / "mine.yaml"))
    assert settings.memory.working.gamma == 0.9
    assert settings.pipeline.fps == 4.0
    assert settings.memory.working.max_s == Settings().memory.working.max_s


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("pipelin: {}", "unknown key 'pipelin'. Did you mean 'pipeline'?"),
        ("pipeline: {fps: -1}", "pipeline: fps must be above 0"),
        (
            "memory: {budget_bytes: 1e9}",
            "memory: budget_bytes must be a whole number, in digits or null, found '1e9'",
        ),
        ("pipeline: {fps: '2'}", "pipeline: fps must be a number, in digits or null, found '2'"),
        ("pipeline: {fps: 2026-01-01}", "pipeline: fps must be a number, in digits or null, found datetime.date"),
        ("pipeline: {chunk: yes}", "pipeline: chunk must be a whole number, in digits, found True"),
        ("encoder: 5", "encoder must be text, in quotes, found 5"),
        ("pipeline: {fps: 1}\npipeline: {chunk: 4}", "it says 'pipeline' twice; leave one"),
        ("sources: {threads: 100000}", "threads must be 0 (one per core) to 256, found 100000"),
        ("pipeline: 3", "pipeline: expected keys and values, found 3"),
        ("memory: {budget_bytes: 10}", "budget must be 0.4 MB or more"),
        ("a: [", "not YAML"),
        ("a: 2023-99-99", "not YAML"),
        ("a: " + "[" * 5000, "not YAML"),
        ("pipeline: " + "[" * 60 + "]" * 60, "expected keys and values"),
        ("memory: [&a [x, x], &b [*a, *a], [*b, *b]]", "names a value by reference"),
        ("memory: 0x" + "f" * 5000, "a number of 20000 bits"),
        (b"fps: \xff", "not UTF-8 (byte 5)"),
        ("# " + "x" * 1_000_000, "longer than 1,000,000 bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, text, line):
    (tmp_path / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as raised:
        load_settings(str(tmp_path / "bad.yaml"))
    assert line in str(raised.value)
    assert "bad.yaml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_settings_file_that_ships_can_be_read():
    names = [p.name for p in importlib.resources.files("hippocam.configs").iterdir() if p.name.endswith(".yaml")]
    assert names
    for name in names:
        assert load_settings(name.removesuffix(".yaml")) != Settings()
