//! A sweep that is kept nowhere: what its runs come to is added up, and no file is written.

use results::store::StoreError;

use super::{
    gather::{Done, Gathered},
    runner::Keep,
};

/// What the runs of a sweep came to, in memory alone.
#[derive(Debug, Default)]
pub struct Nowhere {
    gathered: Gathered,
    /// The jobs before this one are done.
    done: u64,
}

impl Nowhere {
    /// What all runs came to.
    pub fn finish(self) -> Gathered {
        self.gathered
    }
}

impl Keep for Nowhere {
    fn take(&mut self, number: u64, done: Option<Done>) -> Result<(), StoreError> {
        if let Some(mut done) = done {
            self.gathered.take(&mut done);
        }
        self.done = number + 1;
        Ok(())
    }

    fn flush_if_due(&mut self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn flush(&mut self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn gathered(&self) -> &Gathered {
        &self.gathered
    }

    fn told(&self, taken: u64, failed: u64) -> (u64, u64) {
        (taken, failed)
    }
}
