//! What bots draw: cheap, and the same on every machine.

/// xoshiro256++ seeded by splitmix64.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The generator of `seed`.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        }))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let state = &mut self.0;
        let drawn = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        drawn
    }

    /// Uniform in `0..bound`, by multiply and shift: the bias is below `bound / 2^32`.
    ///
    /// A `bound` is at most 2^32.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() >> 32) * bound) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first words of the reference implementations in C, xoshiro256++ 1.0 seeded by splitmix64 from 0.
    #[test]
    fn words_are_those_of_the_reference() {
        let mut rng = Rng::new(0);
        let words = [(); 3].map(|()| rng.next_u64());
        assert_eq!(words, [0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc]);
    }

    #[test]
    fn a_draw_is_below_its_bound_and_reaches_all_of_it() {
        let mut rng = Rng::new(1);
        let mut met = [0; 5];
        (0..1_000).for_each(|_| met[rng.below(5) as usize] += 1);
        assert!(met.iter().all(|times| *times > 100), "{met:?}");
    }
}
