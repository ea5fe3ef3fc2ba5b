//! The kinds of events that lines of traces have, and marks of diagrams, with what each of them means.

/// Every kind that a line has, in the order of the alphabet, with a sentence about it.
pub(crate) const KINDS: [(&str, &str); 64] = [
    (
        "acknowledged",
        "A node learned that a message of its own has arrived for good, so it sends it no more.",
    ),
    ("bad-code", "A node threw code away that is not that of the release it was sent for."),
    ("broadcast", "A node issued an operation, which goes to every member."),
    (
        "carried-out",
        "An operation was delivered at a node, after all its causes, and took effect there.",
    ),
    ("command", "A client, a publisher or an operator asked something of a node."),
    ("committed", "A node runs a release from now on, in the place of what it ran before."),
    ("compacted", "A node wrote its log anew, as one snapshot."),
    (
        "conflict",
        "A node saw two codes under one version, and of them the same one wins everywhere.",
    ),
    ("crashed", "A node crashed: what it had in memory is gone, and what its disk lost is said."),
    ("delivered", "A datagram arrived at a node."),
    ("drained", "After a switch a node went through the messages that it had held."),
    (
        "dropped",
        "A node threw away what came over the network: too old, seen before, or nothing that could be.",
    ),
    ("enrolled", "A member let a node in and sent it its state."),
    ("fault", "A fault of the scenario begins."),
    ("fault-ends", "A fault of the scenario is over."),
    ("faulted", "The app's code failed on an input, which had no effect."),
    ("fetch-resumed", "A node went on fetching a release from the chunks that it had kept."),
    ("fetched", "A node has all the code of a release."),
    ("forged", "A node refused an envelope without enough trusted signatures."),
    ("founded", "A node began to broadcast as a member, for there was none yet."),
    ("gone", "A node waits no more for what a retired member may have seen."),
    (
        "harness",
        "What no node did: a phase of the run ends, an invariant is violated, the run is over.",
    ),
    ("heard", "A heartbeat was delivered at a node, after all its causes."),
    ("heartbeat", "A node with nothing to say told all members what it has delivered."),
    ("held", "What is of a newer release waits at the gate until the node runs that."),
    (
        "incarnation",
        "A node's protocol began, from its disk or from nothing: a life of its own, with a number.",
    ),
    ("instance", "An instance of the app, which is one release at work, began or ended at a node."),
    ("left", "A node left for ever."),
    ("member", "A node was let in and goes on from the state that it was sent."),
    ("merged", "A node heard of a release and put it together with what it knew."),
    ("message", "The app took in a message of another node."),
    ("message-sent", "The app sent a message to another node."),
    ("nacked", "A node heard that a message of its own was not delivered, and why."),
    (
        "not-delivered",
        "A message ended at its receiver without being taken in; its sender is told why.",
    ),
    ("not-enrolled", "A member did not let a node in, and why."),
    (
        "not-held",
        "An operation found no room at the gate, or was too far ahead, and is to come again.",
    ),
    ("not-retired", "A node did not retire a member as it was asked to, and why."),
    ("operation", "The app took in what a client asked for."),
    ("parked", "An operation waits at a node for others that caused it."),
    ("paused", "A node stands still: what comes to it waits."),
    ("peer-lost", "A node saw that another one lost its disk, with what was sent to it."),
    (
        "persisted",
        "A record is durable: a crash does not take it away any more, unless the disk fails.",
    ),
    ("persisting", "A node began to write a record to its disk."),
    ("prepared", "A node made up its mind to switch to a release, and wrote that down."),
    ("quarantined", "A node will not run a release, for its trial failed or its code did."),
    (
        "rebuilt",
        "The part of a node that puts operations in order was taken down and up again by a switch.",
    ),
    ("recovered", "A node that was down is up again."),
    ("refused", "A node did not take what a client asked for, and why."),
    ("rejected", "A node refused what another said of operations, for it cannot be."),
    (
        "renumbered",
        "A node began what it sends to another anew: its disk had lost part of that, or it fell back.",
    ),
    ("repair", "A node asked another for operations that it lacks, or sent them to whoever asked."),
    ("replied", "A node answered a client."),
    ("resumed", "A node that stood still goes on with what waited."),
    (
        "resynced",
        "A node was retired, or lost what nobody can give back: it is no member until it joins again.",
    ),
    ("retired", "A node takes nothing from a member any more, for that is retired."),
    ("retransmitted", "A node sent messages again that nobody has acknowledged."),
    ("sent", "A node sent a datagram; what becomes of it on the network is said."),
    ("stable", "A node knows that every member has delivered these operations."),
    ("staged", "A release passed its dry run at a node, which switches when its turn comes."),
    ("started", "A node was started with what its disk holds."),
    ("ticked", "The app's clock ticked, which changed its state."),
    ("timer", "A timer of a node was due."),
    (
        "undeliverable",
        "A datagram reached no node: it is down, is not there, or the link was cut meanwhile.",
    ),
    ("void", "An operation counts at a node and does nothing there, nor anywhere else."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use contract::Time;

    use super::{super::Line, *};

    /// What else stands in the code in quotes and looks like a kind.
    const OTHERS: [&str; 12] = [
        "again", "appends", "byte", "durable", "messages", "ms", "nothing", "ns", "recovers",
        "rotten", "s", "us",
    ];

    #[test]
    fn every_kind_of_a_line_is_told_and_no_other() {
        let code = [include_str!("words.rs"), include_str!("words/operations.rs")];
        let of_lines = code.iter().flat_map(|code| {
            let code = code.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            lines.flat_map(|line| line.split('"').skip(1).step_by(2)).collect::<Vec<_>>()
        });
        let is_word = |word: &&str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        let of_events = of_lines.filter(is_word).filter(|word| !OTHERS.contains(word));
        let mark = Line::mark(Time::ZERO, "").kind;
        let found: BTreeSet<&str> = of_events.chain([mark]).collect();
        let told: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(told, Vec::from_iter(found), "in the order of the alphabet");
    }
}
