//! What `simctl lattice` says of lists besides: the strong list specification, and how runs interleave.

use std::fmt::Write;

use crdt::{
    Op, Value,
    catalogue::{Draw, Listed, Visit},
};
use indicatif::ProgressBar;
use serde_json::json;

use super::{
    super::{
        interrupt, progress,
        style::{BAD, BOLD, DIM, GOOD},
        words::{count, counted},
    },
    Arguments, Look, Looked, as_json,
};
use crate::replicated::{
    Erased,
    history::Proposal,
    lists::{
        Flaw,
        histories::{Found, Report, is_list, search},
        planted::ByReceipt,
        runs::{Direction, Rate, rate},
    },
    search::Scope,
};

/// The name of [`ByReceipt`] among what is planted.
pub(super) const BY_RECEIPT: &str = "by-receipt";

/// Elements of each run that is typed to see whether it stays in one piece.
const RUN_LENGTH: usize = 8;
/// Lists into which two type a run each, in either direction.
const RUN_TRIALS: u64 = 200;

/// What came of the lists of a type.
pub(super) struct Lists {
    report: Report,
    /// Ctrl-C was pressed before all of them were looked at.
    is_cut: bool,
    forward: Rate,
    backward: Rate,
}

/// Looks at the lists that `kind` returns; `None`: it returns none.
pub(super) fn look<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    arguments: &Arguments,
    scope: Scope,
) -> Option<Lists> {
    if interrupt::asked() || !is_list(propose, &kind.value(&kind.initial())) {
        return None;
    }
    let (replicas, operations) = (arguments.replicas, arguments.operations as usize);
    super::begins(arguments, arguments.name(), ", for their lists");
    let hidden = ProgressBar::hidden();
    let mut progress = progress::until_interrupted(&hidden);
    let report = search(kind, propose, replicas, operations, scope, &mut progress);
    let is_cut = interrupt::asked();
    let rate = |direction| rate(kind, direction, 2, RUN_LENGTH, RUN_TRIALS, arguments.seed);
    let (forward, backward) = (rate(Direction::Forward), rate(Direction::Backward));
    Some(Lists { report, is_cut, forward, backward })
}

/// Looks at the list that is wrong in the place of a list of the catalogue.
pub(super) struct LookByReceipt<'a>(pub(super) Look<'a>);

impl Visit for LookByReceipt<'_> {
    type Out = Option<Looked>;

    fn visit<T: Listed>(self, kind: T) -> Option<Looked> {
        let start = kind.value(&kind.initial());
        let propose = |value: &Value, draw: &mut Draw| kind.proposal(value, draw);
        if !is_list(&propose, &start) {
            return None;
        }
        // It knows what all lists know, and nothing else.
        let simple = |value: &Value, draw: &mut Draw| loop {
            let operation = kind.proposal(value, draw);
            let is = |kind: &str| operation.get("kind") == Some(&Value::from(kind));
            if is("insert") || is("delete") {
                break operation;
            }
        };
        Some(self.0.look(&Erased::new(&ByReceipt), &simple))
    }
}

impl Lists {
    pub(super) const fn hold(&self) -> bool {
        self.report.failure.is_none()
    }

    pub(super) fn shown(&self) -> String {
        let verdict = match self.is_cut {
            true => format!("{BAD}cut short{BAD:#}"),
            false => format!("{GOOD}holds{GOOD:#}"),
        };
        let mut text = match &self.report.failure {
            None => format!(
                "{verdict} {BOLD}strong list specification{BOLD:#}: {} of {} have one order, \
                 what is visible, and what was put in where it was put\n",
                counted(self.report.lists, "list"),
                counted(self.report.histories, "history"),
            ),
            Some(found) => failure(found, self.report.histories),
        };
        let rate = |rate: &Rate| format!("{} of {}", count(rate.torn), count(rate.runs));
        writeln!(
            text,
            "  torn apart            {} forward runs and {} backward runs that two typed at one place \
             {DIM}(no failure){DIM:#}",
            rate(&self.forward),
            rate(&self.backward),
        )
        .expect("a string takes everything");
        text
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let failure = self.report.failure.as_ref().map(|found| {
            let steps = found.history.0.iter().enumerate().map(|(at, step)| {
                let causes = found.history.causes(at);
                json!({
                    "name": step.dot.to_string(),
                    "after": causes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "operation": as_json(&step.operation),
                })
            });
            let lists = found.lists.iter().map(|(who, list)| json!({ "seen": who, "list": list }));
            json!({
                "kind": name(&found.flaw),
                "what": found.flaw.to_string(),
                "history": steps.collect::<Vec<_>>(),
                "lists": lists.collect::<Vec<_>>(),
            })
        });
        let rate = |rate: &Rate| json!({ "runs": rate.runs, "torn": rate.torn });
        json!({
            "histories": self.report.histories,
            "lists": self.report.lists,
            "forward": rate(&self.forward),
            "backward": rate(&self.backward),
            "failure": failure,
        })
    }
}

fn failure(found: &Found, histories: u64) -> String {
    let mut text = format!(
        "{BAD}{}{BAD:#} {BOLD}strong list specification{BOLD:#}: {} {DIM}(found with {}, history {histories}){DIM:#}\n",
        name(&found.flaw),
        counted(found.history.0.len() as u64, "operation"),
        found.found_with,
    );
    let mut line = |line: String| writeln!(text, "  {line}").expect("a string takes everything");
    for (at, step) in found.history.0.iter().enumerate() {
        let causes: Vec<String> =
            found.history.causes(at).iter().map(ToString::to_string).collect();
        let after = match causes.is_empty() {
            true => String::new(),
            false => format!("  after {}", causes.join(", ")),
        };
        line(format!("{:<6} {}{DIM}{after}{DIM:#}", step.dot.to_string(), step.operation));
    }
    for (who, list) in &found.lists {
        line(format!("{who}: {}", list.join(" ")));
    }
    line(found.flaw.to_string());
    line(format!("{DIM}elements are called as what put them in{DIM:#}"));
    text
}

const fn name(flaw: &Flaw<String>) -> &'static str {
    match flaw {
        Flaw::Lacks(_) => "lacks",
        Flaw::Has(_) => "has too much",
        Flaw::Twice(_) => "has twice",
        Flaw::Elsewhere { .. } => "is elsewhere",
        Flaw::Disorder { .. } => "has no order",
    }
}
