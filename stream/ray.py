"""Where Ray is started, for everything that runs on it; nobody else calls `ray.init`.

Whoever works on Ray does so inside `running_ray`, which gives the module: nothing of Ray is imported before it is
asked for.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from hippocam.stream.errors import ClusterError, RayStartError
from hippocam.stream.telemetry import switch_off

# Seconds within which a cluster's head must take a connection, or it is not there.
_ANSWER_S = 10


@contextmanager
def running_ray(address: str | None = None, *, object_store_bytes: int | None = None) -> Iterator[Any]:
    """Start Ray or join a cluster, and stop or leave it at the end; a Ray that runs already is used as it is.

    Args:
        address: Address of the cluster to join, "local" for a Ray of this machine alone, or None for what
            $RAY_ADDRESS says ("local" if it says nothing: Ray would wait for the address that a killed one left
            behind).
        object_store_bytes: Shared memory for a Ray that is started here; None for Ray's own choice.

    Yields:
        The module `ray`, connected.

    Raises:
        RayStartError: Ray cannot start on this machine.
        ClusterError: No cluster answers at the address.
    """
    switch_off()
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if address == "local":  # else Ray asks which of this machine's addresses leads to 8.8.8.8, and listens there
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    # Only what is fatal in Ray's log: the rest is in Ray's files.
    # What Ray prints of a machine that died, pages of it, would stand among a command's own lines, or in its JSON.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import ray

    if ray.is_initialized():
        yield ray
        return
    _start(ray, address, object_store_bytes)
    try:
        yield ray
    finally:
        ray.shutdown()


def ask_for(cores: int) -> None:
    """Ask a cluster that grows by itself for cores; 0 takes the wish back. Nothing happens on any other."""
    from ray.autoscaler.sdk import request_resources

    request_resources(bundles=[{"CPU": 1}] * cores)


@contextmanager
def simulated_cluster(nodes: int, *, cores: int, object_store_bytes: int = 80 << 20) -> Iterator[str]:
    """A cluster of nodes on this machine, for measurements: each has as many cores as are said, whatever is there.

    Args:
        nodes: How many, beside a head without cores.
        cores: Of each.
        object_store_bytes: Shared memory of each.

    Yields:
        Its address.
    """
    switch_off()
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": object_store_bytes}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=cores, object_store_memory=object_store_bytes)
        yield cluster.address
    finally:
        cluster.shutdown()


def _start(ray: Any, address: str, object_store_bytes: int | None) -> None:
    joins = address != "local"
    if joins:
        _check_answers(address)
    # A cluster has been given its dashboard and its memory by whoever started it.
    options: dict[str, Any] = {}
    if not joins:  # nobody else talks to it: it listens on the loopback address, and keeps its token to itself
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else it is written into the user's home
        options = {
            "include_dashboard": False,
            "object_store_memory": object_store_bytes,
            "_node_ip_address": "127.0.0.1",
        }
    try:
        with nullcontext() if joins else _no_dashboard():
            ray.init(address, log_to_driver=False, logging_level="error", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = first_line(error)
        raise (ClusterError(address, reason) if joins else RayStartError(reason)) from error


@contextmanager
def _no_dashboard() -> Iterator[None]:
    """Start no process of the dashboard: though it is not included, Ray starts it to tell of its usage.

    With that switched off, it still asks the clouds' addresses for metadata whether this machine is one of theirs.
    """
    try:
        from ray._private.node import Node
    except ImportError:  # another version of Ray
        yield
        return
    start = Node.start_api_server
    Node.start_api_server = _start_nothing
    try:
        yield
    finally:
        Node.start_api_server = start


def _start_nothing(node: Any, **options: Any) -> None:
    """In place of a process of Ray."""


def _check_answers(address: str) -> None:
    """Fail at once where nobody listens; Ray would go on trying without a word."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # "auto" and the like
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except OSError as error:
        raise ClusterError(address, str(error)) from error


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its type if it has none: Ray's messages have many lines."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
