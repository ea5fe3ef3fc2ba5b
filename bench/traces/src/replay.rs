//! What a replay costs and what it leaves.

use std::hint::black_box;

use common::{
    counting::{allocations, held_bytes},
    usage,
};

/// A trace was replayed.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// CPU time of the replay alone, in microseconds.
    pub micros: f64,
    /// Bytes of heap that it left behind. 0 where nobody counts them.
    pub held_bytes: u64,
    /// How often it allocated. 0 where nobody counts them.
    pub allocations: u64,
    /// The text at the end.
    pub text: String,
    /// Bytes that it was read from, or of the messages that it came in. 0 where it came in none.
    pub bytes: usize,
}

/// Does `work`, and reads the text off what it made.
pub fn timed<T>(work: impl FnOnce() -> T, text: impl FnOnce(&T) -> String) -> Replayed {
    let (held, allocated, before) = (held_bytes(), allocations(), usage::now());
    let done = black_box(work());
    let micros = usage::now().micros_since(&before) as f64;
    let (held_bytes, allocations) = (held_bytes() - held, allocations() - allocated);
    Replayed { micros, held_bytes, allocations, text: text(&done), bytes: 0 }
}

impl Replayed {
    /// It came in messages, or was read from a file, of this size.
    #[must_use]
    pub fn from_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }
}
