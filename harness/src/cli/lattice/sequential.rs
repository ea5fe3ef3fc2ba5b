//! What `simctl lattice --sequential` says besides: what one replica alone could have come to.

use std::fmt::Write;

use crdt::Op;
use indicatif::ProgressBar;
use serde_json::json;

use super::{
    super::{
        interrupt, progress,
        style::{BAD, BOLD, DIM, GOOD},
        words::{count, counted},
    },
    Arguments, as_json,
};
use crate::replicated::{
    history::Proposal,
    search::Scope,
    sequential::{self, ORDERS_MAX, Report},
};

/// What came of it, and whether the type is one of those that some order always explains.
pub(super) struct Sequential {
    pub(super) report: Report,
    pub(super) required: bool,
    /// Ctrl-C was pressed before all histories were looked at.
    is_cut: bool,
}

/// Looks for what one replica could have come to; `None`: nobody asked.
pub(super) fn look<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    arguments: &Arguments,
    scope: Scope,
) -> Option<Sequential> {
    if !arguments.sequential || interrupt::asked() {
        return None;
    }
    let name = arguments.kind.as_deref();
    let required = arguments.planted.is_none() && name.is_some_and(sequential::is_required);
    let size = (arguments.replicas, arguments.operations as usize);
    super::begins(arguments, arguments.name(), ", for what one replica alone comes to");
    let hidden = ProgressBar::hidden();
    let mut progress = progress::until_interrupted(&hidden);
    let report = sequential::look(kind, propose, size, scope, required, &mut progress);
    Some(Sequential { report, required, is_cut: interrupt::asked() })
}

impl Sequential {
    pub(super) const fn holds(&self) -> bool {
        !self.required || self.report.unexplained == 0
    }

    pub(super) fn shown(&self, kind: &str) -> String {
        let Report { explained, unexplained, unknown, example } = &self.report;
        let verdict = match (self.required, self.holds()) {
            (_, true) if self.is_cut => format!("{BAD}cut short{BAD:#}"),
            (false, _) => format!("{DIM}reports{DIM:#}"),
            (true, true) => format!("{GOOD}holds{GOOD:#}"),
            (true, false) => format!("{BAD}unexplained{BAD:#}"),
        };
        let parts = if self.required { ", each element apart" } else { "" };
        let all = explained + unexplained + unknown;
        let mut text = format!(
            "{verdict} {BOLD}{kind}{BOLD:#}: {} of {} come to what some order of their operations, done one by one{parts}, comes to\n",
            count(*explained),
            counted(all, "history"),
        );
        let mut line =
            |line: String| writeln!(text, "  {line}").expect("a string takes everything");
        if *unknown > 0 {
            line(format!(
                "{} have more than {} orders and were given up",
                count(*unknown),
                count(ORDERS_MAX.into())
            ));
        }
        if let Some((history, means)) = example {
            line(format!(
                "{} of which no order comes to what they mean:",
                counted(history.0.len() as u64, "operation")
            ));
            history.told().into_iter().for_each(|step| line(format!("  {step}")));
            line(format!("all of it means {means}"));
        }
        text
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let example = self.report.example.as_ref();
        json!({
            "required": self.required,
            "explained": self.report.explained,
            "unexplained": self.report.unexplained,
            "given_up": self.report.unknown,
            "example": example.map(|(history, means)| json!({
                "history": history.told(),
                "meaning": as_json(means),
            })),
        })
    }
}
