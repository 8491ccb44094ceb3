"""Things that clips show and do not show, asked for by name: how well one is told from the other.

Each clip is watched into a memory of its own, and each thing searched for; how much the best moment is believed is
what the memory says. Three ways are compared:

    memory         `Session.search`: the encoder's belief, doubted where the detector never saw such a thing
    encoder        the same without the detector's word
    gist out       the best cosine less half of the mean best cosine of a bank of phrases: how near any text comes

Half of the clips may be looked at and set by; the other half is only measured. On the first half it is told what
the memory's belief would say were its log odds moved: what `apps/ask/belief/regions.py` adds is checked by that.

Shapes: T texts; P phrases of the bank; N entries; D embedding dimension; S shifts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.sessions import OpenSession
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query, RecallConfig
from hippocam.memory.recall.recall import index_rows
from hippocam.memory.training.auc import auc
from hippocam.models.registry import make_encoder
from hippocam.models.sentences.vectors import phrase_vectors
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray

WAYS = ("memory", "encoder", "gist out")
# Belief from which a thing is said to be there.
_SAID = 0.5
# Share of the gist that is taken out: the best on the clips that may be looked at.
_GIST = 0.5
# By how much the log odds of the memory's belief are moved, to see what that does.
SHIFTS = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.4)
_LEAST = 1e-6
# The half that numbers may be set by.
_SET_BY = "calibrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A clip, and what it shows and does not show.

    Attributes:
        video: The file.
        half: "calibrate" or "report".
        present: Texts of things that can be seen in it.
        absent: Texts of things that cannot.
    """

    video: Path
    half: str
    present: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one way says of the clips of one half.

    Attributes:
        half: Which.
        way: One of WAYS.
        auc: Chance that something present scores above something absent, of all clips together.
        by_clip: The same within a clip, mean of the clips.
        present: Share of what is present that is said to be there; None for a way that gives no belief.
        absent: Share of what is absent that is said not to be.
        never: The same of things that no clip shows.
    """

    half: str
    way: str
    auc: float
    by_clip: float
    present: float | None
    absent: float | None
    never: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What the memory says of the clips of a half with the log odds of its belief moved.

    Attributes:
        half: Which.
        shares: By shift the share of what is present that is said to be there, and of what is absent that is not.
        left_out: Both shares where each clip is moved by what is best for the others: the greatest sum of both, of
            equal ones the least shift.
    """

    half: str
    shares: Mapping[float, tuple[float, float]]
    left_out: tuple[float, float]


def read_shown(file: Path, videos: Path) -> list[Shown]:
    """Read what clips show; those that are not there are left out."""
    return [
        Shown(
            video=videos / clip["video"],
            half=clip["half"],
            present=tuple(clip["present"]),
            absent=tuple(clip["absent"]),
        )
        for clip in json.loads(file.read_text(encoding="utf-8"))["clips"]
        if (videos / clip["video"]).is_file()
    ]


def run(
    clips: Sequence[Shown],
    never: Sequence[str],
    *,
    open_session: OpenSession,
    encoder: str,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[list[Told], Moved | None]:
    """Watch every clip and search for all of its texts.

    Args:
        clips: What they show.
        never: Texts that none of them shows.
        open_session: Opens a memory.
        encoder: Its name.
        report: Is told which clip is watched.

    Returns:
        What each way says of each half; what moving the memory's belief does on the half that may be set by, None
        where none of its clips is there.
    """
    made = make_encoder(encoder)
    scores = dict[Path, Mapping[str, FloatArray]]()
    for clip in clips:
        report(f"presence: {clip.video.name}")
        texts = [*clip.present, *clip.absent, *never]
        with tempfile.TemporaryDirectory() as folder, open_session(Path(folder) / "m", encoder=encoder) as session:
            session.watch([clip.video])
            found = [session.search(text, top=1) for text in texts]
            memory_T = np.array([best[0].score if best else 0.0 for best in found], np.float32)
            with Memory.open_reader(Path(folder) / "m") as memory:
                scores[clip.video] = {"memory": memory_T, **_by_encoder(memory, made, texts)}
    halves = dict.fromkeys(clip.half for clip in clips)
    told = [told_of(half, way, [c for c in clips if c.half == half], scores) for half in halves for way in WAYS]
    set_by = [clip for clip in clips if clip.half == _SET_BY]
    return told, moved(set_by, {clip.video: scores[clip.video]["memory"] for clip in set_by}) if set_by else None


def _by_encoder(memory: Memory, encoder: Encoder, texts: Sequence[str]) -> dict[str, FloatArray]:
    """What the encoder alone says of T texts, by way, float32 [T] each."""
    vectors_TD = encoder.encode_texts(texts)
    best = [memory.recall(Query(text=t, vector=v, top=1)) for t, v in zip(texts, vectors_TD, strict=True)]
    believed_T = np.array([found[0].score if found else 0.0 for found in best], np.float32)
    rows_ND = index_rows(memory.store, sorted(memory.store.entries.digests(None)), RecallConfig())
    gist = float((rows_ND @ phrase_vectors(encoder.spec, lambda: encoder).T).max(0).mean())
    return {"encoder": believed_T, "gist out": (rows_ND @ vectors_TD.T).max(0) - _GIST * gist}


def told_of(half: str, way: str, clips: Sequence[Shown], scores: Mapping[Path, Mapping[str, FloatArray]]) -> Told:
    """Count what one way says of some clips.

    Args:
        half: Their half.
        way: One of WAYS.
        clips: What they show.
        scores: By clip and way those of its texts: what is present, what is absent, what no clip shows.
    """
    present, absent, never, by_clip = list[FloatArray](), list[FloatArray](), list[FloatArray](), list[float]()
    for clip in clips:
        score_T, first, second = scores[clip.video][way], len(clip.present), len(clip.present) + len(clip.absent)
        present.append(score_T[:first])
        absent.append(score_T[first:second])
        never.append(score_T[second:])
        by_clip.append(auc(present[-1], absent[-1]))
    there, away, nowhere = (np.concatenate(of) for of in (present, absent, never))
    believes = way != "gist out"
    return Told(
        half=half,
        way=way,
        auc=auc(there, away),
        by_clip=float(np.mean(by_clip)),
        present=float((there >= _SAID).mean()) if believes else None,
        absent=float((away < _SAID).mean()) if believes else None,
        never=float((nowhere < _SAID).mean()) if believes and len(nowhere) else None,
    )


def moved(clips: Sequence[Shown], scores: Mapping[Path, FloatArray]) -> Moved:
    """Say what moving the log odds of a belief does.

    Args:
        clips: What they show, of one half.
        scores: By clip the belief in its texts: in what is present, what is absent, then others.
    """
    counts_C2S = np.array([_counts(clip, scores[clip.video]) for clip in clips])
    wholes_C2 = np.array([(len(clip.present), len(clip.absent)) for clip in clips])
    shares_2S = counts_C2S.sum(0) / wholes_C2.sum(0)[:, None]
    right_2 = np.zeros(2)
    for index, counts_2S in enumerate(counts_C2S):
        others_2 = np.delete(wholes_C2, index, 0).sum(0)[:, None]
        both_S = (np.delete(counts_C2S, index, 0).sum(0) / np.maximum(others_2, 1)).sum(0).round(6)
        best = min(np.flatnonzero(both_S == both_S.max()), key=lambda column: abs(SHIFTS[column]))
        right_2 += counts_2S[:, best]
    left_out = right_2 / wholes_C2.sum(0)
    return Moved(
        half=clips[0].half,
        shares={shift: (float(a), float(b)) for shift, (a, b) in zip(SHIFTS, shares_2S.T, strict=True)},
        left_out=(float(left_out[0]), float(left_out[1])),
    )


def _counts(clip: Shown, score_T: FloatArray) -> NDArray[np.float64]:
    """How many of a clip's texts are right of what is present, and of what is absent, by shift, [2, S]."""
    belief_T = np.clip(score_T.astype(np.float64), _LEAST, 1 - _LEAST)
    said_TS = np.log(belief_T / (1 - belief_T))[:, None] + np.array(SHIFTS) >= 0
    first, second = len(clip.present), len(clip.present) + len(clip.absent)
    return np.stack([said_TS[:first].sum(0), (~said_TS[first:second]).sum(0)]).astype(np.float64)


def table(told: Sequence[Told], shifted: Moved | None = None) -> str:
    """The result as Markdown."""
    lines = [
        "Things asked for by name in a memory of each clip. *Said* is by a belief of one half. What clips show "
        "was written down by eye before anything was run; *never* are things that no clip shows. *Gist out* gives "
        "no belief; it is not part of the product.",
        "",
        "| half | way | AUC | AUC within a clip | present, said to be there | absent, said to be absent | never |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in told:
        shares = ["-" if share is None else f"{share:.2f}" for share in (row.present, row.absent, row.never)]
        lines.append(f"| {row.half} | {row.way} | {row.auc:.3f} | {row.by_clip:.3f} | {' | '.join(shares)} |")
    return "\n".join(lines if shifted is None else [*lines, "", *_shifted_lines(shifted)])


def _shifted_lines(shifted: Moved) -> list[str]:
    shares = shifted.shares.items()
    return [
        f"The memory's belief on the half {shifted.half}, its log odds moved. Each clip moved by what is best for "
        f"the others (the greatest sum of both shares): {shifted.left_out[0]:.2f}, {shifted.left_out[1]:.2f}.",
        "",
        f"| moved by | {' | '.join(f'{shift:+.1f}' for shift, _ in shares)} |",
        f"|---{'|---' * len(shares)}|",
        f"| present, said to be there | {' | '.join(f'{there:.2f}' for _, (there, _) in shares)} |",
        f"| absent, said to be absent | {' | '.join(f'{absent:.2f}' for _, (_, absent) in shares)} |",
    ]
