//! Goals of texts whose elements are named anew: which epochs nodes know, by the operations they delivered.
//!
//! Reads operations as values of their schema, by the names that the application gives them. Which epoch is
//! the newest that a node knows follows from the renames that it delivered, whenever it moves to it.

use std::collections::BTreeMap;

use app::Value;
use causal::{Content, Dot};
use contract::NodeId;
use replica::{
    Notice,
    notice::{CausallyDelivered, Outcome},
};

use super::Goal;
use crate::observation::Truth;

/// The application.
const APP: &str = "notes";

/// The name of a rename.
type Name = (i64, i64);

/// The renames from the origin to an epoch: epochs are compared by these.
type Path = Vec<Name>;

/// What an operation is about; `None` of an epoch is the origin.
#[derive(Debug, PartialEq, Eq)]
enum About {
    Edit(Option<Name>),
    Rename { epoch: Option<Name>, name: Name },
    Announcement(Name),
}

/// What is known of epochs, by anybody and by each node.
#[derive(Clone, Debug, Default)]
pub(super) struct Epochs {
    /// By the operation that brought each: epochs.
    renames: BTreeMap<Dot, Path>,
    nodes: BTreeMap<NodeId, Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    newest: Path,
    renames: Vec<Dot>,
    /// Announcements of epochs that are not stable.
    announced: Vec<Dot>,
}

impl Epochs {
    /// The goals that a node reaches with this notice.
    pub(super) fn reached(&mut self, truth: &Truth, node: NodeId, notice: &Notice) -> Vec<Goal> {
        match notice {
            Notice::CausallyDelivered(told) => {
                let about = about(truth, told);
                about.map_or_else(Vec::new, |about| self.delivered(node, told, about))
            }
            Notice::Stable(stable) => {
                let Some(known) = self.nodes.get_mut(&node) else { return Vec::new() };
                let before = known.announced.len();
                known.announced.retain(|dot| !stable.clock.covers(*dot));
                vec![Goal::EpochCollected; usize::from(known.announced.len() < before)]
            }
            Notice::BecameMember(joined) if !self.renames.is_empty() => {
                let had = self.renames.iter().filter(|(dot, _)| joined.delivered.covers(**dot));
                let (renames, paths): (_, Vec<&Path>) = had.unzip();
                let newest = paths.into_iter().max().cloned().unwrap_or_default();
                self.nodes.insert(node, Known { newest, renames, announced: Vec::new() });
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn path(&self, epoch: Option<Name>) -> Option<Path> {
        let Some(name) = epoch else { return Some(Path::new()) };
        self.renames.values().find(|path| path.last() == Some(&name)).cloned()
    }

    fn delivered(&mut self, node: NodeId, told: &CausallyDelivered, about: About) -> Vec<Goal> {
        let dot = told.stamp.dot;
        let mut goals = Vec::new();
        match about {
            About::Edit(epoch) => {
                let (path, known) = (self.path(epoch), self.nodes.get(&node));
                if let (Some(path), Some(Known { newest, .. })) = (path, known)
                    && path != *newest
                {
                    let older = newest.starts_with(&path);
                    goals.push(if older {
                        Goal::IntegratedFromOlderEpoch
                    } else {
                        Goal::IntegratedFromSiblingEpoch
                    });
                }
            }
            About::Rename { epoch, name } => {
                let Some(mut path) = self.path(epoch) else { return goals };
                path.push(name);
                let known = self.nodes.entry(node).or_default();
                if dot.origin.node == node {
                    goals.push(Goal::Renamed);
                }
                if known.renames.iter().any(|other| !told.past.covers(*other)) {
                    goals.push(Goal::RenamedConcurrently);
                }
                known.renames.push(dot);
                if path > known.newest {
                    known.newest.clone_from(&path);
                }
                self.renames.insert(dot, path);
            }
            About::Announcement(_) => self.nodes.entry(node).or_default().announced.push(dot),
        }
        goals
    }
}

fn about(truth: &Truth, told: &CausallyDelivered) -> Option<About> {
    let (Content::Payload(sent), Outcome::Taken { .. }) = (&told.operation.content, &told.outcome)
    else {
        return None;
    };
    let release = truth.releases.get(usize::from(truth.stamp(Some(&sent.stamp))))?;
    let manifest = release.program.manifest();
    if manifest.app != APP {
        return None;
    }
    let kind = manifest.message(sent.body.tag)?;
    let Ok(Value::Rec(fields)) = Value::decode(&kind.schema, &sent.body.bytes) else { return None };
    let epoch = || match fields.get(&1) {
        Some(Value::Option(of)) => of.as_deref().map_or(Some(None), |of| name(of).map(Some)),
        _ => None,
    };
    Some(match kind.name {
        "insert" | "block" | "remove" => About::Edit(None),
        "write" | "erase" => About::Edit(epoch()?),
        "rename" => About::Rename { epoch: epoch()?, name: name(fields.get(&2)?)? },
        "announce" => About::Announcement(name(fields.get(&1)?)?),
        _ => return None,
    })
}

fn name(value: &Value) -> Option<Name> {
    let Value::Rec(fields) = value else { return None };
    match (fields.get(&1)?, fields.get(&2)?) {
        (Value::Int(site), Value::Int(clock)) => Some((*site, *clock)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use app::{Body, native::Registry};

    use super::*;
    use crate::{
        goals::Goals,
        invariants::{
            operations::testing::{operation, stable},
            testing::*,
        },
        observation::Observation,
    };

    const NONE: Value = Value::Option(None);

    fn named((site, clock): Name) -> Value {
        Value::record([(1, Value::Int(site)), (2, Value::Int(clock))])
    }

    fn some(name: Name) -> Value {
        Value::Option(Some(Box::new(named(name))))
    }

    /// What is reached where n0 takes these operations: of whom, what it follows, its name and fields.
    fn reached(
        told: &[(Dot, &[Dot], &str, Vec<Value>)],
        then: Option<Notice>,
    ) -> Vec<&'static str> {
        let mut truth = truth();
        let program = Registry::standard().program("notes", "2.0.0", None).unwrap();
        truth.releases[ONE_FOUR].program = program;
        let notice = |(dot, past, name, fields): &(Dot, &[Dot], &str, Vec<Value>)| {
            let messages = &truth.releases[ONE_FOUR].program.manifest().messages;
            let kind = messages.iter().find(|kind| kind.name == *name).unwrap();
            let value = Value::record((1..).zip(fields.iter().cloned()));
            let bytes = value.encode(&kind.schema).unwrap().into();
            operation(&truth, *dot, past, Body { tag: kind.tag, bytes }).delivered()
        };
        let notices: Vec<Notice> = told.iter().map(notice).chain(then).collect();
        let mut goals = Goals::default();
        for notice in &notices {
            let seen = Observation::Notice(notice);
            let moment = truth.moment(contract::Time::ZERO, NodeId(0), 1, &seen);
            goals.observe(&truth, &moment, &seen);
            truth.advance(&moment, &seen);
        }
        let all: Vec<_> = goals.reached().map(Goal::name).collect();
        let others = ["concurrent-operations", "stable-advanced"];
        all.into_iter().filter(|name| !others.contains(name)).collect()
    }

    #[test]
    fn edits_are_told_apart_by_where_their_epoch_stands() {
        let none = Value::Bytes(vec![0]);
        let list = || Value::List(vec![]);
        let (a, b) = (Dot::new(0, 1), Dot::new(1, 1));
        let rename = |dot, past, name| (dot, past, "rename", vec![NONE, named(name), none.clone()]);
        let edit = |dot, epoch| (dot, &[][..], "write", vec![epoch, list()]);
        let one = rename(a, &[][..], (5, 0));
        assert_eq!(reached(&[edit(b, NONE)], None), [""; 0]);
        assert_eq!(reached(std::slice::from_ref(&one), None), ["renamed"]);
        let older = reached(&[one.clone(), edit(b, NONE)], None);
        assert_eq!(older, ["renamed", "integrated-from-older-epoch"]);
        assert_eq!(reached(&[one.clone(), edit(b, some((5, 0)))], None), ["renamed"]);
        let both = [one.clone(), rename(b, &[], (9, 0))];
        assert_eq!(reached(&both, None), ["renamed", "renamed-concurrently"]);
        let after = rename(b, std::slice::from_ref(&a), (9, 0));
        assert_eq!(reached(&[one, after], None), ["renamed"]);
        let of_sibling = [both.to_vec(), vec![edit(Dot::new(1, 2), some((5, 0)))]].concat();
        let found = reached(&of_sibling, None);
        assert_eq!(found[2..], ["integrated-from-sibling-epoch"]);
    }

    #[test]
    fn an_epoch_is_collected_once_what_announced_it_is_stable() {
        let dot = Dot::new(1, 2);
        let told = (dot, &[][..], "announce", vec![named((5, 0))]);
        assert_eq!(reached(std::slice::from_ref(&told), None), [""; 0]);
        assert_eq!(reached(std::slice::from_ref(&told), Some(stable(&[Dot::new(1, 1)]))), [""; 0]);
        assert_eq!(reached(&[told], Some(stable(&[dot]))), ["epoch-collected"]);
    }
}
