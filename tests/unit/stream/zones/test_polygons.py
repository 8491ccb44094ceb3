"""Polygons in pictures: what stands in them, and what nobody looks at."""

import numpy as np
import pytest

from hippocam.apps.errors import SettingsError
from hippocam.apps.zones.files import kept_zones, read_zones, write_zones
from hippocam.stream.zones.polygons import CameraZones, masked

TRIANGLE = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("box", "holds"),
    [
        ((0.1, 0.1, 0.3, 0.5), True),  # its foot, at .2 and .5, is in the triangle
        ((0.5, 0.1, 0.9, 0.5), False),
        ((0.1, 0.1, 0.3, 0.95), False),  # most of it is, its foot is not
        ((-0.1, 0.1, 0.1, 1.0), True),  # cut off by the picture's edges, at which the triangle has a corner
    ],
)
def test_a_thing_is_where_its_foot_is(box, holds):
    zone = CameraZones(zones={"lawn": TRIANGLE}).zone("lawn")
    assert zone is not None
    assert zone.holds(box) == holds


def test_a_mask_is_grey_and_nothing_else_is():
    image = np.full((40, 60, 3), 200, np.uint8)
    shown = masked(image, [TRIANGLE, [[0.9, 0.9], [1, 0.9], [1, 1], [0.9, 1]]])
    covered = (shown == 114).all(axis=2)
    assert covered[2, 2]
    assert covered[39, 59]
    assert not covered[30, 40]
    assert 0.5 < covered.mean() < 0.55
    assert (shown[~covered] == 200).all()
    assert (image == 200).all()
    assert masked(image, ()) is image


def test_zones_are_read_from_a_file(tmp_path):
    path = tmp_path / "zones.yaml"
    path.write_text(
        "yard:\n  zones:\n    gate: [[0, 0], [1, 0], [1, 1]]\n  masks:\n  - [[0, 0], [1, 0], [1, 0.1]]\n"
    )
    marked = read_zones(path)["yard"]
    assert marked.zone("gate").corners == ((0, 0), (1, 0), (1, 1))
    assert marked.zone("lawn") is None
    assert len(marked.masks) == 1


def test_what_is_marked_is_written_as_it_is_read(tmp_path):
    path = tmp_path / "zones.yaml"
    assert kept_zones(path) == {}
    marked = CameraZones(zones={"gate": TRIANGLE, "tür": TRIANGLE}, masks=[TRIANGLE])
    write_zones(path, {"house/yard": marked, "empty": CameraZones()})
    assert kept_zones(path) == read_zones(path) == {"house/yard": marked}
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "expected the names of streams"),
        ("yard: 3", "expected keys and values"),
        ("yard: {zone: {}}", "Did you mean 'zones'"),
        ("yard: {zones: {gate: [[0, 0], [1, 1]]}}", "gate must have three corners"),
        ("yard: {masks: [[[0, 0], [1, 1], [2, 0]]]}", "shares of the picture"),
        ("yard: {masks: [[0, 1, 2]]}", "a mask must have three corners"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, text, message):
    path = tmp_path / "zones.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="zones") as error:
        read_zones(path)
    assert message in str(error.value)
