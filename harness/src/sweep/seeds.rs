//! Which seeds a sweep runs: a range, or as many as wanted from a base that a commit or chance gives.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    str::FromStr,
};

use super::Trouble;

/// Digits of a commit's hash that make the base: 48 bits, so that there is room above it.
const COMMIT_DIGITS: usize = 12;
/// How a random base is written down.
const RANDOM: &str = "random";

/// Seeds from `first` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// How they were asked for.
    pub base: String,
    /// The first.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// A half-open range of seeds: `0..100`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedRange {
    /// The first.
    pub from: u64,
    /// The one after the last.
    pub to: u64,
}

/// Where seeds begin that nobody names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeedBase {
    /// By the hash of a commit: the same for everyone who looks at it.
    Commit(String),
    /// Anywhere.
    Random,
}

impl FromStr for SeedRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ends = text
            .split_once("..")
            .and_then(|(from, to)| Some(Self { from: from.parse().ok()?, to: to.parse().ok()? }));
        let seeds =
            ends.ok_or("expected a range of seeds such as `0..100`, below 2 to the 64th")?;
        if seeds.from < seeds.to { Ok(seeds) } else { Err("the range has no seed in it") }
    }
}

impl FromStr for SeedBase {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == RANDOM {
            return Ok(Self::Random);
        }
        let hash = text.len() >= COMMIT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hash {
            Ok(Self::Commit(text.to_ascii_lowercase()))
        } else {
            Err("expected `random`, or a commit's hash of at least 12 hexadecimal digits")
        }
    }
}

impl From<SeedRange> for Seeds {
    fn from(range: SeedRange) -> Self {
        let SeedRange { from, to } = range;
        Self { base: format!("{from}..{to}"), first: from, count: to - from }
    }
}

impl SeedBase {
    /// `count` seeds from it. Errors: there are not so many.
    pub fn seeds(&self, count: u64) -> Result<Seeds, Trouble> {
        let (base, first) = match self {
            Self::Random => {
                (RANDOM.to_owned(), chance() >> (u64::BITS as usize - 4 * COMMIT_DIGITS))
            }
            Self::Commit(hash) => {
                let digits = &hash[..COMMIT_DIGITS];
                let first = u64::from_str_radix(digits, 16).expect("hexadecimal digits");
                (format!("commit {hash}"), first)
            }
        };
        if count == 0 || first.checked_add(count).is_none() {
            return Err(Trouble::Usage(format!(
                "the range of seeds overflows: {count} seeds from {first}"
            )));
        }
        Ok(Seeds { base, first, count })
    }
}

impl Seeds {
    /// Whether chance chose them, so that a sweep that is resumed keeps those it had.
    pub fn by_chance(&self) -> bool {
        self.base == RANDOM
    }
}

/// A number that is another one in every process.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_read_as_a_half_open_range() {
        assert_eq!("0..100".parse(), Ok(SeedRange { from: 0, to: 100 }));
        assert_eq!("5..5".parse::<SeedRange>(), Err("the range has no seed in it"));
        for text in
            ["", "5", "5..", "..5", "a..b", "-1..2", "0..=3", "0.5..2", "0..18446744073709551616"]
        {
            assert!(text.parse::<SeedRange>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_commit_gives_everyone_the_same_seeds() {
        let base: SeedBase = "0123456789ABCDEF0123".parse().unwrap();
        let seeds = base.seeds(10).unwrap();
        assert_eq!((seeds.first, seeds.count), (0x0123_4567_89ab, 10));
        assert_eq!(seeds.base, "commit 0123456789abcdef0123");
        assert!("0123456".parse::<SeedBase>().is_err());
        assert!("HEAD".parse::<SeedBase>().is_err());
        assert!(base.seeds(u64::MAX).is_err());
        assert!(base.seeds(0).is_err());
    }

    #[test]
    fn chance_leaves_room_above_it() {
        let seeds = "random".parse::<SeedBase>().unwrap().seeds(1 << 40).unwrap();
        assert!(seeds.by_chance() && seeds.first < 1 << 48);
    }
}
