//! One run over time, kept by a trace sink while it goes on: who runs what, how much is held, which faults
//! last.

use std::collections::{BTreeMap, BTreeSet};

use contract::{NodeId, Time};
use replica::{Notice, Replica, notice::MessageId};
use results::{Timeline, Window};
use semver::Version;
use sim::{Event, event::Phase, fault::Fault};

use crate::{outcome::Outcome, trace::Sink};

/// Steps of a curve that are kept: more than a plot has columns.
const STEPS_MAX: usize = 1_000;
/// Faults that are kept: more would hide each other.
const WINDOWS_MAX: usize = 1_000;

/// Keeps the [`Timeline`] of the run that it sees.
#[derive(Default)]
pub struct Keeper {
    /// By node: what it runs while it is up.
    runs: BTreeMap<NodeId, Version>,
    /// What any node ever ran.
    seen: BTreeSet<Version>,
    /// When which versions ran on how many nodes.
    adoption: Vec<(u64, BTreeMap<Version, u32>)>,
    holds: BTreeMap<NodeId, BTreeSet<MessageId>>,
    held: Vec<(u64, u64)>,
    windows: Vec<Window>,
    /// By words: windows that are open.
    open: BTreeMap<String, Vec<usize>>,
}

impl Keeper {
    /// The timeline, once the run is over. Its scenario and cell are the caller's.
    pub fn finish(mut self, outcome: &Outcome) -> Timeline {
        let ended = outcome.ended.as_nanos();
        for open in self.open.into_values().flatten() {
            self.windows[open].to_nanos = ended;
        }
        let releases: Vec<Version> = self.seen.into_iter().collect();
        let counts = |running: BTreeMap<Version, u32>| -> Vec<u32> {
            releases.iter().map(|release| running.get(release).copied().unwrap_or(0)).collect()
        };
        let adoption = thinned(self.adoption, ended);
        Timeline {
            format_version: results::FORMAT_VERSION,
            seed: outcome.seed,
            safety_ended_nanos: outcome.safety_ended.as_nanos(),
            ended_nanos: ended,
            adoption: adoption.into_iter().map(|(at, running)| (at, counts(running))).collect(),
            held: thinned(self.held, ended),
            windows: self.windows,
            releases: releases.iter().map(Version::to_string).collect(),
            ..Timeline::default()
        }
    }

    fn runs(&mut self, at: u64, node: NodeId, version: Option<&Version>) {
        match version {
            Some(version) => {
                self.seen.insert(version.clone());
                self.runs.insert(node, version.clone());
            }
            None => drop(self.runs.remove(&node)),
        }
        let mut running = BTreeMap::new();
        for version in self.runs.values() {
            *running.entry(version.clone()).or_default() += 1;
        }
        step(&mut self.adoption, at, running);
    }

    fn notice(&mut self, at: u64, node: NodeId, notice: &Notice) {
        match notice {
            Notice::Started { run, messages, .. } => {
                self.holds.insert(node, messages.held.iter().copied().collect());
                self.runs(at, node, run.as_ref().map(|run| &run.version));
            }
            Notice::Committed { release, .. } => self.runs(at, node, Some(&release.id.version)),
            Notice::Held { id, .. } => {
                self.holds.entry(node).or_default().insert(*id);
            }
            Notice::Delivered { id, was_held: true, .. } | Notice::NotDelivered { id, .. } => {
                self.holds.entry(node).or_default().remove(id);
            }
            _ => return,
        }
        self.count_held(at);
    }

    fn count_held(&mut self, at: u64) {
        let held = self.holds.values().map(|held| held.len() as u64).sum();
        if self.held.last().map_or(0, |(_, last)| *last) != held {
            step(&mut self.held, at, held);
        }
    }

    fn begins(&mut self, at: u64, kind: &str, text: String) {
        if self.windows.len() < WINDOWS_MAX {
            self.open.entry(text.clone()).or_default().push(self.windows.len());
            self.windows.push(Window { kind: kind.into(), text, from_nanos: at, to_nanos: at });
        }
    }

    fn ends(&mut self, at: u64, text: &str) {
        if let Some(open) = self.open.get_mut(text).filter(|open| !open.is_empty()) {
            // Of equal ones the first ends first; which of them it is makes no difference.
            let first = open.remove(0);
            self.windows[first].to_nanos = at;
        }
    }

    fn gone(&mut self, at: u64, node: NodeId) {
        self.runs(at, node, None);
        self.holds.remove(&node);
        self.count_held(at);
    }
}

impl Sink for Keeper {
    fn event(&mut self, at: Time, event: &Event<'_, Replica>) {
        let at = at.as_nanos();
        match event {
            Event::Notice { node, notice, .. } => self.notice(at, *node, notice),
            Event::Crashed { node, .. } => {
                self.gone(at, *node);
                self.begins(at, "crash", format!("{node} down"));
            }
            Event::Recovered { node } => self.ends(at, &format!("{node} down")),
            Event::Left { node } => {
                self.gone(at, *node);
                self.ends(at, &format!("{node} down"));
                self.ends(at, &format!("{node} paused"));
            }
            Event::Paused { node, .. } => self.begins(at, "pause", format!("{node} paused")),
            Event::Resumed { node, .. } => self.ends(at, &format!("{node} paused")),
            // Of these the nodes and the clogs that they bring about say how long they last.
            Event::Fault {
                fault:
                    Fault::Crash(_)
                    | Fault::Pause(_)
                    | Fault::Swizzle(_)
                    | Fault::SetClock(_)
                    | Fault::Leave(_),
                ..
            } => {}
            Event::Fault { fault, phase: Phase::Ends } => self.ends(at, &which(fault)),
            Event::Fault { fault, .. } => self.begins(at, fault.injector().name(), which(fault)),
            _ => {}
        }
    }

    fn mark(&mut self, _: Time, _: &str) {}
}

/// Which fault it is, without how long it lasts: its window says that.
fn which(fault: &Fault) -> String {
    let text = fault.to_string();
    let lasts = text.rfind(" for ").or_else(|| text.rfind(" until calm"));
    text[..lasts.unwrap_or(text.len())].to_owned()
}

/// Appends that it is `now` from `at` on; of one moment the last counts.
fn step<T>(steps: &mut Vec<(u64, T)>, at: u64, now: T) {
    match steps.last_mut() {
        Some(last) if last.0 == at => last.1 = now,
        _ => steps.push((at, now)),
    }
}

/// `steps`, or where they are too many the last one of each stretch of time.
fn thinned<T>(steps: Vec<(u64, T)>, ended: u64) -> Vec<(u64, T)> {
    if steps.len() <= STEPS_MAX {
        return steps;
    }
    let stretch = ended.max(1).div_ceil(STEPS_MAX as u64);
    let mut kept: Vec<(u64, T)> = Vec::with_capacity(STEPS_MAX + 1);
    for (at, now) in steps {
        match kept.last_mut() {
            Some(last) if last.0 / stretch == at / stretch => *last = (at, now),
            _ => kept.push((at, now)),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        run::{Deployed, Options},
        scenario::Scenario,
    };

    const TEXT: &str = r#"
about = "a major release arrives while the fleet is parted"
app = "counter"
[fleet]
nodes = 3
runs = "1.0.0"
[[release]]
version = "2.0.0"
at = "2s"
node = "n0"
[workload]
rate = "50/s"
[[fault]]
partition = { groups = [["n0"], ["n1", "n2"]], from = "1s", until = "4s" }
[[fault]]
crash = { node = "n1", at = "5s", down = "700ms" }
[[fault]]
pause = { node = "n2", at = "6s", lasts = "200ms" }
"#;

    #[test]
    fn a_rollout_shows_as_steps_from_one_release_to_the_next() {
        let scenario = Scenario::parse(Path::new("a.toml"), TEXT.to_owned()).unwrap();
        let deployed = Deployed::new(&scenario).unwrap();
        let mut keeper = Keeper::default();
        let outcome = deployed.run(3, Options::default(), Some(&mut keeper));
        assert_eq!(outcome.fingerprint, deployed.run(3, Options::default(), None).fingerprint);
        let timeline = keeper.finish(&outcome);
        assert_eq!(timeline.releases, ["1.0.0", "2.0.0"]);
        assert_eq!(timeline.adoption.last().unwrap().1, [0, 3]);
        assert!(timeline.adoption.iter().any(|(_, counts)| counts == &[2, 1]));
        let windows = timeline.windows.iter();
        let windows: Vec<_> = windows
            .map(|window| {
                let millis = [window.from_nanos, window.to_nanos].map(|nanos| nanos / 1_000_000);
                (window.kind.as_str(), window.text.as_str(), millis)
            })
            .collect();
        assert_eq!(
            windows,
            [
                ("split", "split n0 | n1 n2", [1_000, 4_000]),
                ("crash", "n1 down", [5_000, 5_700]),
                ("pause", "n2 paused", [6_000, 6_200]),
            ]
        );
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_end() {
        let steps: Vec<(u64, u64)> = (0..50_000).map(|at| (at * 3, at)).collect();
        let kept = thinned(steps, 150_000);
        assert!(kept.len() <= STEPS_MAX + 1);
        assert_eq!(kept.last(), Some(&(149_997, 49_999)));
    }
}
