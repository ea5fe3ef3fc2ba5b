//! What an exit code of `simctl` means. It is part of the interface and never changes.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as the scenarios claim; a canary that must fail did.
    Holds,
    /// A claim does not hold, or a run showed nothing: a fault that never took effect, a goal that
    /// was never reached, a run that is not deterministic.
    Violated,
    /// The arguments or a scenario are wrong. Nothing was run and nothing was written.
    BadInput,
    /// `simctl` itself failed: a file could not be written, or a belief of its own broke.
    Internal,
    /// Ctrl-C. What was done until then was printed.
    Interrupted,
}

/// What `--help` says of exit codes.
pub(super) const HELP: &str = "\
Exit codes:
  0    everything is as the scenarios claim; a canary that must fail did
  1    a claim does not hold, or a run showed nothing (`simctl explain 1`)
  2    the arguments or a scenario are wrong; nothing was run or written
  3    simctl itself failed: a file could not be written, a belief broke
  130  Ctrl-C; what was done until then was printed

Examples:
  simctl run scenarios/major-bump.toml  one run and its summary
  simctl run scenarios --seeds 0..100   every scenario, a hundred seeds
  simctl explain fault.partition        what a key means
  simctl new my-upgrade.toml            a scenario to begin with";

impl Exit {
    /// Every exit code, ascending.
    pub const ALL: [Self; 5] =
        [Self::Holds, Self::Violated, Self::BadInput, Self::Internal, Self::Interrupted];

    /// The number that the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::BadInput => 2,
            Self::Internal => 3,
            Self::Interrupted => 130,
        }
    }

    /// What it means, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Holds => "Everything is as the scenarios claim; a canary that must fail did.",
            Self::Violated => {
                "A claim does not hold, or a run showed nothing: a fault that never took effect, \
                 a goal that was never reached, a run that is not deterministic. Every `[[fault]]` \
                 whose time came must take effect; what strikes at random (`[random]`, `[network]`, \
                 `[disk]`) need not, unless 10,000 chances came to nothing; with `random.swarm` no \
                 fault must. In a sweep every fault of a scenario must take effect in some run once 100 \
                 runs were made at that point of its grid; with fewer runs the rule of a single run \
                 holds, with the chances of all runs added up. A single run must reach every goal of `expect.sometimes`; in a sweep \
                 some run of the scenario must, so goals are no part of a row's `as_expected` there. Other \
                 commands: `shrink`, time ran out before it was sure that no less would do, and what it found is \
                 written; `replay`, the run still fails; `compare`, the later sweep is worse; `check`, two runs \
                 differ; `square`, `lattice`, `laws`, `vectors`, something does not hold, or a check showed nothing; \
                 `evaluate`, replicas differ, a bot cannot go on (`stops`), or more is left beside the text than may be."
            }
            Self::BadInput => {
                "The arguments or a scenario are wrong. Nothing was run and nothing was written."
            }
            Self::Internal => {
                "simctl itself failed: a file could not be written, or a belief of its own broke."
            }
            Self::Interrupted => "Ctrl-C. What was done until then was printed.",
        }
    }

    /// The worse of two: what a command that did both exits with.
    pub fn and(self, other: Self) -> Self {
        if self.code() >= other.code() { self } else { other }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_exit_code() {
        for exit in Exit::ALL {
            let line = format!("\n  {:<4} ", exit.code());
            assert!(HELP.contains(&line), "{exit:?}");
        }
    }
}
