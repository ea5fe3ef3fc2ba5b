//! A poll that can be closed: who voted before it was closed cannot change that vote concurrently.
//!
//! Votes go before concurrent closings, and a closing acts on a vote by what it *recorded* when it was carried
//! out: a vote of somebody who had voted is nothing, a vote of anybody else counts. Such an action is dynamic:
//! what it does is not in the message. It is sound as long as what is recorded does not depend on which prefix
//! a replica had when it recorded: here, on what the closing had seen and on nothing else.
//! Source: the authors' library, which lets a history entry keep what its effect found.

use std::collections::{BTreeMap, BTreeSet};

use crate::{At, Clock, Event, Log, Op, Refused, Stamp, Value, op::Reader};

/// A poll.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    /// What a closing records.
    pub records: Records,
}

/// What a closing records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Records {
    /// Who had voted by what it had seen.
    WhoWasSeen,
    /// Who has voted by now, whatever the closing had seen: replicas diverge. For tests of checkers alone.
    WhoIsThere,
}

/// What is done to a [`Poll`]: operation and message alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PollOp {
    /// Somebody votes for something.
    Vote(String, String),
    /// Nobody who has voted may change it.
    Close,
}

use PollOp::{Close, Vote};

/// The state of a [`Poll`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Votes {
    /// By voter, every vote. Void ones stay: a closing that saw one records its voter all the same.
    votes: BTreeMap<String, BTreeMap<Stamp, Ballot>>,
    /// Closings that votes may come concurrently to, and whom they recorded; causes first.
    closed: BTreeMap<Stamp, BTreeSet<String>>,
    /// Who is recorded in a closing that everybody has seen.
    settled: BTreeSet<String>,
}

/// A vote.
#[derive(Clone, Debug, PartialEq)]
struct Ballot {
    choice: String,
    /// Whether a concurrent closing had recorded its voter.
    void: bool,
}

impl Votes {
    /// Whether a closing of which `concerned` says so recorded `voter`.
    fn recorded(&self, voter: &str, concerned: impl Fn(&Stamp) -> bool) -> bool {
        self.closed.iter().any(|(stamp, recorded)| concerned(stamp) && recorded.contains(voter))
    }

    /// The vote of each that counts.
    fn latest(&self) -> impl Iterator<Item = &str> {
        self.votes.values().filter_map(|votes| {
            let latest = votes.values().rev().find(|vote| !vote.void)?;
            Some(latest.choice.as_str())
        })
    }
}

/// Errors: whoever votes after a closing that recorded `voter` knows better.
fn refused<T>(voter: &str) -> Result<T, Refused> {
    let expected = "somebody who had not voted when the poll was closed";
    Err(Refused::Unknown { expected, found: voter.to_owned() })
}

/// What the latest vote of each came to.
fn counted<'a>(latest: impl Iterator<Item = &'a str>) -> Value {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    latest.for_each(|choice| *counts.entry(choice.to_owned()).or_default() += 1);
    Value::map(counts.into_iter().map(|(choice, count)| (choice, Value::from(count))))
}

impl Op for Poll {
    type Operation = PollOp;
    type Message = PollOp;
    type State = Votes;

    fn initial(&self) -> Votes {
        Votes::default()
    }

    fn prepare(&self, state: &Votes, operation: &PollOp, _: Stamp) -> Result<PollOp, Refused> {
        match operation {
            Vote(voter, _) if state.settled.contains(voter) => refused(voter),
            Vote(voter, _) if state.recorded(voter, |_| true) => refused(voter),
            operation => Ok(operation.clone()),
        }
    }

    fn effect(&self, state: &mut Votes, at: At<'_>, message: &PollOp) -> Result<(), Refused> {
        let seen = |stamp: &Stamp| at.past.covers(stamp.dot);
        match message {
            Vote(voter, choice) => {
                if state.settled.contains(voter) || state.recorded(voter, seen) {
                    return refused(voter);
                }
                let void = state.recorded(voter, |stamp| !seen(stamp));
                let ballot = Ballot { choice: choice.clone(), void };
                state.votes.entry(voter.clone()).or_default().insert(at.stamp, ballot);
            }
            Close => {
                let mut recorded = BTreeSet::new();
                for (voter, votes) in &mut state.votes {
                    if self.records == Records::WhoIsThere || votes.keys().any(seen) {
                        votes.iter_mut().for_each(|(stamp, vote)| vote.void |= !seen(stamp));
                        recorded.insert(voter.clone());
                    }
                }
                state.closed.insert(at.stamp, recorded);
            }
        }
        Ok(())
    }

    fn value(&self, state: &Votes) -> Value {
        counted(state.latest())
    }

    /// A stable closing acts on nothing that comes; that it recorded somebody stays. Of stable votes one
    /// suffices, the latest that counts: whatever closes from now on has seen it.
    fn forget(&self, state: &mut Votes, stable: &Clock) {
        let settled = &mut state.settled;
        state.closed.retain(|stamp, recorded| {
            let open = !stable.covers(stamp.dot);
            if !open {
                settled.append(recorded);
            }
            open
        });
        for votes in state.votes.values_mut() {
            let settled = || votes.iter().rev().filter(|(stamp, _)| stable.covers(stamp.dot));
            let kept = settled().find(|(_, vote)| !vote.void).or_else(|| settled().next());
            let kept = kept.map(|(stamp, _)| *stamp);
            votes.retain(|stamp, _| !stable.covers(stamp.dot) || Some(*stamp) == kept);
        }
    }

    fn meaning(&self, log: &Log<'_, PollOp>) -> Value {
        let voted = |event: &Event<PollOp>, voter: &str| match &event.message {
            Vote(of, _) => of == voter,
            Close => false,
        };
        let counts = |event: &Event<PollOp>, voter: &str| {
            let closings = log.iter().filter(|other| other.message == Close);
            let mut concurrent = closings.filter(|closing| closing.concurrent(event));
            let recorded = |closing: &Event<PollOp>| {
                log.iter().any(|other| other.precedes(closing) && voted(other, voter))
            };
            !concurrent.any(recorded)
        };
        let mut latest: BTreeMap<&str, &str> = BTreeMap::new();
        for event in log.iter() {
            if let Vote(voter, choice) = &event.message
                && counts(event, voter)
            {
                latest.insert(voter, choice);
            }
        }
        counted(latest.into_values())
    }

    fn parse(&self, operation: &Value) -> Result<PollOp, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "vote" => Ok(Vote(read.text("voter")?, read.text("choice")?)),
            "close" => Ok(Close),
            _ => read.unknown("an operation `vote` or `close`"),
        }
    }
}
