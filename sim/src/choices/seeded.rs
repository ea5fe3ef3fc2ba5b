//! Draws every accident from a stream of its own.
//!
//! The eight words of an occasion are words `8 * index ..` of the ChaCha8 stream whose key is (seed,
//! site) and whose nonce is the entity: a function of the occasion alone, so no draw moves another, and
//! the cache in front decides only how fast they come.

use super::chacha;
use contract::{Aspect, Choices, Occasion, Site, choices::WORDS};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Occasions whose words are one block of the stream.
const BLOCK_OCCASIONS: u64 = 2;
/// Lines that are kept: 256 KiB of short ones or 1 MiB of long ones. More are slower on a machine whose
/// caches others use as well.
const LINES: usize = 1 << 12;
/// Blocks of a long line, as a power of two: as many as `rand_chacha` makes at once, for little more
/// than one.
const LONG: u32 = 2;
/// Lines drawn for links well in use, after which lines get long.
const USED_MAX: usize = 1 << 8;
/// Long lines that were lost before they were used up, after which no more lines are kept.
const LOST_MAX: usize = 1 << 13;
/// Bits that a site's number has at most.
const SITE_BITS: u32 = 4;

/// Settles every accident as drawn.
#[derive(Clone)]
pub struct Seeded {
    seed: u64,
    /// What each line holds. A line is in the place that its entity gives it, or not at all.
    names: Box<[Name; LINES]>,
    /// The lines.
    blocks: Vec<Block>,
    /// Blocks in a line as a power of two, 0 or [`LONG`]. Long lines are cheaper while every link that is
    /// in use has one; in a larger fleet they would be lost before they are used up.
    span: u32,
    /// Whether no lines are kept: so many streams are in use that a line is lost before it is used again.
    scattered: bool,
    /// What [`USED_MAX`] and [`LOST_MAX`] count.
    used: usize,
    lost: usize,
}

/// Occasions that follow each other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    entity: u64,
    /// Which ones, and below that the site; 0 where there is no line, as no site has the number 0.
    tag: u64,
}

/// Words of a block, in one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block([u32; WORDS * BLOCK_OCCASIONS as usize]);

const NONE: Name = Name { entity: 0, tag: 0 };
const EMPTY: Block = Block([0; WORDS * BLOCK_OCCASIONS as usize]);

impl Seeded {
    /// The accidents of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            names: Box::new([NONE; LINES]),
            blocks: vec![EMPTY; LINES],
            span: 0,
            scattered: false,
            used: 0,
            lost: 0,
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The place of an occasion's line and the name it has.
    #[inline(always)]
    fn line(&self, occasion: Occasion) -> (usize, Name) {
        const { assert!((Site::Run as u32) < 1 << SITE_BITS) };
        // Links between the first 64 nodes have places of their own, as far as there are places.
        let spread = (occasion.entity >> 32).wrapping_mul(64).wrapping_add(occasion.entity);
        let place = (spread ^ (occasion.site as u64) << 7) as usize % LINES;
        let number = (occasion.index / BLOCK_OCCASIONS) >> self.span;
        (place, Name { entity: occasion.entity, tag: number << SITE_BITS | occasion.site as u64 })
    }

    /// Chooses how long lines are, before one is drawn for `occasion`.
    fn adapt(&mut self, occasion: Occasion) {
        let part = occasion.index % (BLOCK_OCCASIONS << LONG);
        if self.span == LONG {
            // Whoever asks for a later occasion of a line has asked for an earlier one before.
            self.lost += usize::from(part > 0);
        } else {
            self.used += usize::from(occasion.index > part);
        }
        self.scattered = self.lost > LOST_MAX;
        if self.span == 0 && self.used > USED_MAX {
            self.span = LONG;
            self.names.fill(NONE);
            self.blocks = vec![EMPTY; LINES << LONG];
        }
    }

    /// The key of a site's streams.
    #[inline(always)]
    fn key(&self, site: Site) -> [[u32; 4]; 2] {
        [[self.seed as u32, (self.seed >> 32) as u32, site as u32, 0], [0; 4]]
    }

    /// Draws the block of `occasion`.
    #[inline(always)]
    fn block(&self, occasion: Occasion) -> [u32; WORDS * BLOCK_OCCASIONS as usize] {
        let Occasion { site, entity, index } = occasion;
        chacha::block(self.key(site), entity, index / BLOCK_OCCASIONS)
    }

    /// Draws the line of `occasion` into its place.
    #[inline(never)]
    fn draw(&mut self, occasion: Occasion) {
        self.adapt(occasion);
        let (place, name) = self.line(occasion);
        self.names[place] = name;
        let first = name.tag >> SITE_BITS << self.span;
        let key = self.key(occasion.site);
        let blocks = &mut self.blocks[place << self.span..][..1 << self.span];
        if let [block] = blocks {
            block.0 = chacha::block(key, occasion.entity, first);
            return;
        }
        let mut seed = [0; 32];
        for (bytes, word) in seed.as_chunks_mut::<4>().0.iter_mut().zip(key.as_flattened()) {
            *bytes = word.to_le_bytes();
        }
        let mut stream = ChaCha8Rng::from_seed(seed);
        stream.set_stream(occasion.entity);
        stream.set_word_pos(u128::from(first) * 16);
        let mut bytes = [0; size_of::<Block>() << LONG];
        stream.fill_bytes(&mut bytes);
        for (block, bytes) in blocks.iter_mut().zip(bytes.as_chunks::<{ size_of::<Block>() }>().0) {
            block.0 = std::array::from_fn(|at| u32::from_le_bytes(bytes.as_chunks().0[at]));
        }
    }
}

impl Choices for Seeded {
    #[inline(always)]
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        let half = (occasion.index % BLOCK_OCCASIONS) as usize;
        // Many streams are never asked for more than their first words: these keep no line.
        if self.scattered || occasion.index == 0 {
            return self.block(occasion).as_chunks().0[half];
        }
        let (place, name) = self.line(occasion);
        if self.names[place] != name {
            self.draw(occasion);
        }
        let block = (occasion.index / BLOCK_OCCASIONS) as usize & ((1 << self.span) - 1);
        self.blocks[(place << self.span) + block].0.as_chunks().0[half]
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
                mixed.words(occasion(entity * 1_000 + other, other));
            }
            for _ in 0..2 {
                assert_eq!(mixed.words(occasion(entity, entity % 100)), expected[entity as usize]);
            }
        }
        assert!(alone.span == LONG && !alone.scattered, "long lines were read");
        assert!(mixed.scattered, "words were drawn without lines");
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
