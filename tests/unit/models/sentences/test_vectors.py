import numpy as np
import pytest

from hippocam.models.encoders.bundled.head_file import read_spec
from hippocam.models.sentences.phrases import phrases
from hippocam.models.sentences.vectors import SHIPPED, kept_path, phrase_vectors, write
from hippocam.stream.records import EncoderSpec

SPEC = EncoderSpec(id="vectors-test:1", dim=8, normalised=True, midpoint=0.5, slope=10.0)


class LettersEncoder:
    """Counts letters."""

    spec = SPEC

    def encode_images(self, images):
        raise AssertionError("no picture is encoded for phrases")

    def encode_texts(self, texts):
        return np.array([[text.count(letter) + 1 for letter in "etaoinsr"] for text in texts], np.float32)


def never():
    raise AssertionError("what is kept is not made again")


def test_vectors_of_a_strange_encoder_are_made_and_have_length_1():
    made_PD = phrase_vectors(SPEC, LettersEncoder)
    assert made_PD.shape == (len(phrases()), 8)
    assert np.allclose(np.linalg.norm(made_PD, axis=1), 1, atol=1e-6)


def test_kept_vectors_are_read_and_are_of_their_encoder_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path))
    made_PD = phrase_vectors(SPEC, LettersEncoder)
    write(kept_path(SPEC), SPEC, made_PD)
    assert np.abs(phrase_vectors(SPEC, never) - made_PD).max() < 0.01  # int8
    other = EncoderSpec(id="vectors-test:2", dim=8, normalised=True, midpoint=0.5, slope=10.0)
    with pytest.raises(AssertionError):
        phrase_vectors(other, never)
    kept_path(SPEC).write_bytes(b"no tensors")
    assert np.array_equal(phrase_vectors(SPEC, LettersEncoder), made_PD)


def test_what_ships_is_of_the_default_encoder_and_of_the_bank_as_it_is():
    """Fails after a change of either; `python -m hippocam.models.sentences.vectors` writes it again."""
    spec = read_spec()
    shipped_PD = phrase_vectors(spec, never)
    assert shipped_PD.shape == (len(phrases()), spec.dim)
    assert SHIPPED.stat().st_size < 5_000_000


def test_what_ships_is_what_the_encoder_gives():
    from hippocam.models.encoders.bundled.encoder import BundledEncoder

    encoder = BundledEncoder()
    some = slice(0, None, 97)
    made = encoder.encode_texts([phrase.encoded for phrase in phrases()[some]])
    shipped = phrase_vectors(encoder.spec, never)[some]
    assert (np.einsum("pd,pd->p", made, shipped) > 0.999).all()
