//! Draws every accident from a stream of its own.
//!
//! The eight words of an occasion are words `8 * index ..` of the ChaCha8 stream whose key is (seed,
//! site) and whose nonce is the entity: a function of the occasion alone, so no draw moves another, and
//! the cache in front decides only how fast they come.

use super::chacha;
use contract::{Aspect, Choices, Occasion, Site, choices::WORDS};

/// Occasions whose words are one block of the stream.
const BLOCK_OCCASIONS: u64 = 2;
/// Blocks that are kept; a power of two. With their names they fit a core's own cache; a link that
/// finds its block gone draws it again, which costs less than a miss beyond that cache.
const BLOCKS: usize = 1 << 12;
/// Bits that a site's number has at most.
const SITE_BITS: u32 = 4;

/// Settles every accident as drawn.
#[derive(Clone)]
pub struct Seeded {
    seed: u64,
    /// What each block holds.
    names: Box<[Name; BLOCKS]>,
    /// A cache: a block is in the place that its entity gives it, or not at all.
    blocks: Box<[Block; BLOCKS]>,
}

/// Two occasions that follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    entity: u64,
    /// Which two, and below that the site; 0 where there is no block, as no site has the number 0.
    tag: u64,
}

/// Words of a block, in one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block([[u32; WORDS]; BLOCK_OCCASIONS as usize]);

impl Name {
    #[inline(always)]
    fn of(occasion: Occasion) -> Self {
        const { assert!((Site::Run as u32) < 1 << SITE_BITS) };
        let tag = (occasion.index / BLOCK_OCCASIONS) << SITE_BITS | occasion.site as u64;
        Self { entity: occasion.entity, tag }
    }
}

impl Seeded {
    /// The accidents of `seed`.
    pub fn new(seed: u64) -> Self {
        let names = vec![Name { entity: 0, tag: 0 }; BLOCKS];
        let blocks = vec![Block([[0; WORDS]; BLOCK_OCCASIONS as usize]); BLOCKS];
        Self {
            seed,
            names: names.try_into().unwrap_or_else(|_| unreachable!("as many as blocks")),
            blocks: blocks.try_into().unwrap_or_else(|_| unreachable!("as many as blocks")),
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

impl Choices for Seeded {
    #[inline(always)]
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        let mixed =
            (occasion.entity ^ (occasion.site as u64) << 60).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (mixed >> 40) as usize % BLOCKS;
        let name = Name::of(occasion);
        if self.names[place] != name {
            self.names[place] = name;
            let seed = [self.seed as u32, (self.seed >> 32) as u32, occasion.site as u32, 0];
            let counter = occasion.index / BLOCK_OCCASIONS;
            let words = self.blocks[place].0.as_flattened_mut();
            chacha::block([seed, [0; 4]], occasion.entity, counter, words);
        }
        self.blocks[place].0[(occasion.index % BLOCK_OCCASIONS) as usize]
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
        // Another order, and other occasions between that take the place of each.
        let mut mixed = Seeded::new(7);
        for entity in (0..4_000).rev() {
            for other in 0..20 {
                mixed.words(occasion(entity * 1_000 + other, 3));
            }
            for _ in 0..2 {
                assert_eq!(mixed.words(occasion(entity, entity % 100)), expected[entity as usize]);
            }
        }
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
