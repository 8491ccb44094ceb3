"""Sections of Markdown files: what was measured, and what it takes to measure it again.

Above a section's tables stand four lines that a test reads:

    - Encoder: bundled:3
    - Measured: 2026-11-22, commit 3e04569
    - Machine: AMD EPYC, 2 cores
    - Command: `hippocam bench moments --videos footage`
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

NO_ENCODER = "none"
_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("stream", "memory", "models", "apps", "configs")


def write_section(path: Path, title: str, body: str, *, command: str, encoders: Sequence[str]) -> None:
    """Write a section into a Markdown file, replacing one of the same title.

    Args:
        path: The file; made with its folder if it is missing.
        title: Title of the section.
        body: Tables and text, as Markdown.
        command: What was run.
        encoders: Ids of the encoders whose vectors were used; empty if vectors are random.
    """
    head = f"## {title}\n"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    before, found, rest = text.partition("\n" + head)
    after = rest.partition("\n## ") if found else ("", "", "")
    tail = f"\n## {after[2]}" if after[1] else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = provenance(command, encoders)
    path.write_text(f"{before.rstrip()}\n\n{head}\n{lines}\n\n{body.strip()}\n{tail}", encoding="utf-8")


def provenance(command: str, encoders: Sequence[str]) -> str:
    """Return the four lines above a section's tables, for now and for this machine."""
    today = datetime.now(UTC).date().isoformat()
    return "\n".join(
        [
            f"- Encoder: {', '.join(dict.fromkeys(encoders)) or NO_ENCODER}",
            f"- Measured: {today}, {_version()}",
            f"- Machine: {_machine()}",
            f"- Command: `{command}`",
        ]
    )


def _version() -> str:
    """Return the commit of this checkout, and whether its code has changed since; else the release."""
    if not (_ROOT / ".git").exists():
        return f"hippocam {importlib.metadata.version('hippocam')}"
    try:
        commit = _git("rev-parse", "--short=7", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *_CODE)
    except (OSError, subprocess.CalledProcessError):  # no git on this machine
        return f"hippocam {importlib.metadata.version('hippocam')}"
    return f"commit {commit}{' with changes' if changed else ''}"


def _git(*arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(_ROOT), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def _machine() -> str:
    """Processor and cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.machine()}, {cores} core{'s' * (cores != 1)}"
