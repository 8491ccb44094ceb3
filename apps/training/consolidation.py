"""What `hippocam train consolidation` learns from, and the files that it writes.

It learns from the streams of memories, of videos, or of worlds. Worlds are drawn with seeds that the bench never
tests on, and the real one from clips and photographs that the bench never shows.

Shapes: T frames; Q questions; D embedding dimension.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.training.videos import Watch, memory_of_videos
from hippocam.memory.errors import MixedEncodersError
from hippocam.memory.memory import Memory
from hippocam.memory.records import Event
from hippocam.memory.trained import own_folder
from hippocam.memory.training.consolidation import TrainConfig, Trained, train_consolidation
from hippocam.memory.training.report import report_lines, write
from hippocam.memory.training.stored_streams import streams_from_memory
from hippocam.memory.training.streams import TrainingStream, stream_from_events
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray

if TYPE_CHECKING:
    from hippocam.apps.worlds.footage import FootageWorld

WORLDS = ("synthetic", "real")
_SYNTHETIC_SEEDS = range(1000, 1030)
_DISTRACTORS = (0, 100, 300)
_REAL_SEEDS = range(1000, 1010)
# Chosen by hand, so that both sides have still and moving cameras. The other clips are trained on.
_HELD_OUT_CLIPS = ("intel_car_detection", "udacity_challenge", "polygoon_weightlifting")
# One in this many photographs is held out.
_PHOTOGRAPHS = 3
# One in this many captions is asked.
_CAPTIONS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is trained on.

    Attributes:
        encoder_id: Id of the encoder that made the vectors.
        streams: See `train_consolidation`.
        held_out: See `train_consolidation`.
        data: What the material is, and its licence, for the card.
        limits: What the result is not good for, for the card.
    """

    encoder_id: str
    streams: Sequence[TrainingStream]
    held_out: Sequence[TrainingStream] = ()
    data: str
    limits: str


def train(material: Material, *, out: Path | None, seed: int, command: str) -> tuple[Trained, list[Path]]:
    """Train consolidation, and write what comes out with its card.

    Args:
        material: What to train on.
        out: Folder to write to; None for the user's own, where a memory looks first.
        seed: Seed of the training.
        command: Command that trains the same again, for the card.

    Raises:
        HippocamError: There is too little to learn from.
    """
    trained = train_consolidation(material.streams, TrainConfig(seed=seed), held_out=material.held_out)
    files = write(
        trained,
        material.encoder_id,
        own_folder() if out is None else out,
        data=material.data,
        command=command,
        limits=material.limits,
    )
    return trained, files


def from_memories(folders: Sequence[Path], questions: Sequence[str] = ()) -> Material:
    """Take the streams of memories that were watched with one encoder.

    Raises:
        HippocamError: There is no memory in a folder, or their encoders differ.
    """
    streams, found = list[TrainingStream](), None
    questions_QD: FloatArray | None = None
    for folder in folders:
        with Memory.open_reader(folder) as memory:
            encoder = memory.encoder()
        if questions and questions_QD is None and encoder is not None:
            questions_QD = make_encoder(encoder[0]).encode_texts(list(questions))
        spec, held = streams_from_memory(folder, questions_QD)
        found = found or spec
        if (spec.id, spec.dim) != (found.id, found.dim):
            raise MixedEncodersError((folders[0], folder), encoder_ids=(found.id, spec.id))
        streams += held
    assert found is not None
    asked = f", and {len(questions)} questions" if questions else ""
    return Material(
        encoder_id=found.id,
        streams=streams,
        data=f"{len(streams)} streams of {len(folders)} memories{asked}; as private as these are.",
        limits="It knows the places and things of these memories. What it is worth was measured on streams of "
        "them that were held out; if these show the same places, that is too high for others.",
    )


def from_videos(watch: Watch, questions: Sequence[str] = ()) -> Material:
    """Watch videos into a memory that gives up nothing, and take its streams.

    Args:
        watch: Watches the videos.
        questions: What may be asked of such memories.

    Raises:
        HippocamError: None of them can be watched.
    """
    with memory_of_videos(watch) as (folder, streams):
        material = from_memories([folder], questions)
    asked = f", and {len(questions)} questions" if questions else ""
    return Material(
        encoder_id=material.encoder_id,
        streams=material.streams,
        data=f"{streams} streams that were watched for it{asked}; under their own licences.",
        limits=material.limits,
    )


def from_world(name: str, questions: Sequence[str] = ()) -> Material:
    """Draw streams of a world.

    Args:
        name: One of `WORLDS`.
        questions: For "real", asked instead of captions.

    Raises:
        HippocamError: There is no such world, or its footage is not there.
    """
    if name not in WORLDS:
        raise HippocamError(f"no world {name!r} to train on; there are {', '.join(WORLDS)}")
    return _real(questions) if name == "real" else _synthetic()


def _synthetic() -> Material:
    from hippocam.apps.worlds.worlds import SYNTHETIC, events_of, synthetic

    worlds = (
        synthetic(seed, distractors=_DISTRACTORS[number % len(_DISTRACTORS)])
        for number, seed in enumerate(_SYNTHETIC_SEEDS)
    )
    return Material(
        encoder_id=SYNTHETIC,
        streams=[stream_from_events(events_of(world)) for world in worlds],
        data=f"{len(_SYNTHETIC_SEEDS)} streams of `hippocam.apps.worlds.worlds.synthetic`, seeds "
        f"{_SYNTHETIC_SEEDS[0]} to {_SYNTHETIC_SEEDS[-1]}, with {', '.join(map(str, _DISTRACTORS))} distractors "
        "in turn; nobody's data. The bench tests on other seeds.",
        limits="For `hippocam bench memory` alone: in these worlds, things that matter lie in another subspace "
        "than distractors, the same one in every stream. It says nothing of real footage.",
    )


def _real(questions: Sequence[str]) -> Material:
    from hippocam.apps.worlds.footage import ENCODER, real
    from hippocam.apps.worlds.worlds import events_of

    encoder = make_encoder(ENCODER)
    asked = list(questions) or _captions()
    questions_QD = encoder.encode_texts(asked)
    streams, held_out = list[TrainingStream](), list[TrainingStream]()
    for seed in _REAL_SEEDS:
        world = real(seed, split="train", encoder=encoder)
        held_T, sides = _held_out(world), (list[Event](), list[Event]())
        for event in events_of(world):
            share = held_T[event.first_seq : event.first_seq + event.frames].mean()
            if share in (0, 1):  # else the event shows both sides
                sides[int(share)].append(event)
        streams.append(stream_from_events(sides[0], questions_QD))
        held_out.append(stream_from_events(sides[1], questions_QD))
    return Material(
        encoder_id=encoder.spec.id,
        streams=streams,
        held_out=held_out,
        data=f"{len(_REAL_SEEDS)} streams of `hippocam.apps.worlds.footage.real(seed, split='train')`, seeds "
        f"{_REAL_SEEDS[0]} to {_REAL_SEEDS[-1]}: 1.1 hours each of twelve clips in many variants (their licences "
        "are in the table of `hippocam.apps.worlds.footage.describe`) and of photographs of Flickr8k (research, "
        f"non-commercial). Held out, in every stream: the clips {', '.join(_HELD_OUT_CLIPS)} and a third of the "
        f"photographs. Asked: {len(asked)} "
        + ("questions that were given." if questions else "captions of other photographs of Flickr8k."),
        limits="Nine kinds of cameras are few. Held out by stream alone, with the same cameras on both sides, the "
        "same training seems to gain 10 points and more; it is these cameras by heart. To learn from one's own "
        "footage: `hippocam train consolidation --memory DIR`.",
    )


def _captions() -> list[str]:
    """Return captions that the encoder's head was trained on, of photographs that no world shows."""
    from hippocam.apps.worlds.footage_plan import folder_of
    from hippocam.models.training.captions import read_captions, split

    _, captions, photo_of_M = read_captions(folder_of(None) / "images" / "flickr8k")
    first = {int(photo): caption for photo, caption in reversed(list(zip(photo_of_M, captions, strict=True)))}
    training, _, _ = split(len(first))
    known = sorted(first)
    return [first[known[i]] for i in sorted(training)[::_CAPTIONS]]


def _held_out(world: FootageWorld) -> NDArray[np.bool_]:
    """Mark the frames that show a held-out clip or photograph, bool [T]; a spoiled shot goes with its clip."""
    footage = np.ones(len(world.frames_TD), bool)
    for planted in world.planted:
        footage[int(planted.t0_s) : int(planted.t1_s)] = False
    held = np.zeros(len(footage), bool)
    held[footage] = np.concatenate(
        [np.full(frames, Path(clip).name.startswith(_HELD_OUT_CLIPS)) for clip, _, frames in world.visits]
    )
    for planted in world.planted:
        rows = slice(int(planted.t0_s), int(planted.t1_s))
        if planted.kind == "distractor":
            after = np.flatnonzero(footage[rows.stop :])
            held[rows] = bool(held[rows.stop + after[0]]) if len(after) else False
        else:
            held[rows] = zlib.crc32(planted.query_D.tobytes()) % _PHOTOGRAPHS == 0
    return held


def read_questions(file: Path) -> list[str]:
    """Read a text file with a question a line.

    Raises:
        HippocamError: It cannot be read, or is empty.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise HippocamError(f"--questions {file}: cannot be read ({error}); give a text file") from error
    found = [line for line in lines if line]
    if not found:
        raise HippocamError(f"--questions {file}: is empty; write a question a line")
    return found


def train_lines(trained: Trained, files: Iterable[Path]) -> list[str]:
    """Describe the result for people."""
    return [*report_lines(trained), "", *(f"wrote {file} ({file.stat().st_size / 1e3:.0f} kB)" for file in files)]


def train_json(trained: Trained, files: Iterable[Path]) -> dict[str, object]:
    """Return the result as JSON values."""
    return {
        "files": [str(file) for file in files],
        "events": trained.prior.events,
        "fade_s": trained.prior.fade_s,
        "fade_power": trained.prior.fade_power,
        "auc": trained.auc,
        "probe_recall": {trial.name: trial.recall for trial in trained.trials},
    }
