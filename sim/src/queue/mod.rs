//! What happens next: a total order over pending events, by time and then by age.
//!
//! [`Wheel`] is what the world uses, chosen by measurement; [`Heap`] is the textbook queue it is
//! measured and tested against. Both give back the same entries in the same order.

mod heap;
mod lane;
mod wheel;

pub use heap::Heap;
pub use wheel::Wheel;

/// A pending event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When, in nanoseconds of virtual time.
    pub nanos: u64,
    /// How many entries were pushed before this one: breaks ties.
    pub sequence: u64,
    /// What happens, to whoever pushed it.
    pub item: u32,
}

/// A queue of pending events.
pub trait Queue {
    /// Adds an event at `nanos`, which must not be before what was last popped. Returns its sequence
    /// number.
    fn push(&mut self, nanos: u64, item: u32) -> u64;

    /// Removes the first event at or before `until`.
    fn pop(&mut self, until: u64) -> Option<Entry>;

    /// How many events are pending.
    fn len(&self) -> usize;

    /// Whether no event is pending.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
