//! Which link is like what: settings compiled to classes that a send reads without a search.

use super::{Bandwidth, Latency, Link, Loss, Override, Settings, Weighted};
use crate::sample::{Odds, below, exponential, log_normal, pareto, within};
use contract::NodeId;

/// Every class of link, and who is in it.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    links: Vec<Link>,
    classes: Vec<Class>,
    default: u32,
    /// In order; the last match counts. Faults add theirs at the end.
    overrides: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    exception: Override,
    class: u32,
    /// The fault that it belongs to, if it is one's.
    fault: Option<u64>,
    /// Whether a datagram met the fault.
    met: bool,
}

/// A [`Link`], compiled.
#[derive(Clone, Debug)]
pub(crate) struct Class {
    pub(crate) latency: Latency,
    /// The benign latency.
    pub(crate) least: u64,
    /// How many latencies there are from the least on, where all are as likely; else 0.
    pub(crate) spread: u64,
    pub(crate) loss: LossOdds,
    pub(crate) duplicate: Odds,
    pub(crate) reorder: Odds,
    pub(crate) reorder_by: u64,
    pub(crate) corrupt: Odds,
    pub(crate) bandwidth: Option<Bandwidth>,
    pub(crate) fifo: bool,
    /// Whether the latency is drawn.
    pub(crate) varies: bool,
    /// Whether datagrams may be duplicated, reordered or corrupted.
    pub(crate) odd: bool,
    /// Whether anything about a datagram is drawn at all.
    pub(crate) draws: bool,
    /// The odds of loss, where that and the latency are all that is drawn, each on its own, and a link
    /// of this class remembers nothing: nearly all links of nearly all worlds.
    pub(crate) plain: Option<Odds>,
    /// Whether a link of this class remembers what is on it.
    pub(crate) remembers: bool,
}

/// A [`Loss`], compiled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LossOdds {
    None,
    Independent(Odds),
    Bursty { bad: Odds, good: Odds, loss_good: Odds, loss_bad: Odds },
}

impl Rules {
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut rules = Self { links: vec![], classes: vec![], default: 0, overrides: vec![] };
        rules.default = rules.class_of(&settings.default);
        for exception in &settings.overrides {
            let class = rules.class_of(&exception.link);
            rules.overrides.push(Rule {
                exception: exception.clone(),
                class,
                fault: None,
                met: false,
            });
        }
        rules
    }

    /// The class of the link between two nodes, now.
    pub(crate) fn resolve(&self, from: NodeId, to: NodeId) -> u32 {
        let last = self.overrides.iter().rev().find(|rule| rule.exception.matches(from, to));
        last.map_or(self.default, |rule| rule.class)
    }

    #[inline]
    pub(crate) fn class(&self, class: u32) -> &Class {
        &self.classes[class as usize]
    }

    /// Adds an override that ends with [`Rules::end`]. Whoever cached a class must resolve it anew.
    pub(crate) fn begin(&mut self, id: u64, exception: &Override) {
        let class = self.class_of(&exception.link);
        let exception = exception.clone();
        self.overrides.push(Rule { exception, class, fault: Some(id), met: false });
    }

    pub(crate) fn end(&mut self, id: u64) {
        self.overrides.retain(|rule| rule.fault != Some(id));
    }

    /// Whether the fault whose override governs a link, if one does, meets its first datagram.
    pub(crate) fn meet_degraded(&mut self, from: NodeId, to: NodeId) -> bool {
        let governs = |rule: &&mut Rule| rule.exception.matches(from, to);
        let last = self.overrides.iter_mut().rev().find(governs);
        last.is_some_and(|rule| rule.fault.is_some() && !std::mem::replace(&mut rule.met, true))
    }

    /// Whether a fault has an override.
    #[inline]
    pub(crate) fn any_degraded(&self) -> bool {
        self.overrides.last().is_some_and(|rule| rule.fault.is_some())
    }

    /// Whether any link needs to know how long a datagram is.
    pub(crate) fn any_narrow(&self) -> bool {
        self.classes.iter().any(|class| class.bandwidth.is_some())
    }

    pub(crate) fn classes(&self) -> &[Class] {
        &self.classes
    }

    fn class_of(&mut self, link: &Link) -> u32 {
        let known = self.links.iter().position(|other| other == link);
        let class = known.unwrap_or_else(|| {
            self.links.push(link.clone());
            self.classes.push(Class::new(link));
            self.links.len() - 1
        });
        class as u32
    }
}

impl Class {
    fn new(link: &Link) -> Self {
        let loss = LossOdds::new(link.loss);
        let duplicate = Odds::ppm(link.duplicate_ppm);
        let reorder_by = link.reorder_by.as_nanos();
        let reorder = if reorder_by == 0 { Odds::NONE } else { Odds::ppm(link.reorder_ppm) };
        let corrupt = Odds::ppm(link.corrupt_ppm);
        let odd = [duplicate, reorder, corrupt].iter().any(|odds| !odds.is_none());
        let varies = !matches!(link.latency, Latency::Constant(_));
        let remembers = link.fifo || link.bandwidth.is_some();
        let plain = match loss {
            LossOdds::Independent(odds) if varies && !odd && !remembers => Some(odds),
            _ => None,
        };
        Self {
            latency: link.latency.clone(),
            least: link.latency.least(),
            spread: link.latency.spread(),
            loss,
            duplicate,
            reorder,
            reorder_by,
            corrupt,
            bandwidth: link.bandwidth,
            fifo: link.fifo,
            varies,
            odd,
            draws: odd || varies || !matches!(loss, LossOdds::None),
            plain,
            remembers,
        }
    }
}

impl Class {
    /// The latency that `word` draws, in nanoseconds.
    #[inline(always)]
    pub(crate) fn latency(&self, word: u32) -> u64 {
        // The same value as the general form gives, by one multiplication.
        if self.spread > 0 {
            self.least + ((u64::from(word) * self.spread) >> 32)
        } else {
            self.latency.draw(word)
        }
    }
}

impl LossOdds {
    fn new(loss: Loss) -> Self {
        match loss {
            Loss::None | Loss::Independent { ppm: 0 } => Self::None,
            Loss::Independent { ppm } => Self::Independent(Odds::ppm(ppm)),
            Loss::Bursty { bad_ppm, good_ppm, loss_good_ppm, loss_bad_ppm } => Self::Bursty {
                bad: Odds::ppm(bad_ppm),
                good: Odds::ppm(good_ppm),
                loss_good: Odds::ppm(loss_good_ppm),
                loss_bad: Odds::ppm(loss_bad_ppm),
            },
        }
    }
}

impl Override {
    fn matches(&self, from: NodeId, to: NodeId) -> bool {
        self.from.is_none_or(|node| node == from) && self.to.is_none_or(|node| node == to)
    }
}

impl Latency {
    /// The latency that `word` draws, in nanoseconds.
    #[inline]
    pub fn draw(&self, word: u32) -> u64 {
        match self {
            Self::Constant(span) => span.as_nanos(),
            Self::Uniform { min, max } => within(word, min.as_nanos(), max.as_nanos()),
            _ => self.draw_curved(word),
        }
    }

    fn draw_curved(&self, word: u32) -> u64 {
        match self {
            Self::Constant(_) | Self::Uniform { .. } => unreachable!("drawn by the caller"),
            Self::Exponential { min, mean, max } => {
                let (min, mean) = (min.as_nanos(), mean.as_nanos());
                let tail = exponential(word, mean.saturating_sub(min));
                min.saturating_add(tail).min(max.as_nanos())
            }
            Self::LogNormal { median, sigma_milli, max } => {
                log_normal(word, median.as_nanos(), *sigma_milli).min(max.as_nanos())
            }
            Self::Pareto { min, alpha_milli, max } => {
                pareto(word, min.as_nanos(), *alpha_milli).min(max.as_nanos())
            }
            Self::Bimodal { fast, slow, slow_ppm } => {
                if Odds::ppm(*slow_ppm).hit(word) {
                    slow.as_nanos()
                } else {
                    fast.as_nanos()
                }
            }
            Self::Table(rows) => pick(rows, word),
        }
    }

    /// How many nanoseconds a uniform latency may take; 0 where they are more than a word can tell
    /// apart, and for other latencies.
    fn spread(&self) -> u64 {
        let Self::Uniform { min, max } = self else { return 0 };
        let spread = max.as_nanos().saturating_sub(min.as_nanos()).saturating_add(1);
        if spread < 1 << 32 && max.as_nanos() < 1 << 62 { spread } else { 0 }
    }

    /// The latency under which nothing goes wrong: the least; the median where there is no least.
    pub fn least(&self) -> u64 {
        match self {
            Self::Constant(span) => span.as_nanos(),
            Self::Uniform { min, .. }
            | Self::Exponential { min, .. }
            | Self::Pareto { min, .. } => min.as_nanos(),
            Self::LogNormal { median, .. } => median.as_nanos(),
            Self::Bimodal { fast, slow, .. } => fast.min(slow).as_nanos(),
            Self::Table(rows) => {
                rows.iter().map(|row| row.latency.as_nanos()).min().unwrap_or_default()
            }
        }
    }
}

fn pick(rows: &[Weighted], word: u32) -> u64 {
    let total = rows.iter().map(|row| u64::from(row.weight)).sum();
    let mut left = below(word, total);
    for row in rows {
        let weight = u64::from(row.weight);
        if left < weight {
            return row.latency.as_nanos();
        }
        left -= weight;
    }
    0
}
