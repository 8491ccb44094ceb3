"""Zones and masks of cameras and recordings in YAML files: read, and kept beside a memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hippocam.apps.errors import SettingsError
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.settings import build, read_settings_file
from hippocam.stream import private
from hippocam.stream.zones.polygons import CameraZones, Polygon

# Corners as they are written: a ten-thousandth of a picture is less than a pixel.
_DIGITS = 4


def read_zones(path: Path) -> dict[str, CameraZones]:
    """Read what is marked in the pictures of cameras: by stream, the fields of CameraZones.

    Raises:
        SettingsError: There is no such file, or something in it is wrong.
    """
    where = f"zones {path}"
    values = read_settings_file(path, where)
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where}: expected the names of streams, each with zones and masks")
    return {str(name): build(CameraZones, marked, where=f"{where}: {name}") for name, marked in values.items()}


def kept_zones(path: Path) -> dict[str, CameraZones]:
    """What was marked and is kept beside a memory; nothing where nobody marked anything.

    Raises:
        SettingsError: Something in the file is wrong.
    """
    return read_zones(path) if path.exists() else {}


def keep_zones(memory: Path, given: Mapping[str, CameraZones]) -> dict[str, CameraZones]:
    """Keep zones beside a memory with those that are kept there; return all, the given ones first."""
    live_folder = LiveFolder(memory)
    kept = kept_zones(live_folder.zones)
    every = {**given, **{name: marked for name, marked in kept.items() if name not in given}}
    if given and every != kept:
        live_folder.make()
        write_zones(live_folder.zones, every)
    return every


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
