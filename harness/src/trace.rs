//! Traces: every event of a run, one line each, in words or as JSON.
//!
//! A sink sees events and keeps what it wants of them; it changes nothing. A line says when, where,
//! what kind, and then in words what happened.

use std::{
    collections::{BTreeSet, VecDeque},
    io::{self, Write},
};

use contract::{NodeId, Time};
use replica::{MessageId, Notice, Replica};
use serde::Serialize;
use sim::Event;

use crate::observation::subject;

mod kinds;
mod names;
mod words;

pub(crate) use kinds::KINDS;
pub use names::Names;
pub(crate) use words::said;
pub use words::time;

/// Counts the changes of the JSON lines: keys are added, never renamed or removed.
pub const FORMAT_VERSION: u32 = 1;

/// Who keeps a trace.
pub trait Sink {
    /// Looks at `event`, which happened at `at` by the world's clock.
    fn event(&mut self, at: Time, event: &Event<'_, Replica>);

    /// Notes what the harness did or found, such as the end of a phase or a violation.
    fn mark(&mut self, at: Time, text: &str);
}

/// One event in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When, in nanoseconds of the world's clock.
    #[serde(rename = "at_nanos")]
    pub at: u64,
    /// Where; absent for what concerns the network or the whole run.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub node: Option<NodeId>,
    /// The other node, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub peer: Option<NodeId>,
    /// What kind of event, such as `sent` or `committed`.
    pub kind: &'static str,
    /// What happened.
    pub text: String,
}

/// How a trace is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: aligned lines.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Jsonl,
    /// For `simctl view` and `simctl export`: lanes, messages and marks as one JSON object.
    Diagram,
}

/// Writes every event to `out`. The first failure is kept and ends the writing, not the run.
pub struct Writer<W> {
    out: W,
    format: Format,
    names: Names,
    failed: Option<io::Error>,
}

/// Keeps the last events, to show what led to a violation at some nodes or of one message.
pub struct Tail {
    /// Each with the message it is about, if it is about one.
    lines: VecDeque<(Line, Option<About>)>,
    room: usize,
    names: Names,
}

/// A message, and whether it is sent exactly once: the two kinds are numbered apart.
type About = (MessageId, bool);

impl Line {
    /// What `event`, at `at`, says.
    pub fn of(at: Time, event: &Event<'_, Replica>) -> Self {
        words::line(at, event)
    }

    /// What the harness notes.
    pub fn mark(at: Time, text: &str) -> Self {
        Self { at: at.as_nanos(), node: None, peer: None, kind: "harness", text: text.to_owned() }
    }

    /// The line for people.
    pub fn shown(&self) -> String {
        let at = Time::from_nanos(self.at).to_string();
        let node = self.node.map_or_else(|| "-".to_owned(), |node| node.to_string());
        format!("{at:>12}  {node:<5} {:<13} {}", self.kind, self.text)
    }
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, which should be buffered, and calls messages by their `names`. A JSON trace
    /// begins with its version; a diagram is no matter of lines, and a [`crate::diagram::Recorder`]
    /// keeps it.
    pub fn new(out: W, format: Format, names: Names) -> Self {
        assert!(format != Format::Diagram, "a diagram is not written line by line");
        let mut writer = Self { out, format, names, failed: None };
        if format == Format::Jsonl {
            writer.write(&format!("{{\"format_version\":{FORMAT_VERSION}}}"));
        }
        writer
    }

    /// Everything is written. Errors: the first failure; what was written before it is there.
    pub fn finish(mut self) -> io::Result<W> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush().map(|()| self.out),
        }
    }

    fn line(&mut self, line: &Line) {
        match self.format {
            Format::Text | Format::Diagram => self.write(&line.shown()),
            Format::Jsonl => match serde_json::to_string(line) {
                Ok(text) => self.write(&text),
                Err(error) => self.failed = Some(error.into()),
            },
        }
    }

    fn write(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{text}").err();
        }
    }
}

impl<W: Write> Sink for Writer<W> {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        if self.failed.is_none() {
            let mut line = Line::of(at, event);
            line.text = self.names.told(&line.text);
            self.line(&line);
        }
    }

    fn mark(&mut self, at: Time, text: &str) {
        self.line(&Line::mark(at, text));
    }
}

impl Tail {
    /// Keeps the last `room` events, and calls messages by their `names`.
    pub fn new(room: usize, names: Names) -> Self {
        Self { lines: VecDeque::with_capacity(room), room, names }
    }

    /// The last `count` events up to `at`, oldest first: those of `message` wherever they are, as far as
    /// they fill half of them, and those that concern one of `nodes`; any node where that is empty.
    pub fn before(
        &self,
        at: Time,
        count: usize,
        nodes: &[NodeId],
        message: Option<About>,
    ) -> Vec<Line> {
        let concerns = |line: &Line| match line.node {
            Some(node) => nodes.is_empty() || nodes.contains(&node),
            None => true,
        };
        let earlier = || {
            let all = self.lines.iter().enumerate().rev();
            all.filter(|(_, (line, _))| line.at <= at.as_nanos())
        };
        let own = earlier().filter(|(_, (_, about))| about.is_some() && *about == message);
        let mut chosen: BTreeSet<usize> = own.map(|(place, _)| place).take(count / 2).collect();
        for (place, _) in earlier().filter(|(_, (line, _))| concerns(line)) {
            if chosen.len() == count {
                break;
            }
            chosen.insert(place);
        }
        let named = |place: usize| {
            let line = self.lines[place].0.clone();
            Line { text: self.names.told(&line.text), ..line }
        };
        chosen.into_iter().map(named).collect()
    }

    fn keep(&mut self, line: Line, about: Option<About>) {
        if self.lines.len() == self.room {
            self.lines.pop_front();
        }
        self.lines.push_back((line, about));
    }
}

impl Sink for Tail {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        // What every step does crowds everything else out, and notices say what came of it.
        let ordinary = matches!(
            event,
            Event::Sent { .. }
                | Event::Delivered { .. }
                | Event::Timer { .. }
                | Event::Persisting { .. }
                | Event::Persisted { .. }
                | Event::Undeliverable { .. }
                | Event::Command { .. }
                | Event::Notice { notice: Notice::Replied { .. }, .. }
                | Event::Notice { notice: Notice::Retransmitted { .. }, .. }
        );
        if !ordinary {
            let about = match event {
                Event::Notice { notice, .. } => subject(notice).map(|(id, once)| (*id, once)),
                _ => None,
            };
            self.keep(Line::of(at, event), about);
        }
    }

    fn mark(&mut self, at: Time, text: &str) {
        self.keep(Line::mark(at, text), None);
    }
}

fn as_text<S: serde::Serializer>(node: &Option<NodeId>, serializer: S) -> Result<S::Ok, S::Error> {
    match node {
        Some(node) => serializer.collect_str(node),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECOVERED: Event<'static, Replica> = Event::Recovered { node: NodeId(3) };

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_text_line_is_aligned() {
        let mut writer = Writer::new(Vec::new(), Format::Text, Names::default());
        writer.event(at(1), &RECOVERED);
        writer.mark(at(20_000), "the safety phase ends");
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "   0.001000s  n3    recovered     is up again");
        assert_eq!(lines[1], "  20.000000s  -     harness       the safety phase ends");
    }

    #[test]
    fn a_json_trace_says_its_version_first() {
        let mut writer = Writer::new(Vec::new(), Format::Jsonl, Names::default());
        writer.event(at(1), &RECOVERED);
        let text = String::from_utf8(writer.finish().unwrap()).unwrap();
        expect_test::expect![[r#"
            {"format_version":1}
            {"at_nanos":1000000,"node":"n3","kind":"recovered","text":"is up again"}
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_full_disk_is_an_error_at_the_end() {
        let mut room = [0; 30];
        let mut writer = Writer::new(&mut room[..], Format::Text, Names::default());
        writer.event(at(1), &RECOVERED);
        writer.event(at(2), &RECOVERED);
        assert_eq!(writer.finish().unwrap_err().kind(), io::ErrorKind::WriteZero);
    }

    #[test]
    fn a_tail_keeps_the_last_events_of_the_nodes() {
        let mut tail = Tail::new(4, Names::default());
        for node in 0..6 {
            tail.event(at(1), &Event::Recovered { node: NodeId(node) });
        }
        let nodes =
            |lines: Vec<Line>| lines.iter().filter_map(|line| line.node).collect::<Vec<_>>();
        assert_eq!(
            nodes(tail.before(at(1), 9, &[NodeId(1), NodeId(2), NodeId(5)], None)),
            [NodeId(2), NodeId(5)]
        );
        assert_eq!(nodes(tail.before(at(1), 1, &[], None)), [NodeId(5)]);
        assert_eq!(nodes(tail.before(at(0), 9, &[], None)), []);
    }

    #[test]
    fn a_tail_tells_of_the_message_concerned_wherever_it_was() {
        let mut tail = Tail::new(20, Names::default());
        let id = MessageId { from: NodeId(7), incarnation: 1, to: NodeId(8), sequence: 3 };
        let notice = Notice::Acknowledged { id };
        tail.event(at(1), &Event::Notice { node: NodeId(7), notice: &notice, input: 1 });
        for _ in 0..9 {
            tail.event(at(2), &RECOVERED);
        }
        let places = |message| {
            let lines = tail.before(at(2), 4, &[NodeId(3)], message);
            lines.iter().filter_map(|line| line.node).map(|node| node.0).collect::<Vec<_>>()
        };
        assert_eq!(places(None), [3, 3, 3, 3]);
        assert_eq!(places(Some((id, true))), [7, 3, 3, 3]);
        assert_eq!(places(Some((id, false))), [3, 3, 3, 3], "the two kinds are numbered apart");
    }
}
