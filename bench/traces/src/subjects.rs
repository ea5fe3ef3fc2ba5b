//! Whom traces are replayed on. A peer is one more entry of [`SUBJECTS`].

use std::hint::black_box;

use common::usage;
use sequence::{Operation, Options, Sequence};

use crate::{Patch, Trace};

/// A way to replay a trace.
pub struct Subject {
    /// Who does it, and how.
    pub name: &'static str,
    /// Replays it. Returns the CPU time in microseconds and the text at the end.
    pub replay: fn(&Trace) -> (u64, String),
}

/// All of them: the floor first.
pub const SUBJECTS: &[Subject] = &[
    Subject { name: "gap buffer, local", replay: gap_buffer },
    Subject { name: "sequence, local", replay: local },
    Subject { name: "sequence, remote, one by one", replay: remote },
];

fn timed<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = usage::now();
    let done = black_box(work());
    (usage::now().micros_since(&before), done)
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

/// The least there is to do: move bytes. Knows no characters, so traces must be ASCII.
fn gap_buffer(trace: &Trace) -> (u64, String) {
    let (micros, buffer) = timed(|| {
        let mut buffer = GapBuffer::default();
        for patch in &trace.patches {
            buffer.edit(patch.0, patch.1, patch.2.as_bytes());
        }
        buffer
    });
    (micros, buffer.text())
}

#[derive(Default)]
struct GapBuffer {
    bytes: Vec<u8>,
    gap: usize,
    room: usize,
}

impl GapBuffer {
    fn edit(&mut self, at: usize, removed: usize, inserted: &[u8]) {
        if at < self.gap {
            self.bytes.copy_within(at..self.gap, at + self.room);
        } else {
            self.bytes.copy_within(self.gap + self.room..at + self.room, self.gap);
        }
        self.gap = at;
        self.room += removed;
        if self.room < inserted.len() {
            let end = self.bytes.len();
            let more = (end + inserted.len()).max(1 << 12);
            self.bytes.resize(end + more, 0);
            self.bytes.copy_within(self.gap + self.room..end, self.gap + self.room + more);
            self.room += more;
        }
        self.bytes[at..at + inserted.len()].copy_from_slice(inserted);
        self.gap += inserted.len();
        self.room -= inserted.len();
    }

    fn text(&self) -> String {
        let parts = [&self.bytes[..self.gap], &self.bytes[self.gap + self.room..]];
        String::from_utf8_lossy(&parts.concat()).into_owned()
    }
}

/// A replica after the edits of the trace.
pub fn edited(trace: &Trace) -> Sequence {
    let mut replica = Sequence::new(1, Options::default()).expect("1 is a site");
    let mut draw = drawing();
    let fits = "a trace stays inside its document";
    for Patch(at, removed, inserted) in &trace.patches {
        let at = *at as u64;
        if *removed > 0 {
            replica.remove_runs(at..at + *removed as u64).expect(fits);
        }
        if !inserted.is_empty() {
            replica.insert_runs(at, inserted, &mut draw).expect(fits);
        }
    }
    replica
}

fn local(trace: &Trace) -> (u64, String) {
    let (micros, replica) = timed(|| edited(trace));
    (micros, replica.text())
}

/// What the author sends.
pub fn operations(trace: &Trace) -> Vec<Operation> {
    let mut author = Sequence::new(1, Options::default()).expect("1 is a site");
    let mut draw = drawing();
    let mut operations = Vec::with_capacity(trace.patches.len());
    let fits = "a trace stays inside its document";
    for Patch(at, removed, inserted) in &trace.patches {
        let at = *at as u64;
        if *removed > 0 {
            operations.push(author.remove(at..at + *removed as u64).expect(fits));
        }
        if !inserted.is_empty() {
            operations.extend(author.insert(at, inserted, &mut draw).expect(fits));
        }
    }
    operations
}

fn remote(trace: &Trace) -> (u64, String) {
    let operations = operations(trace);
    let (micros, replica) = timed(|| {
        let mut replica = Sequence::new(2, Options::default()).expect("2 is a site");
        for operation in &operations {
            replica.apply(operation).expect("an author's operations are fine");
        }
        replica
    });
    (micros, replica.text())
}
