"""Trains what the encoder `bundled` adds to frozen networks, from captioned photographs.

DINOv2 and MiniLM stay as they are; what learns is the head. The loss is that of CLIP (Radford et al. 2021): in a
batch, a picture should be nearer to its own captions than to any other, and the reverse. One thread and a fixed
seed, so one command gives the same file on one machine.

Shapes: B batch; N photographs; M captions; E = 384; F of the fusion.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models.encoders.bundled.caption_head import HeadConfig, ImageHead
from hippocam.models.encoders.bundled.fusion import Fusion
from hippocam.models.encoders.bundled.head_file import Head, write_head
from hippocam.models.pictures import unit_rows
from hippocam.models.training.calibration import fit_belief
from hippocam.models.training.captions import Captioned, Indices, check_folder, extract, recall, split
from hippocam.stream.records import EncoderSpec, FloatArray

VIEWS = 3
_RUN = 256  # photographs that run at once where nothing is learned
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        head: Sizes of the head.
        steps: Number of batches.
        batch: Photographs a batch.
        captions: Captions a photograph in a batch.
        rate: Peak learning rate.
        average: Decay of the running average of the weights, which is what is kept.
        decay: Weight decay of matrices.
        temperature: Start of the learned temperature of the loss.
        conse_weight: Share of ConSE in the fused cosine.
        bank: Number of captions by which hubs are recognised.
        seed: Seed of all that is random.
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    steps: int = 300
    batch: int = 512
    captions: int = 5
    rate: float = 3e-3
    average: float = 0.99
    decay: float = 0.2
    temperature: float = 0.05
    conse_weight: float = 0.2
    bank: int = 2000
    seed: int = 0


class Networks(nn.Module):
    """What learns: the head, and the loss's scale."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.image = ImageHead(config.head)
        self.scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    def pictures(self, data: Captioned, photos: Indices, view: int = 0) -> Tensor:
        """Give the head's vectors of photographs, [B, E]."""
        out_BE: Tensor = self.image(torch.from_numpy(data.tokens_VNTC[view][photos].astype(np.float32)))
        return out_BE


def train(data: Captioned, photos: Indices, config: TrainConfig, say: Say = print) -> Networks:
    """Train on batches of photographs, each in one view, with some of their captions.

    Args:
        data: Features and captions.
        photos: Indices of the photographs to train on.
        config: How to train.
        say: Called with a line of progress, about every hundredth step.

    Returns:
        The running average of the weights.
    """
    torch.manual_seed(config.seed)
    networks, rng = Networks(config), np.random.default_rng(config.seed)
    kept = copy.deepcopy(networks).eval().requires_grad_(False)
    sentences_ME = unit_rows(data.sentences_ME - data.sentences_ME[data.captions_of(photos)[0]].mean(0))
    own = {int(photo): np.flatnonzero(data.photo_of_M == photo) for photo in photos}
    matrices = [weight for weight in networks.parameters() if weight.ndim > 1]
    others = [weight for weight in networks.parameters() if weight.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.decay}, {"params": others, "weight_decay": 0.0}]
    )
    order, began = np.zeros(0, np.int64), time.monotonic()
    networks.train()
    for step in range(1, config.steps + 1):
        if len(order) < config.batch:
            order = np.concatenate([order, rng.permutation(photos)])
        batch, order = order[: config.batch], order[config.batch :]
        chosen = [np.resize(rng.permutation(own[int(photo)]), config.captions) for photo in batch]
        for group in optimizer.param_groups:
            group["lr"] = config.rate * _schedule(step, config.steps)
        pictures_BE = networks.pictures(data, batch, int(rng.integers(len(data.tokens_VNTC))))
        captions_ME = torch.from_numpy(sentences_ME[np.stack(chosen, 1).ravel()])
        loss = contrast(pictures_BE, captions_ME, networks.scale)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        _average(kept, networks, min(config.average, step / (step + 9)))
        if step % 100 == 0 or step == config.steps:
            say(f"step {step} of {config.steps}: loss {loss.item():.3f}, {time.monotonic() - began:.0f} s")
    return kept


def contrast(pictures_BE: Tensor, captions_ME: Tensor, scale: Tensor) -> Tensor:
    """Give the loss of CLIP, with several captions a picture.

    Args:
        pictures_BE: Unit vectors.
        captions_ME: Unit vectors of the first caption of each picture, then of the second of each, and so on.
        scale: Logarithm of the factor of cosines.
    """
    logits_MB = captions_ME @ pictures_BE.T * scale.exp().clamp(max=100)
    own_M = torch.arange(len(pictures_BE)).repeat(len(captions_ME) // len(pictures_BE))
    of_pictures = -logits_MB.log_softmax(0)[torch.arange(len(own_M)), own_M].mean()
    return (functional.cross_entropy(logits_MB, own_M) + of_pictures) / 2


def _schedule(step: int, steps: int) -> float:
    """Give the share of the peak rate: up for a tenth of the steps, then down along a cosine."""
    progress = step / steps
    return 10 * progress if progress < 0.1 else 0.505 + 0.495 * math.cos(math.pi * (progress - 0.1) / 0.9)


@torch.no_grad()
def _average(kept: nn.Module, networks: nn.Module, decay: float) -> None:
    for mean, learned in zip(kept.parameters(), networks.parameters(), strict=True):
        mean.lerp_(learned, 1 - decay)


@torch.no_grad()
def vectors(networks: Networks, data: Captioned, photos: Indices) -> FloatArray:
    """Give the head's vectors of photographs as they are, float32 [N, E]."""
    pictures = [networks.pictures(data, photos[at : at + _RUN]) for at in range(0, len(photos), _RUN)]
    return torch.cat(pictures).numpy()


def fuse(networks: Networks, data: Captioned, photos: Indices, held_out: Indices, config: TrainConfig) -> Head:
    """Measure what the fusion needs, and put the parts together.

    Args:
        networks: What was trained.
        data: Features and captions.
        photos: Those that were trained on, for the means and the bank of captions.
        held_out: Other photographs, which tell how near to the bank a picture usually is.
        config: How it was trained.
    """
    sentences_ME = data.sentences_ME[data.captions_of(photos)[0]]
    fusion = Fusion(
        conse_weight=config.conse_weight,
        crowd=0.0,
        text_mean_E=sentences_ME.mean(0),
        conse_mean_E=data.conse_NE[photos].mean(0),
        head_mean_E=vectors(networks, data, photos).mean(0),
        bank_QE=np.zeros((0, 0), np.float32),
    )
    rng, bank = np.random.default_rng(config.seed), min(config.bank, len(sentences_ME))
    chosen = rng.choice(len(sentences_ME), bank, replace=False)
    fusion = replace(fusion, bank_QE=fusion.sentences(sentences_ME[chosen]))
    near_N = fusion.nearness(fusion.join(data.conse_NE[held_out], vectors(networks, data, held_out)))
    return Head(config=config.head, image=networks.image, fusion=replace(fusion, crowd=float(near_N.mean())))


def train_encoder(
    folder: Path,
    *,
    out: Path,
    cache: Path,
    config: TrainConfig,
    also: Path | None = None,
    encoder_id: str | None = None,
    say: Say = print,
) -> Path:
    """Train from raw pictures, report recall, write the file and give it.

    Args:
        folder: Captioned photographs, see `hippocam.models.training.captions`.
        out: Folder of the file to write.
        cache: Folder to keep features in.
        config: How to train.
        also: Other photographs to report on; None for none.
        encoder_id: What memories know the encoder by; None for a name by what was trained.
        say: Called with a line of progress.

    Raises:
        HippocamError: The folder is not one of captioned photographs, or holds too few.
    """
    check_folder(folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = extract(folder, cache, VIEWS)
        training, held_out, test = split(len(data.conse_NE))
        networks = train(data, training, config, say)
        head = fuse(networks, data, training, held_out, config)
        reports = {"held out": (data, held_out), "test": (data, test)}
        if also is not None:
            other = extract(also, cache, 1)
            reports[also.name] = (other, np.arange(len(other.conse_NE)))
        for name, (of, some) in reports.items():
            head_NE = vectors(networks, of, some)
            for part, fusion in _parts(head.fusion).items():
                pictures_NF, captions_MF, truth_M = _fused(fusion, head_NE, of, some)
                figures = recall(captions_MF @ pictures_NF.T, truth_M)
                say(f"{name} {part:6}" + "".join(f"  R@{first} {share:.3f}" for first, share in figures.items()))
        fused = _fused(head.fusion, vectors(networks, data, held_out), data, held_out)
        belief, dim = fit_belief(*fused, seed=config.seed), fused[0].shape[1]
    finally:
        torch.set_num_threads(threads)
    digest = hashlib.sha256(head.image.out.weight.numpy().tobytes()).hexdigest()
    spec = EncoderSpec(
        id=encoder_id or f"bundled:{digest[:8]}",
        dim=dim,
        normalised=True,
        midpoint=round(belief.midpoint, 4),
        slope=round(belief.slope, 2),
    )
    return write_head(out, head, spec)


def _parts(fusion: Fusion) -> dict[str, Fusion]:
    """Each part alone, without the correction for hubs, and the whole."""
    alone = replace(fusion, bank_QE=np.zeros((1, fusion.bank_QE.shape[1]), np.float32), crowd=0.0)
    return {"conse": replace(alone, conse_weight=1.0), "head": replace(alone, conse_weight=0.0), "all": fusion}


def _fused(
    fusion: Fusion, head_NE: FloatArray, data: Captioned, photos: Indices
) -> tuple[FloatArray, FloatArray, Indices]:
    """Vectors of photographs, from the head's, and of their captions; each caption's photograph."""
    captions, truth_M = data.captions_of(photos)
    pictures_NF = fusion.images(data.conse_NE[photos], head_NE)
    return pictures_NF, fusion.texts(data.sentences_ME[captions]), truth_M
