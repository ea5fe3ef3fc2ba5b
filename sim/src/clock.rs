//! A node's clock: how it reads a moment of the world, and when it will read a given time.
//!
//! A clock runs ahead by its skew, gains or loses by its drift, and may be stepped. It never reads
//! less than zero. Whoever sets a clock re-plans the timers that follow it.

use crate::sample::within;
use contract::{Span, Time};

/// How far clocks may be off from the start. Each node draws its own skew and drift.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A clock starts ahead of the world by 0 up to this, uniformly.
    pub skew_max: Span,
    /// A clock gains or loses up to this, in parts per million, uniformly; below a million.
    pub drift_ppm_max: u32,
}

/// By how much a clock is stepped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ahead.
    Forward(Span),
    /// Back, at most to zero.
    Back(Span),
}

/// A clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock(
    /// Where it is anything but the world's. Apart, as few are and every input asks.
    Option<Box<Off>>,
);

/// How a clock runs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Off {
    /// A moment of the world, and what the clock read then.
    anchor: (u64, u64),
    drift_ppm: i32,
}

/// The slowest and the fastest drift: a clock always moves.
const DRIFT_PPM_BOUND: i32 = 999_999;

impl Clock {
    pub(crate) fn draw(settings: Settings, words: [u32; 2]) -> (Span, i32) {
        let skew = within(words[0], 0, settings.skew_max.as_nanos());
        let bound = u64::from(settings.drift_ppm_max.min(DRIFT_PPM_BOUND as u32));
        let drift = within(words[1], 0, 2 * bound) as i64 - bound as i64;
        (Span::from_nanos(skew), drift as i32)
    }

    /// What the clock reads at the moment `world`.
    #[inline]
    pub fn read(&self, world: Time) -> Time {
        self.0.as_ref().map_or(world, |off| off.read(world))
    }

    /// The first moment of the world, from its anchor on, at which the clock reads `local` or more.
    #[inline]
    pub fn when(&self, local: Time) -> Time {
        self.0.as_ref().map_or(local, |off| off.when(local))
    }

    /// Steps the clock at the moment `world`.
    pub(crate) fn step(&mut self, world: Time, step: Step) {
        let reading = self.read(world).as_nanos();
        let reading = match step {
            Step::Forward(by) => reading.saturating_add(by.as_nanos()),
            Step::Back(by) => reading.saturating_sub(by.as_nanos()),
        };
        let drift_ppm = self.0.as_ref().map_or(0, |off| off.drift_ppm);
        self.set(world, reading, drift_ppm);
    }

    /// Changes the drift from the moment `world` on.
    pub(crate) fn drift(&mut self, world: Time, drift_ppm: i32) {
        let reading = self.read(world).as_nanos();
        self.set(world, reading, drift_ppm.clamp(-DRIFT_PPM_BOUND, DRIFT_PPM_BOUND));
    }

    fn set(&mut self, world: Time, reading: u64, drift_ppm: i32) {
        let world = world.as_nanos();
        let off = drift_ppm != 0 || reading != world;
        self.0 = off.then(|| Box::new(Off { anchor: (world, reading), drift_ppm }));
    }
}

impl Off {
    fn read(&self, world: Time) -> Time {
        let passed = u128::from(world.as_nanos().saturating_sub(self.anchor.0));
        let gained = passed * self.rate() / 1_000_000;
        let reading = u128::from(self.anchor.1) + gained;
        Time::from_nanos(u64::try_from(reading).unwrap_or(u64::MAX))
    }

    fn when(&self, local: Time) -> Time {
        let ahead = u128::from(local.as_nanos().saturating_sub(self.anchor.1));
        let passes = (ahead * 1_000_000).div_ceil(self.rate());
        let moment = u128::from(self.anchor.0) + passes;
        Time::from_nanos(u64::try_from(moment).unwrap_or(u64::MAX))
    }

    fn rate(&self) -> u128 {
        (1_000_000 + i64::from(self.drift_ppm)) as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_step_back_stops_at_zero() {
        let mut clock = Clock::default();
        clock.step(Time::from_nanos(5), Step::Back(Span::from_nanos(9)));
        assert_eq!(clock.read(Time::from_nanos(5)), Time::ZERO);
        assert_eq!(clock.read(Time::from_nanos(8)), Time::from_nanos(3));
    }

    #[test]
    fn a_drift_gains_its_parts_per_million() {
        let mut clock = Clock::default();
        clock.drift(Time::from_nanos(1_000_000), 200);
        assert_eq!(clock.read(Time::from_nanos(11_000_000)), Time::from_nanos(11_002_000));
    }

    proptest! {
        #[test]
        fn a_timer_is_due_at_the_first_moment_that_reads_its_time(
            skew in 0_u64..1 << 40, drift in -999_999_i32..999_999, ahead in 0_u64..1 << 40
        ) {
            let mut clock = Clock::default();
            clock.step(Time::ZERO, Step::Forward(Span::from_nanos(skew)));
            clock.drift(Time::from_nanos(77), drift);
            let local = clock.read(Time::from_nanos(77)) + Span::from_nanos(ahead);
            let due = clock.when(local);
            prop_assert!(clock.read(due) >= local);
            if due > Time::from_nanos(77) {
                prop_assert!(clock.read(Time::from_nanos(due.as_nanos() - 1)) < local);
            }
        }
    }
}
