//! Writes down what goes wrong.

use contract::{Aspect, Choices, Occasion, choices::WORDS};

/// One accident that was not benign, and the value it got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// Which accident.
    pub occasion: Occasion,
    /// Which of its decisions.
    pub aspect: Aspect,
    /// What was settled.
    pub value: u64,
}

/// Settles as `inner` does and keeps a log of every decision that was not benign.
#[derive(Clone, Debug)]
pub struct Recorded<C> {
    /// Who settles.
    pub inner: C,
    /// What went wrong so far, in the order in which it was settled.
    pub log: Vec<Decision>,
}

impl<C: Choices> Recorded<C> {
    /// Records `inner`, from now on.
    pub fn new(inner: C) -> Self {
        Self { inner, log: Vec::new() }
    }
}

impl<C: Choices> Choices for Recorded<C> {
    fn words(&mut self, occasion: Occasion) -> [u32; WORDS] {
        self.inner.words(occasion)
    }

    fn settle(&mut self, occasion: Occasion, aspect: Aspect, drawn: u64, benign: u64) -> u64 {
        let value = self.inner.settle(occasion, aspect, drawn, benign);
        if value != benign {
            self.log.push(Decision { occasion, aspect, value });
        }
        value
    }
}
