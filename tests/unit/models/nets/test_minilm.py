from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.nets.minilm import MiniLM


@pytest.fixture(scope="module")
def encoder() -> MiniLM:
    try:
        return MiniLM()
    except WeightsError as error:
        pytest.skip(f"MiniLM cannot be fetched here: {error}")


def test_cosines_are_those_that_its_authors_publish(encoder: MiniLM) -> None:
    """Values of the example on the model's page at sentence-transformers (hub widget)."""
    texts = [
        "That is a happy person",
        "That is a happy dog",
        "That is a very happy person",
        "Today is a sunny day",
    ]
    vectors = encoder.encode(texts)
    assert vectors[1:] @ vectors[0] == pytest.approx([0.695, 0.943, 0.257], abs=1e-3)


def test_long_texts_are_cut_not_refused(encoder: MiniLM) -> None:
    long = "a dog runs on the beach " * 200
    assert encoder.encode([long])[0] @ encoder.encode([long + "and a cat sleeps"])[0] == pytest.approx(1, abs=1e-6)


def test_order_of_texts_is_kept_whatever_their_lengths(encoder: MiniLM) -> None:
    texts = ["a", "a dog on a beach at night", "b", "a dog"]
    assert np.allclose(encoder.encode(texts), [encoder.encode([text])[0] for text in texts], atol=1e-6)
