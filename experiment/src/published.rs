//! The figures of the papers, to stand beside ours.
//!
//! "Improving Replicated Sequences Performances" and the thesis behind it; those of plots are the means of
//! the published snapshots, or read off.

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
