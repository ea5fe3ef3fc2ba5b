//! Whom histories of several authors are merged by: a reader that was there from the beginning is told one
//! transaction after the other.

use sequence::{Operation, Options, Sequence};

use super::{Replay, ours};
use crate::{Patch, history::History, replay::timed};

/// A way to merge a history.
pub struct Merging {
    /// Who does it.
    pub name: &'static str,
    /// Prepares it.
    pub prepare: fn(&History) -> Replay<'_>,
}

/// All that are built in, ours first.
pub fn all() -> Vec<Merging> {
    vec![
        Merging { name: "sequence", prepare: sequence },
        #[cfg(feature = "diamond-types")]
        Merging { name: "diamond-types 1.0.0", prepare: diamond_types::merging },
        #[cfg(feature = "cola")]
        Merging { name: "cola 0.5.1 + crop 0.4.3", prepare: cola::merging },
        #[cfg(feature = "loro")]
        Merging { name: "loro 1.17, encoded", prepare: super::loro::merging },
        #[cfg(feature = "yrs")]
        Merging { name: "yrs 0.28, encoded", prepare: super::yrs::merging },
        #[cfg(feature = "automerge")]
        Merging {
            name: "automerge 0.12, encoded, its first 1,000 transactions, scaled",
            prepare: super::automerge::merging,
        },
    ]
}

/// What each transaction's author tells: a replica that `begin` makes for it, which was told all that the
/// transaction follows.
pub(super) fn told<R, M>(
    history: &History,
    begin: impl FnMut(usize) -> R,
    mut take: impl FnMut(&mut R, &M),
    mut edit: impl FnMut(&mut R, &[Patch]) -> M,
) -> Vec<M> {
    let mut replicas: Vec<R> = (0..history.agents).map(begin).collect();
    let mut told: Vec<M> = Vec::new();
    for (transaction, news) in history.transactions.iter().zip(history.news()) {
        let replica = &mut replicas[transaction.agent];
        news.iter().for_each(|at| take(replica, &told[*at]));
        told.push(edit(replica, &transaction.patches));
    }
    told
}

fn take(replica: &mut Sequence, operations: &Vec<Operation>) {
    for operation in operations {
        replica.apply(operation).expect("an author's operations are fine");
    }
}

fn operations(history: &History) -> Vec<Vec<Operation>> {
    let site = |agent| Sequence::new(agent as u32 + 2, Options::default()).expect("above 0");
    let mut draw = ours::drawing();
    told(history, site, take, |replica, patches| {
        let mut operations = Vec::new();
        for patch in patches {
            ours::edit(replica, patch, &mut draw, |operation| operations.push(operation));
        }
        operations
    })
}

/// The text of a reader that was told all of it.
#[cfg(feature = "automerge")]
pub(super) fn text(history: &History) -> String {
    let mut replica = ours::author();
    operations(history).iter().for_each(|told| take(&mut replica, told));
    replica.text()
}

fn sequence(history: &History) -> Replay<'_> {
    let operations = operations(history);
    Box::new(move || {
        let work = || {
            let mut replica = Sequence::new(1, Options::default()).expect("1 is a site");
            operations.iter().for_each(|told| take(&mut replica, told));
            replica
        };
        timed(work, Sequence::text)
    })
}

#[cfg(feature = "diamond-types")]
mod diamond_types {
    use diamond_types::list::{ListCRDT, operation::Operation};

    use super::{History, Patch, Replay, timed};

    fn operations(patches: &[Patch], out: &mut Vec<Operation>) {
        out.clear();
        for Patch(at, removed, inserted) in patches {
            if *removed > 0 {
                out.push(Operation::new_delete(*at..at + removed));
            }
            if !inserted.is_empty() {
                out.push(Operation::new_insert(*at, inserted));
            }
        }
    }

    /// No codec: operations are handed over with their parents, and the text follows each transaction.
    pub(super) fn merging(history: &History) -> Replay<'_> {
        Box::new(|| {
            let work = || {
                let mut list = ListCRDT::new();
                let agents: Vec<_> = (0..history.agents)
                    .map(|agent| list.get_or_create_agent_id(&format!("agent {agent}")))
                    .collect();
                let mut last = Vec::with_capacity(history.transactions.len());
                let (mut parents, mut patch_operations) = (Vec::new(), Vec::new());
                for transaction in &history.transactions {
                    parents.clear();
                    parents.extend(transaction.parents.iter().map(|parent| last[*parent]));
                    parents.sort_unstable();
                    operations(&transaction.patches, &mut patch_operations);
                    let agent = agents[transaction.agent];
                    last.push(list.oplog.add_operations_at(agent, &parents, &patch_operations));
                    let version = list.oplog.local_version();
                    list.branch.merge(&list.oplog, &version);
                }
                list
            };
            timed(work, |list| list.branch.content().to_string())
        })
    }
}

#[cfg(feature = "cola")]
mod cola {
    use cola::{Deletion, Insertion, Replica};
    use crop::Rope;
    use smol_str::SmolStr;

    use super::{History, Patch, Replay, timed};

    enum Operation {
        Insert(Insertion, SmolStr),
        Remove(Deletion),
    }

    fn take(replica: &mut Replica, rope: &mut Rope, operation: &Operation) {
        match operation {
            Operation::Insert(insertion, text) => {
                if let Some(at) = replica.integrate_insertion(insertion) {
                    rope.insert(at, text);
                }
            }
            Operation::Remove(deletion) => {
                for range in replica.integrate_deletion(deletion).into_iter().rev() {
                    rope.delete(range);
                }
            }
        }
    }

    fn operations(history: &History, begun: &Replica) -> Vec<Vec<Operation>> {
        let begin = |agent| (begun.fork(agent as u64 + 2), Rope::new());
        let take_all = |(replica, rope): &mut (Replica, Rope), operations: &Vec<Operation>| {
            operations.iter().for_each(|operation| take(replica, rope, operation));
        };
        super::told(history, begin, take_all, |(replica, rope), patches| {
            let mut operations = Vec::new();
            for Patch(at, removed, inserted) in patches {
                if *removed > 0 {
                    operations.push(Operation::Remove(replica.deleted(*at..at + removed)));
                }
                if !inserted.is_empty() {
                    let insertion = replica.inserted(*at, inserted.len());
                    operations.push(Operation::Insert(insertion, inserted.clone()));
                }
                rope.replace(*at..at + removed, inserted);
            }
            operations
        })
    }

    pub(super) fn merging(history: &History) -> Replay<'_> {
        let begun = Replica::new(1, 0);
        let operations = operations(history, &begun);
        Box::new(move || {
            let work = || {
                let (mut replica, mut rope) = (begun.fork(100), Rope::new());
                for operation in operations.iter().flatten() {
                    take(&mut replica, &mut rope, operation);
                }
                (replica, rope)
            };
            timed(work, |(_, rope)| rope.to_string())
        })
    }
}
