//! The swarm: each seed has only some families of faults, at rates far from the configured ones.
//!
//! A run in which everything goes wrong at once hides what only shows when one thing goes wrong a lot.
//! So each family is on or off by its own coin, and its rate is scaled from a quarter to four times.
//! Source: Groce et al., "Swarm Testing", ISSTA 2012.

use crate::{
    network::{Link, Loss},
    sample::below,
    world::Settings,
};
use contract::{Aspect, Choices, Occasion, Site, Span};

/// A family of faults that a swarm switches. Its number is the entity of its choices, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum SwarmFamily {
    /// Nodes crash.
    Crashes = 1,
    /// Nodes pause.
    Pauses = 2,
    /// Clocks are stepped.
    ClockSteps = 3,
    /// The network falls apart.
    Partitions = 4,
    /// Links clog.
    Clogs = 5,
    /// Crashes damage disks.
    DiskDamage = 6,
    /// Clocks are skewed and drift.
    ClockErrors = 7,
    /// Datagrams are lost.
    Loss = 8,
    /// Datagrams are duplicated.
    Duplicates = 9,
    /// Datagrams are reordered.
    Reorders = 10,
    /// Datagrams are corrupted.
    Corruption = 11,
}

/// A family is on: drawn as 0 or 1, benign as 0.
const ON: Aspect = Aspect("on");
/// How many thousandths of its rate a family has; benign as 1,000.
const SCALE: Aspect = Aspect("scale-milli");

/// From a quarter to four times, in steps of the square root of two.
const SCALES_MILLI: [u64; 9] = [250, 354, 500, 707, 1000, 1414, 2000, 2828, 4000];

/// Families, in the order of their numbers.
const FAMILIES: [SwarmFamily; 11] = [
    SwarmFamily::Crashes,
    SwarmFamily::Pauses,
    SwarmFamily::ClockSteps,
    SwarmFamily::Partitions,
    SwarmFamily::Clogs,
    SwarmFamily::DiskDamage,
    SwarmFamily::ClockErrors,
    SwarmFamily::Loss,
    SwarmFamily::Duplicates,
    SwarmFamily::Reorders,
    SwarmFamily::Corruption,
];

/// The settings that a seed of the swarm really has.
pub(crate) fn expand<C: Choices>(settings: &Settings, choices: &mut C) -> Settings {
    let mut settings = settings.clone();
    let scales = FAMILIES.map(|family| Scale::draw(family, choices));
    let scale = |family: SwarmFamily| scales[family as usize - 1];
    let profile = &mut settings.profile;
    if let Some(crashes) = scale(SwarmFamily::Crashes).keep(&mut profile.crashes) {
        crashes.every = scale(SwarmFamily::Crashes).interval(crashes.every);
        let risk = &mut crashes.risk;
        let rates = [
            &mut risk.torn_ppm,
            &mut risk.kept_ppm,
            &mut risk.lost_tail_ppm,
            &mut risk.rotten_ppm,
            &mut risk.amnesia_ppm,
        ];
        rates.into_iter().for_each(|rate| scale(SwarmFamily::DiskDamage).rate(rate));
    }
    if let Some(pauses) = scale(SwarmFamily::Pauses).keep(&mut profile.pauses) {
        pauses.every = scale(SwarmFamily::Pauses).interval(pauses.every);
    }
    if let Some(steps) = scale(SwarmFamily::ClockSteps).keep(&mut profile.clock_steps) {
        steps.every = scale(SwarmFamily::ClockSteps).interval(steps.every);
    }
    if let Some(partitions) = scale(SwarmFamily::Partitions).keep(&mut profile.partitions) {
        partitions.every = scale(SwarmFamily::Partitions).interval(partitions.every);
    }
    if let Some(clogs) = scale(SwarmFamily::Clogs).keep(&mut profile.clogs) {
        clogs.every = scale(SwarmFamily::Clogs).interval(clogs.every);
    }
    if !scale(SwarmFamily::ClockErrors).on {
        settings.clocks = Default::default();
    }
    let network = &mut settings.network;
    let links = network.overrides.iter_mut().map(|exception| &mut exception.link);
    for link in links.chain([&mut network.default]) {
        expand_link(link, scale);
    }
    settings
}

fn expand_link(link: &mut Link, scale: impl Fn(SwarmFamily) -> Scale) {
    let loss = scale(SwarmFamily::Loss);
    match &mut link.loss {
        Loss::None => {}
        Loss::Independent { ppm } => loss.rate(ppm),
        Loss::Bursty { bad_ppm, loss_good_ppm, .. } => {
            loss.rate(bad_ppm);
            loss.rate(loss_good_ppm);
        }
    }
    scale(SwarmFamily::Duplicates).rate(&mut link.duplicate_ppm);
    scale(SwarmFamily::Reorders).rate(&mut link.reorder_ppm);
    scale(SwarmFamily::Corruption).rate(&mut link.corrupt_ppm);
}

/// Whether a family is on, and how much of its rate it has.
#[derive(Clone, Copy)]
struct Scale {
    on: bool,
    milli: u64,
}

impl Scale {
    fn draw<C: Choices>(family: SwarmFamily, choices: &mut C) -> Self {
        let occasion = Occasion { site: Site::Swarm, entity: family as u64, index: 0 };
        let words = choices.words(occasion);
        let on = choices.settle(occasion, ON, u64::from(words[0] >> 31), 0) != 0;
        let step = below(words[1], SCALES_MILLI.len() as u64) as usize;
        let milli = choices.settle(occasion, SCALE, SCALES_MILLI[step], 1000).max(1);
        Self { on, milli }
    }

    fn keep<T>(self, family: &mut Option<T>) -> Option<&mut T> {
        if !self.on {
            *family = None;
        }
        family.as_mut()
    }

    fn rate(self, ppm: &mut u32) {
        let scaled = if self.on { u64::from(*ppm) * self.milli / 1000 } else { 0 };
        *ppm = scaled.min(u64::from(crate::sample::MILLION)) as u32;
    }

    fn interval(self, every: Span) -> Span {
        let scaled = u128::from(every.as_nanos()) * 1000 / u128::from(self.milli);
        Span::from_nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}
