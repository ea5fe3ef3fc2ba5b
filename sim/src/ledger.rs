//! The fault ledger: for each injector, whether it was asked for, tried, and took effect.
//!
//! A fault that was asked for and never bit tested nothing; the ledger is how one notices.

use std::fmt;

macro_rules! injectors {
    ($($name:ident $text:literal $about:literal),* $(,)?) => {
        /// What can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Injector {
            $(#[doc = $about] $name,)*
        }

        impl Injector {
            /// Every injector, in the order of the ledger.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What an attempt is and when it takes effect.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about),* }
            }
        }
    };
}

injectors! {
    Loss "loss" "A datagram entered a link that loses; it was lost.",
    Duplicate "duplicate" "A datagram entered a link that duplicates; a copy was made.",
    Reorder "reorder" "A datagram entered a link that reorders; it was delayed past its latency.",
    Corrupt "corrupt" "A datagram entered a link that corrupts; its bits were flipped.",
    Bandwidth "bandwidth" "A datagram entered a narrow link; it waited behind others, or found the queue full.",
    Cut "cut" "A link was cut; a datagram met the cut.",
    Split "split" "The network was split into groups; a datagram met the split.",
    Isolate "isolate" "A node was isolated; a datagram met the isolation.",
    Bridge "bridge" "Two halves were left with a bridge; a datagram met the gap.",
    Ring "ring" "The network was cut down to a ring; a datagram met the gap.",
    Clog "clog" "Links were clogged; a datagram was held.",
    Swizzle "swizzle" "Nodes were clogged one after the other; at least one clog began.",
    Degrade "degrade" "Links were given other settings for a while; a datagram met them.",
    Crash "crash" "A node was crashed; it was up.",
    Amnesia "amnesia" "A crash took the whole disk; there was something on it.",
    Torn "torn" "A crash tore the record in flight; there was one.",
    LostTail "lost-tail" "A crash lost durable records at the end; there were some.",
    Rotten "rotten" "A crash left a rotten record; there was one, and it and all after it were lost.",
    Pause "pause" "A node was paused; it was up.",
    ClockSkew "clock-skew" "A node was given a skewed clock; the skew is not zero.",
    ClockDrift "clock-drift" "A node was given a drifting clock; the drift is not zero.",
    ClockStep "clock-step" "A node's clock was stepped; its reading changed.",
    Leave "leave" "A node was told to leave for ever; it had not left before.",
}

/// One injector's line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Whether the settings of the run ask for it.
    pub configured: bool,
    /// How often it had an opportunity.
    pub attempted: u64,
    /// How often something came of it.
    pub took_effect: u64,
}

/// All injectors' lines.
#[derive(Clone, Debug)]
pub struct Ledger {
    rows: [Row; Injector::ALL.len()],
}

impl Default for Ledger {
    fn default() -> Self {
        Self { rows: [Row::default(); Injector::ALL.len()] }
    }
}

impl Ledger {
    /// One line.
    pub fn row(&self, injector: Injector) -> Row {
        self.rows[injector as usize]
    }

    /// Every line, in a fixed order.
    pub fn rows(&self) -> impl Iterator<Item = (Injector, Row)> {
        Injector::ALL.iter().map(|injector| (*injector, self.row(*injector)))
    }

    /// Injectors that were asked for and never took effect.
    pub fn inert(&self) -> impl Iterator<Item = Injector> {
        self.rows().filter(|(_, row)| row.configured && row.took_effect == 0).map(|(name, _)| name)
    }

    pub(crate) fn configure(&mut self, injector: Injector) {
        self.rows[injector as usize].configured = true;
    }

    #[inline]
    pub(crate) fn attempt(&mut self, injector: Injector, took_effect: bool) {
        let row = &mut self.rows[injector as usize];
        row.attempted += 1;
        row.took_effect += u64::from(took_effect);
    }

    /// Something came of an attempt that was counted before.
    #[inline]
    pub(crate) fn took_effect(&mut self, injector: Injector) {
        self.rows[injector as usize].took_effect += 1;
    }
}

impl fmt::Display for Injector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
