#!/usr/bin/env python3
"""Checks the Kubernetes manifests as far as that goes without Kubernetes.

    ci/engines/kubernetes.py --simctl target/release/simctl [--into target/engines/kubernetes]

1. every field is one that the schema of Kubernetes has, with a value that it allows (`kubernetes-validate`,
   strict), for the oldest release that the manifest names and for the newest that the package knows;
2. the command of the pod, with the volumes in their places, is run once for each index with
   JOB_COMPLETION_INDEX alone, as a pod would be; the merged result is that of a serial sweep, to the byte;
3. a plan that cannot be read ends with an exit code for which the manifest fails the index at once.

No cluster runs here: what the controllers make of the manifest was not tried.
Exit code: 0 all well, or skipped, with a message, because the package is not to be had; 1 not so.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from shards import Sweep, Trouble, python_with, say

PACKAGES = ["kubernetes-validate==1.37.0"]
# The oldest release whose schema has what the manifests use, as the manifest's head says.
OLDEST = "1.33"
HERE = Path(__file__).resolve().parent
MANIFESTS = ["kubernetes.yaml", "kubernetes-merge.yaml"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--simctl", type=Path, required=True, help="the program under test")
    parser.add_argument("--into", type=Path, default=Path("target/engines/kubernetes"), help="emptied")
    parser.add_argument("--role", choices=["outside", "inside"], default="outside", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    simctl, into = arguments.simctl.resolve(), arguments.into.resolve()
    sweep = Sweep(simctl, into)
    if arguments.role == "outside":
        sweep.clear(keep=["venv"])
        python = python_with(into / "venv", PACKAGES)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:], "--role", "inside"])
    validate()
    sweep.serial()
    as_pods(sweep)
    bad_input(sweep)
    say("kubernetes: manifests fit the schema, and their command gave the same bytes; no cluster was tried")


def documents(name):
    import yaml

    return list(yaml.safe_load_all((HERE / name).read_text()))


def validate():
    import kubernetes_validate

    for name in MANIFESTS:
        for document in documents(name):
            for release in (OLDEST, kubernetes_validate.latest_version()):
                try:
                    kubernetes_validate.validate(document, release, strict=True)
                except kubernetes_validate.ValidationError as error:
                    path = ".".join(map(str, error.path))
                    raise Trouble(
                        f"{name}: {document['kind']}: {path}: {error.message} ({release})"
                    ) from None


def job_of(name):
    return next(document for document in documents(name) if document["kind"] == "Job")["spec"]


def pod_command(name, sweep, places):
    """The command of the manifest's pod, with its folders where they are here."""
    words = []
    for word in job_of(name)["template"]["spec"]["containers"][0]["command"]:
        for inside, here in places.items():
            if word == inside or word.startswith(inside + "/"):
                word = str(here) + word.removeprefix(inside)
        words.append(word)
    if words[0] != "simctl":
        raise Trouble(f"{name}: runs `{words[0]}`")
    return [str(sweep.simctl), *words[1:]]


def pod(command, index=None):
    """Runs a command with the environment of a pod: no variable but what Kubernetes sets."""
    environment = {"PATH": "/usr/bin:/bin"}
    if index is not None:
        environment["JOB_COMPLETION_INDEX"] = str(index)
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def as_pods(sweep):
    out = sweep.into / "pods"
    out.mkdir()
    places = {"/plan": sweep.plan.parent, "/out": out}
    for index in reversed(range(sweep.shards)):
        ended = pod(pod_command("kubernetes.yaml", sweep, places), index)
        if ended.returncode != 0:
            raise Trouble(f"index {index} ended with {ended.returncode}: {ended.stderr}")
    merged = pod(pod_command("kubernetes-merge.yaml", sweep, places))
    if merged.returncode != 0:
        raise Trouble(f"merge ended with {merged.returncode}: {merged.stderr}")
    sweep.same_as_serial(out)


def bad_input(sweep):
    """Bad input must end in a way that fails the index, and a death that is the machine's must not."""
    rules = job_of("kubernetes.yaml")["podFailurePolicy"]["rules"]
    final = {
        code for rule in rules if rule["action"] == "FailIndex" for code in rule["onExitCodes"]["values"]
    }
    (sweep.into / "bad").mkdir()
    (sweep.into / "bad" / "plan.json").write_text('{"shards": ')
    places = {"/plan": sweep.into / "bad", "/out": sweep.into / "bad-out"}
    tries = {
        "a plan that cannot be read": pod(pod_command("kubernetes.yaml", sweep, places), 0),
        "an index out of range": pod(
            pod_command("kubernetes.yaml", sweep, {**places, "/plan": sweep.plan.parent}), sweep.shards
        ),
    }
    for what, ended in tries.items():
        if ended.returncode not in final:
            raise Trouble(f"{what}: exit code {ended.returncode}, and the manifest would retry it")
    if final & {1, 3, 130, 137, 143}:
        raise Trouble(f"the manifest fails an index for good on {final}: not all of that is final")


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        say(f"kubernetes: {trouble}")
        sys.exit(trouble.code)
