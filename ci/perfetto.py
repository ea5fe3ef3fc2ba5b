#!/usr/bin/env python3
"""Reads what `simctl export perfetto` writes with Perfetto's own classes, and checks that it adds up.

  python3 ci/perfetto.py                       builds simctl, exports some scenarios, checks each
  python3 ci/perfetto.py --simctl target/release/simctl
  python3 ci/perfetto.py trace.pftrace ...     checks these files

The classes come from the PyPI package `perfetto`. Where it is not there it is fetched into a folder that is
thrown away; where that cannot be done nothing is checked, which is said, with exit code 77.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

# This file has the name of the package, and must not be taken for it.
sys.path = [
    folder
    for folder in sys.path
    if pathlib.Path(folder or ".").resolve() != pathlib.Path(__file__).resolve().parent
]
SCENARIOS = ["major-bump", "crash-during-switch", "gate-off"]
SKIPPED = 77


def classes(fetch):
    """Perfetto's generated classes; None where they cannot be had."""
    try:
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2

        return perfetto_trace_pb2
    except ImportError:
        if not fetch:
            return None
    folder = tempfile.mkdtemp(prefix="perfetto-")
    got = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "perfetto"])
    if got.returncode != 0:
        return None
    sys.path.insert(0, folder)
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2

    return perfetto_trace_pb2


def known(message):
    """Fails on a field that the schema does not have, at any depth."""
    from google.protobuf import unknown_fields

    assert len(unknown_fields.UnknownFieldSet(message)) == 0, f"unknown field in {message}"
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        # Older packages of protobuf have the label alone.
        repeated = getattr(field, "is_repeated", None)
        if repeated is None:
            repeated = field.label == field.LABEL_REPEATED
        for inner in value if repeated else [value]:
            known(inner)


def check(schema, data):
    """What the trace holds, once it is sure that it adds up."""
    trace = schema.Trace()
    trace.ParseFromString(data)
    event = schema.TrackEvent
    tracks, parents, counters = set(), {}, set()
    open_slices, flows, kinds = collections.Counter(), {}, collections.Counter()
    last = 0
    for packet in trace.packet:
        known(packet)
        assert packet.trusted_packet_sequence_id == 1
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            assert track.uuid not in tracks, f"track {track.uuid} is described twice"
            assert track.name, "a track has a name"
            tracks.add(track.uuid)
            if track.HasField("parent_uuid"):
                parents[track.uuid] = track.parent_uuid
            if track.HasField("counter"):
                counters.add(track.uuid)
            continue
        assert packet.HasField("track_event"), f"neither track nor event: {packet}"
        assert packet.timestamp >= last, "packets are in the order of their times"
        last = packet.timestamp
        one = packet.track_event
        assert one.track_uuid in tracks, f"track {one.track_uuid} is not described before its events"
        kinds[event.Type.Name(one.type)] += 1
        if one.type == event.TYPE_SLICE_BEGIN:
            open_slices[one.track_uuid] += 1
        elif one.type == event.TYPE_SLICE_END:
            open_slices[one.track_uuid] -= 1
            assert open_slices[one.track_uuid] >= 0, "a slice ends that did not begin"
        elif one.type == event.TYPE_COUNTER:
            assert one.track_uuid in counters, "a count stands on a counter"
        for flow in one.flow_ids:
            assert flow not in flows, f"flow {flow} begins twice"
            flows[flow] = False
        for flow in one.terminating_flow_ids:
            assert flows.get(flow) is False, f"flow {flow} ends without having begun"
            flows[flow] = True
    assert all(count == 0 for count in open_slices.values()), "a slice does not end"
    assert all(flows.values()), "a flow does not end"
    assert all(parent in tracks for parent in parents.values()), "a track's parent is missing"
    return f"{len(trace.packet)} packets, {len(tracks)} tracks, {len(flows)} flows, {dict(kinds)}"


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("files", nargs="*")
    arguments.add_argument("--simctl", help="the program; built where nothing is said")
    arguments.add_argument("--no-fetch", action="store_true", help="do not ask PyPI for the classes")
    given = arguments.parse_args()
    schema = classes(not given.no_fetch)
    if schema is None:
        print("skipped: the PyPI package `perfetto` cannot be had here")
        return SKIPPED
    for file in given.files:
        print(f"{file}: {check(schema, pathlib.Path(file).read_bytes())}")
    if given.files:
        return 0
    root = pathlib.Path(__file__).resolve().parent.parent
    simctl = (
        [given.simctl]
        if given.simctl
        else ["cargo", "run", "--quiet", "--release", "-p", "harness", "--bin", "simctl", "--"]
    )
    for name in SCENARIOS:
        exported = subprocess.run(
            [*simctl, "export", "perfetto", f"scenarios/{name}.toml", "--out", "-"],
            cwd=root,
            stdout=subprocess.PIPE,
            check=True,
        )
        print(f"{name}: {check(schema, exported.stdout)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
