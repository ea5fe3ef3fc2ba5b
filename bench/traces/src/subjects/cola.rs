//! cola, which keeps no text, with crop's rope as the text beside it.

use cola::{Deletion, Insertion, Replica};
use crop::Rope;
use smol_str::SmolStr;

use super::{Replay, Subject, Way};
use crate::{Patch, Trace, replay::timed};

const NAME: &str = "cola 0.5.1 + crop 0.4.3";

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: NAME, way: Way::Local, prepare: local },
        Subject { name: "cola 0.5.1, without a text", way: Way::Local, prepare: local_bare },
        Subject { name: NAME, way: Way::Remote, prepare: remote },
        Subject { name: "cola 0.5.1, without a text", way: Way::Remote, prepare: remote_bare },
    ]
}

enum Operation {
    Insert(Insertion, SmolStr),
    Remove(Deletion),
}

fn text((_, rope): &(Replica, Rope)) -> String {
    rope.to_string()
}

fn edit(
    replica: &mut Replica,
    Patch(at, removed, inserted): &Patch,
    mut tell: impl FnMut(Operation),
) {
    if *removed > 0 {
        tell(Operation::Remove(replica.deleted(*at..at + removed)));
    }
    if !inserted.is_empty() {
        tell(Operation::Insert(replica.inserted(*at, inserted.len()), SmolStr::default()));
    }
}

fn local(trace: &Trace) -> Replay<'_> {
    Box::new(|| {
        let work = || {
            let (mut replica, mut rope) = (Replica::new(1, 0), Rope::new());
            for patch in &trace.patches {
                edit(&mut replica, patch, |operation| drop(std::hint::black_box(operation)));
                let Patch(at, removed, inserted) = patch;
                rope.replace(*at..at + removed, inserted);
            }
            (replica, rope)
        };
        timed(work, text)
    })
}

/// What it costs without a text: the text is taken from the trace.
fn local_bare(trace: &Trace) -> Replay<'_> {
    Box::new(|| {
        let work = || {
            let mut replica = Replica::new(1, 0);
            for patch in &trace.patches {
                edit(&mut replica, patch, |operation| drop(std::hint::black_box(operation)));
            }
            replica
        };
        timed(work, |replica| trace.end[..replica.len()].to_owned())
    })
}

fn operations(trace: &Trace) -> (Replica, Vec<Operation>) {
    let mut replica = Replica::new(1, 0);
    let mut operations = Vec::with_capacity(trace.patches.len());
    for patch in &trace.patches {
        edit(&mut replica, patch, |operation| {
            operations.push(match operation {
                Operation::Insert(insertion, _) => Operation::Insert(insertion, patch.2.clone()),
                remove => remove,
            });
        });
    }
    (Replica::new(1, 0), operations)
}

fn remote(trace: &Trace) -> Replay<'_> {
    let (begun, operations) = operations(trace);
    Box::new(move || {
        let work = || {
            let (mut replica, mut rope) = (begun.fork(2), Rope::new());
            for operation in &operations {
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
            (replica, rope)
        };
        timed(work, text)
    })
}

fn remote_bare(trace: &Trace) -> Replay<'_> {
    let (begun, operations) = operations(trace);
    Box::new(move || {
        let work = || {
            let mut replica = begun.fork(2);
            for operation in &operations {
                match operation {
                    Operation::Insert(insertion, _) => {
                        std::hint::black_box(replica.integrate_insertion(insertion));
                    }
                    Operation::Remove(deletion) => {
                        std::hint::black_box(replica.integrate_deletion(deletion));
                    }
                }
            }
            replica
        };
        timed(work, |replica| trace.end[..replica.len()].to_owned())
    })
}
