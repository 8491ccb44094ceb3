"""Several cameras for as long as you like: drops, latency, memory and disk, as a plot and as a table.

    make soak                          ten minutes
    make soak MINUTES=1440             a day
    make soak MINUTES=60 VIDEO=x.mp4   what the MJPEG cameras show

The cameras are servers of this machine's own, on loopback: RTSP by GStreamer, where it is installed, and MJPEG
over HTTP. Now and then one of them is killed, and started again half a minute later. Nothing here is a promise
about another machine; what must hold whatever the machine is checked at the end: nothing was dropped, every
camera came back, the folders kept to their budgets, and main memory did not go on growing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import cv2
import live_process
import media
import numpy as np

from hippocam.memory.folder import folder_bytes

SAMPLE_S = 5.0
CUT_S, BACK_S = 600.0, 30.0
COLOURS = ("green", "red", "blue", "yellow", "white")
BUDGET_MB, LOOK_BACK_MB = 64, 64
# What main memory may grow by in the second half, as a share of the first.
MOST_GROWTH = 0.15


class Mjpeg:
    """A camera that sends JPEGs over HTTP, ten a second, as long as anybody reads. A context manager."""

    def __init__(self, pictures: list[bytes]) -> None:
        self._pictures, self._port, self._server = pictures, 0, None
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Start it; to be called again after `kill`, at the same address."""
        pictures, over = self._pictures, threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                begun, number = time.monotonic(), 0
                try:
                    while not over.wait(max(0.0, begun + number / 10 - time.monotonic())):
                        jpeg = pictures[int(time.monotonic() * 10) % len(pictures)]
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                        self.wfile.write(head.encode() + jpeg + b"\r\n")
                        number += 1
                except OSError:
                    pass

            def log_message(self, *_: object) -> None:
                pass

        self._server, self._over = ThreadingHTTPServer(("127.0.0.1", self._port), Handler), over
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True).start()

    def kill(self) -> None:
        """Take it away at once."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def say(self, line: str) -> None:
        """It shows what it shows."""


def pictures_of(video: Path | None) -> list[bytes]:
    """JPEGs, ten for each second of a video; without one, of frames that carry their number."""
    images: list[Any]
    if video is None:
        images = [media.numbered_image(number // 20) for number in range(400)]
    else:
        with av.open(str(video)) as container:
            step, due, images = 0.1, 0.0, []
            for frame in container.decode(video=0):
                if frame.time >= due:
                    images.append(frame.reformat(width=640, height=360, format="rgb24").to_ndarray())
                    due += step
                if len(images) == 3000:
                    break
    return [
        cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes() for image in images
    ]


def family(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def resident_mb(pid: int) -> float:
    """Main memory of a process and its children, what they share counted once (PSS)."""
    total = 0
    for each in family(pid):
        try:
            rows = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        except OSError:  # it has just ended
            continue
        total += next((int(row.split()[1]) for row in rows if row.startswith("Pss:")), 0)
    return total / 1000


def soak(
    folder: Path, *, minutes: float, fps: float, rtsp: int, mjpeg: int, video: Path | None
) -> list[dict[str, Any]]:
    """Run; return a sample every few seconds."""
    pictures = pictures_of(video)
    servers: dict[str, Any] = {f"mjpeg{k}": Mjpeg(pictures) for k in range(mjpeg)}
    if live_process.rtsp_python() is None:
        print("no RTSP server here (GStreamer's): MJPEG alone", flush=True)
    else:
        for k in range(rtsp):
            servers[f"rtsp{k}"] = live_process.RtspServer()
            servers[f"rtsp{k}"].start()
    samples, memory = [], folder / "soak"
    named = [f"{name}={server.url}" for name, server in servers.items()]
    options = ("--fps", fps, "--budget-mb", BUDGET_MB, "--look-back-mb", LOOK_BACK_MB, "--alert", "a red wall")
    try:
        with live_process.Live(memory, *named, *options, encoder="bundled") as live:
            live_process.until(lambda: all(row["seen"] for row in live.cameras().values()) and live.cameras())
            begun, down, cuts = time.monotonic(), {}, 0
            while (now := time.monotonic()) < begun + 60 * minutes:
                if now > begun + (cuts + 1) * CUT_S and now < begun + 60 * minutes - 3 * BACK_S:
                    name = list(servers)[cuts % len(servers)]
                    servers[name].kill()
                    down[name], cuts = now + BACK_S, cuts + 1
                for name in [name for name, back_s in down.items() if now > back_s]:
                    servers[name].start()
                    del down[name]
                for k, (name, server) in enumerate(servers.items()):
                    if name not in down:
                        server.say(COLOURS[int(now / 20 + k) % len(COLOURS)])
                samples.append(sample(live, now - begun, cuts))
                time.sleep(SAMPLE_S)
            live.end()
            (folder / "errors.txt").write_text("".join(live.errors))
    finally:
        for server in servers.values():
            server.kill()
    return samples


def sample(live: live_process.Live, time_s: float, cuts: int) -> dict[str, Any]:
    """What is measured at a time."""
    rows = live.cameras()
    return {
        "time_s": round(time_s, 1),
        "cuts": cuts,
        "memory_mb": round(resident_mb(live.process.pid), 1),
        "disk_mb": round(folder_bytes(live.memory) / 1e6, 3),
        "footage_mb": round(sum(p.stat().st_size for p in live.place.path.rglob("*.mkv") if p.exists()) / 1e6, 3),
        "cameras": {
            name: {
                key: row[key]
                for key in ("state", "seen", "dropped", "restarts", "gaps", "gap_s", "latency_s", "worst_s")
            }
            for name, row in rows.items()
        },
    }


def plot(samples: list[dict[str, Any]], path: Path) -> None:
    """Latency, drops, main memory and disk over time."""
    from matplotlib.figure import Figure

    minutes = np.array([row["time_s"] for row in samples]) / 60
    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.subplots(4, 1, sharex=True)
    for name in samples[-1]["cameras"]:
        rows = [row["cameras"].get(name, {}) for row in samples]
        axes[0].plot(minutes, [row.get("latency_s") for row in rows], label=name)
        axes[1].plot(minutes, [row.get("dropped") for row in rows], label=name)
    axes[0].set_ylabel("s until found (median)")
    axes[0].legend(ncols=4, fontsize="small")
    axes[1].set_ylabel("frames dropped")
    axes[2].plot(minutes, [row["memory_mb"] for row in samples])
    axes[2].set_ylabel("main memory, MB")
    axes[2].set_ylim(0)
    axes[3].plot(minutes, [row["disk_mb"] for row in samples], label=f"memory (of {BUDGET_MB} MB)")
    axes[3].plot(minutes, [row["footage_mb"] for row in samples], label=f"footage (of {LOOK_BACK_MB} MB)")
    axes[3].set_ylabel("disk, MB")
    axes[3].legend(fontsize="small")
    axes[3].set_xlabel("minutes; a camera is killed for half a minute every ten")
    figure.savefig(path, dpi=110)


def faults(samples: list[dict[str, Any]]) -> list[str]:
    """What did not hold."""
    last, half = samples[-1], len(samples) // 2
    found = [f"{name}: {row['dropped']} frames dropped" for name, row in last["cameras"].items() if row["dropped"]]
    found += [f"{name} is {row['state']}" for name, row in last["cameras"].items() if row["state"] != "live"]
    if max(row["disk_mb"] for row in samples) > BUDGET_MB:
        found.append(f"the memory took more than its {BUDGET_MB} MB")
    if max(row["footage_mb"] for row in samples) > LOOK_BACK_MB:
        found.append(f"the footage took more than its {LOOK_BACK_MB} MB")
    quarter = samples[half // 2 : half]  # the first minutes load networks
    before, after = (
        float(np.median([row["memory_mb"] for row in part])) for part in (quarter, samples[-len(quarter) :])
    )
    if after > before * (1 + MOST_GROWTH):
        found.append(f"main memory grew from {before:.0f} to {after:.0f} MB")
    return found


def report(samples: list[dict[str, Any]], *, fps: float, picture: str) -> str:
    """The run as Markdown."""
    last = samples[-1]
    memory = [row["memory_mb"] for row in samples]
    lines = [
        "# A soak of live cameras",
        "",
        f"`make soak` for {last['time_s'] / 60:.0f} minutes: {len(last['cameras'])} cameras on loopback at "
        f"{fps:g} frame{'' if fps == 1 else 's'} a second each, the default encoder, {last['cuts']} times a "
        "camera was killed for half a minute.",
        "",
        "| camera | frames | dropped | restarts | gaps | away, s | until found, s (median) | worst, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, row in last["cameras"].items():
        worst = max(each["cameras"].get(name, row)["worst_s"] for each in samples)
        lines.append(
            f"| {name} | {row['seen']} | {row['dropped']} | {row['restarts']} | {row['gaps']} | "
            f"{row['gap_s']:.0f} | {row['latency_s']:.2f} | {worst:.2f} |"
        )
    lines += [
        "",
        f"Main memory of all its processes (PSS): {np.median(memory[: len(memory) // 4]):.0f} MB in the first "
        f"quarter, {np.median(memory[-len(memory) // 4 :]):.0f} MB in the last, {max(memory):.0f} MB at most. "
        f"The memory took {last['disk_mb']:.1f} MB of {BUDGET_MB}, the footage {last['footage_mb']:.1f} MB of "
        f"{LOOK_BACK_MB}.",
        "",
        "What did not hold: " + ("; ".join(faults(samples)) or "nothing") + ".",
        "",
        f"![Latency, drops, main memory and disk over time]({picture})",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--fps", type=float, default=1.0, help="frames looked at a second, of each camera")
    parser.add_argument("--rtsp", type=int, default=2)
    parser.add_argument("--mjpeg", type=int, default=2)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--write", type=Path, help="a Markdown file; the plot goes beside it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        samples = soak(
            Path(scratch),
            minutes=options.minutes,
            fps=options.fps,
            rtsp=options.rtsp,
            mjpeg=options.mjpeg,
            video=options.video,
        )
    if options.write:
        options.write.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
        plot(samples, options.write.with_suffix(".png"))
        options.write.write_text(report(samples, fps=options.fps, picture=options.write.with_suffix(".png").name))
    print(report(samples, fps=options.fps, picture="soak.png"))
    return 1 if faults(samples) else 0


if __name__ == "__main__":
    sys.exit(main())
