//! The scenarios of a plan at every point of their grids, made once for all seeds.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use results::Plan;

use crate::{
    run::Deployed,
    scenario::{Expectation, Scenario, diagnostic::Rejected, sweep::with_settings},
};

/// A scenario at one point of its grid.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which scenario of the plan.
    pub scenario: usize,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
    /// A hash of its text: 32 hexadecimal digits.
    pub hash: String,
    /// The point's name; empty where there is no grid.
    pub cell: String,
    /// What it sets.
    pub settings: Vec<(String, String)>,
    /// The scenario as it is there.
    pub stated: Scenario,
}

impl Place {
    /// Whether it must fail.
    pub fn is_canary(&self) -> bool {
        matches!(self.stated.expect.outcome, Expectation::Violates(_))
    }
}

/// Every place of `plan`, in its order.
///
/// Errors: what `simctl` of today makes of a text, where that is not a scenario.
pub fn places(plan: &Plan) -> Result<Vec<Place>, Vec<Rejected>> {
    let (mut places, mut rejected) = (Vec::new(), Vec::new());
    for (scenario, planned) in plan.scenarios.iter().enumerate() {
        for cell in &planned.cells {
            let path = Path::new(&planned.path);
            match with_settings(path, &planned.text, &cell.settings) {
                Ok(stated) => places.push(Place {
                    scenario,
                    name: planned.name.clone(),
                    path: path.to_owned(),
                    hash: planned.hash.clone(),
                    cell: cell.name(),
                    settings: cell.settings.clone(),
                    stated,
                }),
                Err(mistakes) => rejected.push(*mistakes),
            }
        }
    }
    if rejected.is_empty() { Ok(places) } else { Err(rejected) }
}

/// What all runs at one place share, made by whoever comes first.
pub struct Shared<'p> {
    place: &'p Place,
    deployed: OnceLock<Result<Deployed<'p>, String>>,
}

impl<'p> Shared<'p> {
    /// Of `place`; nothing is made yet.
    pub fn new(place: &'p Place) -> Self {
        Self { place, deployed: OnceLock::new() }
    }

    /// The place.
    pub fn place(&self) -> &'p Place {
        self.place
    }

    /// What its runs share. Errors: it cannot be deployed, which a checked scenario never meets.
    pub fn deployed(&self) -> Result<&Deployed<'p>, &str> {
        let make = || Deployed::new(&self.place.stated).map_err(|error| error.to_string());
        self.deployed.get_or_init(make).as_ref().map_err(String::as_str)
    }
}
