"""A memory as a policy in a world has it: it observes each step, and recalls what a goal reminds of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.recall.rows import Condition, Hit, headings
from hippocam.memory.recall.snapshot import SnapshotFollower
from hippocam.memory.working.working import WorkingConfig
from hippocam.models.policies.playing import OUTCOMES, Turn
from hippocam.models.policies.records import Recollection, nothing
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Note, Repeat, Sensors
from hippocam.stream.robot.acts import ActLog

# A robot turns on the spot: a single frame may be all that is seen of something.
WORKING = WorkingConfig(gamma=0.0, min_frames=1)
BUDGET_BYTES = 1_000_000
# Moments that are recalled.
TOP = 8
# A view that is as near to the last one, from the same place, is the same; as the change gate says of pictures.
_SAME = 0.97
STREAM = "robot"


class OurMemory:
    """The product's memory in a folder, written and recalled as a robot's is.

    Args:
        memory: Open for writing.
        recording: Name of what is written.
        within: Only streams of this name, or that begin with it and a slash, are recalled; None for all.
        follower: Reads what is published, where others read it too.
    """

    def __init__(
        self,
        memory: MemoryWriter,
        recording: str = STREAM,
        *,
        within: str | None = None,
        follower: SnapshotFollower | None = None,
    ) -> None:
        self._memory, self._recording = memory, recording
        self._condition = Condition(streams=None if within is None else (within,))
        self._follower = follower or follower_of(memory)
        self._acts = ActLog()
        self._used: dict[int, None] = {}
        self._seq = 0
        self._last: Turn | None = None
        self._open = False
        found = memory.encoder()
        self._dim = 0 if found is None else found[1].dim

    def observe(self, turn: Turn) -> None:
        """Write a step; one that looks like the last, from the same place, as a repeat. A mark is a key event."""
        if turn.mark:
            self.named()
        if not self._open:
            self._memory.begin(self._recording, uri=f"robot://{self._recording}")
            self._open, self._last = True, None
        last, self._last = self._last, turn
        item: Embedding | Repeat
        if last is not None and (last.pose == turn.pose).all() and last.vector_D @ turn.vector_D > _SAME:
            item = Repeat(
                stream=self._recording, seq=self._seq, time_s=turn.time_s, sensors=Sensors(pose=_pose7(turn.pose))
            )
        else:
            item = Embedding(
                stream=self._recording,
                seq=self._seq,
                time_s=turn.time_s,
                vector=turn.vector_D,
                jpeg=turn.jpeg,
                sensors=Sensors(pose=_pose7(turn.pose)),
            )
        self._memory.write([item])
        self._seq += 1
        if turn.mark:
            at_s = turn.time_s
            self._memory.write([Note(stream=self._recording, kind="mark", t0_s=at_s, t1_s=at_s, text=turn.mark)])
            self.named()

    def named(self) -> None:
        """End the open event, as a robot's memory does at a change of task."""
        self._finish(complete=False)

    def ended(self) -> None:
        """End the episode."""
        self._finish(complete=True)

    def _finish(self, *, complete: bool) -> None:
        if self._open:
            self._memory.finish(self._recording, complete=complete)
        if self._used:
            self._memory.used(list(self._used))
        self._open, self._used = False, {}

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """Read the newest state that was published."""
        return self.read(self.hits(goal_D), now_s)

    def hits(self, goal_D: FloatArray) -> list[Hit]:
        """What a goal reminds of in the newest state that was published."""
        self._follower.follow()
        return self._follower.latest.search(goal_D, self._condition, TOP)

    def read(self, hits: Sequence[Hit], now_s: float) -> Recollection:
        """What a policy reads of some hits."""
        return recollection(hits, now_s, self._dim, [self._outcome(hit) for hit in hits])

    def _outcome(self, hit: Hit) -> float:
        """How what was done in a moment went, by the marks in it: the last word counts."""
        marks = [note for note in self._memory.notes(hit.stream, hit.t0_s, hit.t1_s) if note.text in OUTCOMES]
        return OUTCOMES[marks[-1].text] if marks else 0.0

    def acted(self, time_s: float, hits: Sequence[Hit]) -> None:
        """Keep on which moments an action rested; from the next key event on they are kept longer for it."""
        entry_ids = [hit.entry_id for hit in hits]
        note = self._acts.add(self._recording, time_s, entry_ids) if self._open else None
        if note is not None:
            self._memory.write([note])
            self._used.update(dict.fromkeys(entry_ids))

    def bytes(self) -> int:
        """Bytes of the folder."""
        return self._memory.bytes()


def follower_of(memory: MemoryWriter) -> SnapshotFollower:
    """What reads the states that a memory publishes."""
    return SnapshotFollower(memory.store, MemoryConfig().recall)


def recollection(
    hits: Sequence[Hit], now_s: float, dim: int, outcomes: Sequence[float], *, stale: bool = False
) -> Recollection:
    """What a policy reads of the hits of a snapshot, and of how what was done in each went.

    A moment without a pose stands at the origin.
    """
    if not hits:
        return nothing(dim, stale=stale)
    poses = np.stack([np.array([0, 0, 0, 0, 0, 0, 1.0]) if hit.pose is None else hit.pose for hit in hits])
    ages = np.array([now_s - hit.t1_s for hit in hits], np.float32).clip(0)
    return Recollection(
        vectors_KD=np.stack([hit.vector_D for hit in hits]),
        cosines_K=np.array([hit.cosine for hit in hits], np.float32),
        poses_K3=np.column_stack([poses[:, :2], headings(poses)]),
        ages_K=ages,
        outcomes_K=np.array(outcomes, np.float32),
        stale=stale,
    )


def _pose7(pose: FloatArray | np.ndarray[tuple[int], np.dtype[np.float64]]) -> FloatArray:
    x, y, heading = pose
    return np.array([x, y, 0, 0, 0, np.sin(heading / 2), np.cos(heading / 2)], np.float32)


def spec_of(world: str, dim: int) -> EncoderSpec:
    """The encoder of a world, as a memory knows it."""
    return EncoderSpec(id=f"{world}:1", dim=dim, normalised=True, midpoint=0.5, slope=20.0)


@contextmanager
def our_memory(world: str, dim: int) -> Iterator[OurMemory]:
    """A new memory of the product's, in a folder that is deleted afterwards."""
    config = MemoryConfig(budget_bytes=BUDGET_BYTES, working=WORKING)
    with tempfile.TemporaryDirectory(prefix="hippocam-", ignore_cleanup_errors=True) as folder:
        opened = Memory.open_writer(Path(folder) / "robot", encoder=world, spec=spec_of(world, dim), config=config)
        with opened as memory:
            yield OurMemory(memory)
