//! What hostile bytes are tried on, a function a target.
//!
//! Each takes any bytes at all and returns; a panic is a finding. A target asks three things of what it
//! tries: bytes that are refused changed nothing; what is taken is sound, and written again reads back the
//! same; what is kept is in proportion to the bytes.
//!
//! Knows no fuzzer: `fuzz_targets/` hands over what libFuzzer makes, and the tests of the whole system hand
//! over the corpus, on any toolchain.

mod apps;
mod broadcast;
mod feed;
#[cfg(feature = "files")]
mod files;
mod nodes;
mod replicas;
#[cfg(feature = "files")]
mod reports;
#[cfg(feature = "files")]
mod scenarios;
mod seeds;
mod sequences;
#[cfg(feature = "files")]
mod texts;
mod upgrades;

use feed::Feed;
pub use seeds::{begin, seeds};

/// Something to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its program in `fuzz_targets/`, and its folder in `corpus/`.
    pub name: &'static str,
    /// Tries bytes.
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($(#[$when:meta])? $name:ident: $run:path,)*) => {
        $(
            $(#[$when])?
            /// Tries bytes on the target of this name.
            pub fn $name(bytes: &[u8]) {
                $run(bytes);
            }
        )*

        /// All targets.
        pub const TARGETS: &[Target] = &[
            $($(#[$when])? Target { name: stringify!($name), run: $name },)*
        ];
    };
}

targets! {
    sequence_snapshot: sequences::snapshot,
    sequence_messages: sequences::messages,
    sequence_renames: sequences::renames,
    sequence_operations: replicas::operations,
    sequence_fleet: replicas::fleet,
    app_values: apps::values,
    app_states: apps::states,
    app_steps: apps::steps,
    causal_wire: broadcast::wire,
    causal_state: broadcast::state,
    causal_layer: broadcast::layer,
    upgrade_wire: upgrades::wire,
    replica_datagrams: nodes::datagrams,
    replica_journal: nodes::journal,
    #[cfg(feature = "files")]
    files_scenario: scenarios::scenario,
    #[cfg(feature = "files")]
    files_row: scenarios::row,
    #[cfg(feature = "files")]
    files_choices: files::choices,
    #[cfg(feature = "files")]
    files_vectors: files::vectors,
    #[cfg(feature = "files")]
    files_diagram: files::diagram,
    #[cfg(feature = "files")]
    files_sweep: files::sweep,
    #[cfg(feature = "files")]
    files_seeds: reports::seeds,
    #[cfg(feature = "files")]
    files_rows: reports::rows,
    #[cfg(feature = "files")]
    files_template: reports::template,
}
