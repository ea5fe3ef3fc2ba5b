//! The workload's own randomness: cheap, so that what is measured is the simulator.

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

    /// The generator of one node of a run.
    pub fn of_node(seed: u64, node: usize) -> Self {
        Self::new(seed ^ ((node as u64 + 1) << 32))
    }

    /// The next 64 bits.
    #[inline]
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
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() >> 32) * bound) >> 32
    }

    /// True once in a hundred.
    #[inline]
    pub fn one_percent(&mut self) -> bool {
        self.below(100) == 0
    }

    /// A node other than `me`, uniform over the others.
    #[inline]
    pub fn peer(&mut self, me: usize, nodes: usize) -> usize {
        let drawn = self.below(nodes as u64 - 1) as usize;
        drawn + usize::from(drawn >= me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_any_node_but_oneself() {
        let mut rng = Rng::new(1);
        let mut met = [0; 5];
        for _ in 0..4_000 {
            met[rng.peer(2, 5)] += 1;
        }
        assert_eq!(met[2], 0);
        assert!(met.iter().enumerate().all(|(node, times)| node == 2 || *times > 800), "{met:?}");
    }
}
