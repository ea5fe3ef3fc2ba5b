//! The story of a failure: what happened, in causal order, in sentences, and the claim that broke.
//!
//! Only the causal past of the violation is told: everything else would have changed nothing. What every
//! step does (timers, acknowledgements, writes to the disk) is left out, for the notices of the nodes say
//! what came of it. How nodes come to run what the scenario begins with is one sentence.

use std::collections::BTreeMap;

use contract::{NodeId, Span, Time};

use crate::{
    outcome::Outcome,
    scenario::Scenario,
    trace::{Line, Names, time},
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
    /// Events of the run before these that were too many to keep, and of which nothing is told.
    pub forgotten: u64,
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
    /// Where; nowhere: to the network or the run.
    pub nodes: Vec<NodeId>,
    /// What.
    pub text: String,
    /// How many times in a row, with other numbers.
    pub times: usize,
}

/// Tells how `outcome` of a run of `scenario` failed, from all that happened; `None`: it did not fail.
pub fn tell(scenario: &Scenario, outcome: &Outcome, past: &Past) -> Option<Story> {
    let first = outcome.violations.first()?;
    let mut sentences = sentences(&past.of(&first.nodes), first.at, &Names::of(scenario));
    let left_out = sentences.len().saturating_sub(SENTENCES_MAX);
    sentences.drain(..left_out);
    let waiting = if outcome.waiting.is_empty() { &outcome.waited } else { &outcome.waiting };
    Some(Story {
        sentences,
        left_out,
        forgotten: past.forgotten(),
        waiting: waiting.clone(),
        invariant: first.invariant.to_owned(),
        claim: first.claim.to_owned(),
        broke: first.text.clone(),
        at: first.at,
    })
}

/// What `past` is in sentences, where the claim broke at `end`.
fn sentences(past: &[&Happened], end: Time, names: &Names) -> Vec<Sentence> {
    let mut beginning = Beginning::default();
    let mut told: Vec<Sentence> = Vec::new();
    for happened in past {
        // Of what nobody promised to deliver only what came last can have broken the claim.
        if beginning.takes(happened) || (happened.fleeting && happened.at != end) {
            continue;
        }
        let Some(sentence) = sentence(happened, names) else { continue };
        match told.last_mut() {
            Some(last) if last.nodes == sentence.nodes && alike(&last.text, &sentence.text) => {
                last.times += 1;
            }
            _ => told.push(sentence),
        }
    }
    beginning.sentences().chain(told).collect()
}

/// How the fleet came to run what it begins with.
#[derive(Default)]
struct Beginning {
    /// By node: the release; `None` where it has none yet.
    runs: BTreeMap<NodeId, Option<String>>,
}

impl Beginning {
    /// What a node does at first until it runs something.
    const KINDS: [&str; 7] =
        ["started", "incarnation", "merged", "fetched", "staged", "prepared", "committed"];

    /// Whether it is part of the beginning, and remembers it then.
    fn takes(&mut self, happened: &Happened) -> bool {
        let Some(Line { node: Some(node), kind, text, .. }) = &happened.line else { return false };
        let begun = matches!(self.runs.get(node), Some(Some(_)));
        if happened.at != Time::ZERO || begun || !Self::KINDS.contains(kind) {
            return false;
        }
        let release = text.strip_prefix("runs ").filter(|_| *kind == "committed");
        let release = release.and_then(|text| text.split(' ').next()).map(str::to_owned);
        self.runs.insert(*node, release);
        true
    }

    /// A sentence for each release.
    fn sentences(self) -> impl Iterator<Item = Sentence> {
        let mut by_release: BTreeMap<Option<String>, Vec<NodeId>> = BTreeMap::new();
        for (node, release) in self.runs {
            by_release.entry(release).or_default().push(node);
        }
        by_release.into_iter().map(|(release, nodes)| {
            let verb = if nodes.len() == 1 { "begins" } else { "begin" };
            let text = format!("{verb} with {}", release.as_deref().unwrap_or("nothing"));
            Sentence { at: Time::ZERO, nodes, text, times: 1 }
        })
    }
}

impl Story {
    /// The story as people read it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.forgotten > 0 {
            text += &format!(
                "  (the run is too long to be told: its first {} events were not kept, and causes \
                 may be among them; shrink it first)\n",
                self.forgotten
            );
        }
        match self.left_out {
            0 => {}
            1 => text += "  (1 earlier event is left out)\n",
            more => text += &format!("  ({more} earlier events are left out)\n"),
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
        let nodes: Vec<String> = self.nodes.iter().map(NodeId::to_string).collect();
        let who = if nodes.is_empty() { "the network:".to_owned() } else { nodes.join(", ") };
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
const ORDINARY: [&str; 11] = [
    "timer",
    "persisting",
    "persisted",
    "delivered",
    "acknowledged",
    "retransmitted",
    "replied",
    "compacted",
    "instance",
    "heartbeat",
    "heard",
];
/// What becomes of a datagram that does not simply arrive.
const ODD: [&str; 6] = ["lost on", "dropped,", "mangled", "its copy", "flipped", "held up"];

/// What an event says, where it is part of a story.
fn sentence(happened: &Happened, names: &Names) -> Option<Sentence> {
    let Line { node, kind, text, .. } = happened.line.as_ref()?;
    let arrives =
        matches!(happened.tie, Tie::Sent(..)) && !ODD.iter().any(|odd| text.contains(odd));
    // Its nodes say so themselves.
    let told = *kind == "fault" && (text.starts_with("crash") || text.starts_with("pause"));
    let nothing = (*kind == "drained" && text.starts_with("0 ")) || text.contains(": nothing new");
    if arrives || told || nothing || ORDINARY.contains(kind) {
        return None;
    }
    let verb = match *kind {
        "sent" | "message-sent" => "sends ",
        "message" => "takes in ",
        "broadcast" => "issues ",
        "carried-out" => "delivers ",
        "held" => "holds ",
        "staged" | "conflict" | "not-delivered" => "says: ",
        "command" => "is asked: ",
        "undeliverable" => "does not get what comes ",
        _ => "",
    };
    let again = if *kind == "fault-ends" { " is over" } else { "" };
    let text = format!("{verb}{}{again}", names.told(text));
    Some(Sentence { at: happened.at, nodes: Vec::from_iter(*node), text, times: 1 })
}

/// Whether two texts differ in nothing but numbers.
fn alike(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_ascii_digit()).collect() };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_with_other_numbers_is_told_once() {
        assert!(alike("sends 3 messages to n1", "sends 12 messages to n2"));
        assert!(!alike("sends 3 messages to n1", "holds 3 messages of n1"));
    }

    #[test]
    fn how_the_fleet_begins_is_one_sentence_a_release_and_later_switches_are_told() {
        let happened = |at: u64, node: u32, kind: &'static str, text: &str| Happened {
            at: Time::from_nanos(at),
            tie: Tie::At(NodeId(node)),
            fleeting: false,
            line: Some(Line { at, node: Some(NodeId(node)), peer: None, kind, text: text.into() }),
        };
        let begins = |node: u32| {
            [
                happened(0, node, "started", "starts for the first time from 0 records"),
                happened(0, node, "merged", "hears of 1.0.0#aa; it knew nothing"),
                happened(0, node, "committed", "runs 1.0.0#aa instead of nothing; from nothing"),
            ]
        };
        let mut all: Vec<Happened> = [begins(0), begins(2)].into_iter().flatten().collect();
        all.push(happened(0, 1, "started", "starts for the first time from 0 records"));
        all.push(happened(0, 0, "merged", "hears of 2.0.0#bb; it knew 1.0.0#aa"));
        all.push(happened(9, 1, "committed", "runs 2.0.0#bb instead of nothing; from nothing"));
        let past: Vec<&Happened> = all.iter().collect();
        let told = sentences(&past, Time::from_nanos(9), &Names::default());
        let told: Vec<String> = told.iter().map(|one| one.shown().trim().to_owned()).collect();
        assert_eq!(
            told,
            [
                "0s  n1 begins with nothing.",
                "0s  n0, n2 begin with 1.0.0#aa.",
                "0s  n0 hears of 2.0.0#bb; it knew 1.0.0#aa.",
                "9ns  n1 runs 2.0.0#bb instead of nothing; from nothing.",
            ]
        );
    }

    #[test]
    fn a_story_ends_with_what_nodes_waited_for_and_the_claim() {
        let story = Story {
            sentences: vec![Sentence {
                at: Time::from_nanos(1_500_000_000),
                nodes: vec![NodeId(3)],
                text: "crashes, down for 1s".to_owned(),
                times: 2,
            }],
            left_out: 4,
            forgotten: 7,
            waiting: vec![
                (NodeId(1), vec!["waiting for a higher release".to_owned()]),
                (NodeId(2), vec!["waiting for a higher release".to_owned()]),
            ],
            invariant: "S13".to_owned(),
            claim: "what is acknowledged is kept".to_owned(),
            broke: "n3 lost it".to_owned(),
            at: Time::from_nanos(2_000_000_000),
        };
        expect_test::expect![[r#"
              (the run is too long to be told: its first 7 events were not kept, and causes may be among them; shrink it first)
              (4 earlier events are left out)
                 1.50s  n3 crashes, down for 1s (2 times in a row).

            When it broke, nodes waited:
              n1, n2: waiting for a higher release

            So at 2s S13 broke: n3 lost it.
              It claims: what is acknowledged is kept.
        "#]]
        .assert_eq(&story.text());
    }
}
