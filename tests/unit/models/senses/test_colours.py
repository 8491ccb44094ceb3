import numpy as np

from hippocam.models.senses.colours import SIZE, colour_features


def painted(top, bottom, *, light=1.0, seed=0):
    picture = np.zeros((60, 40, 3), np.float32)
    picture[:30], picture[30:] = top, bottom
    noise = np.random.default_rng(seed).normal(0, 6, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


RED, BLUE, WHITE = (200, 40, 40), (40, 60, 200), (230, 230, 230)


def test_the_same_colours_are_alike_and_others_are_not():
    one = colour_features(painted(RED, BLUE))
    assert one.shape == (SIZE,)
    assert one.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(one), 1, rtol=1e-5)
    assert one @ colour_features(painted(RED, BLUE, seed=1)) > 0.9
    assert one @ colour_features(painted(WHITE, WHITE)) < 0.3


def test_where_a_colour_is_matters():
    one = colour_features(painted(RED, BLUE))
    assert one @ colour_features(painted(BLUE, RED)) < 0.5


def test_the_smallest_picture_has_features():
    assert np.isfinite(colour_features(np.zeros((1, 1, 3), np.uint8))).all()
