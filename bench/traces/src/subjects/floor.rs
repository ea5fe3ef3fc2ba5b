//! The least there is to do: move bytes.

use super::{Subject, Way};
use crate::{Trace, replay::timed};

pub(super) fn subjects() -> Vec<Subject> {
    let name = "gap buffer (the floor: no identifiers)";
    vec![Subject { name, way: Way::Local, prepare: |trace| Box::new(|| local(trace)) }]
}

fn local(trace: &Trace) -> crate::replay::Replayed {
    let work = || {
        let mut buffer = GapBuffer::default();
        for patch in &trace.patches {
            buffer.edit(patch.0, patch.1, patch.2.as_bytes());
        }
        buffer
    };
    timed(work, GapBuffer::text)
}

/// Text with a gap where it was edited last. Knows no characters, so traces must be ASCII.
#[derive(Debug, Default)]
pub struct GapBuffer {
    bytes: Vec<u8>,
    gap: usize,
    room: usize,
}

impl GapBuffer {
    /// Puts `inserted` in the place of the `removed` bytes from byte `at` on.
    pub fn edit(&mut self, at: usize, removed: usize, inserted: &[u8]) {
        if at < self.gap {
            self.bytes.copy_within(at..self.gap, at + self.room);
        } else if at > self.gap {
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

    /// All of it.
    pub fn text(&self) -> String {
        let parts = [&self.bytes[..self.gap], &self.bytes[self.gap + self.room..]];
        String::from_utf8_lossy(&parts.concat()).into_owned()
    }
}
