"""Standing questions, and zones of cameras, from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hippocam.apps.errors import SettingsError
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.zones import CameraZones
from hippocam.apps.settings import build
from hippocam.models.yaml_file import read_yaml


def read_alerts(path: Path) -> list[AlertConfig]:
    """Read standing questions: a list, each with the fields of AlertConfig.

    Raises:
        SettingsError: There is no such file, or something in it is wrong.
    """
    where = f"--alerts {path}"
    values = _read(path, where)
    if not isinstance(values, list):
        raise SettingsError(f"{where}: expected a list of alerts, each with a text")
    return [build(AlertConfig, value, where=f"{where}: alert {n}") for n, value in enumerate(values, start=1)]


def read_zones(path: Path) -> dict[str, CameraZones]:
    """Read what is marked in the pictures of cameras: by stream, the fields of CameraZones.

    Raises:
        SettingsError: There is no such file, or something in it is wrong.
    """
    where = f"--zones {path}"
    values = _read(path, where)
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where}: expected the names of streams, each with zones and masks")
    return {str(name): build(CameraZones, marked, where=f"{where}: {name}") for name, marked in values.items()}


def _read(path: Path, where: str) -> object:
    try:
        return read_yaml(path)
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error
