"""How many questions of the interface are worked on at a time: of each client, and in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from hippocam.apps.errors import RefusedError
from hippocam.apps.web.access.client import client_of
from hippocam.apps.web.access.limits import QUESTIONS, Allowance

BUSY = "several questions are worked on already; wait for their answers"
# For all clients together.
IN_ALL = 4


class Asking:
    """Counts what is worked on. Safe to use from several threads."""

    def __init__(self) -> None:
        self._of_client, self._in_all = Allowance(QUESTIONS), Allowance(IN_ALL)

    @contextmanager
    def of_anybody(self) -> Iterator[None]:
        """Take a turn for somebody whose address is not told.

        Raises:
            RefusedError: There is none left.
        """
        with self._in_all.take("") as free:
            if not free:
                raise RefusedError(429, BUSY)
            yield

    @contextmanager
    def turn(self, request: Request) -> Iterator[None]:
        """Take a turn for as long as a question is worked on.

        Raises:
            RefusedError: There is none left.
        """
        client = client_of(request)
        with self._of_client.take(client) as own, self._in_all.take("") as free:
            if not own or not free:
                raise RefusedError(429, BUSY)
            yield
