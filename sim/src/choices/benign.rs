//! Nothing ever goes wrong.

use contract::{Aspect, Choices, Occasion, choices::WORDS};

/// Settles every accident as its benign value, and hands out no entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Benign;

impl Choices for Benign {
    fn words(&mut self, _: Occasion) -> [u32; WORDS] {
        [0; WORDS]
    }

    fn settle(&mut self, _: Occasion, _: Aspect, _: u64, benign: u64) -> u64 {
        benign
    }
}
