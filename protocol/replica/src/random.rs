//! Randomness of one incarnation: a hash of its entropy, one counter per purpose.
//!
//! A draw more for one purpose moves no draw of another. Nothing here is durable: a step that uses
//! randomness is journalled with it.

use contract::{Span, Time};

/// What a draw is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A step of the app.
    Step,
    /// Whom to tell of releases.
    Gossip,
    /// When to do what is done now and then.
    Jitter,
    /// Whom to ask for code.
    Fetch,
    /// Whom to compare operations with.
    Causal,
}

/// The draws of one incarnation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draws {
    entropy: u64,
    drawn: [u64; 5],
}

impl Draws {
    pub(crate) fn new(entropy: u64) -> Self {
        Self { entropy, drawn: [0; 5] }
    }

    /// The next word for `purpose`.
    pub(crate) fn word(&mut self, purpose: Purpose) -> u64 {
        let drawn = &mut self.drawn[purpose as usize];
        *drawn += 1;
        let stream = (purpose as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mix(mix(self.entropy ^ stream).wrapping_add(*drawn))
    }

    /// A number below `bound`, which is not 0. The bias is below 2^-32 for every bound in use.
    pub(crate) fn below(&mut self, purpose: Purpose, bound: usize) -> usize {
        assert!(bound > 0, "there is no number below 0");
        ((u128::from(self.word(purpose)) * bound as u128) >> 64) as usize
    }

    /// `at` and up to a quarter of `span` more.
    pub(crate) fn later(&mut self, at: Time, span: Span) -> Time {
        let quarter = (span.as_nanos() / 4) as usize + 1;
        at + span + Span::from_nanos(self.below(Purpose::Jitter, quarter) as u64)
    }
}

/// The finaliser of SplitMix64: every bit of the word decides about every bit of the result.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_for_one_purpose_moves_none_of_another() {
        let (mut plain, mut busy) = (Draws::new(7), Draws::new(7));
        for _ in 0..5 {
            busy.word(Purpose::Jitter);
        }
        assert_eq!(plain.word(Purpose::Step), busy.word(Purpose::Step));
        assert_ne!(plain.word(Purpose::Step), Draws::new(8).word(Purpose::Step));
    }

    #[test]
    fn a_jittered_time_is_within_a_quarter() {
        let mut draws = Draws::new(1);
        let span = Span::from_millis(100);
        for _ in 0..1_000 {
            let at = draws.later(Time::ZERO, span);
            assert!(at >= Time::ZERO + span && at <= Time::ZERO + Span::from_millis(125), "{at}");
        }
    }
}
