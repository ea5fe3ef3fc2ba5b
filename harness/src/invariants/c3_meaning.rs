//! C3: what a node shows is what its operations mean.

use std::collections::BTreeMap;

use app::Body;
use causal::{Content, Dot, Event, Log};
use contract::NodeId;
use replica::Notice;

use super::{
    Broken, End, Invariant,
    copies::{self, Copies, Copy},
};
use crate::{
    observation::{Kinds, Moment, Observation, Published, Truth},
    square::{Release, Way},
    visible::visible,
};

/// Up to so many operations every one of its own is judged at a node, for to judge costs their square.
const ALWAYS_MAX: usize = 24;
/// Beyond that, one of so many.
const ONE_OF: usize = 16;
/// Characters of what is shown that are told on either side of where it begins to be wrong.
const AROUND: usize = 24;
/// More operations are not judged.
const OPERATIONS_MAX: usize = 1_000;

/// After an operation of its own, and at rest, a node shows what the definition of its type makes of the
/// partially ordered log of the operations that it delivered, each in the form of the release that runs. Nodes
/// that all show the same wrong value agree, and only this sees it.
#[derive(Default)]
pub(super) struct ShowsWhatItMeans {
    copies: Copies<Copy>,
    /// As issued, and by which release.
    log: BTreeMap<Dot, (Event<Body>, usize)>,
}

impl Invariant for ShowsWhatItMeans {
    fn name(&self) -> &'static str {
        "C3"
    }

    fn claim(&self) -> &'static str {
        "a node shows what the operations that it delivered mean, by the definition of the type"
    }

    fn wants(&self) -> Kinds {
        copies::wants()
    }

    fn observe(
        &mut self,
        truth: &Truth,
        moment: &Moment,
        seen: &Observation<'_>,
    ) -> Result<(), Broken> {
        let node = moment.node;
        let mut own = false;
        if let Observation::Notice(Notice::CausallyDelivered(told)) = seen {
            let dot = told.stamp.dot;
            own = dot.origin.node == node;
            if let Content::Payload(sent) = &told.operation.content {
                let release = usize::from(truth.stamp(Some(&sent.stamp)));
                if release < truth.releases.len() {
                    self.log.entry(dot).or_insert_with(|| {
                        let (stamp, past) = (told.stamp, told.past.clone());
                        (Event { stamp, past, message: sent.body.clone() }, release)
                    });
                }
            }
        }
        let Some(copy) = self.copies.of(truth, node) else { return Ok(()) };
        copy.observe(truth, moment, seen);
        let count = self.log.len();
        if own && (count <= ALWAYS_MAX || count.is_multiple_of(ONE_OF)) {
            return self.judge(truth, node);
        }
        Ok(())
    }

    fn finish(&mut self, truth: &Truth, end: &End) -> Result<(), Broken> {
        end.nodes.iter().try_for_each(|resting| self.judge(truth, resting.node))
    }
}

impl ShowsWhatItMeans {
    fn judge(&mut self, truth: &Truth, node: NodeId) -> Result<(), Broken> {
        let Some(copy) = self.copies.of(truth, node) else { return Ok(()) };
        // What a crash hid, or a state without its operations, cannot be judged.
        if truth.node(node).lied {
            return Ok(());
        }
        let (Some(shown), Some(release)) = (copy.shown(truth), copy.release) else {
            return Ok(());
        };
        let mut ways: BTreeMap<usize, Option<Way>> = BTreeMap::new();
        let mut events = Vec::new();
        for (dot, (event, sender)) in &self.log {
            if !copy.delivered.covers(*dot) {
                continue;
            }
            let way = ways.entry(*sender).or_insert_with(|| {
                Way::new(&named(&truth.releases[*sender]), &named(&truth.releases[release]))
            });
            // What the release refuses counts as delivered and changes nothing.
            let body = way.as_ref().and_then(|way| way.arrive(&event.message).ok());
            if let Some(message) = body {
                events.push(Event { stamp: event.stamp, past: event.past.clone(), message });
            }
        }
        if events.len() > OPERATIONS_MAX {
            return Ok(());
        }
        let meaning = truth.releases[release].program.meaning(&Log::new(&events));
        let Some(Ok(meaning)) = meaning else { return Ok(()) };
        if meaning == shown {
            return Ok(());
        }
        let [shown, meaning] = apart(&told(&shown), &told(&meaning));
        let delivered = &copy.delivered;
        let text = format!("{node} shows {shown} after {delivered}, which means {meaning}");
        Err(Broken::at(node, text))
    }
}

fn named(published: &Published) -> Release {
    let Published { envelope, program, .. } = published;
    Release::of(&envelope.id.version, &envelope.class, program)
}

/// What is shown is text, behind its length.
fn told(shown: &[u8]) -> String {
    match app::Value::decode(&app::Schema::Str, shown) {
        Ok(app::Value::Str(text)) => text,
        _ => format!("{shown:02x?}"),
    }
}

/// Both texts, quoted, from shortly before to shortly behind where they part.
fn apart(one: &str, other: &str) -> [String; 2] {
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let from = same.saturating_sub(AROUND);
    [one, other].map(|text| {
        let around: String = text.chars().skip(from).take(same - from + AROUND).collect();
        let begin = if from > 0 { "…" } else { "" };
        let end = if text.chars().nth(same + AROUND).is_some() { "…" } else { "" };
        format!("“{begin}{}{end}”", legible(&around))
    })
}

/// `text` as it may stand in a line between quotation marks. What is shown is often JSON, and is not quoted as
/// JSON once more.
fn legible(text: &str) -> String {
    visible(&text.replace(['“', '”'], "\""))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            operations::testing::{body_of, operation, registers},
            testing::story,
        },
        *,
    };

    /// n0 has a factor of n1, and then adds something itself, which the factor must leave alone.
    fn told(variant: Option<&str>) -> Result<(), String> {
        let (mut truth, mut told) = registers(variant);
        let factor = Dot::new(1, 1);
        let multiply = operation(&truth, factor, &[], body_of(&truth, "multiply", 3));
        let add = operation(&truth, Dot::new(0, 1), &[factor], body_of(&truth, "add", 8));
        told.extend([(0, multiply.delivered()), (0, add.delivered())]);
        story(&mut truth, &mut ShowsWhatItMeans::default(), &told)
    }

    #[test]
    fn a_value_that_all_agree_on_and_that_is_wrong_breaks() {
        assert_eq!(told(None), Ok(()));
        let broken = told(Some("acts-with-all")).unwrap_err();
        assert!(broken.starts_with("n0 shows “6” after {0.1, 1.1}, which means “3”"), "{broken}");
    }

    #[test]
    fn of_long_values_that_differ_is_told_what_is_around_the_difference() {
        let (long, other) = ("é".repeat(100), "b".repeat(50));
        let told = apart(&format!("{long}a{other}"), &format!("{long}{other}"));
        let before = format!("…{}", "é".repeat(AROUND));
        let behind = "b".repeat(AROUND - 1);
        assert_eq!(told, [format!("“{before}a{behind}…”"), format!("“{before}b{behind}…”")]);
        assert_eq!(apart("ab", "abc"), ["“ab”", "“abc”"]);
    }

    #[test]
    fn what_is_shown_is_told_as_it_is_but_for_what_would_end_its_line_or_its_quotation() {
        assert_eq!(apart(r#"[{"x":1}]"#, r#"[{"x":2}]"#), [r#"“[{"x":1}]”"#, r#"“[{"x":2}]”"#]);
        assert_eq!(apart("a\nb”", "\u{1b}"), ["“a\\nb\"”", "“\\u{1b}”"]);
    }
}
