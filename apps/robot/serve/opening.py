"""A policy's file and a memory's folder, opened into a service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hippocam.apps.robot.policy.remembering import WORKING, spec_of
from hippocam.apps.robot.serve.policy import PolicyService
from hippocam.apps.settings import Settings
from hippocam.memory.config import MemoryConfig
from hippocam.memory.folder import check_writable, has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.store.migrations import upgrade
from hippocam.models.errors import PolicyError
from hippocam.models.policies.policy import Policy
from hippocam.models.registry import make_encoder


@contextmanager
def opened_policy(
    file: Path, folder: Path, *, settings: Settings | None = None, budget: int | None = None
) -> Iterator[PolicyService]:
    """Open a policy with the memory that it reads, which is made where the folder is missing or empty.

    Args:
        file: Written by `robot train`.
        folder: The memory.
        settings: Of the memory; None for those of the memories that policies are taught on.
        budget: What the folder may take, bytes; None keeps its own.

    Raises:
        HippocamError: The file holds no policy, or the memory another encoder's vectors, or it is written to.
    """
    policy = Policy.read(file)
    name = policy.card.encoder or policy.card.world
    encoder = make_encoder(name) if policy.card.encoder else None
    spec = spec_of(name, policy.sizes.dim) if encoder is None else encoder.spec
    if spec.dim != policy.sizes.dim:
        raise PolicyError(
            f"{file}: its encoder {name} gives vectors of {spec.dim} numbers, not {policy.sizes.dim}"
        )
    check_writable(folder)
    if has_memory(folder):
        upgrade(folder)
    config = MemoryConfig(working=WORKING) if settings is None else settings.memory
    if budget is not None:
        config = replace(config, budget_bytes=budget)
    with Memory.open_writer(folder, encoder=name, spec=spec, config=config) as memory:
        service = PolicyService(memory, policy, encoder)
        yield service
        service.close()
