//! The story of a failure: what happened, in causal order, in sentences, and the claim that broke.
//!
//! Only the causal past of the violation is told: everything else would have changed nothing. What every
//! step does (timers, acknowledgements, writes to the disk) is left out, for the notices of the nodes say
//! what came of it.

use std::collections::BTreeMap;

use contract::{NodeId, Span, Time};

use crate::{
    outcome::Outcome,
    trace::{Line, time},
};

pub mod past;

use past::{Happened, Past, Tie};

/// Sentences that a story has at most; of a longer one the beginning is left out.
const SENTENCES_MAX: usize = 60;

/// A failure, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What happened, oldest first.
    pub sentences: Vec<Sentence>,
    /// Sentences that were left out before these.
    pub left_out: usize,
    /// What each node waited for when it was over, those that waited for nothing left out.
    pub waiting: Vec<(NodeId, Vec<String>)>,
    /// The invariant that broke, such as `S6`.
    pub invariant: String,
    /// What it claims.
    pub claim: String,
    /// How it broke.
    pub broke: String,
    /// When, by the world's clock.
    pub at: Time,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// When, by the world's clock.
    pub at: Time,
    /// Where; `None`: to the network or the run.
    pub node: Option<NodeId>,
    /// What.
    pub text: String,
    /// How many times in a row, with other numbers.
    pub times: usize,
}

/// Tells how `outcome` failed, from all that happened; `None`: it did not fail.
pub fn tell(outcome: &Outcome, past: &Past) -> Option<Story> {
    let first = outcome.violations.first()?;
    let mut sentences: Vec<Sentence> = Vec::new();
    for happened in past.of(&first.nodes) {
        let Some(sentence) = sentence(happened) else { continue };
        match sentences.last_mut() {
            Some(last) if last.node == sentence.node && alike(&last.text, &sentence.text) => {
                last.times += 1;
            }
            _ => sentences.push(sentence),
        }
    }
    let left_out = sentences.len().saturating_sub(SENTENCES_MAX);
    sentences.drain(..left_out);
    let waiting = if outcome.waiting.is_empty() { &outcome.waited } else { &outcome.waiting };
    Some(Story {
        sentences,
        left_out,
        waiting: waiting.clone(),
        invariant: first.invariant.to_owned(),
        claim: first.claim.to_owned(),
        broke: first.text.clone(),
        at: first.at,
    })
}

impl Story {
    /// The story as people read it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.left_out > 0 {
            text += &format!("  ({} earlier events are left out)\n", self.left_out);
        }
        for sentence in &self.sentences {
            text += &format!("  {}\n", sentence.shown());
        }
        if !self.waiting.is_empty() {
            text += "\nWhen it broke, nodes waited:\n";
            let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (node, reasons) in &self.waiting {
                by_reason.entry(reasons.join("; ")).or_default().push(node.to_string());
            }
            for (reasons, nodes) in by_reason {
                text += &format!("  {}: {reasons}\n", nodes.join(", "));
            }
        }
        let Self { invariant, claim, broke, at, .. } = self;
        text + &format!(
            "\nSo at {} {invariant} broke: {broke}.\n  It claims: {claim}.\n",
            shown(*at)
        )
    }
}

impl Sentence {
    fn shown(&self) -> String {
        let who = self.node.map_or_else(|| "the network:".to_owned(), |node| node.to_string());
        let again = match self.times {
            1 => String::new(),
            times => format!(" ({times} times in a row)"),
        };
        format!("{:>8}  {who} {}{again}.", shown(self.at), self.text)
    }
}

fn shown(at: Time) -> String {
    time(Span::from_nanos(at.as_nanos()))
}

/// What every step does: the notices of the nodes say what came of it.
const ORDINARY: [&str; 8] = [
    "timer",
    "persisting",
    "persisted",
    "delivered",
    "acknowledged",
    "retransmitted",
    "replied",
    "compacted",
];
/// What becomes of a datagram that does not simply arrive.
const ODD: [&str; 6] = ["lost on", "dropped,", "mangled", "its copy", "flipped", "held up"];

/// What an event says, where it is part of a story.
fn sentence(happened: &Happened) -> Option<Sentence> {
    let Line { node, kind, text, .. } = happened.line.as_ref()?;
    let arrives =
        matches!(happened.tie, Tie::Sent(..)) && !ODD.iter().any(|odd| text.contains(odd));
    if arrives || ORDINARY.contains(kind) {
        return None;
    }
    let verb = match *kind {
        "sent" | "message-sent" => "sends ",
        "message" => "takes in ",
        "held" => "holds ",
        "staged" | "conflict" | "instance" | "not-delivered" => "says: ",
        "command" => "is asked: ",
        _ => "",
    };
    let again = if *kind == "fault-ends" { " is over" } else { "" };
    let text = format!("{verb}{text}{again}");
    Some(Sentence { at: happened.at, node: *node, text, times: 1 })
}

/// Whether two texts differ in nothing but numbers.
fn alike(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    plain(one) == plain(other)
}
