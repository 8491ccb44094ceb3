"""Standing questions, and zones of cameras, from YAML files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hippocam.apps.errors import SettingsError
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.live.zones import CameraZones, Polygon
from hippocam.apps.settings import build
from hippocam.models.yaml_file import read_yaml
from hippocam.stream import private

# Corners as they are written: a ten-thousandth of a picture is less than a pixel.
_DIGITS = 4


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
    where = f"zones {path}"
    values = _read(path, where)
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where}: expected the names of streams, each with zones and masks")
    return {str(name): build(CameraZones, marked, where=f"{where}: {name}") for name, marked in values.items()}


def kept_zones(path: Path) -> dict[str, CameraZones]:
    """What was marked and is kept beside a memory; nothing where nobody marked anything.

    Raises:
        SettingsError: Something in the file is wrong.
    """
    return read_zones(path) if path.exists() else {}


def write_zones(path: Path, zones: Mapping[str, CameraZones]) -> None:
    """Write what is marked in the pictures of cameras, whole or not at all, as `read_zones` reads it.

    Args:
        path: The file; its folder must be there.
        zones: By stream. What is empty is left out.
    """
    import yaml

    values = {stream: _plain(marked) for stream, marked in zones.items() if marked.zones or marked.masks}
    content = yaml.safe_dump(values, default_flow_style=None, allow_unicode=True, sort_keys=False)
    private.replace_bytes(path, content.encode())


def _plain(marked: CameraZones) -> dict[str, object]:
    return {
        "zones": {name: _corners(polygon) for name, polygon in marked.zones.items()},
        "masks": [_corners(polygon) for polygon in marked.masks],
    }


def _corners(polygon: Polygon) -> list[list[float]]:
    return [[round(float(edge), _DIGITS) for edge in corner] for corner in polygon]


def _read(path: Path, where: str) -> object:
    try:
        return read_yaml(path)
    except OSError as error:
        raise SettingsError(f"{where}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from error
