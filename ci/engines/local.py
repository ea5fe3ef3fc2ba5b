#!/usr/bin/env python3
"""Runs the shards of a sweep on one machine without an engine, and compares with a serial sweep, byte for byte.

    ci/engines/local.py --simctl target/release/simctl [--into target/engines/local]

1. `xargs`, with the shard in SIMCTL_SHARD;
2. GNU parallel (installed if need be, which asks for root), with the shard in PARALLEL_SEQ, which counts from 1;
   one shard is killed by SIGKILL, and `--resume-failed` runs it alone again;
3. the whole plan in one process on all cores.

Exit code: 0 all equal, or parallel was skipped, with a message, because it is not to be had; 1 not so.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from shards import ROOT, Sweep, Trouble, installed, say

# How many shards run at once.
JOBS = 4


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument("--into", type=Path, default=Path("target/engines/local"), help="emptied")
    arguments = parser.parse_args()
    sweep = Sweep(arguments.simctl.resolve(), arguments.into.resolve())
    sweep.clear()
    sweep.serial()
    say("local: xargs")
    by_xargs(sweep)
    if installed(["parallel"], ["parallel"]):
        say("local: GNU parallel")
        by_parallel(sweep)
    else:
        say("local: GNU parallel skipped")
    say("local: one process")
    out = sweep.into / "whole"
    sweep.expect(0, "sweep", "--plan", sweep.plan, "--out", out)
    sweep.same_result(out)
    say("local: every way gave the same bytes")


def by_xargs(sweep):
    out = sweep.into / "xargs"
    one = f"SIMCTL_SHARD=% exec {shlex.join(sweep.shard_command('auto', out))}"
    shell(f"seq 0 {sweep.shards - 1} | xargs -P {JOBS} -I % sh -c {shlex.quote(one)}", 0)
    sweep.same_as_serial(out)


def by_parallel(sweep):
    out = sweep.into / "parallel"
    victim = 5
    log = sweep.into / "joblog"
    options = f"--jobs {JOBS} --joblog {log} --quote"
    command = f"seq {sweep.shards} | parallel --max-args 0 {options} %s {shlex.join(sweep.noted_command('PARALLEL_SEQ', out))}"
    running = subprocess.Popen(command % "", shell=True, cwd=ROOT)
    sweep.kill_in_mid_work(sweep.process(out, victim + 1), out, victim)
    if running.wait() != 1 or sweep.missing(out) != [victim]:
        raise Trouble(
            f"shard {victim} was killed; parallel ended with {running.returncode}, merge misses {sweep.missing(out)}"
        )
    before = len(sweep.processes(out))
    shell(command % "--resume-failed", 0)
    again = len(sweep.processes(out)) - before
    if again != 1:
        raise Trouble(f"--resume-failed ran {again} shards, not the one that failed")
    sweep.same_as_serial(out)


def shell(line, code):
    ended = subprocess.run(line, shell=True, cwd=ROOT)
    if ended.returncode != code:
        raise Trouble(f"{line}: exit code {ended.returncode}, expected {code}")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"local: {trouble}")
        sys.exit(trouble.code)
