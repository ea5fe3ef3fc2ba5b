//! A node: a process, and what the world keeps for it.

use crate::{clock::Clock, disk::Disk, timers::Timers};
use contract::{Effect, NodeId, Process, Time};
use std::collections::{BTreeMap, VecDeque};

/// A node. What every input touches stands together and on as few cache lines as may be, as in a large
/// fleet each is a miss.
#[repr(C, align(64))]
pub(crate) struct Node<P: Process> {
    pub(crate) id: NodeId,
    pub(crate) state: State,
    /// Whether a record is on its way to the disk.
    pub(crate) barrier: bool,
    /// How many times it stopped being up: tells what is meant for an earlier incarnation.
    pub(crate) incarnation: u32,
    /// How many inputs the node was given, over all incarnations.
    pub(crate) inputs: u64,
    pub(crate) clock: Clock,
    /// While the node is up or paused.
    pub(crate) process: Option<P>,
    pub(crate) timers: Timers<P::Timer>,
    /// What a delivery does not touch.
    pub(crate) cold: Box<Cold<P>>,
}

/// What of a node is seldom touched.
pub(crate) struct Cold<P: Process> {
    pub(crate) disk: Disk,
    /// Effects that wait for the barrier, each with the input that caused it.
    pub(crate) backlog: VecDeque<(u64, Effect<P>)>,
    /// Events that wait for the end of a pause, in order.
    pub(crate) waiting: Vec<u32>,
    pub(crate) paused_until: Time,
    /// How many times it started.
    pub(crate) starts: u32,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not joined yet.
    Absent,
    /// It takes inputs.
    Up,
    /// It is up, and inputs wait.
    Paused,
    /// It crashed and may recover.
    Down,
    /// It left for ever.
    Gone,
}

impl<P: Process> Node<P> {
    pub(crate) fn new(id: NodeId) -> Self {
        Self {
            id,
            state: State::Absent,
            barrier: false,
            incarnation: 0,
            inputs: 0,
            clock: Clock::default(),
            process: None,
            timers: Timers::default(),
            cold: Box::new(Cold {
                disk: Disk::default(),
                backlog: VecDeque::new(),
                waiting: Vec::new(),
                paused_until: Time::ZERO,
                starts: 0,
            }),
        }
    }

    /// Bytes on the heap, without the process's own.
    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Cold<P>>()
            + self.cold.disk.heap_bytes()
            + self.timers.heap_bytes()
            + self.cold.backlog.capacity() * size_of::<(u64, Effect<P>)>()
            + self.cold.waiting.capacity() * size_of::<u32>()
    }
}

/// Where a node is kept, by its name: small names by index, others by search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directory {
    dense: Vec<u32>,
    sparse: BTreeMap<u32, u32>,
}

/// Names below this are found by index; a fleet numbers its nodes from 0 or 1 on.
const DENSE: u32 = 1 << 20;
const NONE: u32 = u32::MAX;

impl Directory {
    pub(crate) fn insert(&mut self, node: NodeId, slot: u32) {
        if node.0 >= DENSE {
            self.sparse.insert(node.0, slot);
            return;
        }
        let at = node.0 as usize;
        if self.dense.len() <= at {
            self.dense.resize(at + 1, NONE);
        }
        self.dense[at] = slot;
    }

    #[inline]
    pub(crate) fn find(&self, node: NodeId) -> Option<u32> {
        match self.dense.get(node.0 as usize) {
            Some(&NONE) => None,
            Some(slot) => Some(*slot),
            None => self.sparse.get(&node.0).copied(),
        }
    }
}
