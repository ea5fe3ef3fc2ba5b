//! Draws every accident from a stream of its own.
//!
//! The eight words of an occasion are words `8 * index ..` of the ChaCha8 stream whose key is (seed,
//! site) and whose nonce is the entity. They are a function of the occasion alone, so no draw moves
//! another, and the cache in front decides only how fast they come.

use contract::{Aspect, Choices, Occasion, Site, choices::WORDS};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Bytes that one step of the generator makes: four blocks.
const LINE_BYTES: usize = 256;
/// Indexes whose words one line holds.
const LINE_INDEXES: u64 = 8;
/// Lines at first; a power of two. A run of a few nodes fits them.
const LINES_MIN: usize = 1 << 8;
/// Lines at most: 16 MiB. Beyond that a draw is cheaper than the miss that finds it.
const LINES_MAX: usize = 1 << 16;
/// Bits that a site's number has at most.
const SITE_BITS: u32 = 4;

/// Settles every accident as drawn.
#[derive(Clone)]
pub struct Seeded {
    seed: u64,
    /// A cache: a line is in the place that its name gives it, or not at all.
    lines: Vec<Line>,
    /// Lines that were overwritten since the cache last grew.
    evicted: usize,
}

/// The words of eight occasions that follow each other.
#[derive(Clone, Copy)]
struct Line {
    entity: u64,
    /// Which eight, and below that the site; 0 where the line is empty, as no site has the number 0.
    tag: u64,
    bytes: [u8; LINE_BYTES],
}

const EMPTY: Line = Line { entity: 0, tag: 0, bytes: [0; LINE_BYTES] };

impl Seeded {
    /// The accidents of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, lines: vec![EMPTY; LINES_MIN], evicted: 0 }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    #[inline(always)]
    fn place(&self, entity: u64, site: Site) -> usize {
        let mixed = (entity ^ (site as u64) << 60).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize & (self.lines.len() - 1)
    }

    #[cold]
    #[inline(never)]
    fn draw(&mut self, occasion: Occasion) -> usize {
        if self.evicted > self.lines.len() / 2 && self.lines.len() < LINES_MAX {
            let lines = self.lines.len() * 4;
            self.lines = vec![EMPTY; lines];
            self.evicted = 0;
        }
        let place = self.place(occasion.entity, occasion.site);
        let line = &mut self.lines[place];
        self.evicted += usize::from(line.tag != 0 && line.entity != occasion.entity);
        line.entity = occasion.entity;
        line.tag = tag(occasion);
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&(occasion.site as u32).to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(occasion.entity);
        let first = occasion.index / LINE_INDEXES * LINE_INDEXES;
        stream.set_word_pos(u128::from(first) * WORDS as u128);
        stream.fill_bytes(&mut line.bytes);
        place
    }
}

#[inline(always)]
fn tag(occasion: Occasion) -> u64 {
    const { assert!((Site::Run as u32) < 1 << SITE_BITS) };
    (occasion.index / LINE_INDEXES) << SITE_BITS | occasion.site as u64
}

impl Choices for Seeded {
    #[inline(always)]
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        let mut place = self.place(occasion.entity, occasion.site);
        let line = &self.lines[place];
        if line.tag != tag(occasion) || line.entity != occasion.entity {
            place = self.draw(occasion);
        }
        let words = self.lines[place].bytes.as_chunks::<{ WORDS * 4 }>().0;
        let bytes = words[(occasion.index % LINE_INDEXES) as usize].as_chunks::<4>().0;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }

    #[inline(always)]
    fn settle(&mut self, _: Occasion, _: Aspect, drawn: u64, _: u64) -> u64 {
        drawn
    }
}

/// Two words as one number.
pub fn word_pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occasion(entity: u64, index: u64) -> Occasion {
        Occasion { site: Site::Send, entity, index }
    }

    #[test]
    fn words_are_a_function_of_the_occasion_alone() {
        let mut alone = Seeded::new(7);
        let expected: Vec<_> =
            (0..4_000).map(|entity| alone.words(occasion(entity, entity % 100))).collect();
        // Another order, other occasions between, and a cache that has grown meanwhile.
        let mut mixed = Seeded::new(7);
        for entity in (0..4_000).rev() {
            for other in 0..20 {
                mixed.words(occasion(entity * 1_000 + other, 3));
            }
            assert_eq!(mixed.words(occasion(entity, entity % 100)), expected[entity as usize]);
        }
        assert!(mixed.lines.len() > LINES_MIN, "the cache never grew, so this tested nothing");
    }

    #[test]
    fn every_part_of_the_name_changes_the_words() {
        let words =
            |seed, site, entity, index| Seeded::new(seed).words(Occasion { site, entity, index });
        let base = words(1, Site::Send, 1, 1);
        let others = [
            words(2, Site::Send, 1, 1),
            words(1, Site::Persist, 1, 1),
            words(1, Site::Send, 2, 1),
            words(1, Site::Send, 1, 2),
            words(1, Site::Send, 1, 1 << 60),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    /// Golden: whoever changes this changes every run.
    #[test]
    fn the_words_of_seed_0_stay() {
        assert_eq!(Seeded::new(0).words(occasion(0, 0))[..2], [1_389_847_909, 1_072_424_912]);
    }
}
