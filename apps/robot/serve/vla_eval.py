"""A robot's memory as a model server of vla-eval, the harness that runs policies in simulated benchmarks.

    python -m hippocam.apps.robot.serve.vla_eval --args.memory robot.hippo --args.upstream ws://127.0.0.1:8001

Every observation is remembered; the policy server behind it is asked once a chunk of actions, with what its newest
observation reminds of. It needs `pip install vla-eval`.
"""

from __future__ import annotations

import atexit
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from anyio.to_thread import run_sync
from vla_eval.model_servers.base import ModelServer, SessionContext
from vla_eval.model_servers.serve import run_server

from hippocam.apps.robot.memory import RobotMemory
from hippocam.apps.robot.serve.memory import MemoryService, RecallingConfig
from hippocam.apps.robot.serve.server import Answers, Service
from hippocam.stream.records import FloatArray

# Letters of a session's name that name its environment in the memory.
_NAME = 8


@dataclass(slots=True)
class _Session:
    """A benchmark's episodes, one after the other.

    Attributes:
        answers: What answers it.
        ends: Ends the connection to what is behind it.
        left: Actions of the last chunk that are not done yet, float32 [N, A].
        step: Observations of the episode so far.
    """

    answers: Answers
    ends: AbstractContextManager[Any]
    left: list[FloatArray] = field(default_factory=list)
    step: int = 0


class ServiceModelServer(ModelServer):  # type: ignore[misc]
    """Has a service answer a benchmark's observations: a memory before a policy server, or a policy with one.

    Args:
        service: What answers. Its answers hold "actions" [H, A].
        replan: Actions of a chunk that are done before the next is asked for; None for all.
        step_s: Seconds between two observations.
    """

    def __init__(self, service: Service, *, replan: int | None = None, step_s: float = 0.1) -> None:
        self._service, self._replan, self._step_s = service, replan, step_s
        self._sessions: dict[str, _Session] = {}

    async def on_episode_start(self, config: dict[str, Any], ctx: SessionContext) -> None:
        """Begin an episode in the memory."""
        await run_sync(self._begin, ctx.session_id)

    async def on_observation(self, obs: dict[str, Any], ctx: SessionContext) -> None:
        """Remember an observation, and answer with the next action."""
        action = await run_sync(self._act, obs, ctx.session_id)
        await ctx.send_action({"actions": action})

    async def on_episode_end(self, result: dict[str, Any], ctx: SessionContext) -> None:
        """End the episode and the connection to the policy server; the next episode has another."""
        session = self._sessions.pop(ctx.session_id, None)
        if session is not None:
            await run_sync(session.ends.__exit__, None, None, None)

    def _begin(self, name: str) -> None:
        if name not in self._sessions:
            ends = self._service.client()
            self._sessions[name] = _Session(ends.__enter__(), ends)
        session = self._sessions[name]
        session.left, session.step = [], 0
        session.answers.reply({"reset": True, "env": name[:_NAME]})

    def _act(self, obs: dict[str, Any], name: str) -> FloatArray:
        session = self._sessions[name]
        message = obs | {"env": name[:_NAME], "time_s": session.step * self._step_s}
        prompt = obs.get("task_description")
        message |= {} if prompt is None else {"prompt": str(prompt)}
        session.step += 1
        if session.left:
            session.answers.reply(message | {"remember": True})
        else:
            actions = np.asarray(session.answers.reply(message).get("actions", ()), np.float32)
            if not actions.size:
                raise ValueError("the policy server answered without actions")
            session.left = list(actions.reshape(len(actions), -1)[: self._replan])
        return session.left.pop(0)


class MemoryModelServer(ServiceModelServer):
    """A memory before a policy server of openpi's protocol.

    Args:
        memory: The memory's folder.
        upstream: ws:// address of the policy server.
        encoder: Name of the encoder; "auto" for the memory's own, or the best on this machine.
        budget_mb: What the memory may take, millions of bytes; None keeps its own.
        top: Moments that are recalled for an observation.
        deadline_ms: How long that may take.
        replan: Actions of a chunk that are done before the next is asked for; None for all.
        step_s: Seconds between two observations.
    """

    def __init__(
        self,
        memory: str,
        upstream: str,
        encoder: str = "auto",
        budget_mb: float | None = None,
        top: int = 4,
        deadline_ms: float = 50.0,
        replan: int | None = None,
        step_s: float = 0.1,
    ) -> None:
        with ExitStack() as undo:
            opened = undo.enter_context(RobotMemory.open(memory, encoder=encoder, budget_mb=budget_mb))
            config = RecallingConfig(upstream=upstream, top=top, deadline_ms=deadline_ms)
            super().__init__(MemoryService(opened, config), replan=replan, step_s=step_s)
            self._close = undo.pop_all()
        atexit.register(self.close)  # the harness's server tells nobody that it ends

    def close(self) -> None:
        """Write down what was observed, and end."""
        self._close.close()


if __name__ == "__main__":
    run_server(MemoryModelServer)
