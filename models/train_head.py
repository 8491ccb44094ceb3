"""Trains the bundled head on captioned photographs, fuses it with ConSE, calibrates it, says how good it is.

    python -m hippocam.models.train_head --data /path/to/images/flickr8k --also /path/to/images/coco_val_248

The loss is that of CLIP (Radford et al. 2021): in a batch, a picture shall be nearer to its own caption than to
any other, and the reverse. One thread and a fixed seed, so the same command gives the same head on one machine.

Shapes: B batch; N photographs; M captions; P = 49 patches; C = 320; E = 384; D of the head; F of the fusion.
"""

from __future__ import annotations

import argparse
import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hippocam.models.calibration import OTHERS, fit_belief
from hippocam.models.caption_head import HeadConfig, ImageHead, Members, TextHead
from hippocam.models.captions import VIEWS, Captioned, Indices, extract, recall, split
from hippocam.models.fusion import Fusion
from hippocam.models.head_file import HEAD_FILE, Head, write_head
from hippocam.stream.records import EncoderSpec, FloatArray

ID = "bundled:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How to train.

    Attributes:
        steps: Number of batches.
        batch: Photographs a batch, each with one of its captions.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: Of matrices, not of biases and norms.
        temperature: Start of the learned temperature of the loss.
        average: Decay of the running average of the weights, which is what is kept.
        seed: Of the initial weights, the batches and the dropout.
    """

    steps: int = 500
    batch: int = 512
    learning_rate: float = 3e-3
    weight_decay: float = 0.2
    temperature: float = 0.05
    average: float = 0.99
    seed: int = 0


class _Trainer:
    """The networks in training and their running average."""

    def __init__(self, head: HeadConfig, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.networks = nn.ModuleDict({"image": ImageHead(head), "text": TextHead(head)})
        self.averaged = copy.deepcopy(self.networks).eval().requires_grad_(False)
        self.scale = nn.Parameter(torch.tensor(-np.log(config.temperature), dtype=torch.float32))
        matrices = [weight for weight in self.networks.parameters() if weight.ndim > 1]
        others = [weight for weight in self.networks.parameters() if weight.ndim < 2]
        groups = [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": [*others, self.scale], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, config.learning_rate, total_steps=config.steps, pct_start=0.1
        )

    def step(self, number: int, patches_BPC: Tensor, sentences_BE: Tensor) -> float:
        """Learn from one batch and give its loss."""
        images_BD, texts_BD = self.networks["image"](patches_BPC), self.networks["text"](sentences_BE)
        logits_BB = images_BD @ texts_BD.T * self.scale.exp().clamp(max=100)
        own_B = torch.arange(len(logits_BB))
        loss = (functional.cross_entropy(logits_BB, own_B) + functional.cross_entropy(logits_BB.T, own_B)) / 2
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        decay = min(self.config.average, number / (number + 9))  # the first steps are soon forgotten
        with torch.no_grad():
            for kept, learned in zip(self.averaged.parameters(), self.networks.parameters(), strict=True):
                kept.lerp_(learned, 1 - decay)
        return float(loss.detach())


def train(data: Captioned, photos: Indices, head: HeadConfig, config: TrainConfig) -> tuple[ImageHead, TextHead]:
    """Train one member of the head, its picture's and its text's network.

    Args:
        data: Features and captions.
        photos: Positions of the photographs to train on.
        head: Sizes of the networks.
        config: How to train.
    """
    trainer, rng = _Trainer(head, config), np.random.default_rng(config.seed)
    captions, position_M = data.captions_of(photos)
    own = [captions[position_M == position] for position in range(len(photos))]
    views, began, order = len(data.patches_VNPC), time.monotonic(), np.zeros(0, np.int64)
    for number in range(1, config.steps + 1):
        if len(order) < config.batch:
            order = np.concatenate([order, rng.permutation(len(photos))])
        batch, order = order[: config.batch], order[config.batch :]
        chosen = np.array([rng.choice(own[position]) for position in batch])
        patches_BPC = data.patches_VNPC[rng.integers(0, views, len(batch)), photos[batch]].astype(np.float32)
        loss = trainer.step(number, torch.from_numpy(patches_BPC), torch.from_numpy(data.sentences_ME[chosen]))
        if number % 100 == 0:
            print(f"step {number}: loss {loss:.3f}, {time.monotonic() - began:.0f} s", flush=True)
    image, text = trainer.averaged["image"], trainer.averaged["text"]
    assert isinstance(image, ImageHead)
    assert isinstance(text, TextHead)
    return image, text


def fuse(data: Captioned, photos: Indices, image: Members, text: Members, conse_weight: float) -> Head:
    """Measure the means of the training photographs and their captions, and put the parts together."""
    captions, _ = data.captions_of(photos)
    zero_E, zero_D = np.zeros(384, np.float32), np.zeros(image.dim, np.float32)
    none = Fusion(
        conse_weight=conse_weight,
        conse_image_mean_E=zero_E,
        conse_text_mean_E=zero_E,
        head_image_mean_D=zero_D,
        head_text_mean_D=zero_D,
    )
    head = Head(image=image, text=text, fusion=none)
    fusion = Fusion(
        conse_weight=conse_weight,
        conse_image_mean_E=data.conse_NE[photos].mean(0),
        conse_text_mean_E=data.sentences_ME[captions].mean(0),
        head_image_mean_D=head.image_vectors(data.patches_VNPC[0, photos].astype(np.float32)).mean(0),
        head_text_mean_D=head.text_vectors(data.sentences_ME[captions]).mean(0),
    )
    return Head(image=image, text=text, fusion=fusion)


def vectors(data: Captioned, photos: Indices, head: Head) -> tuple[FloatArray, FloatArray, Indices]:
    """Give fused vectors of photographs [N, F] and of their captions [M, F], and each caption's photograph."""
    captions, truth_M = data.captions_of(photos)
    pictures_NF = head.fusion.images(
        data.conse_NE[photos], head.image_vectors(data.patches_VNPC[0, photos].astype(np.float32))
    )
    sentences_ME = data.sentences_ME[captions]
    return pictures_NF, head.fusion.texts(sentences_ME, head.text_vectors(sentences_ME)), truth_M


def report(name: str, pictures_NF: FloatArray, texts_MF: FloatArray, truth_M: Indices) -> None:
    """Print recall of a caption's photograph, of ConSE alone, of the head alone and of both."""
    conse = slice(0, 384)
    for part, block in (("conse", conse), ("head", slice(384, None)), ("bundled", slice(None))):
        figures = recall(texts_MF[:, block] @ pictures_NF[:, block].T, truth_M)
        print(f"{name} {part:8}" + "".join(f"  R@{first} {share:.3f}" for first, share in figures.items()))


def main() -> None:
    """Train, report and write the head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with images/ and captions.tsv to train on"
    )
    parser.add_argument("--also", type=Path, help="another such folder to report on")
    parser.add_argument("--out", type=Path, default=HEAD_FILE, help="file of the head to write")
    parser.add_argument("--cache", type=Path, default=Path("/tmp/hippocam-features"), help="folder for features")
    parser.add_argument("--steps", type=int, default=TrainConfig().steps, help="number of batches")
    parser.add_argument("--seed", type=int, default=0, help="of initial weights, batches and dropout")
    parser.add_argument("--conse-weight", type=float, default=0.3, help="share of ConSE in the fused cosine")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = extract(options.data, options.cache, VIEWS)
    training, held_out, test = split(len(data.conse_NE))
    sizes = HeadConfig()
    seeds = [options.seed + member for member in range(sizes.members)]
    pairs = [train(data, training, sizes, TrainConfig(steps=options.steps, seed=seed)) for seed in seeds]
    image, text = (Members(side, sizes.dim).eval() for side in zip(*pairs, strict=True))
    head = fuse(data, training, image, text, options.conse_weight)
    for others in (1, 5, OTHERS, 50, 200):
        belief = fit_belief(*vectors(data, held_out, head), others=others, seed=options.seed)
        figures = f"AUC {belief.auc:.3f}, midpoint {belief.midpoint:.3f}, slope {belief.slope:.1f}"
        print(f"belief against the best of {others} others: {figures}")
    belief = fit_belief(*vectors(data, held_out, head), seed=options.seed)
    spec = EncoderSpec(
        id=ID,
        dim=384 + image.dim,
        normalised=True,
        midpoint=round(belief.midpoint, 4),
        slope=round(belief.slope, 2),
    )
    write_head(options.out, head, sizes, spec)
    report("held out", *vectors(data, held_out, head))
    report("test", *vectors(data, test, head))
    if options.also:
        other = extract(options.also, options.cache, views=1)
        report(options.also.name, *vectors(other, np.arange(len(other.conse_NE)), head))
    print(f"wrote {options.out} ({options.out.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
