"""What `hippocam train sleep` learns from, and the files that it writes.

It learns from the banks of memories, of videos, or of worlds. Worlds are drawn with seeds that no test uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hippocam.apps.training.videos import Watch, memory_of_videos
from hippocam.apps.worlds.worlds import WORLDS, events_of
from hippocam.memory.sleep.network import WEIGHTS, shapes
from hippocam.memory.trained import own_folder
from hippocam.memory.training.consolidator import Report, TrainConfig, save, train
from hippocam.memory.training.lessons import Lesson, lesson, lessons_from_memory
from hippocam.stream.errors import HippocamError

# Seeds of the bench's tests are below a thousand.
SYNTHETIC = range(1000, 1004)
CLEAN = range(1004, 1008)
REAL = range(1000, 1008)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """Banks to learn from, and a description of them for the card."""

    banks: Sequence[Lesson]
    data: str


def from_memories(folders: Sequence[Path]) -> Lessons:
    """Take the banks of memories; their encoders may differ.

    Raises:
        HippocamError: There is no memory in a folder, or none holds enough.
    """
    banks = [bank for folder in folders for bank in lessons_from_memory(folder)]
    if not banks:
        raise HippocamError(
            "no stream of these memories has the 16 entries that it takes to learn from; watch more"
        )
    return Lessons(banks=banks, data=f"{len(banks)} streams of {len(folders)} memories; as private as these are.")


def from_videos(watch: Watch) -> Lessons:
    """Watch videos into a memory that gives up nothing, and take its banks.

    Args:
        watch: Watches the videos.

    Raises:
        HippocamError: None of them can be watched, or they are too short.
    """
    with memory_of_videos(watch) as (folder, _):
        banks = from_memories([folder]).banks
    return Lessons(banks=banks, data=f"{len(banks)} streams that were watched for it; under their own licences.")


def from_worlds(name: str) -> Lessons:
    """Draw streams of the worlds.

    Args:
        name: "synthetic", "real", or "all".

    Raises:
        HippocamError: The footage is missing or has too little.
    """
    told = list[str]()
    if name in ("real", "all"):
        told.append(
            f"{len(REAL)} streams of real footage (`hippocam.apps.worlds.footage.real(seed, split='train')`, "
            f"seeds {REAL[0]} to {REAL[-1]}: clips and photographs that no test shows; licences as `describe` "
            "there lists them, photographs of Flickr8k: research, non-commercial)"
        )
    if name in ("synthetic", "all"):
        told.append(f"{len(SYNTHETIC) + len(CLEAN)} synthetic ones (seeds {SYNTHETIC[0]} to {CLEAN[-1]})")
    return Lessons(banks=list(_drawn(name)), data=" and ".join(told) + ".")


def _drawn(name: str) -> Iterator[Lesson]:
    if name in ("real", "all"):
        from hippocam.apps.worlds.footage import real

        for seed in REAL:
            yield lesson(events_of(real(seed, split="train")))
    if name in ("synthetic", "all"):
        for world, seeds in (("synthetic", SYNTHETIC), ("synthetic-clean", CLEAN)):
            for seed in seeds:
                yield lesson(events_of(WORLDS[world](seed)))


def train_sleep(
    lessons: Lessons,
    *,
    out: Path | None,
    seed: int,
    command: str,
) -> tuple[Report, list[Path]]:
    """Train the consolidator, on one thread, and write it with its card.

    Args:
        lessons: What to train on.
        out: Folder to write to; None for the user's own, where a memory looks first.
        seed: Seed of the training.
        command: Command that trains the same again, for the card.
    """
    import torch

    config = TrainConfig(seed=seed)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        params, found = train(lessons.banks, config)
    finally:
        torch.set_num_threads(threads)
    path = (own_folder() if out is None else out) / WEIGHTS.name
    save(params, path)
    beside = path.with_suffix(".md")
    beside.write_text(_card(lessons, found, config, command, path.stat().st_size), encoding="utf-8")
    return found, [path, beside]


def sleep_lines(report: Report, files: Sequence[Path]) -> list[str]:
    """Describe the result for people."""
    return [
        f"trained for {report.seconds:.0f} s: loss {report.first_loss:.2f} over the first tenth of the batches, "
        f"{report.last_loss:.2f} over the last",
        *(f"wrote {file} ({file.stat().st_size / 1e3:.0f} kB)" for file in files),
    ]


def sleep_json(report: Report, files: Sequence[Path]) -> dict[str, object]:
    """Return the result as JSON values."""
    return {"files": [str(file) for file in files], **asdict(report)}


def _card(lessons: Lessons, report: Report, config: TrainConfig, command: str, size: int) -> str:
    held, views = (sum(map(len, part)) for part in zip(*((b.held, b.rows_P) for b in lessons.banks), strict=True))
    count = sum(_product(shape) for shape in shapes().values())
    return f"""# {WEIGHTS.name}

The network that proposes which entries become one while a memory sleeps (`memory/sleep/network.py`): \
{count:,} parameters, float16, {size / 1e3:.0f} kB. It sees relations between entries, never a vector, so one \
file serves every encoder.

**Data and terms.** Banks of {lessons.data} {held:,} entries, {views} held-out views. Nobody labelled anything; \
no picture, vector or caption is in this file.

**Command** (one thread, {config.steps} batches, {report.seconds:.0f} s of training):

    {command}

**Loss** (InfoNCE of views against all merged keys of their bank, plus distillation, plus crowding): \
{report.first_loss:.2f} over the first tenth of the batches, {report.last_loss:.2f} over the last.

**Result.** `hippocam bench sleep` measures it. What it proposes is never written unless the probes hold, so a \
bad proposal costs time, not memory.
"""


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
