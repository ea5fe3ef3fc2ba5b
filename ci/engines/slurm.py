#!/usr/bin/env python3
"""Runs the shards of a sweep on Slurm and compares the merged result with a serial sweep, byte for byte.

    ci/engines/slurm.py --simctl target/release/simctl [--into target/engines/slurm]

Slurm is the real one, from the packages of Debian or Ubuntu (installed if need be, which asks for root): a
controller and two nodes on loopback, with a munge of their own, below `--into`. Every shard is a task of an array
job that finds its number in SLURM_ARRAY_TASK_ID:

1. a node dies by SIGKILL with its shards in mid-work; Slurm calls it down and requeues them;
2. a shard alone is killed and fails; exactly the ids that `simctl merge` prints are submitted, `--array=3,7`;
3. a shard is frozen, a duplicate of it does the work, then the frozen one wakes up and finishes as well;
4. `simctl sweep --engine slurm` submits all of them, and later those that were lost.

Whatever was started is stopped at the end. Exit code: 0 all equal, or skipped, with a message, because there are
no packages to be had; 1 not so.
"""

import argparse
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from shards import Sweep, Trouble, alone, found, installed, loopback_up, parent, say, until

PACKAGES = ["slurmctld", "slurmd", "slurm-client", "munge"]
PROGRAMS = ["slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "munged"]
NODES = ["n1", "n2"]
# Processors that each node says it has; together more than a small machine has, so that shards overlap.
NODE_PROCESSORS = 2
# A node that says nothing for this long is down. Slurm looks about every third of it.
SILENCE_SECONDS = 5

CONFIGURATION = """\
ClusterName=sweep
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
CredType=cred/munge
SlurmctldPort=26817
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool-%n
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout={silence}
KillWait=2
SlurmdParameters=config_overrides
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobRequeue=1
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=26818 CPUs={processors}
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=26819 CPUs={processors}
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """A controller and two nodes, as children of this process."""

    def __init__(self, home):
        self.home = home
        self.children = {}
        os.environ["SLURM_CONF"] = str(home / "slurm.conf")

    def __enter__(self):
        try:
            self.begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self):
        self.home.mkdir(parents=True)
        (self.home / "state").mkdir()
        values = {
            "host": socket.gethostname(),
            "home": self.home,
            "silence": SILENCE_SECONDS,
            "processors": NODE_PROCESSORS,
        }
        (self.home / "slurm.conf").write_text(CONFIGURATION.format(**values))
        key = self.home / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        self.start(
            "munged",
            "munged",
            "--foreground",
            "--force",
            f"--key-file={key}",
            f"--socket={self.home}/munge.socket",
            f"--pid-file={self.home}/munged.pid",
            f"--seed-file={self.home}/munge.seed",
            f"--log-file={self.home}/munged.log",
        )
        until("munged listens", (self.home / "munge.socket").exists)
        self.start("slurmctld", "slurmctld", "-D")
        for node in NODES:
            self.start(node, "slurmd", "-D", "-N", node)
        until(
            "both nodes are up",
            lambda: (
                sorted(command("sinfo", "-h", "-N", "-t", "idle", "-o", "%N", check=False).split()) == NODES
            ),
        )

    def start(self, name, program, *arguments):
        with open(self.home / f"{name}.out", "ab") as log:
            self.children[name] = subprocess.Popen(
                [found(program), *arguments], stdout=log, stderr=log, start_new_session=True
            )

    def __exit__(self, *_):
        if "slurmctld" in self.children:
            command("scancel", "--full", "--signal=KILL", "--user=root", check=False)
            deadline = time.monotonic() + 10
            while command("squeue", "-h", check=False) and time.monotonic() < deadline:
                time.sleep(0.2)
        for child in reversed(self.children.values()):
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def node_dies(self, node, tasks):
        """SIGKILL for the node's daemon, for the processes of its tasks, and for the daemon that each has."""
        self.children[node].kill()
        for task in tasks:
            for process in (parent(task), task):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.children.pop(node).wait()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument("--into", type=Path, default=Path("target/engines/slurm"), help="emptied")
    parser.add_argument("--role", choices=["outside", "inside"], default="outside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    simctl, into = arguments.simctl.resolve(), arguments.into.resolve()
    sweep = Sweep(simctl, into)
    if arguments.role == "outside":
        if not installed(PROGRAMS, PACKAGES):
            return say("slurm: skipped")
        sweep.clear()
        alone(
            [
                sys.executable,
                os.path.abspath(__file__),
                "--simctl",
                str(simctl),
                "--into",
                str(into),
                "--role",
                "inside",
            ]
        )
    loopback_up()
    sweep.serial()
    with Slurm(into / "slurm") as slurm:
        say("slurm: a node dies")
        a_node_dies(slurm, sweep)
        say("slurm: one shard dies")
        one_shard_dies(sweep)
        say("slurm: duplicates at once")
        duplicates_at_once(sweep)
        say("slurm: submitted by simctl")
        submitted_by_simctl(sweep)
    say("slurm: every way gave the same bytes")


def command(*words, check=True):
    finished = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if check and finished.returncode != 0:
        raise Trouble(f"{shlex.join(words)}: {finished.stderr.strip()}")
    return finished.stdout.strip()


def submit(sweep, out, array):
    """Submits shards as an array job; returns the job."""
    notes = sweep.notes(out)
    script = "exec " + shlex.join(sweep.noted_command("SLURM_ARRAY_TASK_ID", out))
    return command(
        "sbatch",
        "--parsable",
        f"--array={array}",
        "--requeue",
        f"--chdir={notes}",
        f"--output={notes}/slurm-%A_%a.out",
        "--wrap",
        script,
    )


def wait(job, hurry=False):
    """Waits for the last task of `job`; with `hurry`, what was requeued begins again now, not in two minutes."""

    def over():
        left = command("squeue", "-h", "-r", "-j", job, "-t", "all", "-o", "%T %K")
        rows = [line.split() for line in left.splitlines()]
        waiting = [task for state, task in rows if state == "PENDING"]
        if hurry and waiting:
            for task in waiting:
                command("scontrol", "update", f"JobId={job}_{task}", "StartTime=now", check=False)
        return not any(
            state in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED") for state, _ in rows
        )

    until(f"job {job} ends", over)


def states(job):
    """The state of each task of `job`, by its number."""
    rows = command("squeue", "-h", "-r", "-j", job, "-t", "all", "-o", "%K %T")
    return {int(task): state for task, state in (line.split() for line in rows.splitlines())}


def a_node_dies(slurm, sweep):
    out = sweep.into / "node-dies"
    job = submit(sweep, out, f"0-{sweep.shards - 1}")
    dying = NODES[1]
    on_it = until(
        f"shards run on {dying}",
        lambda: command("squeue", "-h", "-r", "-j", job, "-t", "RUNNING", "-w", dying, "-o", "%K").split(),
    )
    tasks = [sweep.process(out, int(shard)) for shard in on_it]
    victim = int(on_it[-1])
    sweep.wait_until_busy(tasks[-1], out, victim)
    slurm.node_dies(dying, tasks)
    if sweep.shard_path(out, victim).exists():
        raise Trouble(f"shard {victim} was done before its node could die: this test needs larger shards")
    until(f"Slurm calls {dying} down", lambda: "down" in command("sinfo", "-h", "-n", dying, "-o", "%T"))
    wait(job, hurry=True)
    again = [shard for shard in range(sweep.shards) if len(sweep.processes(out, shard)) > 1]
    if victim not in again:
        raise Trouble(f"shard {victim} was on the node that died, and only {again} were started again")
    say(f"  shards {again} were requeued")
    sweep.same_as_serial(out)
    slurm.start(dying, "slurmd", "-D", "-N", dying)
    until(f"{dying} is back", lambda: command("sinfo", "-h", "-n", dying, "-o", "%T") == "idle")


def one_shard_dies(sweep):
    out = sweep.into / "one-dies"
    job = submit(sweep, out, f"0-{sweep.shards - 1}")
    victims = [3, 7]
    for victim in victims:
        sweep.kill_in_mid_work(sweep.process(out, victim), out, victim)
    wait(job)
    failed = sorted(shard for shard, state in states(job).items() if state != "COMPLETED")
    missing = sweep.missing(out)
    if failed != victims or missing != victims:
        raise Trouble(f"shards {victims} were killed; Slurm says {failed}, merge says {missing}")
    wait(submit(sweep, out, ",".join(map(str, missing))))
    sweep.same_as_serial(out)


def duplicates_at_once(sweep):
    out = sweep.into / "duplicates"
    twice = 1
    first = submit(sweep, out, twice)
    slow = sweep.process(out, twice)
    sweep.freeze_in_mid_work(slow, out, twice)
    wait(submit(sweep, out, f"0-{sweep.shards - 1}"))
    before = sweep.shard_bytes(out, twice)
    os.kill(slow, signal.SIGCONT)
    wait(first)
    if sweep.shard_bytes(out, twice) != before:
        raise Trouble(f"shard {twice} was written twice, with other bytes")
    sweep.same_as_serial(out)


def submitted_by_simctl(sweep):
    """`--engine slurm`: the whole array, and then what of it is missing."""
    out = sweep.into / "submitted"
    for lost in ([], [2, 5]):
        for shard in lost:
            sweep.shard_path(out, shard).unlink()
        said = sweep.expect(
            0, "sweep", "--plan", sweep.plan, "--engine", "slurm", "--threads", 1, "--out", out
        )
        if "sbatch --array=" not in said:
            raise Trouble(f"the command that was run is not said:\n{said}")
        until("what simctl submitted ends", lambda: not command("squeue", "-h"))
        sweep.same_as_serial(out)


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"slurm: {trouble}")
        sys.exit(trouble.code)
