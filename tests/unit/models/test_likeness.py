"""How alike sentences are: read only where they may be near, and each once."""

import numpy as np
import pytest

from hippocam.models.likeness import SentenceLikeness
from hippocam.models.nets.minilm import MiniLM
from hippocam.models.weights import cached_path

WORDS = ("free", "cost", "dog", "tree", "the")


class Counting:
    """Vectors that count words; "cost" and "free" mean the same to it, but not at a glance."""

    def __init__(self):
        self.encoded = []

    def glance(self, texts):
        rows = np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)

    def encode(self, texts):
        self.encoded += texts
        return self.glance([text.replace("cost", "free") for text in texts])


def test_sentences_are_alike_by_what_they_mean_and_are_encoded_once():
    network = Counting()
    likeness = SentenceLikeness(network)
    assert likeness.likeness("free", ["cost", "dog"]).tolist() == pytest.approx([1, 0])
    assert likeness.likeness("tree", ["dog", "cost"]).tolist() == pytest.approx([0, 0])
    assert sorted(network.encoded) == ["cost", "dog", "free", "tree"]


def test_only_the_nearest_at_a_glance_are_read():
    network = Counting()
    cosines = SentenceLikeness(network, closer=2).likeness("dog", ["tree", "dog the", "the dog dog", "free"])
    assert cosines[[0, 3]].tolist() == [-1, -1]
    assert (cosines[1:3] > 0.5).all()
    assert sorted(network.encoded) == ["dog", "dog the", "the dog dog"]


def test_nothing_is_as_near_as_nothing():
    assert SentenceLikeness(Counting()).likeness("dog", []).shape == (0,)


@pytest.mark.skipif(not cached_path("minilm").is_file(), reason="MiniLM's weights are not here")
def test_minilm_finds_other_words_for_the_same_among_many():
    others = [f"The train to platform {k} is late" for k in range(200)] + ["And it's free!", "We saw a wolf"]
    cosines = SentenceLikeness(MiniLM()).likeness("it costs nothing", others)
    assert int(np.argmax(cosines)) == 200
