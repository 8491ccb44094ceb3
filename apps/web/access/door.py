"""Who has said the password: a few tries, then a session that a cookie names."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from hippocam.apps.web.access.password import Password

# Wrong tries of one client, and of all together, within a stretch of time, after which they must wait.
TRIES, ALL_TRIES, TRIES_S = 5, 60, 300.0
# Where the password is taken, and where a session is ended.
LOGIN, LOGOUT = "/hippocam/login", "/hippocam/logout"
# How long a session lasts, seconds.
SESSION_S = 7 * 86400.0
_MOST_SESSIONS = 1000


class Door:
    """Lets in who says the password. Safe to use from several threads.

    Args:
        password: What must be said; None lets nobody in.
        clock_s: Tells the time in seconds.
    """

    def __init__(self, password: Password | None, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._password, self._clock_s = password, clock_s
        self._mutex = threading.Lock()  # one try at a time: each takes memory
        self._wrong: deque[tuple[float, str]] = deque()
        self._sessions: dict[bytes, float] = {}
        self._programs: dict[bytes, float] = {}

    def wait_s(self, client: str) -> float:
        """How long a client must wait before it may try again, seconds."""
        now_s = self._clock_s()
        while self._wrong and self._wrong[0][0] <= now_s - TRIES_S:
            self._wrong.popleft()
        own = [at_s for at_s, who in self._wrong if who == client]
        oldest_s = own[-TRIES] if len(own) >= TRIES else None
        if len(self._wrong) >= ALL_TRIES:
            oldest_s = max(oldest_s or 0.0, self._wrong[-ALL_TRIES][0])
        return 0.0 if oldest_s is None else oldest_s + TRIES_S - now_s

    def enter(self, client: str, text: str) -> str | None:
        """Try a password.

        Args:
            client: Who tries, see client_of.
            text: What it says.

        Returns:
            The name of the new session; None if the password was wrong, or this was one try too many.
        """
        with self._mutex:
            if self._password is None or self.wait_s(client) > 0:
                return None
            if not self._password.is_it(text):
                self._wrong.append((self._clock_s(), client))
                return None
            token = secrets.token_urlsafe(32)
            while len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[_digest(token)] = self._clock_s() + SESSION_S
            return token

    def admits(self, client: str, text: str) -> bool:
        """Whether a program that says the password with each request is let in.

        Args:
            client: Who it is, see client_of.
            text: What it says; once it was right, it costs no memory any more.
        """
        digest = _digest(text)
        if self._programs.get(digest, 0.0) > self._clock_s():
            return True
        token = self.enter(client, text)
        if token is None:
            return False
        self.leave(token)
        self._programs = {digest: self._clock_s() + SESSION_S}  # there is one password
        return True

    def leave(self, token: str) -> None:
        """End a session."""
        with self._mutex:
            self._sessions.pop(_digest(token), None)

    def is_in(self, token: str) -> bool:
        """Whether a session is one that was let in, and not too long ago."""
        return self._sessions.get(_digest(token), 0.0) > self._clock_s()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
