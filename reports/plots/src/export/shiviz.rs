//! ShiViz: two lines an event, its words and then its lane with a vector clock; the first line of the file is
//! the regular expression that reads them, the second may part several runs and is empty.
//!
//! Source: the wiki of ShiViz, "Log format".

use std::fmt::Write;

use results::Diagram;

use super::causal::{Happened, What, clocks, everything};
use crate::view::{is_telling, seconds};

/// Numbers in all clocks together: ShiViz draws a few thousand events well and no more.
const NUMBERS_MAX: usize = 2_000_000;

/// Which events are shown.
type Shown<'a> = &'a dyn Fn(&Happened) -> bool;

pub(super) fn log(run: &Diagram) -> (Vec<u8>, Option<String>) {
    let everything = everything(run);
    // What is shown, from all to the most telling.
    let app = |message: usize| matches!(run.messages[message].kind.as_str(), "app" | "once");
    let all = |_: &Happened| true;
    let apps = |one: &Happened| match one.what {
        What::Mark(mark) => is_telling(&run.marks[mark]),
        What::Sent(message) | What::Arrived(message) => app(message),
    };
    let marks =
        |one: &Happened| matches!(one.what, What::Mark(mark) if is_telling(&run.marks[mark]));
    let levels: [(Shown<'_>, Option<&str>); 3] = [
        (&all, None),
        (&apps, Some("everyday events and all messages but those of the app")),
        (&marks, Some("everyday events and all messages, though not what they caused")),
    ];
    let fits = |shown: Shown<'_>| {
        everything.iter().filter(|one| shown(one)).count() * run.lanes.len() <= NUMBERS_MAX
    };
    let level = levels.iter().position(|(shown, _)| fits(shown));
    let (shown, left_out) = levels[level.unwrap_or(levels.len() - 1)];
    // Where even that is too much, the end is what somebody wants to see.
    let last = if level.is_some() { usize::MAX } else { NUMBERS_MAX / run.lanes.len().max(1) };
    let total = everything.iter().filter(|one| shown(one)).count();
    let skipped = total.saturating_sub(last);
    let first = everything.iter().filter(|one| shown(one)).nth(skipped).map_or(0, |one| one.order);
    let kept = |one: &Happened| shown(one) && one.order >= first;
    let mut text = String::from("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n");
    clocks(run, &everything, kept, |one, clock| put(&mut text, run, one, clock));
    let left_out = match (left_out, skipped) {
        (Some(what), 0) => Some(what.to_owned()),
        (Some(what), _) => Some(format!("{what}, and the first {skipped} other events")),
        (None, _) => None,
    };
    (text.into_bytes(), left_out)
}

fn put(text: &mut String, run: &Diagram, one: &Happened, clock: &[u32]) {
    let said = match one.what {
        What::Mark(mark) => {
            let mark = &run.marks[mark];
            format!("{} {}: {}", seconds(mark.at_nanos), mark.kind, mark.text)
        }
        What::Sent(message) => {
            let message = &run.messages[message];
            let to = &run.lanes[message.to as usize].name;
            format!("{} sends to {to}: {}", seconds(message.sent_nanos), message.text)
        }
        What::Arrived(message) => {
            let message = &run.messages[message];
            let from = &run.lanes[message.from as usize].name;
            let at = message.arrived_nanos.unwrap_or(message.sent_nanos);
            format!("{} receives from {from}: {}", seconds(at), message.text)
        }
    };
    let numbers = clock.iter().zip(&run.lanes).filter(|(count, _)| **count > 0);
    let numbers: Vec<String> =
        numbers.map(|(count, lane)| format!("\"{}\":{count}", host(&lane.name))).collect();
    let said = said.replace(['\n', '\r'], " ");
    let host = host(&run.lanes[one.lane].name);
    writeln!(text, "{said}\n{host} {{{}}}", numbers.join(",")).expect("text grows");
}

/// A name as the regular expression and JSON take it.
fn host(name: &str) -> String {
    name.replace(|c: char| c.is_whitespace() || c == '"' || c == '\\' || c.is_control(), "_")
}
