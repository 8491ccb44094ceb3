"""Duplicates of real footage, encoded, scaled and packed anew, and what only looks like one."""

import shutil
from pathlib import Path

import pytest

from hippocam.apps.archive.duplicates import Recording, find_duplicates
from hippocam.apps.content import fingerprint_of
from hippocam.stream.sources import open_sources

SECONDS = 12.0
# Stretches of footage in which something moves; the files that the thresholds were found on.
MOVING = {
    "people": ("cctv/intel_one_by_one_person_detection.mp4", 22.0),
    "driveway": ("cctv/driveway_prius_60s.mov", 2.0),
    "bottles": ("cctv/intel_bottle_detection.mp4", 8.0),
    "tour": ("ego/openeqa_hm3d_house_tour.mp4", 2.0),
    "film": ("film/big_buck_bunny_full_360p.mp4", 20.0),
}


def recording(path, start_s=None):
    (source,) = open_sources([path]).sources
    return Recording(str(path), fingerprint_of(str(path)), source.duration_s, start_s)


@pytest.fixture(scope="module")
def footage(shared_data, media, tmp_path_factory):
    """Twelve seconds of each, as a file of its own, in half size."""
    folder = tmp_path_factory.mktemp("footage")

    def stretch(name, path, at_s):
        source, to = shared_data / "video" / path, folder / f"{name}.mp4"
        return media.encode_anew(source, to, scale=0.5, t0_s=at_s, t1_s=at_s + SECONDS)

    return {name: stretch(name, path, at_s) for name, (path, at_s) in MOVING.items()}


@pytest.mark.parametrize("name", MOVING)
def test_what_was_encoded_scaled_or_packed_anew_is_a_duplicate(tmp_path, media, footage, name):
    original = footage[name]
    others = [
        media.encode_anew(original, tmp_path / "half.mp4", scale=0.5),
        media.encode_anew(original, tmp_path / "old.avi", codec="mpeg4", scale=0.75),
        media.pack_anew(original, tmp_path / "packed.mkv"),
        media.pack_anew(original, tmp_path / "packed.ts"),
    ]
    found = find_duplicates([recording(original)], [recording(path) for path in others])
    assert {Path(uri).name for uri in found} == {path.name for path in others}
    assert found[str(others[0])].reason == f"a duplicate of {original} (encoded, scaled or packed anew)"


def test_of_several_new_ones_the_largest_is_the_original(tmp_path, media, footage):
    half = media.encode_anew(footage["people"], tmp_path / "a.mp4", scale=0.5)
    found = find_duplicates([], [recording(half), recording(footage["people"])])
    assert {uri: original for uri, (original, _) in found.items()} == {str(half): str(footage["people"])}


@pytest.mark.parametrize("name", ["people", "driveway", "bottles"])
def test_other_times_of_a_still_camera_are_no_duplicates(tmp_path, media, shared_data, name):
    """Their pictures are nearly the same where nobody is in view, and every file begins with a key frame."""
    source = shared_data / "video" / MOVING[name][0]
    stretches = [
        media.encode_anew(source, tmp_path / f"{k}.mp4", scale=0.5, t0_s=8.0 * k, t1_s=8.0 * k + 8.0)
        for k in range(4)
    ]
    assert find_duplicates([], [recording(path) for path in stretches]) == {}


def test_a_shorter_and_a_longer_version_are_no_duplicates(tmp_path, media, footage):
    original = footage["film"]
    shorter = media.encode_anew(original, tmp_path / "shorter.mp4", t1_s=SECONDS - 2)
    later = media.encode_anew(original, tmp_path / "later.mp4", t0_s=2.0)
    assert find_duplicates([recording(original)], [recording(shorter), recording(later)]) == {}
    assert find_duplicates([recording(shorter)], [recording(original)]) == {}


def test_other_footage_of_the_same_length_is_no_duplicate(footage):
    assert find_duplicates([], [recording(path) for path in footage.values()]) == {}


def test_names_that_say_another_day_are_believed_unless_every_byte_is_the_same(tmp_path, media, footage):
    original = recording(footage["people"], start_s=1.7e9)
    half = media.encode_anew(footage["people"], tmp_path / "half.mp4", scale=0.5)
    same = Path(shutil.copy(footage["people"], tmp_path / "same.mp4"))
    day_later = [recording(path, start_s=1.7e9 + 86400) for path in (half, same)]
    assert find_duplicates([original], day_later) == {
        str(same): (original.uri, f"a duplicate of {original.uri} (byte for byte)")
    }
    assert set(find_duplicates([original], [recording(half, start_s=1.7e9 + 1)])) == {str(half)}
    assert set(find_duplicates([original], [recording(half)])) == {str(half)}


def test_what_cannot_be_read_has_no_duplicates(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.mp4").write_bytes(name.encode() * 5000)
    broken = [Recording(str(path), fingerprint_of(str(path)), 10.0, None) for path in sorted(tmp_path.iterdir())]
    assert find_duplicates([], broken) == {}
