"""Trains the sleep consolidator on the bench's worlds, of seeds that it never tests on.

python -m hippocam.apps.train_sleep
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from hippocam.apps.bench.sleep import events_of
from hippocam.apps.bench.worlds import WORLDS
from hippocam.memory.consolidator import WEIGHTS, shapes
from hippocam.memory.train_consolidator import Report, TrainConfig, save, train
from hippocam.memory.train_lessons import Lesson, lesson
from hippocam.stream.errors import HippocamError

# Seeds of the bench's tests are below a thousand.
SYNTHETIC, CLEAN, REAL = range(1000, 1004), range(1004, 1008), range(1000, 1008)


def lessons(videos: Path | None = None) -> Iterator[Lesson]:
    """The streams that are trained on.

    Args:
        videos: Folder of clips and photographs; None for the one beside the project.

    Raises:
        HippocamError: The folder is missing or has too little.
    """
    from hippocam.apps.bench.footage import real

    for seed in REAL:
        yield lesson(events_of(real(seed, split="train", videos=videos)))
    for name, seeds in (("synthetic", SYNTHETIC), ("synthetic-clean", CLEAN)):
        for seed in seeds:
            yield lesson(events_of(WORLDS[name](seed)))


def card(report: Report, config: TrainConfig, held: int, views: int, size: int) -> str:
    """What stands beside the weights."""
    count = sum(_count(shape) for shape in shapes().values())
    return f"""# consolidator.safetensors

The network that proposes which entries become one while a memory sleeps (`memory/consolidator.py`): {count:,}
parameters, float16, {size / 1e3:.0f} kB. It sees relations between entries, never a vector, so one file serves
every encoder.

**Data and terms.** Banks of {len(REAL)} streams of real footage (train split, seeds {REAL[0]} to {REAL[-1]}:
clips and photographs that no test shows; licences as `hippocam.apps.bench.footage.describe` lists them,
photographs of
Flickr8k: research, non-commercial) and of {len(SYNTHETIC) + len(CLEAN)} synthetic ones
(seeds {SYNTHETIC[0]} to {CLEAN[-1]}).
{held:,} entries, {views} held-out views. Nobody labelled anything; no picture, vector or caption is in this file.

**Command** (seed {config.seed}, one thread, {report.seconds:.0f} s of training):

    python -m hippocam.apps.train_sleep

**Loss** (InfoNCE of views against all merged keys of their bank, plus distillation, plus crowding):
{report.first_loss:.2f} over the first tenth of the batches, {report.last_loss:.2f} over the last.

**Result.** See the section on sleep in BENCHMARKS.md (`hippocam bench sleep`). What it proposes is never written
unless the probes hold, so a bad proposal costs time, not memory.
"""


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def main() -> None:
    """Train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, help="folder of clips and photographs")
    parser.add_argument("--steps", type=int, default=TrainConfig().steps, help="number of batches")
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches and views")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="file to write, with its card beside it")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    try:
        taught = list(lessons(options.videos))
    except HippocamError as error:
        parser.error(str(error))
    config = TrainConfig(steps=options.steps, seed=options.seed)
    params, report = train(taught, config, report=lambda line: print(line, flush=True))
    save(params, options.out)
    held, views = (sum(map(len, part)) for part in zip(*((t.held, t.rows_P) for t in taught), strict=True))
    text = card(report, config, held, views, options.out.stat().st_size)
    options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
