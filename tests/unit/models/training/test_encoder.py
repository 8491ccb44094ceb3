"""Training on made-up pictures of which the truth is known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.training.captions import Captioned
from hippocam.models.weights import fetch

THINGS = ["a dog", "a red car", "two children", "the sea", "a tall building", "a football match", "snow", "a cat"]


@pytest.fixture(scope="module", autouse=True)
def _weights() -> None:
    try:
        for name in ("minilm", "minilm-tokenizer"):
            fetch(name)
    except WeightsError as error:
        pytest.skip(f"weights cannot be fetched here: {error}")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def made_up(photos: int) -> Captioned:
    """Each photograph shows one of eight things: a direction of its own in the tokens, with noise."""
    from hippocam.models.nets.minilm import MiniLM

    rng, texts = np.random.default_rng(0), MiniLM()
    shows = np.arange(photos) % len(THINGS)
    seen = rng.normal(size=(len(THINGS), 384))[shows] + rng.normal(size=(photos, 384))
    photo_of = np.repeat(np.arange(photos), 2)
    sentences = texts.encode(THINGS)
    return Captioned(
        tokens_VNTC=(np.broadcast_to(seen[:, None], (photos, 65, 384)).astype(np.float16),),
        conse_NE=rng.normal(size=(photos, 384)).astype(np.float32),
        sentences_ME=sentences[shows[photo_of]],
        photo_of_M=photo_of,
    )


def test_what_was_trained_names_what_new_photographs_show() -> None:
    from hippocam.models.encoders.bundled.caption_head import HeadConfig
    from hippocam.models.training.encoder import TrainConfig, fuse, train, vectors

    data, seen, new, held_out = made_up(72), np.arange(48), np.arange(48, 64), np.arange(64, 72)
    config = TrainConfig(
        head=HeadConfig(hidden=32, queries=2, dropout=0.1),
        steps=20,
        batch=24,
        captions=2,
        average=0.9,
        bank=50,
        conse_weight=0.0,
    )
    said: list[str] = []
    networks = train(data, seen, config, said.append)
    assert [line.split(":")[0] for line in said] == ["step 20 of 20"]
    head = fuse(networks, data, seen, held_out, config)
    assert len(head.fusion.bank_QE) == 50
    captions, truth = data.captions_of(new)
    pictures = head.fusion.images(data.conse_NE[new], vectors(networks, data, new))
    found = (head.fusion.texts(data.sentences_ME[captions]) @ pictures.T).argmax(1)
    assert (found % len(THINGS) == truth % len(THINGS)).mean() > 0.9  # by chance 0.125


def test_same_seed_gives_the_same_numbers() -> None:
    import torch

    from hippocam.models.encoders.bundled.caption_head import HeadConfig
    from hippocam.models.training.encoder import TrainConfig, train

    sizes = HeadConfig(hidden=8, queries=2)
    config = TrainConfig(head=sizes, steps=2, batch=4, captions=2, seed=4)
    data = made_up(8)
    runs = [train(data, np.arange(8), config, lambda _: None) for _ in range(2)]
    for (name, first), second in zip(runs[0].named_parameters(), runs[1].parameters(), strict=True):
        assert torch.equal(first, second), name


def test_loss_is_that_of_clip_with_each_caption_in_turn() -> None:
    """Two captions a picture: the mean of the loss of CLIP by its definition, pictures against all captions."""
    import torch

    from hippocam.models.training.encoder import contrast

    rng = np.random.default_rng(0)
    pictures, captions = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    logits = 5.0 * captions @ pictures.T
    of_captions = np.mean([-np.log(np.exp(row[i % 3]) / np.exp(row).sum()) for i, row in enumerate(logits)])
    of_pictures = np.mean([-np.log(np.exp(logits[i, i % 3]) / np.exp(logits[:, i % 3]).sum()) for i in range(6)])
    found = contrast(torch.tensor(pictures), torch.tensor(captions), torch.tensor(np.log(5.0)))
    assert float(found) == pytest.approx((of_captions + of_pictures) / 2, rel=1e-6)
