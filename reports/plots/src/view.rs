//! The space-time diagram of a run, or of two side by side, as one HTML file that needs no network.
//!
//! The data is in the page as JSON, a column each, times and places as differences; texts that repeat stand
//! there once. `run.js` reads it and knows what happened before what, `draw.js` paints, `pane.js` is one run
//! on the screen, `app.js` obeys the reader. A table of the last events stands beside it for whoever sees no
//! picture. What runs say is text and never markup: it is escaped on its way into the page, and enters the
//! document as text only.

use std::collections::BTreeMap;

use minijinja::{Environment, Value, context, value::Serde};
use results::{Diagram, Mark, Stretch};
use serde::Serialize;

/// Events in the table: what led to the end, without making the page slow to read out.
const TABLE_ROWS_MAX: usize = 200;

const TEMPLATE: &str = include_str!("view/page.html");
const STYLE: &str = include_str!("view/view.css");
const SCRIPT: &[&str] = &[
    include_str!("view/run.js"),
    include_str!("view/draw.js"),
    include_str!("view/pane.js"),
    include_str!("view/app.js"),
];

/// The page that shows `run`, beside `against` where there is one.
///
/// The same diagrams give the same bytes.
pub fn page(run: &Diagram, against: Option<&Diagram>) -> String {
    let runs: Vec<&Diagram> = std::iter::once(run).chain(against).collect();
    let columns: Vec<Columns> = runs.iter().map(|run| Columns::of(run)).collect();
    let json = serde_json::to_string(&columns).expect("columns are numbers and texts");
    let tables: Vec<Table> = runs.iter().map(|run| Table::of(run)).collect();
    let names: Vec<String> =
        runs.iter().map(|run| format!("{} seed {}", run.scenario, run.seed)).collect();
    let mut environment = Environment::new();
    environment.add_template("page.html", TEMPLATE).expect("the template is our own");
    let template = environment.get_template("page.html").expect("it was just added");
    let parts = context! {
        title => names.join(" against "),
        style => STYLE,
        script => SCRIPT.concat(),
        data => inert(&json),
        tables => Value::from(Serde(tables)),
    };
    template.render(parts).expect("the template's names are those above")
}

/// JSON that cannot end the element that it stands in: in JSON these stand in texts only.
fn inert(json: &str) -> String {
    json.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
}

/// A diagram as the page reads it. Numbers in `text`, `kind` and the like are indices of `texts`.
#[derive(Serialize)]
struct Columns<'a> {
    scenario: &'a str,
    /// As text, for a page's numbers are not large enough.
    seed: String,
    repeat: &'a str,
    verdict: &'a str,
    as_expected: bool,
    safety_ended: u64,
    ended: u64,
    lanes: Vec<LaneColumns<'a>>,
    stretches: Vec<StretchColumns<'a>>,
    marks: MarkColumns,
    messages: MessageColumns,
    violations: &'a [u32],
    left_out: &'a [String],
    texts: Vec<&'a str>,
}

#[derive(Serialize)]
struct LaneColumns<'a> {
    name: &'a str,
    stretches: Vec<StretchColumns<'a>>,
    held: &'a [(u64, u32)],
}

#[derive(Serialize)]
struct StretchColumns<'a> {
    kind: &'a str,
    text: &'a str,
    from: u64,
    to: u64,
    sides: &'a [Vec<u32>],
}

/// `at` and `order` are differences to the mark before.
#[derive(Default, Serialize)]
struct MarkColumns {
    at: Vec<u64>,
    order: Vec<u64>,
    /// -1: the whole run.
    lane: Vec<i64>,
    kind: Vec<u32>,
    text: Vec<u32>,
}

/// `sent` and `sent_order` are differences to the message before, `arrived`, `arrived_order` and
/// `dropped` to the sending of the message, -1 where there is none.
#[derive(Default, Serialize)]
struct MessageColumns {
    from: Vec<u32>,
    to: Vec<u32>,
    sent: Vec<u64>,
    sent_order: Vec<u64>,
    arrived: Vec<i64>,
    arrived_order: Vec<i64>,
    dropped: Vec<i64>,
    fate: Vec<u8>,
    kind: Vec<u32>,
    release: Vec<u32>,
    bytes: Vec<u32>,
    text: Vec<u32>,
}

/// Texts, each once.
#[derive(Default)]
struct Texts<'a> {
    list: Vec<&'a str>,
    places: BTreeMap<&'a str, u32>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> u32 {
        let next = self.list.len() as u32;
        let place = *self.places.entry(text).or_insert(next);
        if place == next {
            self.list.push(text);
        }
        place
    }
}

impl<'a> Columns<'a> {
    fn of(run: &'a Diagram) -> Self {
        let mut texts = Texts::default();
        let marks = MarkColumns::of(run, &mut texts);
        let messages = MessageColumns::of(run, &mut texts);
        let lanes = run.lanes.iter().map(|lane| LaneColumns {
            name: &lane.name,
            stretches: lane.stretches.iter().map(StretchColumns::of).collect(),
            held: &lane.held,
        });
        Self {
            scenario: &run.scenario,
            seed: run.seed.to_string(),
            repeat: &run.repeat,
            verdict: &run.verdict,
            as_expected: run.as_expected,
            safety_ended: run.safety_ended_nanos,
            ended: run.ended_nanos,
            lanes: lanes.collect(),
            stretches: run.stretches.iter().map(StretchColumns::of).collect(),
            marks,
            messages,
            violations: &run.violations,
            left_out: &run.left_out,
            texts: texts.list,
        }
    }
}

impl<'a> StretchColumns<'a> {
    fn of(stretch: &'a Stretch) -> Self {
        let Stretch { kind, text, from_nanos: from, to_nanos: to, sides } = stretch;
        Self { kind, text, from: *from, to: *to, sides }
    }
}

impl MarkColumns {
    fn of<'a>(run: &'a Diagram, texts: &mut Texts<'a>) -> Self {
        let mut columns = Self::default();
        let (mut at, mut order) = (0, 0);
        for mark in &run.marks {
            columns.at.push(mark.at_nanos.saturating_sub(at));
            columns.order.push(mark.order.saturating_sub(order));
            columns.lane.push(mark.lane.map_or(-1, i64::from));
            columns.kind.push(texts.place(&mark.kind));
            columns.text.push(texts.place(&mark.text));
            (at, order) = (mark.at_nanos, mark.order);
        }
        columns
    }
}

impl MessageColumns {
    fn of<'a>(run: &'a Diagram, texts: &mut Texts<'a>) -> Self {
        let mut columns = Self::default();
        let (mut sent, mut order) = (0, 0);
        for message in &run.messages {
            let since = |then: Option<u64>, now: u64| {
                then.map_or(-1, |then| i64::try_from(then.saturating_sub(now)).unwrap_or(i64::MAX))
            };
            columns.from.push(message.from);
            columns.to.push(message.to);
            columns.sent.push(message.sent_nanos.saturating_sub(sent));
            columns.sent_order.push(message.sent_order.saturating_sub(order));
            columns.arrived.push(since(message.arrived_nanos, message.sent_nanos));
            columns.arrived_order.push(since(message.arrived_order, message.sent_order));
            columns.dropped.push(since(message.dropped_nanos, message.sent_nanos));
            columns.fate.push(message.fate as u8);
            columns.kind.push(texts.place(&message.kind));
            columns.release.push(texts.place(&message.release));
            columns.bytes.push(message.bytes);
            columns.text.push(texts.place(&message.text));
            (sent, order) = (message.sent_nanos, message.sent_order);
        }
        columns
    }
}

/// The last events of a run in words.
#[derive(Serialize)]
struct Table {
    name: String,
    verdict: String,
    holds: bool,
    repeat: String,
    counts: String,
    left_out: Vec<String>,
    rows: Vec<Row>,
    earlier: usize,
}

#[derive(Serialize)]
struct Row {
    mark: usize,
    at: String,
    node: String,
    kind: String,
    text: String,
    violation: bool,
}

impl Table {
    fn of(run: &Diagram) -> Self {
        // What follows a violation explains nothing of it.
        let end = run.violations.last().map_or(run.marks.len(), |last| *last as usize + 1);
        let told: Vec<(usize, &Mark)> =
            run.marks[..end].iter().enumerate().filter(|(_, mark)| is_telling(mark)).collect();
        let earlier = told.len().saturating_sub(TABLE_ROWS_MAX);
        let rows = told[earlier..].iter().map(|(place, mark)| Row {
            mark: *place,
            at: seconds(mark.at_nanos),
            node: mark.lane.map_or("", |lane| &run.lanes[lane as usize].name).to_owned(),
            kind: mark.kind.clone(),
            text: mark.text.clone(),
            violation: mark.kind == "violation",
        });
        let (nodes, messages, marks) = (run.lanes.len(), run.messages.len(), run.marks.len());
        Self {
            name: format!("{} seed {}", run.scenario, run.seed),
            verdict: run.verdict.clone(),
            holds: run.verdict.starts_with("holds"),
            repeat: run.repeat.clone(),
            counts: format!(
                "{nodes} nodes, {messages} messages, {marks} events in {}",
                seconds(run.ended_nanos)
            ),
            left_out: run.left_out.clone(),
            rows: rows.collect(),
            earlier,
        }
    }
}

/// Whether an event belongs into a table that shall be read: not the everyday work of the app.
pub(crate) fn is_telling(mark: &Mark) -> bool {
    let everyday = ["message", "message-sent", "operation", "dropped", "retransmitted"];
    !everyday.contains(&mark.kind.as_str())
}

/// Nanoseconds as seconds with six digits, as the command line has them.
pub(crate) fn seconds(nanos: u64) -> String {
    format!("{}.{:06}s", nanos / 1_000_000_000, nanos % 1_000_000_000 / 1_000)
}

#[cfg(test)]
mod browser;

#[cfg(test)]
pub(crate) mod testing {
    use results::{Diagram, Fate, Lane, Mark, Message, Stretch};

    /// Three nodes: a release is published, a message held, another lost, a third tells of it, something
    /// breaks; the texts try to get out of the page.
    pub(crate) fn small() -> Diagram {
        let stretch = |kind: &str, text: &str, from_nanos, to_nanos| Stretch {
            kind: kind.to_owned(),
            text: text.to_owned(),
            from_nanos,
            to_nanos,
            sides: Vec::new(),
        };
        let lane =
            |name: &str, stretches| Lane { name: name.to_owned(), stretches, held: Vec::new() };
        let mark = |at_nanos, order, lane, kind: &str, text: &str| Mark {
            at_nanos,
            order,
            lane,
            kind: kind.to_owned(),
            text: text.to_owned(),
        };
        let message =
            |from, to, sent_nanos, sent_order, arrived: Option<(u64, u64)>, fate| Message {
                from,
                to,
                sent_nanos,
                sent_order,
                arrived_nanos: arrived.map(|(at, _)| at),
                arrived_order: arrived.map(|(_, order)| order),
                fate,
                kind: "app".to_owned(),
                release: "2.0.0#aa".to_owned(),
                bytes: 80,
                text: format!("1 messages from number {sent_order}"),
                ..Message::default()
            };
        let ran = |until| stretch("release", "1.0.0#bb", 0, until);
        let switched = vec![ran(1_000), stretch("release", "2.0.0#aa", 1_000, 9_000_000)];
        let crashed = vec![ran(3_000_000), stretch("down", "is down", 3_000_000, 9_000_000)];
        let mut run = Diagram {
            format_version: results::FORMAT_VERSION,
            scenario: "major-bump".to_owned(),
            seed: 7,
            repeat: "simctl run major-bump.toml --seed 7".to_owned(),
            verdict: "violates S6".to_owned(),
            safety_ended_nanos: 8_000_000,
            ended_nanos: 9_000_000,
            lanes: vec![
                lane("n0", switched),
                lane("n1", vec![ran(9_000_000)]),
                lane("n2", crashed),
            ],
            marks: vec![
                mark(0, 0, Some(0), "command", "a publisher hands over 2.0.0"),
                mark(4_000_000, 4, Some(1), "held", "message 1.1 waits </script><b>"),
                mark(8_000_000, 6, None, "harness", "the safety phase is over"),
                mark(9_000_000, 8, Some(2), "violation", "S6 at 0.009000s: \\ \"quoted\""),
            ],
            messages: vec![
                message(0, 1, 1_000_000, 1, Some((4_000_000, 3)), Fate::Held),
                message(0, 2, 2_000_000, 2, None, Fate::Lost),
                message(1, 2, 5_000_000, 5, Some((8_000_000, 7)), Fate::Delivered),
            ],
            stretches: vec![stretch("split", "n0 from n1", 2_000_000, 7_000_000)],
            violations: vec![3],
            ..Diagram::default()
        };
        run.lanes[1].held = vec![(4_000_000, 1), (6_000_000, 0)];
        run.stretches[0].sides = vec![vec![0], vec![1, 2]];
        run.messages[1].text = "lost on the way".to_owned();
        run.messages[2].text = "1 messages from number 7".to_owned();
        run.check().expect("the example keeps the promises of a diagram");
        run
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::small, *};

    #[test]
    fn what_a_run_says_cannot_break_out_of_the_page() {
        let mut run = small();
        run.scenario = "</title><script>alert(1)</script>".to_owned();
        run.verdict = "<img src=x onerror=alert(2)>".to_owned();
        run.left_out = vec!["<b>much</b>".to_owned()];
        let page = page(&run, None);
        assert_eq!(page.matches("</script>").count(), 2, "the data's end and the script's");
        assert!(
            !page.contains("<img") && !page.contains("<b>much") && !page.contains("alert(1)</s")
        );
    }

    #[test]
    fn the_page_holds_the_run_and_asks_no_network() {
        let page = page(&small(), None);
        let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
        let runs: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(runs.as_array().unwrap().len(), 1);
        assert_eq!(runs[0]["seed"], "7");
        assert_eq!(runs[0]["messages"]["sent"].to_string(), "[1000000,1000000,3000000]");
        assert_eq!(runs[0]["messages"]["arrived"].to_string(), "[3000000,-1,3000000]");
        for outside in ["http://", "https://", "src=\"", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn the_table_ends_with_the_violation_and_leaves_everyday_work_out() {
        let mut run = small();
        run.marks[1].kind = "message".to_owned();
        let table = Table::of(&run);
        let kinds: Vec<&str> = table.rows.iter().map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["command", "harness", "violation"]);
        assert_eq!(table.rows[2].at, "0.009000s");
    }

    #[test]
    fn two_runs_are_in_one_page_and_the_same_runs_give_the_same_bytes() {
        let mut other = small();
        other.seed = 8;
        let both = page(&small(), Some(&other));
        assert!(both.contains("major-bump seed 7") && both.contains("major-bump seed 8"));
        assert_eq!(both, page(&small(), Some(&other)));
    }
}
