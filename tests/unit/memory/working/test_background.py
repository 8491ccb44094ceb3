"""A world of moving rectangles before a textured wall, with known times."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from hippocam.memory.working.background import Background, BackgroundConfig, Change
from hippocam.memory.working.background_pixels import small_picture

HEIGHT, WIDTH = 144, 256
BLUE, RED, GREY = (40, 60, 200), (200, 40, 40), (70, 70, 70)


def wall(seed: int = 0) -> np.ndarray:
    """A wall with soft spots, levels around 140."""
    noise = np.random.default_rng(seed).normal(0, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 8)
    return np.asarray(140 + 25 * soft / soft.std(), np.float32)


def jpeg(picture: np.ndarray) -> bytes:
    ok, data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert ok
    return data.tobytes()


def shown(background: np.ndarray, things, rng, *, light: float = 1.0, noise: float = 3.0) -> bytes:
    """Draw things, (colour, x0, y0, x1, y1) each in pixels, before a background."""
    picture = background.copy()
    for colour, x0, y0, x1, y1 in things:
        picture[max(0, y0) : y1, max(0, x0) : max(0, x1)] = colour
    return jpeg(picture * light + rng.normal(0, noise, picture.shape))


def watch(frames, config: BackgroundConfig | None = None) -> tuple[Background, list[Change]]:
    background, changes = Background(config), list[Change]()
    for time_s, data in frames:
        changes += background.see(small_picture(data), time_s)
    return background, changes


def visits(step_s: float, *, seed: int = 0, until_s: float = 60.0):
    """A blue thing crosses from 10 to 20 s, stands from 14 to 17; a grey one stands from 30 to 55."""
    rng, behind = np.random.default_rng(seed), wall(seed)
    for time_s in np.arange(0, until_s, step_s):
        things = []
        if 10 <= time_s < 20:
            x = int(np.interp(time_s, [10, 14, 17, 20], [-20, 100, 100, 240]))
            things.append((BLUE, x, 40, x + 40, 130))
        if 30 <= time_s < 55:
            things.append((GREY, 150, 50, 190, 140))
        yield float(time_s), shown(behind, things, rng)


@pytest.mark.parametrize("step_s", [1.0, 0.25])
def test_comings_and_leavings_have_their_times_and_nothing_is_invented(step_s):
    background, changes = watch(visits(step_s))
    assert background.static
    told = [(change.kind, change.time_s) for change in changes if change.kind != "moved"]
    truth = [("appeared", 10), ("left", 20), ("appeared", 30), ("left", 55)]
    assert [kind for kind, _ in told] == [kind for kind, _ in truth]
    for (_, found_s), (_, true_s) in zip(told, truth, strict=True):
        assert abs(found_s - true_s) <= step_s + 0.5  # at an edge a thing is mostly gone a little earlier
    for change in changes:
        assert change.t1_s - change.t0_s <= step_s + 1e-6 or change.kind == "moved"


def test_occupied_while_something_is_there():
    background = Background()
    occupied = {}
    for time_s, data in visits(1.0):
        background.see(small_picture(data), time_s)
        occupied[time_s] = background.occupied
    assert not any(occupied[t] for t in (5.0, 9.0, 25.0, 29.0, 59.0))
    assert all(occupied[t] for t in (12.0, 15.0, 18.0, 35.0, 50.0))


def test_an_hour_of_noise_and_slow_light_is_nothing():
    rng, behind = np.random.default_rng(1), wall(1)
    frames = ((float(t), shown(behind, [], rng, light=1 + 0.3 * math.sin(t / 400))) for t in range(0, 3600, 12))
    background, changes = watch(frames)
    assert background.static
    assert changes == []


def test_leaves_that_always_move_are_nothing_and_a_visitor_beside_them_is_found():
    rng, behind = np.random.default_rng(2), wall(2)

    def frames():
        for t in range(180):
            leaves = [(GREY, 10 + 12 * k, 5 + int(rng.integers(0, 20)), 18 + 12 * k, 40) for k in range(5)]
            there = [(RED, 150, 40, 190, 130)] if 150 <= t < 170 else []
            yield float(t), shown(behind, leaves + there, rng)

    _, changes = watch(frames())
    late = [(change.kind, change.time_s) for change in changes if change.t0_s > 100]
    assert late == [("appeared", 149.5), ("left", 169.5)]


def test_a_camera_that_moves_gives_nothing():
    rng = np.random.default_rng(3)
    world = np.asarray(rng.integers(0, 255, (HEIGHT, 4000, 3)), np.float32)
    world = cv2.GaussianBlur(world, (0, 0), 6)
    world = (world - world.mean()) * 6 + 128
    frames = ((float(t), jpeg(world[:, 30 * t : 30 * t + WIDTH])) for t in range(60))
    background, changes = watch(frames)
    assert not background.static
    assert changes == []


def test_what_is_taken_away_left_and_comes_back_when_it_is_put_back():
    rng, behind = np.random.default_rng(4), wall(4)
    frames = (
        (float(t), shown(behind, [] if 20 <= t < 40 else [(RED, 100, 60, 130, 130)], rng)) for t in range(60)
    )
    _, changes = watch(frames)
    assert [(change.kind, change.time_s) for change in changes] == [("left", 19.5), ("appeared", 39.5)]


def test_what_settled_is_seen_to_leave():
    rng, behind = np.random.default_rng(5), wall(5)
    frames = (
        (float(t), shown(behind, [(BLUE, 100, 60, 140, 130)] if 20 <= t < 120 else [], rng)) for t in range(150)
    )
    background, changes = watch(frames, BackgroundConfig(settle_s=30.0))
    kinds = [(change.kind, round(change.time_s)) for change in changes]
    assert ("appeared", 20) in kinds
    assert kinds[-1] == ("left", 120)
    assert not background.occupied


@pytest.mark.parametrize("cut", [13, 33])
def test_going_on_from_bytes_is_as_if_never_interrupted(cut):
    frames = list(visits(1.0))
    _, whole = watch(frames)
    first, changes = watch(frames[:cut])
    second = Background.from_bytes(first.to_bytes())
    for time_s, data in frames[cut:]:
        changes += second.see(small_picture(data), time_s)
    assert changes == whole
    assert second.to_bytes() == watch(frames)[0].to_bytes()


def test_repeats_carry_time_and_do_not_end_what_is_there():
    background, changes = Background(), list[Change]()
    for time_s, data in visits(1.0):
        if 35 <= time_s < 50:
            background.repeat(time_s)
        else:
            changes += background.see(small_picture(data), time_s)
    assert [(c.kind, c.time_s) for c in changes][-2:] == [("appeared", 29.5), ("left", 54.5)]


def test_a_picture_that_cannot_be_read_is_passed_over():
    background = Background()
    assert background.see(small_picture(b""), 0.0) == []
    assert background.see(small_picture(b"no jpeg"), 1.0) == []
    assert not background.static


def test_a_broken_state_is_said():
    with pytest.raises(ValueError, match="not a background's state"):
        Background.from_bytes(b"nonsense")
