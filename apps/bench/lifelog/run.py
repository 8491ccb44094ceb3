"""A week of sentences in little room: all rules, at shares of what plain vectors of all of them take.

Unbounded is a list of all sentences: a float16 vector and two float64 times each. A share of 12 is a twelfth of
its bytes. A rule is scored by the questions whose first answer (R@1), or one of whose first five (R@5),
overlaps the true time by half of the union; and by that over what the unbounded list finds.

Shapes: N sentences seen; Q asked; D embedding dimension.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from hippocam.apps.bench.lifelog.joined import read_lifelog
from hippocam.apps.bench.lifelog.records import (
    DISK_BYTES,
    ITEM_S,
    Again,
    Cell,
    Keeper,
    Lifelog,
    LifelogResult,
    Observations,
    Score,
    Stored,
    Told,
)
from hippocam.apps.bench.lifelog.score import score, score_cosines
from hippocam.apps.bench.lifelog.vectors import sentence_vectors
from hippocam.apps.bench.lifelog.words import word_cosines
from hippocam.apps.bench.policies import OURS
from hippocam.apps.bench.policies.base import CODECS, SPAN_BYTES, Bank, KeyCodec, NoRoomError, slot_bytes
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import EncoderSpec, FloatArray

SHARES = (4, 12, 50)
SEEDS = (1, 2, 3)
WORDS = "tf-idf"
AskedAgain = Callable[[Observations, FloatArray, Told, Bank, int, str], Again]


class OnDisk(Protocol):
    """A memory on disk."""

    def __call__(
        self,
        seen: Observations,
        asked_QD: FloatArray,
        asked: Told,
        spec: EncoderSpec,
        budget_bytes: int,
        *,
        item_s: float,
    ) -> Stored | None:
        """Write a lifelog into it, and ask it; None where no memory is as small."""


def run(
    folder: Path,
    encoder: Encoder,
    *,
    shares: Sequence[int] = SHARES,
    seeds: Sequence[int] = SEEDS,
    keepers: Mapping[str, Keeper],
    rules: Sequence[str] | None = None,
    on_disk: OnDisk | None = None,
    disk_bytes: Sequence[int] = DISK_BYTES,
    item_s: float = ITEM_S,
    asked_every: int = 1,
    asked_again: AskedAgain | None = None,
    of: Callable[[str], bool] | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> LifelogResult:
    """Show the lifelog to every rule, and ask.

    Args:
        folder: Holds `val_1.json` and `val_2.json`.
        encoder: Encodes the sentences.
        shares: Parts of the unbounded list's bytes, 1 or more each; none to measure memories on disk alone.
        seeds: Each draws an order of the videos.
        keepers: The rules, by name.
        rules: Only these; None for all.
        on_disk: Writes a lifelog into a memory on disk, and asks it; None to measure none.
        disk_bytes: What memories on disk may take.
        item_s: Seconds between the items that they are given.
        asked_every: One question in so many is asked.
        asked_again: Shows ours a lifelog, asking on the way, and asks again; None to leave that out.
        of: Which videos, by name; None for all.
        report: Gets a line after each seed.

    Raises:
        HippocamError: The files are not there, or there is no such rule, share or seed.
    """
    _check(shares, seeds, rules, [*keepers, WORDS])
    if item_s <= 0 or asked_every < 1:
        raise HippocamError("give seconds between items above 0, and ask one question in 1 or more")
    chosen = {name: keeper for name, keeper in keepers.items() if rules is None or name in rules}
    rounds = [_Round(_thinned(read_lifelog(folder, seed, of), asked_every), encoder, seed) for seed in seeds]
    seconds = dict.fromkeys(chosen, 0.0)
    table: dict[str, dict[int, Cell]] = {}
    disk_table: dict[str, dict[int, Cell]] = {}
    stored: dict[int, Stored | None] = {}
    unbounded = [one.unbounded() for one in rounds]

    def cell(scores: Sequence[Score | None]) -> Cell | None:
        known = [each for each in scores if each is not None]
        return _cell(known, unbounded) if len(known) == len(rounds) else None

    for name, keeper in chosen.items():
        start = time.process_time()
        for share in shares:
            budgets = [whole.bytes // share for whole in unbounded]
            found = cell([one.kept_by(keeper, size) for one, size in zip(rounds, budgets, strict=True)])
            table.setdefault(name, {}).update({share: found} if found else {})
        seconds[name] = time.process_time() - start
        report(f"{name}: {seconds[name]:.0f} s")
    if rules is None or WORDS in rules:
        cells = {
            n: cell([one.words(w.bytes // n) for one, w in zip(rounds, unbounded, strict=True)]) for n in shares
        }
        table[WORDS] = {share: found for share, found in cells.items() if found}
    again = dict[int, Again]()
    if asked_again is not None and OURS in chosen:
        for share in shares:
            each = [
                one.again(asked_again, whole.bytes // share) for one, whole in zip(rounds, unbounded, strict=True)
            ]
            again[share] = Again(
                asked_again=float(np.mean([one.asked_again for one in each])),
                one_off=float(np.mean([one.one_off for one in each])),
            )
        report("asked again: done")
    if on_disk is not None:
        first = rounds[0]
        for size in disk_bytes:
            stored[size] = on_disk(first.seen, first.asked_QD, first.log.asked, encoder.spec, size, item_s=item_s)
            ours = stored[size]
            scores: dict[str, Score | None] = {OURS: ours.score if ours else None}
            others = [name for name in chosen if not name.startswith(OURS)]
            scores |= {name: first.kept_by(chosen[name], size) for name in others}
            for name, one_score in scores.items():
                of_rule = disk_table.setdefault(name, {})
                if one_score is not None:
                    of_rule[size] = _cell([one_score], unbounded[:1])
            report(f"on disk, {size} bytes: done")
    return LifelogResult(
        encoder=encoder.spec.id,
        hours=rounds[0].log.seconds / 3600,
        seen=len(rounds[0].log.seen),
        asked=len(rounds[0].log.asked),
        seeds=tuple(seeds),
        shares=tuple(shares),
        unbounded=_cell(unbounded, unbounded),
        signs=_cell([one.listed("signs") for one in rounds], unbounded),
        table=table,
        again=again,
        disk=disk_table,
        disk_bytes=tuple(disk_bytes),
        item_s=item_s,
        stored=stored,
        seconds=seconds,
    )


def _thinned(log: Lifelog, asked_every: int) -> Lifelog:
    asked, some = log.asked, slice(None, None, asked_every)
    return replace(log, asked=Told(texts=asked.texts[some], t0_N=asked.t0_N[some], t1_N=asked.t1_N[some]))


class _Round:
    """A lifelog in the order of one seed, with its vectors."""

    def __init__(self, log: Lifelog, encoder: Encoder, seed: int) -> None:
        self.log, self._seed, self._encoder = log, seed, encoder.spec.id
        vectors = sentence_vectors([*log.seen.texts, *log.asked.texts], encoder)
        self.asked_QD: FloatArray = vectors(log.asked.texts)
        self.seen = Observations(vectors_ND=vectors(log.seen.texts), t0_N=log.seen.t0_N, t1_N=log.seen.t1_N)

    def unbounded(self) -> Score:
        return self.listed("float16")

    def listed(self, codec: KeyCodec) -> Score:
        """What a plain list of all sentences finds."""
        return score(self._list(codec), self.asked_QD, self.log.asked)

    def _list(self, codec: KeyCodec) -> Bank:
        keys_ND = np.stack([CODECS[codec](vector_D) for vector_D in self.seen.vectors_ND])
        size = len(keys_ND) * slot_bytes(keys_ND.shape[1], key_codec=codec)
        return Bank(keys_ND=keys_ND, t0_NS=self.seen.t0_N[:, None], t1_NS=self.seen.t1_N[:, None], bytes=size)

    def again(self, asked_again: AskedAgain, budget_bytes: int) -> Again:
        """What ours finds of what was asked before, and of the rest."""
        whole, asked, encoder = self._list("float16"), self.log.asked, self._encoder
        return asked_again(self.seen, self.asked_QD, asked, whole, budget_bytes, encoder)

    def kept_by(self, keeper: Keeper, budget_bytes: int) -> Score | None:
        """A rule's, nothing where the budget has no room for it; None where it would take too long.

        Raises:
            HippocamError: It held more than the budget.
        """
        try:
            bank = keeper(self.seen, budget_bytes, self._seed)
        except NoRoomError:
            return Score(r1=0.0, r5=0.0, bytes=0)
        if bank is None:
            return None
        if bank.bytes > budget_bytes:
            raise HippocamError(f"a rule held {bank.bytes} bytes, more than its {budget_bytes}")
        return score(bank, self.asked_QD, self.log.asked)

    def words(self, budget_bytes: int) -> Score:
        """A random sample of the sentences as words with two times, found by their words."""
        seen, sizes = self.log.seen, [len(text.encode()) + SPAN_BYTES for text in self.log.seen.texts]
        drawn = np.random.default_rng(self._seed).permutation(len(seen))
        held = np.cumsum(np.array(sizes)[drawn])
        rows = np.sort(drawn[held <= budget_bytes])
        cosines_QN = word_cosines([seen.texts[row] for row in rows], self.log.asked.texts)
        size = int(held[len(rows) - 1]) if len(rows) else 0
        return score_cosines(cosines_QN, seen.t0_N[rows], seen.t1_N[rows], self.log.asked, size)


def _cell(scores: Sequence[Score], unbounded: Sequence[Score]) -> Cell:
    shares = np.array([each.r1 / max(whole.r1, 1e-9) for each, whole in zip(scores, unbounded, strict=True)])
    return Cell(
        r1=float(np.mean([each.r1 for each in scores])),
        r5=float(np.mean([each.r5 for each in scores])),
        of_unbounded=float(shares.mean()),
        sd=float(shares.std(ddof=1)) if len(shares) > 1 else 0.0,
        bytes=max(each.bytes for each in scores),
    )


def _check(shares: Sequence[int], seeds: Sequence[int], rules: Sequence[str] | None, known: Sequence[str]) -> None:
    if not seeds or min(shares, default=1) < 1:
        raise HippocamError("give at least one seed, and shares of 1 or more")
    for name in rules or ():
        if name not in known:
            raise HippocamError(f"no rule {name!r}; there are {', '.join(known)}")
