//! Every accident is a choice with a name.
//!
//! Whatever the code does not determine (a latency, a loss, the instant of a crash, the next
//! operation of a client) is settled here. An [`Occasion`] says which accident it is, in words that
//! survive a change elsewhere: "the 3rd send from n1 to n4", never "the 9,412th draw". A seeded run
//! draws it from a stream of that occasion alone, so one draw more here moves nothing there.
//!
//! Recording, replay, shrinking and search are other [`Choices`] over the same occasions: they
//! decide in [`Choices::settle`], where the drawn and the benign value meet.

/// How many 32-bit words of entropy an occasion has.
pub const WORDS: usize = 8;

/// What kind of thing happens: the first part of an occasion's name, and its family of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Site {
    /// A datagram enters a link. Entity: [`link`]; index: how many entered it before.
    Send = 1,
    /// A record goes to a disk. Entity: node; index: how many went before.
    Persist = 2,
    /// A node crashes of itself. Entity: node; index: how many times it did.
    Crash = 3,
    /// A node pauses of itself. Entity: node; index: how many times it did.
    Pause = 4,
    /// A node's clock: its skew and drift at index 0, then one index for each step.
    Clock = 5,
    /// The network splits of itself. Entity: 0; index: how many times it did.
    Partition = 6,
    /// A link clogs of itself. Entity: 0; index: how many times one did.
    Clog = 7,
    /// A client asks for something. Entity: client; index: how many times it did.
    Operation = 8,
    /// A process starts and is given entropy of its own. Entity: node; index: how many times it did.
    Start = 9,
    /// The swarm chooses which faults a run has at all. Entity: a fault family; index: 0.
    Swarm = 10,
    /// The harness chooses for a run as a whole, such as the core of the liveness phase.
    Run = 11,
}

/// One accident: where, to whom, and the how-manieth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Occasion {
    /// What kind of thing happens.
    pub site: Site,
    /// To whom: a node, a link, a client. The site says which.
    pub entity: u64,
    /// How many occasions of this site and entity came before.
    pub index: u64,
}

/// Which decision of an occasion: a send decides its loss, its latency and more.
///
/// The site's owner names them; the number is part of the name and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aspect(pub &'static str);

/// The entity of a link: sender and receiver.
pub const fn link(from: u32, to: u32) -> u64 {
    (from as u64) << 32 | to as u64
}

/// Who settles accidents.
pub trait Choices {
    /// Entropy of `occasion`: the same words whenever and however often it is asked.
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS];

    /// Decides one aspect of `occasion`. `drawn` comes from [`Choices::words`]; `benign` is the value
    /// under which nothing goes wrong.
    fn settle(&mut self, occasion: Occasion, aspect: Aspect, drawn: u64, benign: u64) -> u64;
}

/// Who lends its choices sees afterwards what they wrote down.
impl<C: Choices + ?Sized> Choices for &mut C {
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        (**self).words(occasion)
    }

    fn settle(&mut self, occasion: Occasion, aspect: Aspect, drawn: u64, benign: u64) -> u64 {
        (**self).settle(occasion, aspect, drawn, benign)
    }
}
