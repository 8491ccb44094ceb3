"""Trains what the encoder `bundled` adds to frozen networks, from captioned photographs: `hippocam train encoder`.

First the head alone on frozen features, then the head with TinyViT's last stage and low-rank changes of MiniLM's
last layers (Hu et al. 2021, "LoRA"). The loss is that of CLIP (Radford et al. 2021): in a batch, a picture shall
be nearer to its own captions than to any other, and the reverse. One thread and a fixed seed, so one command gives
the same files on one machine.

Shapes: B batch; N photographs; M captions; L tokens; P = 49 patches; C = 320; K = 1280; E = 384; D of the head;
F of the fusion.
"""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models import minilm
from hippocam.models.calibration import fit_belief
from hippocam.models.caption_head import HeadConfig, ImageHead, TextHead
from hippocam.models.captions import Captioned, Indices, check_folder, extract, recall, split
from hippocam.models.fusion import Fusion
from hippocam.models.head_file import Head, write_head
from hippocam.models.tinyvit_network import TinyViTNetwork
from hippocam.stream.records import EncoderSpec, FloatArray

VIEWS = 3
_MASK_TOKEN, _SPECIAL_TOKENS = 103, 200  # of BERT: what stands for a word unknown, and where words begin
_RUN = 64  # photographs or captions that run at once where nothing is learned
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A run of training.

    Attributes:
        steps: Number of batches.
        batch: Photographs a batch.
        captions: Captions a photograph in a batch.
        average: Decay of the running average of the weights, which is what is kept.
        rates: Peak learning rate of each network that learns, by its name in `Networks`.
    """

    steps: int
    batch: int
    captions: int
    average: float
    rates: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        head: Sizes of the head.
        alone: The head on frozen features.
        together: The head with the networks below it.
        rank: Of what is added to a weight of MiniLM.
        layers: How many of MiniLM's six layers learn, the last ones.
        drop_path: See `TinyViTNetwork`.
        word_dropout: Share of words that are masked in the second phase.
        decay: Weight decay of matrices of the head.
        decay_below: The same of the networks below it.
        temperature: Start of the learned temperature of the loss.
        conse_weight: Share of ConSE in the fused cosine.
        bank: Number of captions that hubs are told by.
        seed: Of all that is random.
    """

    head: HeadConfig = field(default_factory=HeadConfig)
    alone: Phase = Phase(steps=160, batch=512, captions=5, average=0.99, rates={"image": 3e-3, "text": 3e-3})
    together: Phase = Phase(
        steps=600,
        batch=192,
        captions=2,
        average=0.98,
        rates={"image": 7e-4, "text": 7e-4, "tinyvit": 2e-4, "minilm": 5e-4},
    )
    rank: int = 8
    layers: int = 3
    drop_path: float = 0.1
    word_dropout: float = 0.1
    decay: float = 0.2
    decay_below: float = 0.05
    temperature: float = 0.05
    conse_weight: float = 0.2
    bank: int = 2000
    seed: int = 0


class LowRank(nn.Module):
    """MiniLM with a product of two small matrices added to each weight of its last layers.

    Args:
        layers: How many layers, from the last.
        rank: Inner size of the product.
    """

    def __init__(self, layers: int, rank: int) -> None:
        super().__init__()
        self.weights = minilm.read_weights()
        first = minilm.LAYERS - layers
        learning = tuple(f"encoder.layer.{index}." for index in range(first, minilm.LAYERS))
        self.names = [
            name for name, weight in self.weights.items() if name.startswith(learning) and weight.ndim == 2
        ]
        sizes = [self.weights[name].shape for name in self.names]
        self.ups = nn.ParameterList([torch.zeros(out, rank) for out, _ in sizes])
        self.downs = nn.ParameterList([torch.randn(rank, width) / width**0.5 for _, width in sizes])

    def forward(self, ids_BL: Tensor, own_BL: Tensor) -> Tensor:
        """Give unit vectors, float32 [B, 384]; see `minilm.forward`."""
        parts = zip(self.names, self.ups, self.downs, strict=True)
        changed = {name: self.weights[name] + up @ down for name, up, down in parts}
        return minilm.forward({**self.weights, **changed}, ids_BL, own_BL)

    def factors(self) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Give both matrices of each changed weight."""
        parts = zip(self.names, self.ups, self.downs, strict=True)
        return {name: (up.detach().numpy(), down.detach().numpy()) for name, up, down in parts}


class Networks(nn.Module):
    """All that learns, and the loss's scale."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.image, self.text = ImageHead(config.head), TextHead(config.head)
        self.tinyvit, self.minilm = TinyViTNetwork(config.drop_path), LowRank(config.layers, config.rank)
        self.scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))

    def pictures(self, data: Captioned, photos: Indices, view: int = 0) -> Tensor:
        """Give the head's vectors of photographs, [B, D]."""
        grid_BCHW = torch.from_numpy(data.grids_VNCHW[view][photos].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            patches_BPC = self.tinyvit(grid_BCHW.contiguous(memory_format=torch.channels_last))
        out_BD: Tensor = self.image(patches_BPC.float(), torch.from_numpy(data.pooled_NK[photos]))
        return out_BD

    def captions(self, data: Captioned, captions: Indices, word_dropout: float = 0.0) -> Tensor:
        """Give the head's vectors of captions, [B, D]."""
        lengths_B = np.array([len(data.tokens_M[caption]) for caption in captions])
        ids_BL = torch.zeros(len(captions), int(lengths_B.max()), dtype=torch.int64)
        for row, caption in enumerate(captions):
            ids_BL[row, : lengths_B[row]] = torch.tensor(data.tokens_M[caption])
        own_BL = torch.arange(ids_BL.shape[1]) < torch.from_numpy(lengths_B)[:, None]
        if word_dropout:
            hidden_BL = (torch.rand(ids_BL.shape) < word_dropout) & (ids_BL > _SPECIAL_TOKENS)
            ids_BL = ids_BL.masked_fill(hidden_BL, _MASK_TOKEN)
        with torch.autocast("cpu", torch.bfloat16):
            sentences_BE = self.minilm(ids_BL, own_BL)
        out_BD: Tensor = self.text(sentences_BE.float())
        return out_BD


def train(data: Captioned, photos: Indices, config: TrainConfig, say: Say = print) -> Networks:
    """Train, and give the running average of the weights.

    Args:
        data: Features and captions.
        photos: Positions of the photographs to train on.
        config: How to train.
        say: Where to report to, about every hundredth step.
    """
    torch.manual_seed(config.seed)
    networks = Networks(config)
    kept = copy.deepcopy(networks).eval().requires_grad_(False)
    rng = np.random.default_rng(config.seed)
    patches_NPC = _frozen_patches(networks.tinyvit, data, photos)
    position_N = np.full(len(data.conse_NE), -1)
    position_N[photos] = np.arange(len(photos))

    def frozen(batch: Indices, captions: Indices) -> tuple[Tensor, Tensor]:
        patches_BPC = torch.from_numpy(patches_NPC[position_N[batch]].astype(np.float32))
        pictures_BD = networks.image(patches_BPC, torch.from_numpy(data.pooled_NK[batch]))
        return pictures_BD, networks.text(torch.from_numpy(data.sentences_ME[captions]))

    def learning(batch: Indices, captions: Indices) -> tuple[Tensor, Tensor]:
        view = int(rng.integers(len(data.grids_VNCHW)))
        pictures_BD = networks.pictures(data, batch, view)
        return pictures_BD, networks.captions(data, captions, config.word_dropout)

    for phase, both in ((config.alone, frozen), (config.together, learning)):
        _run(networks, kept, data, photos, config, phase, both, rng, say)
        networks.load_state_dict(kept.state_dict())
    return kept


def _run(
    networks: Networks,
    kept: Networks,
    data: Captioned,
    photos: Indices,
    config: TrainConfig,
    phase: Phase,
    both: Callable[[Indices, Indices], tuple[Tensor, Tensor]],
    rng: np.random.Generator,
    say: Say,
) -> None:
    """One phase: batches of photographs with some of their captions, their vectors by `both`, a step for each."""
    own = {int(photo): np.flatnonzero(data.photo_of_M == photo) for photo in photos}
    optimizer = _optimizer(networks, config, phase)
    order, began = np.zeros(0, np.int64), time.monotonic()
    networks.train()
    for step in range(1, phase.steps + 1):
        if len(order) < phase.batch:
            order = np.concatenate([order, rng.permutation(photos)])
        batch, order = order[: phase.batch], order[phase.batch :]
        chosen = [np.resize(rng.permutation(own[int(photo)]), phase.captions) for photo in batch]
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * _schedule(step, phase.steps)
        loss = contrast(*both(batch, np.stack(chosen, 1).ravel()), networks.scale)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        _average(kept, networks, min(phase.average, step / (step + 9)))
        if step % 100 == 0 or step == phase.steps:
            say(f"step {step} of {phase.steps}: loss {loss.item():.3f}, {time.monotonic() - began:.0f} s")


def contrast(pictures_BD: Tensor, captions_MD: Tensor, scale: Tensor) -> Tensor:
    """Give the loss of CLIP, with several captions a picture.

    Args:
        pictures_BD: Unit vectors.
        captions_MD: Unit vectors of the first caption of each picture, then of the second of each, and so on.
        scale: Logarithm of what cosines are multiplied by.
    """
    logits_MB = captions_MD @ pictures_BD.T * scale.exp().clamp(max=100)
    own_M = torch.arange(len(pictures_BD)).repeat(len(captions_MD) // len(pictures_BD))
    of_pictures = -logits_MB.log_softmax(0)[torch.arange(len(own_M)), own_M].mean()
    return (functional.cross_entropy(logits_MB, own_M) + of_pictures) / 2


def _optimizer(networks: Networks, config: TrainConfig, phase: Phase) -> torch.optim.Optimizer:
    groups = []
    for name, peak in phase.rates.items():
        decay = config.decay if name in ("image", "text") else config.decay_below
        learning = [weight for weight in networks.get_submodule(name).parameters() if weight.requires_grad]
        matrices = [weight for weight in learning if weight.ndim > 1]
        others = [weight for weight in learning if weight.ndim < 2]
        groups.append({"params": matrices, "weight_decay": decay, "peak": peak})
        groups.append({"params": others, "weight_decay": 0.0, "peak": peak})
    groups.append({"params": [networks.scale], "weight_decay": 0.0, "peak": phase.rates["image"]})
    return torch.optim.AdamW([group for group in groups if group["params"]])


def _schedule(step: int, steps: int) -> float:
    """Give the share of the peak rate: up for a tenth of the steps, then down along a cosine."""
    progress = step / steps
    return 10 * progress if progress < 0.1 else 0.505 + 0.495 * math.cos(math.pi * (progress - 0.1) / 0.9)


@torch.no_grad()
def _average(kept: nn.Module, networks: nn.Module, decay: float) -> None:
    for mean, learned in zip(kept.parameters(), networks.parameters(), strict=True):
        mean.lerp_(learned, 1 - decay)


@torch.no_grad()
def _frozen_patches(tinyvit: TinyViTNetwork, data: Captioned, photos: Indices) -> FloatArray:
    """Give what the last stage makes of the first view before it learns, float16 [N, 49, 320]."""
    tinyvit.eval()
    rows = []
    for start in range(0, len(photos), _RUN):
        grid_BCHW = torch.from_numpy(data.grids_VNCHW[0][photos[start : start + _RUN]].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            rows.append(tinyvit(grid_BCHW).to(torch.float16).numpy())
    return np.concatenate(rows)


@torch.no_grad()
def vectors(networks: Networks, data: Captioned, photos: Indices) -> tuple[FloatArray, FloatArray, Indices]:
    """Give the head's vectors of photographs [N, D] and of captions [M, D], and each caption's photograph."""
    captions, truth_M = data.captions_of(photos)
    order = np.argsort([len(data.tokens_M[caption]) for caption in captions], kind="stable")
    pictures_ND = [networks.pictures(data, photos[at : at + _RUN]) for at in range(0, len(photos), _RUN)]
    sorted_MD = [networks.captions(data, captions[order[at : at + _RUN]]) for at in range(0, len(order), _RUN)]
    captions_MD = np.empty((len(order), sorted_MD[0].shape[1]), np.float32)
    captions_MD[order] = np.concatenate(sorted_MD)
    return np.concatenate(pictures_ND), captions_MD, truth_M


def fuse(networks: Networks, data: Captioned, photos: Indices, held_out: Indices, config: TrainConfig) -> Head:
    """Measure what the fusion needs, and put the parts together.

    Args:
        networks: What was trained.
        data: Features and captions.
        photos: Those that were trained on, for the means and the bank of captions.
        held_out: Others, for how near to the bank a picture usually is.
        config: How it was trained.
    """
    captions, _ = data.captions_of(photos)
    pictures_ND, captions_MD, _ = vectors(networks, data, photos)
    sentences_ME = data.sentences_ME[captions]
    fusion = Fusion(
        conse_weight=config.conse_weight,
        crowd=0.0,
        conse_image_mean_E=data.conse_NE[photos].mean(0),
        conse_text_mean_E=sentences_ME.mean(0),
        head_image_mean_D=pictures_ND.mean(0),
        head_text_mean_D=captions_MD.mean(0),
        bank_QJ=np.zeros((0, 0), np.float32),
    )
    chosen = np.random.default_rng(config.seed).choice(
        len(captions), min(config.bank, len(captions)), replace=False
    )
    fusion = replace(fusion, bank_QJ=fusion.join_texts(sentences_ME[chosen], captions_MD[chosen]))
    others_ND, _, _ = vectors(networks, data, held_out)
    near_N = fusion.nearness(fusion.join_images(data.conse_NE[held_out], others_ND))
    fusion = replace(fusion, crowd=float(near_N.mean()))
    return Head(
        config=config.head,
        image=networks.image,
        text=networks.text,
        fusion=fusion,
        tinyvit=networks.tinyvit.changes(),
        minilm=networks.minilm.factors(),
    )


def train_encoder(
    folder: Path,
    *,
    out: Path,
    cache: Path,
    config: TrainConfig,
    also: Path | None = None,
    encoder_id: str | None = None,
    say: Say = print,
) -> list[Path]:
    """Train from raw pictures, report recall and write the files.

    Args:
        folder: Captioned photographs, see `hippocam.models.captions`.
        out: Folder of the files to write.
        cache: Folder to keep features in.
        config: How to train.
        also: Other photographs to report on; None for none.
        encoder_id: What memories know the encoder by; None for a name by what was trained.
        say: Where to report to.

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
        reports: list[tuple[str, Captioned, Indices]] = [("held out", data, held_out), ("test", data, test)]
        if also is not None:
            other = extract(also, cache, 1)
            reports.append((also.name, other, np.arange(len(other.conse_NE))))
        fused = {name: _fused(networks, head.fusion, of, photos) for name, of, photos in reports}
        for name, (pictures_NF, captions_MF, truth_M) in fused.items():
            for part, block in (("conse", slice(0, 384)), ("head", slice(384, -1)), ("all", slice(None))):
                figures = recall(captions_MF[:, block] @ pictures_NF[:, block].T, truth_M)
                say(f"{name} {part:6}" + "".join(f"  R@{first} {share:.3f}" for first, share in figures.items()))
    finally:
        torch.set_num_threads(threads)
    belief = fit_belief(*fused["held out"], seed=config.seed)
    dim = fused["held out"][0].shape[1]
    digest = hashlib.sha256(head.image.out.weight.numpy().tobytes()).hexdigest()
    spec = EncoderSpec(
        id=encoder_id or f"bundled:{digest[:8]}",
        dim=dim,
        normalised=True,
        midpoint=round(belief.midpoint, 4),
        slope=round(belief.slope, 2),
    )
    return write_head(out, head, spec)


def _fused(
    networks: Networks, fusion: Fusion, data: Captioned, photos: Indices
) -> tuple[FloatArray, FloatArray, Indices]:
    captions, _ = data.captions_of(photos)
    pictures_ND, captions_MD, truth_M = vectors(networks, data, photos)
    pictures_NF = fusion.images(data.conse_NE[photos], pictures_ND)
    return pictures_NF, fusion.texts(data.sentences_ME[captions], captions_MD), truth_M
