//! Codes of the counter that are wrong, or odd on purpose: what an upgrade must survive, and what
//! checkers must find. Each is the good code of its version but for one flaw.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    Body, Fault, Manifest, Meter, Program,
    native::{
        Listed,
        counter::{
            Edition, Request, build,
            entries::{Amount, Entries, Entry, State},
            listed, one,
            three::{Folded, Three},
            two::{self, Two, UpDown},
        },
        typed::Typed,
    },
};

/// The codes, by version.
pub(in crate::native) const LIST: &[Listed] = &[
    flawed("over-budget", "its migration costs more than any budget", || two(Flaw::OverBudget)),
    flawed("fails-on-n1", "its migration refuses the state of n1", || two(Flaw::FailsOnN1)),
    flawed("fails-on-odd", "its migration refuses a node that counted an odd sum", || {
        two(Flaw::FailsOnOdd)
    }),
    flawed("drops-count", "its migration loses what the node itself counted", || {
        two(Flaw::DropsCount)
    }),
    flawed("ill-typed", "its migration leaves bytes that are no state", || two(Flaw::IllTyped)),
    flawed("impure", "its migration counts one more every time it is tried", || {
        two(Flaw::Impure(AtomicU64::new(0)))
    }),
    flawed("no-edge", "no edge leads to it", || two(Flaw::NoEdge)),
    flawed("no-convert", "its edge refuses the `add` of 1.x", || two(Flaw::NoConvert)),
    flawed("mistranslates", "its edge reads an `add` of 1.x as a thousand times as much", || {
        two(Flaw::Mistranslates)
    }),
    flawed("fresh", "its migration drops the map on purpose and declares no measure", || {
        two(Flaw::Fresh)
    }),
    flawed("other", "as 2.0.0, from another build: a second code under one version", || {
        two(Flaw::None)
    }),
    listed("3.0.0", Some("strays"), "its own edge from 1.x disagrees with that of 2.0.0", || {
        build(Strays)
    }),
];

/// What is wrong with a 2.0.0.
enum Flaw {
    OverBudget,
    FailsOnN1,
    FailsOnOdd,
    DropsCount,
    IllTyped,
    /// How often it was tried.
    Impure(AtomicU64),
    NoEdge,
    NoConvert,
    Mistranslates,
    Fresh,
    None,
}

const fn flawed(
    variant: &'static str,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    listed("2.0.0", Some(variant), about, build)
}

fn two(flaw: Flaw) -> Arc<dyn Program> {
    build(flaw)
}

impl Edition for Flaw {
    type Entry = UpDown;

    fn manifest(&self) -> Manifest {
        let mut manifest = Two.manifest();
        match self {
            Self::NoEdge => manifest.edges.clear(),
            Self::Fresh => manifest.measures.clear(),
            _ => {}
        }
        manifest
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, UpDown>, Fault> {
        Two.request(body)
    }

    fn map_tag(&self) -> u32 {
        Two.map_tag()
    }

    fn compare(&self, map: &Entries<UpDown>) -> Body {
        Two.compare(map)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let mut good = State::<UpDown>::read(&Two.migrate(edge, state, meter)?, "state")?;
        let own = good.map.get(good.id);
        match self {
            Self::OverBudget => {
                let budget = meter.budget();
                return Err(Fault::OverBudget { spent: u64::MAX, budget });
            }
            Self::FailsOnN1 if good.id == 1 => {
                return Err(Fault::Refused("the state of n1 is refused".to_owned()));
            }
            Self::FailsOnOdd if own.total() % 2 != 0 => {
                return Err(Fault::Refused(format!("an odd count of {} is refused", own.total())));
            }
            Self::NoEdge => return Err(Fault::Refused(format!("no edge {edge}"))),
            Self::DropsCount => good.map.remove(good.id),
            Self::Fresh => good.map = Entries::default(),
            Self::Impure(tries) => {
                let plus = tries.fetch_add(1, Ordering::Relaxed);
                good.map.credit(good.id, Amount { plus, minus: 0 })?;
            }
            _ => {}
        }
        let mut bytes = good.bytes();
        if matches!(self, Self::IllTyped) {
            bytes.push(0xff);
        }
        Ok(bytes)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        match (self, body.tag) {
            (Self::NoEdge, _) => Err(Fault::Refused(format!("no edge {edge}"))),
            (Self::NoConvert, one::ADD) => {
                Err(Fault::Refused("an `add` of 1.x is refused".to_owned()))
            }
            (Self::Mistranslates, one::ADD) => {
                let by = one::Add::read_body(body)?.by.saturating_mul(1_000);
                Two.convert(edge, &one::Add { by: by.min(i64::MAX as u64) }.body(one::ADD))
            }
            _ => Two.convert(edge, body),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        two::drawn(kind, entropy)
    }
}

/// A 3.0.0 that takes 1.x elsewhere than 2.0.0 does: the same total, but counted one up and one down.
struct Strays;

impl Edition for Strays {
    type Entry = Folded;

    fn manifest(&self) -> Manifest {
        Three.manifest()
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, Folded>, Fault> {
        Three.request(body)
    }

    fn map_tag(&self) -> u32 {
        Three.map_tag()
    }

    fn compare(&self, map: &Entries<Folded>) -> Body {
        Three.compare(map)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let migrated = Three.migrate(edge, state, meter)?;
        if edge != 0 {
            return Ok(migrated);
        }
        let State { id, mut map } = State::<UpDown>::read(&migrated, "state")?;
        map.credit(id, Amount { plus: 1, minus: 1 })?;
        Ok(State { id, map }.bytes())
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        Three.convert(edge, body)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Three.operation(kind, entropy)
    }
}
