#!/usr/bin/env python3
"""Tries the templates of users' CI: their schema, and every command of theirs, here, with small budgets.

    ci/templates/check.py --simctl target/release/simctl [--into target/ci/templates]

1. both files fit the schema of their service (`check-jsonschema`, with the schemas that it ships);
2. the steps of the workflow for GitHub run on scenarios that hold, and on one that must break: the sweep fails,
   says so in annotations, its JUnit file is XML, and the night's steps leave a regression scenario that shows
   the bug by itself, and fails once it is expected to hold;
3. the jobs of the pipeline for GitLab run, the night's eight shards among them.

Not tried: the services, and the actions of others that the workflow uses.
Exit code: 0 all well, or skipped, with a message, because the package is not to be had; 1 not so.
"""

import argparse
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "ci" / "engines"))
from shards import Trouble, installed, python_with, say  # noqa: E402

PACKAGES = ["check-jsonschema==0.39.0"]
SOUND = ["scenarios/patch-bump.toml", "scenarios/minor-bump.toml"]
# A canary: it must break, and without its `[expect]` that is a failure.
BROKEN = "scenarios/gate-off.toml"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument("--into", type=Path, default=Path("target/ci/templates"), help="emptied")
    parser.add_argument("--role", choices=["outside", "inside"], default="outside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    simctl, into = arguments.simctl.resolve(), arguments.into.resolve()
    if arguments.role == "outside":
        python = python_with(into / "venv", PACKAGES)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:], "--role", "inside"])
    schemas(into)
    place = Place(into, simctl)
    say("templates: GitHub")
    github(place)
    say("templates: GitLab")
    gitlab(place)
    say("templates: fit their schemas, and their commands do what they say; the services were not tried")


def schemas(into):
    check = [str(into / "venv" / "bin" / "check-jsonschema"), "--quiet", "--builtin-schema"]
    for command in (
        [*check, "vendor.github-workflows", str(HERE / "github.yml")],
        [*check, "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(HERE / "gitlab.yml")],
    ):
        if subprocess.run(command).returncode != 0:
            raise Trouble(f"{command[-1]}: does not fit its schema")


class Place:
    """A user's repository: some scenarios, and simctl on the path."""

    def __init__(self, into, simctl):
        self.into = into
        self.simctl = simctl

    def fresh(self, name, broken):
        """A repository of its own for each try, with a scenario that breaks if `broken`."""
        folder = self.into / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "scenarios").mkdir(parents=True)
        for scenario in SOUND:
            shutil.copy(ROOT / scenario, folder / "scenarios")
        if broken:
            text = (ROOT / BROKEN).read_text()
            kept = [part for part in text.split("\n\n") if not part.startswith("[expect]")]
            (folder / "scenarios" / "broken.toml").write_text("\n\n".join(kept) + "\n")
        return folder

    def run(self, folder, script, code, **variables):
        """Runs a step as the services do: bash that ends with the first failure."""
        environment = {"PATH": f"{self.simctl.parent}:{os.environ['PATH']}", "HOME": str(folder), **variables}
        ended = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if ended.returncode != code:
            raise Trouble(
                f"exit code {ended.returncode}, expected {code}:\n{script}\n{ended.stdout}\n{ended.stderr}"
            )
        return ended.stdout + ended.stderr


def github(place):
    from ruamel.yaml import YAML

    jobs = YAML(typ="safe").load(HERE / "github.yml")["jobs"]
    steps = {step["name"]: step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    commit = "0123456789abcdef0123456789abcdef01234567"
    sound = place.fresh("github-sound", broken=False)
    place.run(sound, steps["Sweep"], 0, SEEDS=commit, BUDGET="5s")
    place.run(sound, steps["Report"], 0)
    junit(sound / "junit.xml", failures=False)
    broken = place.fresh("github-broken", broken=True)
    said = place.run(broken, steps["Sweep"], 1, SEEDS=commit, BUDGET="5s")
    if "::error" not in said:
        raise Trouble(f"the sweep of a scenario that breaks has no annotation:\n{said}")
    junit(broken / "junit.xml", failures=True)
    place.run(broken, steps["Report"], 0)
    if not installed(["jq"], ["jq"]):
        return say("templates: the night's steps are skipped: they need jq")
    place.run(broken, steps["Shrink"], 0)
    saved = sorted((broken / "scenarios" / "regress").glob("*.toml"))
    if not saved:
        raise Trouble("the night's steps saved no regression scenario")
    # While the bug is there, the scenario shows it, and says that it is expected to.
    place.run(broken, f"simctl run {saved[0]}", 0)
    mended = saved[0].read_text()
    outcome = [line for line in mended.splitlines() if line.startswith("outcome = ")]
    saved[0].write_text(mended.replace(outcome[0], 'outcome = "holds"'))
    place.run(broken, f"simctl run {saved[0]}", 1)


def gitlab(place):
    from ruamel.yaml import YAML

    pipeline = YAML(typ="safe").load(HERE / "gitlab.yml")
    script = {name: "\n".join(job["script"]) for name, job in pipeline.items() if "script" in job}
    report = "\n".join(pipeline["sweep"]["after_script"]).replace(".simctl/bin/", "")
    commit = "0123456789abcdef0123456789abcdef01234567"
    day = place.fresh("gitlab-day", broken=True)
    place.run(day, script["sweep"], 1, CI_COMMIT_SHA=commit, BUDGET="5s")
    place.run(day, report, 0)
    junit(day / "junit.xml", failures=True)
    night = place.fresh("gitlab-night", broken=False)
    place.run(night, script["night plan"], 0, NIGHT_SEEDS="200")
    shards = pipeline["night shard"]["parallel"]
    for index in range(1, shards + 1):
        node = {"GITLAB_CI": "true", "CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(shards)}
        place.run(night, script["night shard"], 0, **node)
    place.run(night, script["night merge"], 0)
    junit(night / "junit.xml", failures=False)


def junit(path, failures):
    """Whether a JUnit file is XML, has cases, and has failures as it should."""
    suites = xml.etree.ElementTree.parse(path).getroot()
    cases, failed = list(suites.iter("testcase")), list(suites.iter("failure"))
    if not cases or bool(failed) != failures:
        raise Trouble(f"{path}: {len(cases)} cases, {len(failed)} of them failed")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"templates: {trouble}")
        sys.exit(trouble.code)
