//! The network: datagrams between nodes, over links that each have their own accidents.
//!
//! A link is one direction between two nodes. Its state is made when a datagram first crosses it and
//! touched only when one does, so a fleet of n nodes does not cost n x n.

mod clog;
mod cut;
mod link;
mod once;
mod rules;

pub use cut::{Direction, Shape};
pub(crate) use {
    clog::{Clogs, Met},
    cut::{Cuts, write_nodes},
    link::{Link as LinkState, Links, SLOTS_MAX, Tail, UNRESOLVED},
    rules::{Class, LossOdds, Rules},
};

use contract::{NodeId, Span};

/// What every link of a run is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Links that no override names.
    pub default: Link,
    /// Exceptions; of those that match a link the last one counts.
    pub overrides: Vec<Override>,
}

/// Other settings for some links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Links from this node; `None`: from any.
    pub from: Option<NodeId>,
    /// Links to this node; `None`: to any.
    pub to: Option<NodeId>,
    /// What they are like.
    pub link: Link,
}

/// What a link is like. Rates are in parts per million of the datagrams that enter it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// How long a datagram travels.
    pub latency: Latency,
    /// How datagrams get lost.
    pub loss: Loss,
    /// Datagrams of which a second copy travels, with a latency of its own.
    pub duplicate_ppm: u32,
    /// Datagrams that are delayed past their latency, so that later ones overtake them.
    pub reorder_ppm: u32,
    /// The most such a datagram is delayed by; uniform from 1 ns on.
    pub reorder_by: Span,
    /// Datagrams of which one to three bits are flipped.
    pub corrupt_ppm: u32,
    /// How wide the link is; `None`: as wide as needed.
    pub bandwidth: Option<Bandwidth>,
    /// Whether datagrams arrive in the order in which they were sent, but for copies.
    pub fifo: bool,
}

/// How long a datagram travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Constant(Span),
    /// Uniform.
    Uniform {
        /// The least.
        min: Span,
        /// The most.
        max: Span,
    },
    /// `min` and an exponential part, cut at `max`.
    Exponential {
        /// The least.
        min: Span,
        /// The mean of an uncut latency, `min` included.
        mean: Span,
        /// The most.
        max: Span,
    },
    /// Log-normal, cut at `max`.
    LogNormal {
        /// Half of all latencies are below.
        median: Span,
        /// Standard deviation of the natural logarithm, in thousandths.
        sigma_milli: u32,
        /// The most.
        max: Span,
    },
    /// Pareto, cut at `max`.
    Pareto {
        /// The least.
        min: Span,
        /// Tail index, in thousandths; the lower, the heavier the tail.
        alpha_milli: u32,
        /// The most.
        max: Span,
    },
    /// Mostly fast.
    Bimodal {
        /// Mostly.
        fast: Span,
        /// Otherwise.
        slow: Span,
        /// How often otherwise.
        slow_ppm: u32,
    },
    /// One of these, by weight.
    Table(Vec<Weighted>),
}

/// A latency and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighted {
    /// Its share of the sum of all weights.
    pub weight: u32,
    /// The latency.
    pub latency: Span,
}

/// How datagrams get lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// They do not.
    #[default]
    None,
    /// Each on its own.
    Independent {
        /// How many are lost.
        ppm: u32,
    },
    /// In bursts: a link is good or bad, and changes with each datagram that enters it (Gilbert and
    /// Elliott). The mean length of a bad spell is a million over `good_ppm` datagrams.
    Bursty {
        /// Good links that turn bad.
        bad_ppm: u32,
        /// Bad links that turn good.
        good_ppm: u32,
        /// How many are lost while the link is good.
        loss_good_ppm: u32,
        /// How many are lost while it is bad.
        loss_bad_ppm: u32,
    },
}

/// How wide a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bits that enter the link in a second; at least 1.
    pub bits_per_second: u64,
    /// Bytes that wait for their turn; a datagram that finds no room is dropped.
    pub queue_bytes: u64,
}

impl Default for Latency {
    /// A millisecond.
    fn default() -> Self {
        Self::Constant(Span::from_millis(1))
    }
}
