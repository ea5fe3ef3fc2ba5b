//! Laws of replicated types, tried on what runs reach: which hold how often, and the smallest case of one
//! that does not.

use std::collections::BTreeMap;

use crdt::{Value, catalogue::Draw};

use super::Progress;

mod collection;
mod effects;
mod joined;
pub mod meanings;
pub mod planted;
mod products;

pub use collection::{Stability, of_collection};
pub use effects::of_effects;
pub use joined::of_joins;
pub use products::OfProducts;

/// A law: what it is called, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Law {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// How often each law was tried, and one that did not hold.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Runs that were looked at.
    pub cases: u64,
    /// By law, how often it was tried.
    pub counts: BTreeMap<&'static str, (Law, u64)>,
    /// The smallest case of the first law that did not hold.
    pub broken: Option<Broken>,
    /// What was counted beside, which need not hold.
    pub notes: Vec<Note>,
}

/// Something that was counted and is no law: of so many cases, in how many it is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was looked for.
    pub name: &'static str,
    /// What was looked at.
    pub of: String,
    /// Cases.
    pub tried: u64,
    /// Cases in which it is not so.
    pub not: u64,
}

/// A law that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub law: Law,
    /// What was done before, one step a line.
    pub run: Vec<String>,
    /// What the law was tried on, and what came of its two sides: name and content.
    pub terms: Vec<(String, String)>,
}

impl Tried {
    /// A law was tried on `terms` and held, or not.
    fn law(
        &mut self,
        law: Law,
        holds: bool,
        terms: impl FnOnce() -> Vec<(String, String)>,
    ) -> Result<(), Box<Broken>> {
        self.counts.entry(law.name).or_insert((law, 0)).1 += 1;
        if holds {
            return Ok(());
        }
        Err(Box::new(Broken { law, run: Vec::new(), terms: terms() }))
    }

    /// Takes in what was tried elsewhere. A law that is broken already stays.
    pub fn add(&mut self, other: Self) {
        self.cases += other.cases;
        for (name, (law, count)) in other.counts {
            self.counts.entry(name).or_insert((law, 0)).1 += count;
        }
        self.broken = self.broken.take().or(other.broken);
        self.notes.extend(other.notes);
    }
}

/// A term of a law.
fn term(name: &str, content: &impl std::fmt::Debug) -> (String, String) {
    (name.to_owned(), format!("{content:?}"))
}

/// Tries `cases` runs that `draw` makes from the seeds after `seed`, until a law is broken; then makes that
/// run smaller by `smaller`, as long as the same law is broken. `progress` may end it before.
fn cases<R>(
    cases: u64,
    seed: u64,
    progress: Progress<'_>,
    draw: impl Fn(&mut Draw) -> R,
    smaller: impl Fn(&R) -> Vec<R>,
    check: impl Fn(&R, &mut Tried) -> Result<(), Box<Broken>>,
    told: impl Fn(&R) -> Vec<String>,
) -> Tried {
    let mut tried = Tried::default();
    for number in 0..cases {
        let mut run = draw(&mut Draw(seed.wrapping_add(number)));
        tried.cases += 1;
        if let Err(mut broken) = check(&run, &mut tried) {
            'smaller: loop {
                for candidate in smaller(&run) {
                    match check(&candidate, &mut Tried::default()) {
                        Err(still) if still.law == broken.law => {
                            (run, broken) = (candidate, still);
                            continue 'smaller;
                        }
                        _ => {}
                    }
                }
                break;
            }
            tried.broken = Some(Broken { run: told(&run), ..*broken });
            break;
        }
        if progress(tried.cases).is_break() {
            break;
        }
    }
    tried
}

/// `operation` with a simpler number somewhere.
pub(super) fn simpler(operation: &Value) -> Vec<Value> {
    let Value::Map(parts) = operation else { return Vec::new() };
    let mut found = Vec::new();
    for (key, value) in parts {
        let Value::Int(number) = value else { continue };
        for small in [1, 2, 3, 0].into_iter().filter(|small| *small < number.abs()) {
            let mut parts = parts.clone();
            parts.insert(key.clone(), Value::Int(small));
            found.push(Value::Map(parts));
        }
    }
    found
}
