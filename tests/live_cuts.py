"""Measure a live camera behind a real RTSP server: how soon a change is found, and how it survives being cut off.

    python tests/live_cuts.py --cuts 1 30 120 --changes 20 --encoder bundled

Each cut is made twice: the server is killed and started again, and it is stopped so that the network is silent.
Needs what tests/rtsp_server.py needs. Takes twice the cuts and half a minute.
"""

import argparse
import importlib.util
import json
import signal
import statistics
import tempfile
import time
from pathlib import Path

_spec = importlib.util.spec_from_file_location("live_process", Path(__file__).with_name("live_process.py"))
helpers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(helpers)

COLOURS = ("red", "green", "blue", "yellow")


def measure_changes(live, server, memory, count, encoder):
    """Seconds from a command to the server until another process finds the new colour.

    Plain colours are all that the server shows, and the encoder "palette" alone knows them for sure; with another
    one it counts when the changed frame can be searched.
    """
    found_s = []
    for i in range(count):
        colour = COLOURS[i % len(COLOURS)]
        time.sleep(1.0 + 0.37 * (i % 5))
        began_s, encoded = time.time(), live.camera()["encoded"]
        server.say(colour)

        def found(colour=colour, began_s=began_s, encoded=encoded):
            if encoder != "palette":
                return live.camera()["encoded"] > encoded
            return any(m.t0_s > began_s for m in helpers.find(memory, f"something {colour}", stream="cam"))

        helpers.until(found, every_s=0.02)
        found_s.append(time.time() - began_s)
    return found_s


def measure_cut(live, server, seconds, how):
    """Cut the camera off; give what it did."""
    before = live.wait_for(lambda row: row["state"] == "live" and row["lag_s"] < 1)
    if how == "killed":
        server.kill()
        time.sleep(seconds)
        server.start()
    else:
        server.signal(signal.SIGSTOP)
        time.sleep(seconds)
        server.signal(signal.SIGCONT)
    back_s = time.time()
    after = live.wait_for(lambda row: (row["last_s"] or 0) > back_s + 0.05, timeout_s=120)
    return {
        "cut": f"{how} {seconds:g} s",
        "first_frame_after_s": round(after["last_s"] - back_s, 2),
        "found_again_after_s": round(time.time() - back_s, 2),
        "restarts": after["restarts"] - before["restarts"],
        "gaps": after["gaps"] - before["gaps"],
        "gap_s": round(after["gap_s"] - before["gap_s"], 2),
        "last_error": after["error"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=float, nargs="*", default=[1, 30, 120])
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--encoder", default="palette")
    parser.add_argument("--fps", type=float, default=1.0)
    options = parser.parse_args()
    memory = Path(tempfile.mkdtemp()) / "memory"
    with helpers.RtspServer() as server:
        address = f"cam={server.url}"
        with helpers.Live(memory, address, "--fps", options.fps, encoder=options.encoder) as live:
            live.wait_for(lambda row: row["seen"] > 2, timeout_s=180)
            if options.changes:
                found_s = measure_changes(live, server, memory, options.changes, options.encoder)
                row = live.camera()
                print(json.dumps({
                    "found_after_s_median": round(statistics.median(found_s), 2),
                    "found_after_s_worst": round(max(found_s), 2),
                    "from_true_time_median_s": row["latency_s"],
                    "from_true_time_worst_s": row["worst_s"],
                    "encoder": options.encoder, "fps": options.fps, "dropped": row["dropped"],
                }), flush=True)  # fmt: skip
            for seconds in options.cuts:
                for how in ("killed", "silent"):
                    print(json.dumps(measure_cut(live, server, seconds, how)), flush=True)
            code = live.end()
    print(json.dumps({"exit_code": code, "gaps": live.logged("gap")}))


if __name__ == "__main__":
    main()
