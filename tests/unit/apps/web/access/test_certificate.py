"""The page by HTTPS: what a client that checks certificates gets, and which certificates are refused."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from hippocam.apps.errors import AddressError
from hippocam.apps.web.access.certificate import Certificate


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for localhost and its key, and the key of another."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("own", "other"):
        names = ["-addext", "subjectAltName=DNS:localhost"]
        key = ["-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=localhost"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", *key, *names]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    locked = ["openssl", "rsa", "-aes128", "-passout", "pass:word", "-in", "own.key", "-out", "locked.key"]
    subprocess.run(locked, cwd=folder, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "own.key").read_text() + (folder / "own.pem").read_text())
    return folder


@pytest.mark.parametrize(("file", "key"), [("own.pem", "own.key"), ("both.pem", None)])
def test_a_certificate_with_its_key_is_taken(made: Path, file: str, key: str | None) -> None:
    Certificate(file=made / file, key_file=made / key if key else None).check()


@pytest.mark.parametrize(
    ("file", "key"),
    [("own.pem", "other.key"), ("own.pem", None), ("own.pem", "locked.key"), ("gone.pem", "own.key"), (".", None)],
)
def test_what_cannot_be_used_is_told_in_a_line(made: Path, file: str, key: str | None) -> None:
    with pytest.raises(AddressError, match="certificate .* cannot be used") as told:
        Certificate(file=made / file, key_file=made / key if key else None).check()
    assert "\n" not in str(told.value)


def test_the_page_is_served_encrypted(made: Path, tmp_path: Path) -> None:
    files = ["--certfile", str(made / "own.pem"), "--keyfile", str(made / "own.key")]
    command = ["-m", "hippocam.apps.cli.main", "web", "--memory", str(tmp_path / "m"), "--port", "0", *files]
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            port = int(re.fullmatch(r"open https://127\.0\.0\.1:(\d+)\n", line)[1])  # type: ignore[index]
            trusting = ssl.create_default_context(cafile=str(made / "own.pem"))
            with urllib.request.urlopen(f"https://localhost:{port}/", context=trusting, timeout=120) as page:
                assert page.status == 200
            with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(f"https://localhost:{port}/", timeout=120)
        finally:
            server.terminate()
