//! The figures of the papers, to stand beside ours.
//!
//! "Improving Replicated Sequences Performances" and the thesis behind it; those of plots are the means of
//! the published snapshots, or read off.

use std::num::NonZeroU32;

use crate::{
    report::{Report, Reports},
    row::{Bots, Collect, Renames, Row},
    sample::When,
};

/// What bots do in the papers.
const BOTS: Bots = Bots {
    pause_millis: 200,
    spread_millis: 50,
    jump_percent: 5,
    remove_percent: 20,
    full_chars: 60_000,
    full_remove_percent: 50,
};

/// How often they rename there.
const EVERY: [u32; 2] = [30_000, 7_500];

/// Whether `row` is one of the papers', but for its seed, its latency and how often it is looked at.
pub fn is_theirs(row: &Row) -> bool {
    let renames = row.renames.is_none_or(|renames| {
        EVERY.contains(&renames.every.get()) && (1..=4).contains(&renames.renamers.get())
    });
    row.replicas.get() == 10 && row.operations.get() == 150_000 && row.bots == BOTS && renames
}

/// Who renames in a row of the papers; all else is the same in all of them.
pub type Which = Option<Renames>;

const fn which(renamers: u32, every: u32, collect: Collect) -> Which {
    match (NonZeroU32::new(renamers), NonZeroU32::new(every)) {
        (Some(renamers), Some(every)) => Some(Renames { renamers, every, collect }),
        _ => panic!("somebody renames, after some edits"),
    }
}

/// Nobody: the row of LogootSplit.
pub const PLAIN: Which = None;
/// One to four, and former states are kept.
pub const KEPT: [Which; 4] = [
    which(1, EVERY[0], Collect::Never),
    which(2, EVERY[0], Collect::Never),
    which(3, EVERY[0], Collect::Never),
    which(4, EVERY[0], Collect::Never),
];
/// One, and former states are dropped.
pub const DROPPED: Which = which(1, EVERY[0], Collect::Announced);
/// As [`DROPPED`], four times as often.
pub const DROPPED_OFTEN: Which = which(1, EVERY[1], Collect::Announced);

/// Of `reports` that of a row of the papers, whatever it is called; of several the first by name.
pub fn find(reports: &Reports, which: Which) -> Option<&Report> {
    reports.values().find(|report| is_theirs(&report.row) && report.row.renames == which)
}

/// What the papers say of a document at one moment, in MB.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Document {
    /// The text alone.
    pub content: Option<f64>,
    /// Without former states.
    pub alone: Option<f64>,
    /// With those that are kept.
    pub whole: Option<f64>,
}

/// What the papers say of the document of `row` after `step` edits.
pub fn document(row: &Row, step: u32, when: When) -> Document {
    let at = OVERHEAD.iter().find(|at| at.step * 1_000 == step);
    let Some(at) = at.filter(|_| is_theirs(row)) else { return Document::default() };
    let content = Some(at.content).filter(|_| when == When::Before);
    let (mut alone, mut whole) = (None, None);
    match row.renames.map(|renames| (renames.every.get(), renames.collect, renames.renamers.get()))
    {
        None => alone = Some(at.split),
        Some((every, ..)) if every != EVERY[0] => {}
        Some((_, Collect::Never, renamers)) => {
            let kept = match when {
                When::Before => Some(at.kept),
                _ => at.renamed.map(|renamed| renamed.kept),
            };
            whole = kept.map(|kept| kept[renamers as usize - 1]);
        }
        // Of more renamers they show none.
        Some((_, Collect::Announced, renamers)) if renamers > 1 => {}
        Some((_, Collect::Announced, _)) => {
            alone = match when {
                When::Before => Some(at.dropped),
                _ => at.renamed.map(|renamed| renamed.dropped),
            };
        }
    }
    Document { content, alone, whole }
}

/// What the papers say of the lengths of inserts, removals and renames of `row`.
pub fn lengths(row: &Row) -> [Option<Three>; 3] {
    if !is_theirs(row) {
        return [None; 3];
    }
    let every = row.renames.map(|renames| renames.every.get());
    let frequency = every.map_or(0, |every| usize::from(every != EVERY[0]) + 1);
    let renames = frequency.checked_sub(1).map(|at| RENAMES_BY_FREQUENCY[at].size);
    // Renames are in KB there.
    let renames = renames.map(|size| size.map(|kilobytes| kilobytes * 1e3));
    [Some(INSERTS[frequency].size), Some(REMOVALS[frequency].size), renames]
}

/// Sizes in MB of one step; of an array the entry of one to four renamers.
#[derive(Clone, Copy, Debug)]
pub struct Overhead {
    /// Edits, in thousands.
    pub step: u32,
    /// The text alone.
    pub content: f64,
    /// Never renamed.
    pub split: f64,
    /// Renamed by one, former states dropped at once.
    pub dropped: f64,
    /// Renamed, former states never dropped.
    pub kept: [f64; 4],
    /// Right after the renames of the step, where there are any.
    pub renamed: Option<Renamed>,
}

/// [`Overhead`] right after renames.
#[derive(Clone, Copy, Debug)]
pub struct Renamed {
    /// See there.
    pub dropped: f64,
    /// See there.
    pub kept: [f64; 4],
}

const fn renamed(dropped: f64, kept: [f64; 4]) -> Option<Renamed> {
    Some(Renamed { dropped, kept })
}

const fn overhead(
    step: u32,
    [content, split, dropped]: [f64; 3],
    kept: [f64; 4],
    renamed: Option<Renamed>,
) -> Overhead {
    Overhead { step, content, split, dropped, kept, renamed }
}

/// The figure of memory.
pub const OVERHEAD: [Overhead; 6] = [
    overhead(10, [0.012, 1.47, 1.49], [1.49, 1.47, 1.44, 1.49], None),
    overhead(
        30,
        [0.036, 4.95, 5.06],
        [5.06, 4.95, 4.91, 5.04],
        renamed(0.037, [2.83, 5.49, 8.13, 11.2]),
    ),
    overhead(
        60,
        [0.072, 10.6, 3.12],
        [5.92, 8.53, 11.2, 14.2],
        renamed(0.073, [4.25, 8.24, 12.3, 16.7]),
    ),
    overhead(
        90,
        [0.108, 16.6, 3.07],
        [7.24, 11.2, 15.3, 19.7],
        renamed(0.109, [5.58, 10.9, 16.2, 21.9]),
    ),
    overhead(
        120,
        [0.120, 20.1, 2.14],
        [7.61, 12.9, 18.2, 24.0],
        renamed(0.122, [6.47, 12.6, 18.8, 25.5]),
    ),
    overhead(
        150,
        [0.120, 22.1, 1.70],
        [8.05, 14.2, 20.4, 27.0],
        renamed(0.122, [7.15, 14.0, 20.9, 28.2]),
    ),
];

/// Median times of a rename, in ms: edits in thousands; local, remote, concurrent greater and lesser.
pub const RENAMES: [(u32, [f64; 4]); 5] = [
    (30, [38.7, 477.0, 644.0, 1.3]),
    (60, [78.2, 978.0, 1_316.0, 2.7]),
    (90, [119.0, 1_482.0, 1_994.0, 4.2]),
    (120, [144.0, 1_664.0, 2_233.0, 5.1]),
    (150, [158.0, 1_676.0, 2_234.0, 5.3]),
];

/// Mean, median and last percentile.
pub type Three = [f64; 3];

/// Operations of one kind in one row: time and size. Inserts and removals in µs and bytes, renames in ms
/// and KB.
#[derive(Clone, Copy, Debug)]
pub struct Operations {
    /// What they take.
    pub time: Three,
    /// How long they are.
    pub size: Three,
}

const fn operations(time: Three, size: Three) -> Operations {
    Operations { time, size }
}

/// Inserts without renames, with renames every 30,000 and every 7,500 edits.
pub const INSERTS: [Operations; 3] = [
    operations([471.0, 460.0, 768.0], [593.0, 584.0, 1_136.0]),
    operations([397.0, 323.0, 587.0], [442.0, 378.0, 958.0]),
    operations([393.0, 265.0, 381.0], [389.0, 378.0, 590.0]),
];

/// As [`INSERTS`].
pub const REMOVALS: [Operations; 3] = [
    operations([280.0, 270.0, 435.0], [632.0, 618.0, 1_170.0]),
    operations([247.0, 181.0, 308.0], [434.0, 412.0, 900.0]),
    operations([296.0, 151.0, 214.0], [401.0, 412.0, 596.0]),
];

/// Renames every 30,000 and every 7,500 edits.
pub const RENAMES_BY_FREQUENCY: [Operations; 2] = [
    operations([1_022.0, 1_188.0, 1_276.0], [1_366.0, 1_258.0, 3_373.0]),
    operations([861.0, 974.0, 1_445.0], [273.0, 302.0, 542.0]),
];

/// What an insert takes, in µs, at 10,000 and at 150,000 edits: without renames here and from elsewhere,
/// with renames here, from elsewhere, from the epoch before and from a concurrent one. Read off.
pub const INSERT_TIMES: [&str; 6] =
    ["142 to 174", "295 to 420", "140 to 110-137", "250-300", "335 to 300", "400 to 372"];

/// Seconds for the log of 150,000 operations: without renames, and with one to four renamers. Read off.
pub const REPLAY: [f64; 5] = [51.0, 50.0, 54.0, 54.0, 56.5];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::tests::SMALL;

    fn row(renames: &str) -> Row {
        let text = SMALL.split("\n[renames]").next().unwrap().to_owned() + renames;
        let text = text.replace("replicas = 4", "replicas = 10");
        let text = text.replace("full-chars = 400", "full-chars = 60_000");
        let text = text.replace("operations = 1_200", "operations = 150_000");
        Row::parse("row", &text).unwrap()
    }

    fn renames(renamers: u32, every: u32, collect: &str) -> Row {
        let text = format!("renamers = {renamers}\nevery = {every}\ncollect = \"{collect}\"\n");
        row(&format!("\n[renames]\n{text}"))
    }

    #[test]
    fn figures_stand_beside_rows_that_they_are_of() {
        let of = |row: &Row, when| {
            let Document { alone, whole, .. } = document(row, 150_000, when);
            (alone, whole)
        };
        assert_eq!(of(&row(""), When::Before), (Some(22.1), None));
        let kept = renames(3, 30_000, "never");
        assert_eq!(of(&kept, When::Before), (None, Some(20.4)));
        assert_eq!(of(&kept, When::Renamed), (None, Some(20.9)));
        let dropped = renames(1, 30_000, "announced");
        assert_eq!(of(&dropped, When::Before), (Some(1.7), None));
        assert_eq!(of(&dropped, When::Collected), (Some(0.122), None));
        assert_eq!(of(&renames(1, 7_500, "announced"), When::Before), (None, None));
        assert_eq!(document(&kept, 40_000, When::Before), Document::default());
        let [inserts, _, none] = lengths(&row(""));
        assert_eq!((inserts, none), (Some([593.0, 584.0, 1_136.0]), None));
        let [_, removals, made] = lengths(&renames(1, 7_500, "never"));
        assert_eq!(removals, Some([401.0, 412.0, 596.0]));
        assert_eq!(made, Some([273_000.0, 302_000.0, 542_000.0]));
    }

    #[test]
    fn another_workload_has_none_of_their_figures() {
        let small = Row::parse("ls", SMALL).unwrap();
        assert!(!is_theirs(&small) && lengths(&small) == [None; 3]);
        assert!(!is_theirs(&renames(5, 30_000, "never")));
        assert!(!is_theirs(&renames(1, 10_000, "never")));
        assert_eq!(document(&small, 30_000, When::Before), Document::default());
    }
}
