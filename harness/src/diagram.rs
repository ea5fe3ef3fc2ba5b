//! The space-time diagram of a run, kept by a trace sink while the run goes on.
//!
//! Knows who sent what to whom, what became of it, and what each node showed; keeps no payloads. A run of
//! more messages than a picture can hold loses the ordinary ones first, and the diagram says so.

use std::collections::{BTreeMap, BTreeSet};

use causal::{Content, Dot};
use contract::{NodeId, Time};
use replica::{Command, Notice, Replica, notice::MessageId};
use results::{Diagram, Fate, Lane, Mark, Stretch};
use sim::{Event, event::Phase, fault::Fault, network::Shape};

use crate::{
    numbers::counted,
    outcome::{Outcome, Verdict},
    scenario::Expectation,
    trace::{Line, Names, Sink},
};

mod datagrams;

/// Messages that are kept. More can neither be drawn nor be looked through.
const MESSAGES_MAX: usize = 150_000;
/// Marks that are kept: a page with all of them still opens at once.
const MARKS_MAX: usize = 100_000;

/// What the ordinary messages are, those that tell least of a rollout first: these are left out first.
const ORDINARY: [&str; 6] = ["ack", "repair", "once", "gossip", "code", "operations"];

/// Keeps a [`Diagram`] of the run that it sees.
pub struct Recorder {
    diagram: Diagram,
    /// Messages and marks that are kept.
    room: Room,
    /// By lane.
    nodes: Vec<Node>,
    /// Messages that are under way, by sender, receiver, number on the link, and whether a copy.
    flying: BTreeMap<(u32, u32, u64, bool), usize>,
    /// Faults in force, by their words: where in the stretches they stand.
    faults: BTreeMap<String, Vec<usize>>,
    /// What happened so far.
    order: u64,
    /// How many messages of each ordinary kind were left out.
    messages_left_out: [u64; ORDINARY.len()],
    /// Kinds of [`ORDINARY`] that are not kept any more.
    barred: usize,
    marks_left_out: u64,
    /// What messages are called.
    names: Names,
}

/// How much is kept.
#[derive(Clone, Copy)]
struct Room {
    messages: usize,
    marks: usize,
}

/// A node as far as its lane needs it.
#[derive(Default)]
struct Node {
    /// Releases, pauses, downtimes that go on: what and since when.
    open: BTreeMap<&'static str, (u64, String)>,
    held: BTreeSet<MessageId>,
    /// Operations that wait at the gate.
    operations: BTreeSet<Dot>,
    /// The message that its current input is, and that input's number.
    input: Option<(u64, usize)>,
}

impl Recorder {
    /// Of a run that is to begin, with messages called by their `names`.
    pub fn new(names: Names) -> Self {
        Self::with_room(Room { messages: MESSAGES_MAX, marks: MARKS_MAX }, names)
    }

    fn with_room(room: Room, names: Names) -> Self {
        Self {
            diagram: Diagram::default(),
            room,
            nodes: Vec::new(),
            flying: BTreeMap::new(),
            faults: BTreeMap::new(),
            order: 0,
            messages_left_out: [0; ORDINARY.len()],
            barred: 0,
            marks_left_out: 0,
            names,
        }
    }

    /// The diagram, once the run is over. `scenario` and `repeat` name the run.
    pub fn finish(mut self, scenario: &str, repeat: &str, outcome: &Outcome) -> Diagram {
        let ended = outcome.ended.as_nanos();
        for node in 0..self.nodes.len() {
            for kind in ["release", "down", "gone", "paused", "switching"] {
                self.close(node, kind, ended);
            }
        }
        for at in std::mem::take(&mut self.faults).into_values().flatten() {
            self.diagram.stretches[at].to_nanos = ended;
        }
        self.name_violations(outcome);
        let messages = self.diagram.messages.iter_mut().map(|message| &mut message.text);
        let marks = self.diagram.marks.iter_mut().map(|mark| &mut mark.text);
        messages.chain(marks).for_each(|text| *text = self.names.told(text));
        let mut left_out = Vec::new();
        for (kind, count) in ORDINARY.iter().zip(self.messages_left_out) {
            if count > 0 {
                left_out.push(format!("{} of kind {kind}", counted(count, "message")));
            }
        }
        if self.marks_left_out > 0 {
            let events = counted(self.marks_left_out, "ordinary event");
            left_out.push(format!("{events} (messages taken in, operations)"));
        }
        Diagram {
            format_version: results::FORMAT_VERSION,
            scenario: scenario.to_owned(),
            seed: outcome.seed,
            repeat: repeat.to_owned(),
            verdict: verdict(outcome),
            as_expected: outcome.is_as_expected(),
            safety_ended_nanos: outcome.safety_ended.as_nanos(),
            ended_nanos: ended,
            left_out,
            ..self.diagram
        }
    }

    /// The harness wrote violations down in words; here each gets the node it shows at.
    fn name_violations(&mut self, outcome: &Outcome) {
        for violation in &outcome.violations {
            let text = violation.to_string();
            let same = |mark: &Mark| mark.kind == "harness" && mark.text == text;
            let found = self.diagram.marks.iter().rposition(same).unwrap_or_else(|| {
                self.order += 1;
                let order = self.order;
                // It was not written down when it showed, so it stands where the run ended.
                let at_nanos = outcome.ended.as_nanos();
                self.diagram.marks.push(Mark { at_nanos, order, text, ..Mark::default() });
                self.diagram.marks.len() - 1
            });
            let mark = &mut self.diagram.marks[found];
            mark.kind = "violation".to_owned();
            mark.lane = violation.nodes.first().map(|node| node.0);
            mark.lane = mark.lane.filter(|lane| (*lane as usize) < self.nodes.len());
            self.diagram.violations.push(found as u32);
        }
    }

    /// The lane of a node. Lanes are by number, so those before it begin as well.
    fn lane(&mut self, node: NodeId) -> usize {
        while self.nodes.len() <= node.0 as usize {
            let name = NodeId(self.nodes.len() as u32).to_string();
            self.diagram.lanes.push(Lane { name, ..Lane::default() });
            self.nodes.push(Node::default());
        }
        node.0 as usize
    }

    fn next(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn put(&mut self, line: Line) {
        let ordinary = matches!(
            line.kind,
            "message"
                | "message-sent"
                | "operation"
                | "dropped"
                | "retransmitted"
                | "refused"
                | "broadcast"
                | "carried-out"
                | "parked"
        );
        let order = self.next();
        if ordinary && self.diagram.marks.len() >= self.room.marks {
            self.marks_left_out += 1;
            return;
        }
        let lane = line.node.map(|node| self.lane(node) as u32);
        let (at_nanos, kind, text) = (line.at, line.kind.to_owned(), line.text);
        self.diagram.marks.push(Mark { at_nanos, order, lane, kind, text });
    }

    fn open(&mut self, lane: usize, kind: &'static str, at: u64, text: String) {
        self.close(lane, kind, at);
        self.nodes[lane].open.insert(kind, (at, text));
    }

    fn close(&mut self, lane: usize, kind: &'static str, at: u64) {
        if let Some((from_nanos, text)) = self.nodes[lane].open.remove(kind) {
            let kind = kind.to_owned();
            let stretch = Stretch { kind, text, from_nanos, to_nanos: at, ..Stretch::default() };
            self.diagram.lanes[lane].stretches.push(stretch);
        }
    }

    /// What the message that a node handles just now turned out to be.
    fn tell_fate(&mut self, lane: usize, input: u64, sender: NodeId, fate: Fate) {
        if let Some((of, message)) = self.nodes[lane].input
            && of == input
            && let message = &mut self.diagram.messages[message]
            && message.from == sender.0
            && matches!(message.fate, Fate::Delivered | Fate::Converted)
        {
            message.fate = fate;
        }
    }

    fn holds(&mut self, lane: usize, at: u64) {
        let Node { held, operations, .. } = &self.nodes[lane];
        let count = (held.len() + operations.len()) as u32;
        let held = &mut self.diagram.lanes[lane].held;
        if held.last().map_or(0, |last| last.1) == count {
            return;
        }
        match held.last_mut() {
            Some(last) if last.0 == at => last.1 = count,
            _ => held.push((at, count)),
        }
    }

    fn notice(&mut self, at: u64, node: NodeId, notice: &Notice, input: u64) {
        let lane = self.lane(node);
        match notice {
            Notice::Started { run, messages, .. } => {
                self.nodes[lane].held = messages.held.iter().copied().collect();
                self.nodes[lane].operations.clear();
                if let Some(run) = run {
                    self.open(lane, "release", at, run.to_string());
                }
            }
            Notice::Prepared { release, .. } => {
                self.open(lane, "switching", at, format!("switches to {release}"));
            }
            Notice::Committed { release, .. } => {
                self.close(lane, "switching", at);
                self.open(lane, "release", at, release.id.to_string());
            }
            Notice::Quarantined { .. } => self.close(lane, "switching", at),
            Notice::Held { id, .. } => {
                self.nodes[lane].held.insert(*id);
                self.tell_fate(lane, input, id.from, Fate::Held);
            }
            Notice::Delivered { id, converted, was_held, .. } => {
                self.nodes[lane].held.remove(id);
                if !converted.is_empty() && !was_held {
                    self.tell_fate(lane, input, id.from, Fate::Converted);
                }
            }
            Notice::NotDelivered { id, .. } => {
                self.nodes[lane].held.remove(id);
            }
            Notice::OperationHeld { dot, .. } => {
                self.nodes[lane].operations.insert(*dot);
            }
            Notice::CausallyDelivered(told) => {
                self.nodes[lane].operations.remove(&told.operation.dot);
            }
            // What waited is judged anew, or forgotten.
            Notice::LayerRebuilt { .. } | Notice::Resynced { .. } | Notice::BecameMember(_) => {
                self.nodes[lane].operations.clear();
            }
            _ => {}
        }
        self.holds(lane, at);
    }

    fn world(&mut self, at: u64, event: &Event<'_, Replica>) {
        match event {
            Event::Crashed { node, down_for, .. } => {
                let lane = self.lane(*node);
                for kind in ["release", "paused", "switching"] {
                    self.close(lane, kind, at);
                }
                let text = if down_for.is_some() { "is down" } else { "is down for good" };
                self.open(lane, "down", at, text.to_owned());
            }
            Event::Recovered { node } => {
                let lane = self.lane(*node);
                self.close(lane, "down", at);
            }
            Event::Started { node, .. } => {
                self.lane(*node);
            }
            Event::Left { node } => {
                let lane = self.lane(*node);
                for kind in ["release", "paused", "switching", "down"] {
                    self.close(lane, kind, at);
                }
                self.open(lane, "gone", at, "left for ever".to_owned());
            }
            Event::Paused { node, .. } => {
                let lane = self.lane(*node);
                self.open(lane, "paused", at, "stands still".to_owned());
            }
            Event::Resumed { node, .. } => {
                let lane = self.lane(*node);
                self.close(lane, "paused", at);
            }
            Event::Fault { fault, phase } => self.fault(at, fault, *phase),
            _ => {}
        }
    }

    fn fault(&mut self, at: u64, fault: &Fault, phase: Phase) {
        // What befalls one node shows on its lane.
        if !matches!(fault, Fault::Partition(_) | Fault::Clog(_) | Fault::Degrade(_)) {
            return;
        }
        let text = fault.to_string();
        if phase == Phase::Ends {
            // Of equal ones the first ends first; which of them it is makes no difference.
            let open = self.faults.get_mut(&text).filter(|open| !open.is_empty());
            if let Some(open) = open {
                let stretch = open.remove(0);
                self.diagram.stretches[stretch].to_nanos = at;
            }
            return;
        }
        self.faults.entry(text.clone()).or_default().push(self.diagram.stretches.len());
        self.diagram.stretches.push(Stretch {
            kind: fault.injector().name().to_owned(),
            text,
            from_nanos: at,
            to_nanos: at,
            sides: sides(fault),
        });
    }
}

impl Sink for Recorder {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        let nanos = at.as_nanos();
        match event {
            Event::Sent { .. } => return self.sent(nanos, event),
            Event::Delivered { .. } => return self.delivered(nanos, event),
            Event::Undeliverable { .. } => return self.undeliverable(nanos, event),
            Event::Notice { node, notice, input } => self.notice(nanos, *node, notice, *input),
            _ => self.world(nanos, event),
        }
        if tells(event) {
            self.put(Line::of(at, event));
        }
    }

    fn mark(&mut self, at: Time, text: &str) {
        self.put(Line::mark(at, text));
    }
}

/// Whether an event is worth a mark of its own: not what every step does, nor what a message shows.
fn tells(event: &Event<'_, Replica>) -> bool {
    match event {
        Event::Timer { .. } | Event::Persisting { .. } | Event::Persisted { .. } => false,
        // The node's own words follow.
        Event::Started { .. } => false,
        Event::Command { command, .. } => {
            matches!(command, Command::Publish { .. } | Command::Retire(_))
        }
        Event::Notice { notice, .. } => match notice {
            Notice::Merged { before, after, .. } => before != after,
            Notice::Drained { delivered: 0, left: 0 } => false,
            Notice::Acknowledged { .. }
            | Notice::Replied { .. }
            | Notice::Ticked { .. }
            | Notice::Compacted { .. }
            | Notice::InstanceBegan { .. }
            | Notice::InstanceEnded { .. }
            | Notice::Stable(_) => false,
            Notice::Broadcast(issued) => !matches!(issued.operation.content, Content::Heartbeat),
            Notice::CausallyDelivered(told) => {
                !matches!(told.operation.content, Content::Heartbeat)
            }
            _ => true,
        },
        _ => true,
    }
}

/// The lanes that a fault parts.
fn sides(fault: &Fault) -> Vec<Vec<u32>> {
    let lanes = |nodes: &BTreeSet<NodeId>| nodes.iter().map(|node| node.0).collect();
    let Fault::Partition(partition) = fault else { return Vec::new() };
    match &partition.shape {
        Shape::Cut { from, to } => vec![vec![from.0], vec![to.0]],
        Shape::Split(groups) => groups.iter().map(lanes).collect(),
        Shape::Isolate(node) => vec![vec![node.0]],
        Shape::Bridge { left, right, .. } => vec![lanes(left), lanes(right)],
        Shape::Ring(_) => Vec::new(),
    }
}

/// What came of a run, as the diagram's head says it.
fn verdict(outcome: &Outcome) -> String {
    match (outcome.verdict, &outcome.goals_missing[..], &outcome.expected) {
        (Verdict::Holds, missing @ [_, ..], _) => {
            let missing: Vec<&str> = missing.iter().map(|goal| goal.name()).collect();
            format!("falls short: never reached {}", missing.join(", "))
        }
        (Verdict::Holds, [], Expectation::Violates(wanted)) => {
            format!("falls short: {} should have been violated and was not", wanted.join(", "))
        }
        (Verdict::Holds, [], Expectation::Holds) => {
            format!("holds: {} invariants looked on", outcome.invariants)
        }
        (Verdict::Violates, ..) => {
            let mut names: Vec<&str> =
                outcome.violations.iter().map(|violation| violation.invariant).collect();
            names.dedup();
            let expected = if outcome.is_as_expected() { ", as the scenario expects" } else { "" };
            format!("violates {}{expected}", names.join(", "))
        }
        (Verdict::FallsShort, ..) => format!("falls short: {}", outcome.shortfalls.join("; ")),
        (Verdict::Interrupted, ..) => "was interrupted".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use results::Message;

    use super::*;
    use crate::{
        run::{Options, run},
        scenario::Scenario,
    };

    fn drawn(name: &str, recorder: Recorder) -> (Diagram, Outcome) {
        let path = format!("{}/../scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let path = Path::new(&path);
        let Ok(text) = Scenario::text(path) else { panic!("{name} cannot be read") };
        let Ok(scenario) = Scenario::parse(path, text) else { panic!("{name} is wrong") };
        let mut recorder = recorder;
        let outcome = run(&scenario, 1, Options::default(), Some(&mut recorder)).unwrap();
        let diagram = recorder.finish(name, "repeat", &outcome);
        diagram.check().expect("a diagram keeps its promises");
        (diagram, outcome)
    }

    fn of_fate(diagram: &Diagram, fate: Fate) -> u64 {
        diagram.messages.iter().filter(|message| message.fate == fate).count() as u64
    }

    #[test]
    fn every_datagram_is_there_with_its_fate_and_every_crash_on_its_lane() {
        let (diagram, outcome) = drawn("major-bump", Recorder::new(Names::default()));
        // A copy that met a node that was down is told as that.
        let is_copy = |message: &&Message| message.text.contains("the second copy");
        let copies = diagram.messages.iter().filter(is_copy).count() as u64;
        assert_eq!(copies, outcome.world.duplicated);
        assert_eq!(diagram.messages.len() as u64 - copies, outcome.world.sent);
        assert_eq!(diagram.lanes.len() as u32, outcome.nodes);
        assert!(of_fate(&diagram, Fate::Held) > 0 && of_fate(&diagram, Fate::Converted) > 0);
        assert!(of_fate(&diagram, Fate::Lost) >= outcome.world.lost);
        let down = diagram.lanes.iter().flat_map(|lane| &lane.stretches);
        assert_eq!(down.filter(|one| one.kind == "down").count() as u64, outcome.counts.crashes);
        let parted = diagram.stretches.iter().filter(|one| one.kind == "split");
        assert!(parted.clone().count() > 0 && parted.clone().all(|one| one.sides.len() == 2));
        assert!(diagram.left_out.is_empty() && diagram.violations.is_empty());
        // Whatever was held is delivered in the end, and the lanes show it.
        assert!(diagram.lanes.iter().any(|lane| lane.held.iter().any(|(_, count)| *count > 0)));
        assert!(diagram.lanes.iter().all(|lane| lane.held.last().is_none_or(|last| last.1 == 0)));
    }

    #[test]
    fn what_broke_is_marked_where_it_showed() {
        let (diagram, outcome) = drawn("gate-off", Recorder::new(Names::default()));
        assert_eq!(diagram.violations.len(), outcome.violations.len());
        let mark = &diagram.marks[diagram.violations[0] as usize];
        assert_eq!(mark.kind, "violation");
        assert_eq!(mark.at_nanos, outcome.violations[0].at.as_nanos());
        assert_eq!(mark.lane, Some(outcome.violations[0].nodes[0].0));
        assert_eq!(diagram.verdict, "violates S6, as the scenario expects");
    }

    #[test]
    fn the_same_run_gives_the_same_diagram() {
        let text = || drawn("gate-off", Recorder::new(Names::default())).0.text();
        assert_eq!(text(), text());
        assert!(Diagram::read(&text()).is_ok());
    }

    #[test]
    fn what_finds_no_room_is_counted_and_what_is_held_or_copied_stays() {
        let (whole, _) = drawn("major-bump", Recorder::new(Names::default()));
        let narrow = Room { messages: 1_000, marks: 300 };
        let (diagram, _) = drawn("major-bump", Recorder::with_room(narrow, Names::default()));
        let counted: Vec<usize> = diagram.left_out.iter().map(|text| first_number(text)).collect();
        assert!(!counted.is_empty(), "nothing was left out");
        let kept = diagram.messages.len() + diagram.marks.len();
        let all = whole.messages.len() + whole.marks.len();
        assert_eq!(kept + counted.iter().sum::<usize>(), all);
        for fate in [Fate::Held, Fate::Duplicated] {
            assert_eq!(of_fate(&diagram, fate), of_fate(&whole, fate), "{fate:?}");
        }
        let committed = |diagram: &Diagram| {
            diagram.marks.iter().filter(|mark| mark.kind == "committed").count()
        };
        assert_eq!(committed(&diagram), committed(&whole), "a rollout is never left out");
    }

    fn first_number(text: &str) -> usize {
        text.split(' ').next().unwrap().replace(',', "").parse().unwrap()
    }
}
