//! Draws every accident from a stream of its own.
//!
//! The eight words of an occasion are words `8 * index ..` of the ChaCha8 stream whose key is (seed,
//! site) and whose nonce is the entity. They are a function of the occasion alone, so no draw moves
//! another, and the cache in front decides only how fast they come.

use contract::{Aspect, Choices, Occasion, choices::WORDS};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// Bytes that one step of the generator makes: four blocks.
const LINE_BYTES: usize = 256;
/// Indexes whose words one line holds.
const LINE_INDEXES: u64 = 8;
/// Lines at first; a power of two. A run of a few nodes fits them.
const LINES_MIN: usize = 1 << 8;
/// Lines at most: 4 MiB, after which a larger cache costs more in misses than it saves in draws.
const LINES_MAX: usize = 1 << 14;

/// Settles every accident as drawn.
#[derive(Clone)]
pub struct Seeded {
    seed: u64,
    names: Vec<Name>,
    lines: Vec<[u8; LINE_BYTES]>,
    /// Lines that were overwritten since the cache last grew.
    evicted: usize,
}

/// What a line holds: the site in the high bits of `first`, which fits as lines number 2^61 at most.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    entity: u64,
    site: u32,
    line: u64,
}

/// No site has this number.
const EMPTY: Name = Name { entity: 0, site: 0, line: 0 };

impl Seeded {
    /// The accidents of `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            names: vec![EMPTY; LINES_MIN],
            lines: vec![[0; LINE_BYTES]; LINES_MIN],
            evicted: 0,
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    fn place(&self, name: Name) -> usize {
        let mixed = (name.entity ^ u64::from(name.site).rotate_left(48))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.names.len() - 1)
    }

    #[cold]
    #[inline(never)]
    fn draw(&mut self, name: Name) -> usize {
        if self.evicted > self.names.len() && self.names.len() < LINES_MAX {
            let lines = self.names.len() * 4;
            self.names = vec![EMPTY; lines];
            self.lines = vec![[0; LINE_BYTES]; lines];
            self.evicted = 0;
        }
        let place = self.place(name);
        let held = self.names[place];
        self.evicted += usize::from(held.site != 0 && held.entity != name.entity);
        self.names[place] = name;
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&name.site.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        stream.set_stream(name.entity);
        stream.set_word_pos(u128::from(name.line) * u128::from(LINE_INDEXES * WORDS as u64));
        stream.fill_bytes(&mut self.lines[place]);
        place
    }
}

impl Choices for Seeded {
    #[inline]
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        let name = Name {
            entity: occasion.entity,
            site: occasion.site as u32,
            line: occasion.index / LINE_INDEXES,
        };
        let mut place = self.place(name);
        if self.names[place] != name {
            place = self.draw(name);
        }
        let from = (occasion.index % LINE_INDEXES) as usize * WORDS * 4;
        let mut words = [0; WORDS];
        let bytes = self.lines[place][from..from + WORDS * 4].as_chunks::<4>().0;
        for (word, bytes) in words.iter_mut().zip(bytes) {
            *word = u32::from_le_bytes(*bytes);
        }
        words
    }

    #[inline]
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
    use contract::Site;

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
        assert!(mixed.names.len() > LINES_MIN, "the cache never grew, so this tested nothing");
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
