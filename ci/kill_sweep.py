#!/usr/bin/env python3
"""Kills a sweep by SIGKILL at random moments, resumes it, and compares it with an undisturbed one, byte for byte.

    ci/kill_sweep.py --simctl target/release/simctl [--kills 50] [--seed 7] [--into target/kill]

Half of the moments are drawn evenly over the time that the sweep takes; the other half wait for a temporary file
to be there, because that is where a torn file would come from. After every kill, whatever stands under a final
name must be as in the undisturbed sweep already. A sweep that completes is compared whole, and the next begins.
Exit code: 0 all equal, 1 not so.
"""

import argparse
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "engines"))
from shards import ROOT, Sweep, Trouble, files, result, say  # noqa: E402


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument("--into", type=Path, default=Path("target/kill"), help="emptied")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    say(f"kill: seed {arguments.seed}")
    sweep = Sweep(arguments.simctl.resolve(), arguments.into.resolve())
    sweep.clear()
    sweep.serial()
    kill_and_resume(sweep, arguments.kills, random.Random(arguments.seed))


def kill_and_resume(sweep, kills, dice):
    expected, seconds = undisturbed(sweep)
    killed, round_number, while_writing = 0, 0, 0
    while killed < kills:
        out = sweep.into / f"killed-{round_number}"
        ended = False
        attempts = 0
        while not ended and killed < kills:
            # Later attempts find less to do: they are killed the sooner.
            moment = dice.uniform(0, seconds / (1 + attempts))
            ended, wrote = run_and_kill(sweep, out, moment, dice.random() < 0.5)
            attempts += 1
            killed += not ended
            while_writing += wrote
            compare(out, expected, complete=False)
        sweep.expect(0, *whole(sweep, out)[1:])
        compare(out, expected, complete=True)
        round_number += 1
    say(
        f"kill: {killed} kills, {while_writing} of them while a file was being written, {round_number} sweeps: all as undisturbed"
    )


def whole(sweep, out):
    """The command of the whole sweep: it resumes where it was."""
    return [str(sweep.simctl), "sweep", "--plan", str(sweep.plan), "--out", str(out)]


def undisturbed(sweep):
    """What an undisturbed sweep leaves, and how long it takes."""
    out = sweep.into / "undisturbed"
    begun = time.monotonic()
    sweep.expect(0, *whole(sweep, out)[1:])
    seconds = time.monotonic() - begun
    sweep.same_result(out)
    return files(out), seconds


def run_and_kill(sweep, out, moment, at_a_file):
    """Runs the sweep until `moment`, or until the first temporary file after it; whether it ended before, and
    whether it was killed while a file was being written."""
    with open(sweep.into / "killed.log", "ab") as log:
        process = subprocess.Popen(whole(sweep, out), cwd=ROOT, stdout=log, stderr=log)
    deadline = time.monotonic() + moment
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    while at_a_file and process.poll() is None and not temporary(out):
        pass
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    if ended and process.returncode != 0:
        raise Trouble(f"the resumed sweep ended with {process.returncode}; see {sweep.into}/killed.log")
    return ended, not ended and bool(temporary(out))


def temporary(out):
    """Files that were being written: beside the results, and where a sweep keeps what it did so far."""
    found = [*out.glob("*"), *out.glob("blocks/*")] if out.is_dir() else []
    return [path.name for path in found if is_temporary(path.name)]


def is_temporary(name):
    return name.startswith(".tmp-")


def compare(out, expected, complete):
    """Every file under a final name is that of the undisturbed sweep; all are there if `complete`."""
    found = {name: text for name, text in result(files(out)).items() if not is_temporary(Path(name).name)}
    for name, text in found.items():
        if name not in expected:
            raise Trouble(f"{out}/{name}: an undisturbed sweep has no such file")
        if text != expected[name]:
            raise Trouble(f"{out}/{name}: not as in an undisturbed sweep")
    if complete and (found.keys() != expected.keys() or temporary(out)):
        raise Trouble(f"{out} holds {sorted(found)} {temporary(out)}, not {sorted(expected)}")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"kill: {trouble}")
        sys.exit(trouble.code)
