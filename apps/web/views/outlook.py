"""What is found of what was watched, by its age; what another budget would hold and find; setting one."""

from __future__ import annotations

import functools
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from fastapi import APIRouter, HTTPException

from hippocam.apps.ask.memories import Member
from hippocam.apps.settings import budget_bytes
from hippocam.apps.web.cameras import Cameras
from hippocam.apps.web.views.site import Json, Sent, Site, number_of, text_of
from hippocam.apps.web.work.budget import SetBudget
from hippocam.apps.wording import megabytes
from hippocam.memory.errors import BudgetTooSmallError
from hippocam.memory.folder import EXEMPLARS
from hippocam.memory.outlook.ages import Age, Watched, by_age
from hippocam.memory.outlook.smaller import Smaller, within
from hippocam.memory.records import Level
from hippocam.memory.sleep.replay import FIRST

# Stretches of age that are told apart, and the smallest budget that can be tried out.
_AGES, _LEAST_MB = 12, 1.0


def outlook_routes(site: Site, cameras: Cameras | None) -> APIRouter:
    """The routes that tell what is found by age, try budgets out and set them.

    Args:
        site: What all routes share.
        cameras: What watches into the memory, and rests while it gets another budget; None for nothing.
    """
    router = APIRouter()

    @router.get("/hippocam/memory/ages")
    def ages() -> Json:
        members = _watched(site)
        edges_s = _edges(members)
        return {"ages": _joined([by_age(watched, watched.held, edges_s) for _, watched in members])}

    @router.get("/hippocam/memory/what-if")
    def what_if(budget_mb: float) -> Json:
        if not _LEAST_MB <= budget_mb <= 1e6:
            raise HTTPException(400, f"budget_mb must be {_LEAST_MB:g} or more")
        members = _watched(site)
        edges_s = _edges(members)
        try:
            tried = [_try_out(site, member, budget_mb * 1e6 / len(members)) for member, _ in members]
        except BudgetTooSmallError as error:
            raise HTTPException(400, f"{budget_mb:g} MB hold not even what is kept beside the events") from error
        then = [
            by_age(watched, smaller.left_of(watched.held), edges_s)
            for (_, watched), smaller in zip(members, tried, strict=True)
        ]
        counts = Counter(level for smaller in tried for level in smaller.levels.values())
        gone = sum(len(smaller.merged) + len(smaller.given_up) for smaller in tried)
        return {
            "entries": counts.total(),
            "of": counts.total() + gone,
            "pictures": sum(len(smaller.pictured) for smaller in tried),
            "merged": sum(len(smaller.merged) for smaller in tried),
            "given_up": sum(len(smaller.given_up) for smaller in tried),
            "bytes": sum(smaller.bytes for smaller in tried),
            "levels": [{"name": level.name.lower(), "entries": counts[level]} for level in Level],
            "ages": _joined(then),
        }

    @router.post("/hippocam/memory/budget")
    def budget(body: Sent) -> Json:
        jobs, wanted = site.changing(), budget_bytes(number_of(body, "budget_mb") or 0.0)
        session, fixed = site.session, site.session.settings.memory.budget_bytes
        if fixed is not None:
            raise HTTPException(409, f"the settings file sets the budget to {megabytes(fixed)}; change it there")
        free = shutil.disk_usage(session.folder).free
        if wanted - session.status().bytes > free:
            raise HTTPException(409, f"the disk has {megabytes(free)} left: the budget would not fit on it")
        (member,) = session.opened.memories().members
        check = functools.partial(_try_out, site, member, wanted)
        paused = nullcontext if cameras is None else cameras.paused
        return {"job": jobs.add(SetBudget(session, wanted, check, paused), visitor=text_of(body, "visitor"))}

    return router


def _watched(site: Site) -> list[tuple[Member, Watched]]:
    members = site.session.opened.memories().members
    return [(member, Watched.of(member.memory.store)) for member in members if member.memory.encoder()]


def _edges(members: Sequence[tuple[Member, Watched]]) -> list[float]:
    oldest_s = max((watched.oldest_s for _, watched in members), default=0.0)
    return [float(edge) for edge in np.linspace(0.0, max(oldest_s, 1.0), _AGES + 1)]


def _try_out(site: Site, member: Member, budget_bytes: float) -> Smaller:
    """What a memory would hold within a budget; of several memories each has an equal part of it.

    Raises:
        BudgetTooSmallError: It holds not even what is kept beside the events.
    """
    memory = member.memory
    made = memory.encoder()
    assert made is not None, "memories without one are left out"
    config = site.session.settings.memory.bank
    return within(memory.store, made[1], int(budget_bytes), pictures=memory.folder / EXEMPLARS, config=config)


def _joined(told: Sequence[Sequence[Age]]) -> list[dict[str, Any]]:
    """What is found by age in all memories, each by what was watched into it."""
    rows = []
    for same in zip(*told, strict=True):
        seen_s = sum(age.watched_s for age in same)
        asked = [age for age in same if age.found is not None]
        asked_s = sum(age.watched_s for age in asked)
        rows.append(
            {
                "from_s": same[0].from_s,
                "to_s": same[0].to_s,
                "watched_s": round(seen_s, 2),
                "held": _mean([(age.held, age.watched_s) for age in same], seen_s),
                "found": {
                    str(first): _mean([((age.found or {})[first], age.watched_s) for age in asked], asked_s)
                    for first in FIRST
                }
                if asked_s
                else None,
            }
        )
    return rows


def _mean(weighed: Sequence[tuple[float, float]], whole: float) -> float:
    return round(sum(value * weight for value, weight in weighed) / whole, 4) if whole else 0.0
