"""What the tests of all engines share: a plan, its serial sweep, and how results are compared."""

import fcntl
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Heavy enough that a shard is in mid-work when it is killed, light enough that all of it takes seconds.
SCENARIOS = ["scenarios/patch-bump.toml", "scenarios/major-bump.toml"]
SEEDS = "0..400"
SHARDS = 8
# A shard is in mid-work when its process used this share of the processor time that the quickest one takes.
BUSY_SHARE = 0.3
# How long anything of a minute's work may take on a machine that has much else to do.
PATIENCE_SECONDS = 300


class Trouble(Exception):
    """What went wrong, and the exit code that says so: 0 where something cannot be tried at all."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


def say(text):
    print(text, file=sys.stderr, flush=True)


def python_with(venv, packages):
    """A Python in the virtual environment `venv` that has `packages`, which are installed if need be."""
    stamp = venv / "installed"
    wanted = "\n".join(packages)
    python = str(venv / "bin" / "python")
    if not stamp.is_file() or stamp.read_text() != wanted:
        quiet = ["--quiet", "--disable-pip-version-check"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", venv],
            [python, "-m", "pip", "install", *quiet, *packages],
        ):
            if subprocess.run(command).returncode != 0:
                raise Trouble(
                    f"cannot be tried: {' '.join(map(str, command))} failed, and this is skipped", code=0
                )
        stamp.write_text(wanted)
    return python


def installed(programs, packages):
    """Whether `programs` are here, by installing `packages` of Debian or Ubuntu if need be."""
    if all(found(program) for program in programs):
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"{' '.join(packages)}: not installed, and not to be had without root and apt-get")
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    for way in (install, ["apt-get", "update"], install):
        last = subprocess.run(way, env=quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if way == install and last.returncode == 0:
            return True
    say(f"{' '.join(packages)}: apt-get does not have them: {last.stdout.strip().splitlines()[-1:]}")
    return False


def found(program):
    """Where `program` is, the folders of daemons included."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def alone(command):
    """Goes on as `command` in namespaces of its own, where that is allowed. Does not return.

    The network is loopback alone, because engines listen on every address; and whatever was started dies with
    the namespace of its processes.
    """
    own = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    for way in (["unshare", *own], ["unshare", "--map-root-user", *own]):
        if (
            shutil.which("unshare")
            and subprocess.run([*way, "true"], stderr=subprocess.DEVNULL).returncode == 0
        ):
            command = [*way, *command]
            break
    else:
        say("no namespaces may be made here: what follows listens on addresses of this machine")
    os.execvp(command[0], command)


def loopback_up():
    """What `ip link set lo up` does, where `ip` may not be installed.

    And a second address: the resolver takes a machine that has 127.0.0.1 alone for one without a network.
    """
    get_flags, set_flags, set_address, up = 0x8913, 0x8914, 0x8916, 0x1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags = struct.unpack(
            "16sh22x", fcntl.ioctl(any_socket, get_flags, struct.pack("16sh22x", b"lo", 0))
        )[1]
        if flags & up:
            return
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh22x", b"lo", flags | up))
        second = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton("127.0.0.2"))
        fcntl.ioctl(any_socket, set_address, struct.pack("16s16s8x", b"lo:1", second))


def until(what, test):
    """Waits for `test` to return something true, and returns it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := test()):
        if time.monotonic() > deadline:
            raise Trouble(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.02)
    return found


class Sweep:
    """A plan of some shards, below a folder that belongs to one engine's test."""

    def __init__(self, simctl, into):
        self.simctl = simctl
        self.into = into
        self.plan = into / "plan.json"
        self.shards = SHARDS
        self.busy_seconds = 0.0

    def clear(self, keep=()):
        """Empties the folder but for what is named, so that nothing of another time is taken for a result."""
        self.into.mkdir(parents=True, exist_ok=True)
        for entry in self.into.iterdir():
            if entry.name in keep:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def run(self, *arguments):
        finished = subprocess.run(
            [str(self.simctl), *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return finished.returncode, finished.stdout

    def serial(self):
        """Writes the plan, and runs it in one process on one thread: what every engine must come to."""
        self.expect(0, "plan", *SCENARIOS, "--seeds", SEEDS, "--shards", self.shards, "--out", self.plan)
        begun = time.monotonic()
        took = []
        for shard in range(self.shards):
            before = processor_seconds()
            self.expect(0, *self.shard_command(f"{shard}/{self.shards}", self.into / "serial")[1:])
            took.append(processor_seconds() - before)
        self.expect(0, "merge", self.into / "serial")
        self.busy_seconds = BUSY_SHARE * min(took)
        say(
            f"serial: {self.shards} shards in {time.monotonic() - begun:.1f} s, "
            f"each {min(took):.2f} to {max(took):.2f} s of a processor"
        )

    def expect(self, code, *arguments):
        found, text = self.run(*arguments)
        if found != code:
            raise Trouble(
                f"simctl {' '.join(map(str, arguments))}: exit code {found}, expected {code}\n{text}"
            )
        return text

    def shard_command(self, shard, out):
        return [
            str(self.simctl),
            "sweep",
            "--plan",
            str(self.plan),
            "--shard",
            shard,
            "--threads",
            "1",
            "--out",
            str(out),
        ]

    def noted_command(self, variable, out):
        """The command of a shard that finds its number in `variable`, and first notes its process there."""
        return [
            "sh",
            "-c",
            f'echo $$ > "$0/${variable}.$$"; exec "$@"',
            str(self.notes(out)),
            *self.shard_command("auto", out),
        ]

    def notes(self, out):
        """Where shards note their processes: beside `out`, which holds results alone."""
        notes = out.with_name(out.name + "-notes")
        notes.mkdir(parents=True, exist_ok=True)
        out.mkdir(parents=True, exist_ok=True)
        return notes

    def processes(self, out, shard="*"):
        """What ever ran `shard`, a process for each attempt."""
        return sorted(int(note.suffix[1:]) for note in self.notes(out).glob(f"{shard}.[0-9]*"))

    def process(self, out, shard, besides=()):
        """The process that runs `shard`, once there is one that is not of `besides`."""
        news = until(f"shard {shard} begins", lambda: set(self.processes(out, shard)) - set(besides))
        return news.pop()

    def shard_path(self, out, shard):
        return out / f"shard-{shard:05}-of-{self.shards:05}.parquet"

    def shard_bytes(self, out, shard):
        return self.shard_path(out, shard).read_bytes()

    def shard_stamp(self, out, shard):
        """Differs when the file was written again, even with the same bytes."""
        status = self.shard_path(out, shard).stat()
        return status.st_ino, status.st_mtime_ns

    def missing(self, out):
        """The shards that `merge` misses, as it prints them: what an engine is asked for again."""
        code, text = self.run("merge", out)
        if code == 0:
            return []
        listed = re.search(r"--array[= ]([0-9,-]+)", text)
        if code != 2 or not listed:
            raise Trouble(f"merge of an incomplete sweep: exit code {code}, and no --array list in\n{text}")
        return numbers(listed.group(1))

    def kill_in_mid_work(self, process, out, shard, first=None):
        """SIGKILL for `process`, and before it for `first`, while the shard is not done."""
        self.wait_until_busy(process, out, shard)
        if first is not None:
            os.kill(first, signal.SIGKILL)
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            if first is None:
                raise Trouble(f"shard {shard} ended before it could be killed") from None
        if self.shard_path(out, shard).exists():
            raise Trouble(f"shard {shard} was done before it could be killed: this test needs larger shards")

    def freeze_in_mid_work(self, process, out, shard):
        self.wait_until_busy(process, out, shard)
        os.kill(process, signal.SIGSTOP)
        if self.shard_path(out, shard).exists():
            raise Trouble(f"shard {shard} was done before it could be frozen: this test needs larger shards")

    def wait_until_busy(self, process, out, shard):
        ticks = os.sysconf("SC_CLK_TCK")
        while True:
            try:
                fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            except FileNotFoundError:
                raise Trouble(f"shard {shard} ended early; see {self.notes(out)}") from None
            if (int(fields[11]) + int(fields[12])) / ticks >= self.busy_seconds:
                return
            time.sleep(0.005)

    def wait_until_some_are_done(self, out, engine):
        """Waits for the first results while more are to come; says which."""
        while True:
            done = [shard for shard in range(self.shards) if self.shard_path(out, shard).exists()]
            if len(done) == self.shards or engine.poll() is not None:
                raise Trouble(
                    "the sweep was over before its engine could be killed: this test needs larger shards"
                )
            if done:
                return done
            time.sleep(0.005)

    def wait_for_the_orphans(self, out):
        """Shards whose engine died may still be at work: what they leave must be what was there."""
        orphans = self.processes(out)
        until("the last orphan ends", lambda: not any(runs(process, self.simctl) for process in orphans))

    def same_as_serial(self, out):
        """Merges `out`; every file must be that of the serial sweep, and no other may lie there."""
        self.expect(0, "merge", out)
        self.same(out, files(self.into / "serial"))

    def same_result(self, out):
        """What a sweep that was not divided leaves in `out` must be what the serial shards were merged to."""
        self.same(out, result(files(self.into / "serial")))

    def same(self, out, expected):
        found = files(out)
        if expected.keys() != found.keys():
            raise Trouble(f"{out} holds {sorted(found)}, and should {sorted(expected)}")
        differing = sorted(name for name in expected if expected[name] != found[name])
        if differing:
            raise Trouble(f"{out}: {differing} not as in the serial sweep")
        say(f"  {len(found)} files as in the serial sweep, to the byte")


# What machines add to the results: how long it took there, and what was said.
MACHINE = re.compile(r"cost(-\d+-of-\d+)?\.json$|logs/")


def files(folder):
    """Every result below `folder`, and its bytes."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not MACHINE.match(name):
            found[name] = path.read_bytes()
    return found


def result(found):
    """Of `found`, what a sweep came to: without shards, and without what a sweep keeps while it runs."""
    return {name: text for name, text in found.items() if not re.match(r"shard-|blocks/", name)}


def numbers(listed):
    """`1,4-6` as numbers."""
    found = []
    for part in listed.strip(",").split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def processor_seconds():
    """What the processes took that this one waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def runs(process, program):
    """Whether `process` is alive and still what it was."""
    try:
        return os.readlink(f"/proc/{process}/exe") == str(program)
    except OSError:
        return False


def parent(process):
    """The process that started `process`."""
    try:
        return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except FileNotFoundError:
        raise Trouble(f"process {process} ended early") from None
