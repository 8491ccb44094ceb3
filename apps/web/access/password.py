"""The page's password on a network: made at the first start, told once, kept as a hash; or the environment's."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from hippocam.apps.errors import AddressError
from hippocam.apps.web.beside import page_folder
from hippocam.stream.private import make_folder, replace_bytes

VARIABLE = "HIPPOCAM_PASSWORD"
_FEWEST_LETTERS = 8
# Cost of scrypt: 16 MB and some 50 ms a try.
_N, _R, _P = 2**14, 8, 1


@dataclass(frozen=True, slots=True)
class Password:
    """A password of which only the hash is known.

    Attributes:
        salt: What was mixed in.
        digest: scrypt of password and salt.
    """

    salt: bytes
    digest: bytes

    @staticmethod
    def of(text: str) -> Password:
        """Hash a password."""
        salt = secrets.token_bytes(16)
        return Password(salt, _scrypt(text, salt))

    def is_it(self, text: str) -> bool:
        """Whether this is the password; takes equally long whatever was given."""
        return hmac.compare_digest(_scrypt(text, self.salt), self.digest)


def _scrypt(text: str, salt: bytes) -> bytes:
    plain = unicodedata.normalize("NFC", text).encode(errors="replace")
    return hashlib.scrypt(plain, salt=salt, n=_N, r=_R, p=_P)


def password_file(memory: Path) -> Path:
    """Where the password's hash is kept: beside the memory, whose bytes are counted against its budget."""
    return page_folder(memory) / "password"


def find_password(memory: Path) -> tuple[Password, str]:
    """The password that the environment gives, or the one that was made before, or a new one.

    Returns:
        The password; and a new one in plain, to be told once, "" for one that is known already.

    Raises:
        AddressError: It is too short, or cannot be kept or read.
    """
    given = os.environ.pop(VARIABLE, None)  # workers need not have it
    if given is not None:
        if len(given) < _FEWEST_LETTERS:
            raise AddressError(f"{VARIABLE} must have {_FEWEST_LETTERS} letters or more, found {len(given)}")
        return Password.of(given), ""
    path = password_file(memory)
    try:
        if path.exists():
            return _read(path), ""
        text = secrets.token_urlsafe(12)
        made = Password.of(text)
        make_folder(path.parent)
        replace_bytes(path, f"scrypt {_N} {_R} {_P} {made.salt.hex()} {made.digest.hex()}\n".encode())
    except OSError as error:
        raise AddressError(
            f"{path}: the page's password cannot be kept there ({error.strerror}); set {VARIABLE}"
        ) from error
    return made, text


def _read(path: Path) -> Password:
    words = path.read_bytes().split()
    try:
        kind, *cost, salt, digest = words
        if kind == b"scrypt" and list(map(int, cost)) == [_N, _R, _P]:
            return Password(bytes.fromhex(salt.decode()), bytes.fromhex(digest.decode()))
    except (ValueError, UnicodeDecodeError):
        pass
    raise AddressError(f"{path}: is no password's hash; delete it to have a new one made, or set {VARIABLE}")
