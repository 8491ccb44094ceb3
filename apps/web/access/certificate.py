"""A certificate and its key, with which the page's server encrypts what it sends."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from hippocam.apps.errors import AddressError


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Where a certificate is.

    Attributes:
        file: PEM file with the certificate, and with those that vouch for it.
        key_file: PEM file with its key; None where that is in the same file.
    """

    file: Path
    key_file: Path | None = None

    def check(self) -> None:
        """Load it, as the server will.

        Raises:
            AddressError: It cannot be read, is no certificate, or the key is another one's or has a password.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.file, self.key_file, password=_no_password)
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            told = getattr(error, "strerror", None) or str(error)
            raise AddressError(f"the certificate {self.file} cannot be used ({told})") from error


def _no_password() -> str:
    raise ValueError("its key has a password")
