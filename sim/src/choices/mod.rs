//! Who settles accidents: strategies over the one interface [`contract::Choices`].
//!
//! [`Seeded`] draws, [`Benign`] lets nothing go wrong, [`Recorded`] logs what another strategy let go
//! wrong, [`Replayed`] repeats such a log.

mod benign;
mod chacha;
mod recorded;
mod replayed;
mod seeded;

pub use benign::Benign;
pub use recorded::{Decision, Recorded};
pub use replayed::Replayed;
pub use seeded::{Seeded, word_pair};
