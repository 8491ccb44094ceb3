"""A process of ours leaves Ctrl-C to its parent, the first one that a program starts too."""

import subprocess
import sys

PROGRAM = """
import multiprocessing
import os
import signal
import time

from hippocam.stream.live.child import start_child


def tell(told, go):
    lines = (line.split() for line in open("/proc/self/status"))
    held = [int(line[1], 16) for line in lines if line[0] in ("SigBlk:", "SigIgn:")]
    told.send(any(signals & 1 << signal.SIGINT - 1 for signals in held))
    go.recv()
    told.send("still there")


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        hears, told = context.Pipe(duplex=False)
        waits, go = context.Pipe(duplex=False)
        process = start_child("test", tell, told, waits)
        told.close()
        print(hears.recv(), flush=True)
        os.kill(process.pid, signal.SIGINT)
        go.send(None)
        print(hears.recv(), flush=True)
        process.join()
        print(process.exitcode, flush=True)
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_ctrl_c_is_for_the_parent_alone(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=300)
    assert done.stdout.split("\n") == [*["True", "still there", "0"] * 2, "False", ""], done.stderr
