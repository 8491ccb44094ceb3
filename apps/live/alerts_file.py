"""Standing questions from a YAML file."""

from __future__ import annotations

from pathlib import Path

from hippocam.apps.errors import SettingsError
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.settings import build, read_settings_file


def read_alerts(path: Path) -> list[AlertConfig]:
    """Read standing questions: a list, each with the fields of AlertConfig.

    Raises:
        SettingsError: There is no such file, or something in it is wrong.
    """
    where = f"--alerts {path}"
    values = read_settings_file(path, where)
    if not isinstance(values, list):
        raise SettingsError(f"{where}: expected a list of alerts, each with a text")
    return [build(AlertConfig, value, where=f"{where}: alert {n}") for n, value in enumerate(values, start=1)]
