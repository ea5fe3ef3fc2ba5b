#!/usr/bin/env python3
"""Runs the shards of a sweep on HyperQueue and compares the merged result with a serial sweep, byte for byte.

    ci/engines/hq.py --simctl target/release/simctl [--into target/engines/hyperqueue]

The scheduler is the real one, from the Python package `hyperqueue` (installed into a virtual environment
below `--into`), and every shard is a process of its own that finds its number in HQ_TASK_ID:

1. one shard is killed by SIGKILL in mid-work; HyperQueue names it as failed, and it alone is submitted again;
2. a shard is frozen, a duplicate of it does the work, then the frozen one wakes up and finishes as well;
3. server and workers are killed by SIGKILL; a new server is given every shard, and redoes none that was done.

Where the program `hq` is on PATH, the same with a server and workers that are processes of their own, of which
one is killed together with its shard, and HyperQueue starts that shard elsewhere by itself.

HyperQueue listens on every address of the machine: where that is allowed, all of this happens in a network
namespace of its own that has nothing but loopback.
Exit code: 0 all equal, or skipped, with a message, because the package is not to be had; 1 not so.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from shards import Sweep, Trouble, alone, loopback_up, parent, python_with, say, until

# What the tests were written against. Newer ones are welcome: change it here.
PACKAGE = "hyperqueue==0.27.0"
# Tasks of this many processors run at once; more than there are, so that shards overlap on any machine.
PROCESSORS = 4
# A worker that says nothing for this long is gone.
HEARTBEAT = "2s"


def main():
    arguments = parse()
    sweep = Sweep(arguments.simctl, arguments.into)
    if arguments.role == "outside":
        prepare(sweep, arguments)
    loopback_up()
    os.dup2(os.open(arguments.into / "servers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    if arguments.role == "cluster":
        return serve_until_killed(sweep, arguments.into / "engine-dies")
    sweep.serial()
    for step in (one_shard_dies, duplicates_at_once, the_engine_dies):
        say(f"hyperqueue: {step.__name__.replace('_', ' ')}")
        step(sweep)
    if shutil.which("hq"):
        say("hyperqueue: a worker dies (hq on PATH)")
        a_worker_dies(sweep)
    else:
        say("hyperqueue: no `hq` on PATH: server and workers as processes of their own were not tried")
    say("hyperqueue: every way gave the same bytes")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument(
        "--into",
        type=Path,
        default=Path("target/engines/hyperqueue"),
        help="emptied, but for the virtual environment",
    )
    parser.add_argument(
        "--role", choices=["outside", "inside", "cluster"], default="outside", help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    arguments.simctl = arguments.simctl.resolve()
    arguments.into = arguments.into.resolve()
    return arguments


def prepare(sweep, arguments):
    """Installs the package, and goes on in its Python, in a network of its own. Does not return."""
    sweep.clear(keep=["venv"])
    python = python_with(arguments.into / "venv", [PACKAGE])
    command = [
        python,
        os.path.abspath(__file__),
        "--simctl",
        str(arguments.simctl),
        "--into",
        str(arguments.into),
        "--role",
        "inside",
    ]
    # The package draws a progress bar and prints tables; what matters is said here.
    os.environ["TQDM_DISABLE"] = "1"
    alone(command)


def cluster_of(folder):
    from hyperqueue import LocalCluster
    from hyperqueue.cluster import WorkerConfig

    folder.mkdir(parents=True)
    return LocalCluster(server_dir=str(folder), worker_config=WorkerConfig(cores=PROCESSORS))


def submit(client, sweep, out, shards):
    """Submits `shards` as tasks of one job; their ids are the numbers of the shards."""
    from hyperqueue import Job

    notes = sweep.notes(out)
    job = Job(max_fails=None, default_workdir=str(out))
    for shard in shards:
        task = job.program(
            sweep.noted_command("HQ_TASK_ID", out),
            stdout=str(notes / f"{shard}.out"),
            stderr=str(notes / f"{shard}.err"),
        )
        task.task_id = shard
        job.task_map[shard] = task
    return client.submit(job)


def one_shard_dies(sweep):
    out = sweep.into / "one-dies"
    with cluster_of(sweep.into / "one-dies-server") as cluster:
        client = cluster.client()
        job = submit(client, sweep, out, range(sweep.shards))
        victim = sweep.shards // 2
        sweep.kill_in_mid_work(sweep.process(out, victim), out, victim)
        if client.wait_for_jobs([job], raise_on_error=False):
            raise Trouble("a task that SIGKILL ended counts as done")
        failed = sorted(client.get_failed_tasks(job))
        if failed != [victim] or sweep.missing(out) != [victim]:
            raise Trouble(
                f"shard {victim} was killed; HyperQueue says {failed}, merge says {sweep.missing(out)}"
            )
        client.wait_for_jobs([submit(client, sweep, out, failed)])
    sweep.same_as_serial(out)


def duplicates_at_once(sweep):
    out = sweep.into / "duplicates"
    twice = 1
    with cluster_of(sweep.into / "duplicates-server") as cluster:
        client = cluster.client()
        first = submit(client, sweep, out, [twice])
        slow = sweep.process(out, twice)
        sweep.freeze_in_mid_work(slow, out, twice)
        second = submit(client, sweep, out, range(sweep.shards))
        client.wait_for_jobs([second])
        before = sweep.shard_bytes(out, twice)
        os.kill(slow, signal.SIGCONT)
        client.wait_for_jobs([first])
        if sweep.shard_bytes(out, twice) != before:
            raise Trouble(f"shard {twice} was written twice, with other bytes")
    sweep.same_as_serial(out)


def serve_until_killed(sweep, out):
    """What the process that dies in `the_engine_dies` does: server, workers and a job."""
    with cluster_of(sweep.into / "engine-dies-server") as cluster:
        client = cluster.client()
        client.wait_for_jobs([submit(client, sweep, out, range(sweep.shards))])


def the_engine_dies(sweep):
    out = sweep.into / "engine-dies"
    out.mkdir()
    command = [
        sys.executable,
        os.path.abspath(__file__),
        "--simctl",
        str(sweep.simctl),
        "--into",
        str(sweep.into),
        "--role",
        "cluster",
    ]
    with open(sweep.into / "engine-dies.log", "wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=log)
        done = sweep.wait_until_some_are_done(out, engine)
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    kept = {shard: sweep.shard_stamp(out, shard) for shard in done}
    # Its shards may live on without it: they and those of the next server are duplicates at once.
    with cluster_of(sweep.into / "engine-dies-server-2") as cluster:
        client = cluster.client()
        client.wait_for_jobs([submit(client, sweep, out, range(sweep.shards))])
    redone = [shard for shard in done if sweep.shard_stamp(out, shard) != kept[shard]]
    if redone:
        raise Trouble(f"shards {redone} were done before the server died, and were written again")
    sweep.wait_for_the_orphans(out)
    sweep.same_as_serial(out)


def a_worker_dies(sweep):
    out = sweep.into / "worker-dies"
    environment = {**os.environ, "HQ_SERVER_DIR": str(sweep.into / "worker-dies-server")}
    children = []

    def start(*arguments):
        log = open(sweep.into / f"hq-{len(children)}.log", "wb")
        children.append(
            subprocess.Popen(
                ["hq", *arguments], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        )
        return children[-1]

    def hq(*arguments):
        return subprocess.run(
            ["hq", *arguments], env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    def answers():
        return subprocess.run(["hq", "server", "info"], env=environment, capture_output=True).returncode == 0

    try:
        start("server", "start", "--host", "127.0.0.1", "--journal", str(sweep.into / "sweep.journal"))
        until("the HyperQueue server answers", answers)
        for _ in range(2):
            start("worker", "start", "--cpus", "1", "--heartbeat", HEARTBEAT)
        hq(
            "submit",
            "--array",
            f"0-{sweep.shards - 1}",
            "--name",
            "sweep",
            "--stdout",
            "none",
            "--stderr",
            "none",
            "--",
            *sweep.noted_command("HQ_TASK_ID", out),
        )
        victim = sweep.process(out, 0)
        sweep.kill_in_mid_work(victim, out, 0, first=parent(victim))
        start("worker", "start", "--cpus", "1", "--heartbeat", HEARTBEAT)
        hq("job", "wait", "last")
        failed = hq("job", "task-ids", "last", "--filter", "failed").strip()
        if failed:
            raise Trouble(f"HyperQueue gave up shards {failed} of a worker that died")
        if len(sweep.processes(out, 0)) < 2:
            raise Trouble("the shard of the worker that died was not started again")
    finally:
        for child in reversed(children):
            if child.poll() is None:
                child.terminate()
            child.wait()
    sweep.same_as_serial(out)


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"hyperqueue: {trouble}")
        sys.exit(trouble.code)
