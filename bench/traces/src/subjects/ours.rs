//! Our own sequence.

use sequence::{Few, Moves, Operation, Options, Reader, Sequence, Writer};

use super::{Replay, Subject, Way};
use crate::{Patch, Trace, replay::timed};

const FITS: &str = "a trace stays inside its document";

pub(super) fn subjects() -> Vec<Subject> {
    vec![
        Subject { name: "sequence", way: Way::Local, prepare: local },
        Subject { name: "sequence, told in a batch", way: Way::Local, prepare: batched },
        Subject { name: "sequence, told one by one", way: Way::Local, prepare: told },
        Subject { name: "sequence", way: Way::Remote, prepare: remote },
        Subject { name: "sequence, encoded", way: Way::Remote, prepare: remote_encoded },
        Subject { name: "sequence", way: Way::Bulk, prepare: bulk },
        Subject { name: "sequence", way: Way::Load, prepare: load },
        Subject { name: "sequence, after a rename", way: Way::Load, prepare: load_renamed },
    ]
}

/// What decides positions: a run is the same each time.
pub fn drawing() -> impl FnMut(u64) -> u64 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

/// The replica that edits.
pub fn author() -> Sequence {
    Sequence::new(1, Options::default()).expect("1 is a site")
}

/// The author after the edits of the trace.
pub fn edited(trace: &Trace) -> Sequence {
    let (mut replica, mut draw) = (author(), drawing());
    for Patch(at, removed, inserted) in &trace.patches {
        let at = *at as u64;
        if *removed > 0 {
            replica.remove_runs(at..at + *removed as u64).expect(FITS);
        }
        if !inserted.is_empty() {
            replica.insert_runs(at, inserted, &mut draw).expect(FITS);
        }
    }
    replica
}

/// What the author sends.
pub fn operations(trace: &Trace) -> Vec<Operation> {
    let (mut replica, mut draw) = (author(), drawing());
    let mut operations = Vec::with_capacity(trace.patches.len());
    each_operation(&mut replica, trace, &mut draw, |operation| operations.push(operation));
    operations
}

fn each_operation(
    replica: &mut Sequence,
    trace: &Trace,
    draw: &mut impl FnMut(u64) -> u64,
    mut tell: impl FnMut(Operation),
) {
    trace.patches.iter().for_each(|patch| edit(replica, patch, draw, &mut tell));
}

pub(super) fn edit(
    replica: &mut Sequence,
    Patch(at, removed, inserted): &Patch,
    draw: &mut impl FnMut(u64) -> u64,
    mut tell: impl FnMut(Operation),
) {
    let at = *at as u64;
    if *removed > 0 {
        tell(replica.remove(at..at + *removed as u64).expect(FITS));
    }
    if !inserted.is_empty() {
        match replica.insert(at, inserted, draw).expect(FITS) {
            Few::One(operation) => tell(operation),
            Few::Many(operations) => operations.into_iter().for_each(tell),
        }
    }
}

fn local(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited(trace), Sequence::text))
}

/// The operations are made, one by one, and dropped.
fn told(trace: &Trace) -> Replay<'_> {
    Box::new(|| {
        let work = || {
            let (mut replica, mut draw) = (author(), drawing());
            each_operation(&mut replica, trace, &mut draw, |operation| {
                std::hint::black_box(operation);
            });
            replica
        };
        timed(work, Sequence::text)
    })
}

/// The author after the edits of the trace, with all of them to tell.
fn edited_untold(trace: &Trace) -> Sequence {
    let (mut replica, mut draw) = (author(), drawing());
    for Patch(at, removed, inserted) in &trace.patches {
        let at = *at as u64;
        if *removed > 0 {
            replica.remove_untold(at..at + *removed as u64).expect(FITS);
        }
        if !inserted.is_empty() {
            replica.insert_untold(at, inserted, &mut draw).expect(FITS);
        }
    }
    replica
}

/// What is to be told is kept, as by those peers that keep a log.
fn batched(trace: &Trace) -> Replay<'_> {
    Box::new(|| timed(|| edited_untold(trace), Sequence::text))
}

fn reader() -> Sequence {
    Sequence::new(2, Options::default()).expect("2 is a site")
}

fn remote(trace: &Trace) -> Replay<'_> {
    let operations = operations(trace);
    let mut writer = Writer::default();
    let message = |operation| writer.write(std::slice::from_ref(operation)).expect("short").len();
    let bytes = operations.iter().map(message).sum();
    Box::new(move || {
        let work = || {
            let mut replica = reader();
            for operation in &operations {
                replica.apply(operation).expect("an author's operations are fine");
            }
            replica
        };
        timed(work, Sequence::text).from_bytes(bytes)
    })
}

/// Each operation is a message of its own, read and carried out before the next is looked at.
fn remote_encoded(trace: &Trace) -> Replay<'_> {
    let mut writer = Writer::default();
    let mut stream = Vec::new();
    let mut ends = Vec::with_capacity(trace.patches.len());
    for operation in operations(trace) {
        stream.extend(writer.write(&[operation]).expect("short"));
        ends.push(stream.len() as u32);
    }
    Box::new(move || {
        let work = || {
            let (mut replica, mut dictionary, mut begin) = (reader(), Reader::default(), 0);
            for end in &ends {
                let message = &stream[begin..*end as usize];
                let applied = replica.apply_message(&mut dictionary, message);
                assert!(applied.is_ok_and(|applied| applied.done == 1), "an author's message");
                begin = *end as usize;
            }
            replica
        };
        timed(work, Sequence::text).from_bytes(stream.len())
    })
}

fn bulk(trace: &Trace) -> Replay<'_> {
    let message = Writer::default().write(&edited_untold(trace).tell()).expect("short");
    Box::new(move || {
        let work = || {
            let mut replica = reader();
            let applied = replica.apply_message(&mut Reader::default(), &message);
            assert!(applied.is_ok_and(|applied| applied.refused.is_empty()), "an author's message");
            replica
        };
        timed(work, Sequence::text).from_bytes(message.len())
    })
}

fn load(trace: &Trace) -> Replay<'_> {
    loaded(edited(trace).snapshot())
}

fn load_renamed(trace: &Trace) -> Replay<'_> {
    let mut replica = edited(trace);
    replica.rename().expect("a document to rename");
    replica.collect(&[replica.epoch()]);
    loaded(replica.snapshot())
}

fn loaded<'a>(bytes: Vec<u8>) -> Replay<'a> {
    let restore = |bytes: &[u8]| Sequence::restore(2, Moves::Eager, bytes).expect("a snapshot");
    Box::new(move || timed(|| restore(&bytes), Sequence::text).from_bytes(bytes.len()))
}
