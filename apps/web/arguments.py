"""The arguments of `hippocam web`: where the page is served, and how."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.terminal import port

if TYPE_CHECKING:
    from hippocam.apps.web.access.certificate import Certificate
    from hippocam.apps.web.options import PageOptions


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `hippocam web`."""
    command.add_argument(
        "--host", default="127.0.0.1", metavar="HOST", help="address to listen on (default 127.0.0.1)"
    )
    command.add_argument(
        "--port", type=port, default=7860, metavar="PORT", help="default 7860; 0 for any that is free"
    )
    command.add_argument("--name", nargs="+", default=[], metavar="NAME", help="names by which the page is called")
    command.add_argument("--show-imported", action="store_true", help="play the files that imported streams name")
    command.add_argument("--certfile", type=Path, metavar="PEM", help="certificate: the page is served by HTTPS")
    command.add_argument("--keyfile", type=Path, metavar="PEM", help="its key, where that is in a file of its own")
    command.add_argument("--reader", metavar="NAME", help="who words the answers (default extractive)")
    command.add_argument("--read-only", action="store_true", help="show and answer, and change nothing")
    command.add_argument(
        "--folders", nargs="+", type=Path, default=[], metavar="DIR", help="files in these may be added by path"
    )


def options_of(options: argparse.Namespace) -> PageOptions:
    """What the arguments let the page show and do."""
    from hippocam.apps.web.options import PageOptions

    return PageOptions(
        show_imported=options.show_imported,
        read_only=options.read_only,
        reader=options.reader,
        roots=tuple(options.folders),
        config=options.config,
    )


def certificate_of(options: argparse.Namespace) -> Certificate | None:
    """The certificate that the options name; None where they name none.

    Raises:
        ValueError: A key is given without a certificate.
    """
    from hippocam.apps.web.access.certificate import Certificate

    if options.certfile is not None:
        return Certificate(file=options.certfile, key_file=options.keyfile)
    if options.keyfile is not None:
        raise ValueError("--keyfile needs --certfile: the certificate that it is the key of")
    return None
