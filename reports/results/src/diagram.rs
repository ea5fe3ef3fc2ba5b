//! The space-time diagram of one run.
//!
//! Whatever happens has a place in one order over all lanes, in which causes stand before effects: what
//! happened before what follows from it, from the lanes and from the messages between them.
//!
//! Invariant of what [`Diagram::read`] returns: indices are of what is there, nothing ends before it
//! begins, no two places are equal.

use serde::{Deserialize, Serialize};

/// What [`Diagram::what`] says.
const WHAT: &str = "simctl diagram";

/// One run as a picture of it needs it: a lane for each node, what happened on it, and the messages
/// between them. Times are nanoseconds of virtual time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Diagram {
    /// Says that this is a diagram, to whoever opens the file.
    pub what: What,
    /// [`crate::FORMAT_VERSION`] of whoever wrote it.
    pub format_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The command that repeats the run.
    pub repeat: String,
    /// What came of the run, in words.
    pub verdict: String,
    /// Whether that is what the scenario expects.
    pub as_expected: bool,
    /// When the safety phase ended.
    pub safety_ended_nanos: u64,
    /// When the run ended.
    pub ended_nanos: u64,
    /// A lane for each node, in the order of their numbers.
    pub lanes: Vec<Lane>,
    /// What happened at a moment, in the order in which it happened.
    pub marks: Vec<Mark>,
    /// Messages, in the order in which they were sent.
    pub messages: Vec<Message>,
    /// What lasted on no single node, such as a partition.
    pub stretches: Vec<Stretch>,
    /// The marks of what broke, where something did: indices into `marks`.
    pub violations: Vec<u32>,
    /// What of the run is not here, for there was too much of it, in words.
    pub left_out: Vec<String>,
}

/// Always the same text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// Nothing else is called that.
    #[default]
    #[serde(rename = "simctl diagram")]
    Diagram,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lane {
    /// Its name, such as `n3`.
    pub name: String,
    /// The releases it ran and the times it was down or paused, in the order in which they ended:
    /// `kind` is `release`, `down`, `gone`, `paused` or `switching`.
    pub stretches: Vec<Stretch>,
    /// How many messages it held: from when, and how many.
    pub held: Vec<(u64, u32)>,
}

/// Something that lasted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stretch {
    /// Which kind, such as `release`, `down`, `split`.
    pub kind: String,
    /// Which one, in words.
    pub text: String,
    /// When it began.
    pub from_nanos: u64,
    /// When it ended.
    pub to_nanos: u64,
    /// The lanes on each side of what parts them; empty where it concerns everyone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<Vec<u32>>,
}

/// Something that happened at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// When.
    pub at_nanos: u64,
    /// Its place in the order of everything.
    pub order: u64,
    /// The lane; absent for what concerns the whole run.
    pub lane: Option<u32>,
    /// What kind of event, such as `crashed` or `committed`.
    pub kind: String,
    /// What happened, in words.
    pub text: String,
}

/// A datagram from one node to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// The sender's lane.
    pub from: u32,
    /// The receiver's lane.
    pub to: u32,
    /// When it was sent.
    pub sent_nanos: u64,
    /// The sending's place in the order of everything.
    pub sent_order: u64,
    /// When it arrived; absent where it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_nanos: Option<u64>,
    /// The arrival's place in the order of everything; present where the arrival is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived_order: Option<u64>,
    /// When it was dropped at the end of its way; absent where it arrived or was dropped at its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_nanos: Option<u64>,
    /// What became of it.
    pub fate: Fate,
    /// What kind of content it has: `app`, `once`, `ack`, `gossip` or `code`.
    pub kind: String,
    /// The release whose code sent what it carries; empty where it carries nothing of an app.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub release: String,
    /// Its length in bytes.
    pub bytes: u32,
    /// Its content in words, and why it did not arrive where it did not.
    pub text: String,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It arrived.
    #[default]
    Delivered,
    /// It was lost.
    Lost,
    /// It met a cut or a node that was not there.
    Cut,
    /// It is a second copy of one that was sent.
    Duplicated,
    /// It arrived and waits, or waited, for a newer release.
    Held,
    /// It arrived and was converted for the release that ran there.
    Converted,
    /// It arrived damaged, or was too damaged to arrive.
    Corrupted,
    /// The run ended, or was no longer looked at, while it was under way.
    UnderWay,
}

/// A file that is no diagram. Nothing was taken from it.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is a trace of events.
    #[error(
        "is a trace of events; a diagram is written by `simctl run --trace FILE --trace-format diagram`"
    )]
    Events,
    /// It is something else.
    #[error("is not a diagram as `simctl run --trace FILE --trace-format diagram` writes it: {0}")]
    Json(serde_json::Error),
    /// A later program wrote it.
    #[error("is of format version {found}, and this program reads up to {}", crate::FORMAT_VERSION)]
    Newer {
        /// What it says.
        found: u32,
    },
    /// It contradicts itself.
    #[error("contradicts itself: {0}")]
    Broken(String),
}

impl Diagram {
    /// Reads what [`Diagram::text`] wrote.
    ///
    /// Errors: [`Unreadable`], which says what the file is instead.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        /// What every file of ours says, and what only a diagram says.
        #[derive(Deserialize)]
        struct Head {
            format_version: u32,
            what: Option<String>,
        }
        // A trace in words begins with a time, one in JSON with a line that holds nothing else.
        let first = text.lines().next().unwrap_or_default();
        let head: Result<Head, _> = serde_json::from_str(first);
        let words = first.trim_start().split_once('s').is_some_and(|(time, _)| {
            time.contains('.') && time.chars().all(|c| c.is_ascii_digit() || c == '.')
        });
        match head {
            Ok(head) if head.format_version > crate::FORMAT_VERSION => {
                return Err(Unreadable::Newer { found: head.format_version });
            }
            Ok(Head { what: None, .. }) => return Err(Unreadable::Events),
            Err(_) if words => return Err(Unreadable::Events),
            Ok(Head { what: Some(_), .. }) | Err(_) => {}
        }
        if !text.contains(WHAT) {
            return Err(Unreadable::Json(serde::de::Error::custom(format!("`{WHAT}` is missing"))));
        }
        let diagram: Self = serde_json::from_str(text).map_err(Unreadable::Json)?;
        diagram.check().map_err(Unreadable::Broken)?;
        Ok(diagram)
    }

    /// The diagram as one line of JSON.
    pub fn text(&self) -> String {
        let text = serde_json::to_string(self).expect("a diagram has text keys only");
        format!("{text}\n")
    }

    /// Whether it keeps what the module promises. Errors: what it does not keep, in words.
    pub fn check(&self) -> Result<(), String> {
        let is_lane = |lane: u32| (lane as usize) < self.lanes.len();
        for (number, mark) in self.marks.iter().enumerate() {
            if mark.lane.is_some_and(|lane| !is_lane(lane)) {
                return Err(format!("mark {number} is on a lane that is not there"));
            }
        }
        for (number, message) in self.messages.iter().enumerate() {
            let Message { arrived_nanos, arrived_order, .. } = message;
            if !is_lane(message.from) || !is_lane(message.to) {
                return Err(format!("message {number} is between lanes that are not there"));
            }
            if arrived_nanos.is_some() != arrived_order.is_some() {
                return Err(format!("message {number} arrived without a time or without a place"));
            }
            if arrived_nanos.or(message.dropped_nanos).is_some_and(|at| at < message.sent_nanos)
                || arrived_order.is_some_and(|order| order <= message.sent_order)
            {
                return Err(format!("message {number} arrived before it was sent"));
            }
        }
        let of_lanes = self.lanes.iter().flat_map(|lane| &lane.stretches);
        for stretch in of_lanes.chain(&self.stretches) {
            if stretch.to_nanos < stretch.from_nanos {
                return Err(format!("`{}` ends before it begins", stretch.text));
            }
            if !stretch.sides.iter().flatten().all(|lane| is_lane(*lane)) {
                return Err(format!("`{}` parts lanes that are not there", stretch.text));
            }
        }
        if !self.violations.iter().all(|mark| (*mark as usize) < self.marks.len()) {
            return Err("a violation is of a mark that is not there".to_owned());
        }
        self.check_order()
    }

    fn check_order(&self) -> Result<(), String> {
        let marks = self.marks.iter().map(|mark| (mark.order, mark.at_nanos));
        let sent = self.messages.iter().map(|message| (message.sent_order, message.sent_nanos));
        let arrived = self
            .messages
            .iter()
            .filter_map(|message| Some((message.arrived_order?, message.arrived_nanos?)));
        let mut places: Vec<(u64, u64)> = marks.chain(sent.clone()).chain(arrived).collect();
        places.sort_unstable();
        for pair in places.windows(2) {
            let [(before, earlier), (after, later)] = [pair[0], pair[1]];
            if before == after {
                return Err(format!("two things that happened have place {before}"));
            }
            if later < earlier {
                return Err(format!("place {after} comes after {before} but was earlier"));
            }
        }
        let sorted = |places: &mut dyn Iterator<Item = u64>| places.is_sorted();
        if !sorted(&mut self.marks.iter().map(|mark| mark.order)) {
            return Err("marks are not in their order".to_owned());
        }
        if !sorted(&mut sent.map(|(order, _)| order)) {
            return Err("messages are not in the order in which they were sent".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Diagram {
        let lane = |name: &str| Lane { name: name.to_owned(), ..Lane::default() };
        Diagram {
            format_version: crate::FORMAT_VERSION,
            lanes: vec![lane("n0"), lane("n1")],
            marks: vec![Mark { at_nanos: 5, order: 1, lane: Some(1), ..Mark::default() }],
            messages: vec![Message {
                to: 1,
                sent_nanos: 5,
                sent_order: 2,
                arrived_nanos: Some(9),
                arrived_order: Some(3),
                ..Message::default()
            }],
            violations: vec![0],
            ..Diagram::default()
        }
    }

    fn refused(change: impl FnOnce(&mut Diagram)) -> String {
        let mut diagram = small();
        change(&mut diagram);
        Diagram::read(&diagram.text()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Diagram::read(&small().text()).unwrap(), small());
    }

    #[test]
    fn a_diagram_that_contradicts_itself_is_refused() {
        let says = [
            (refused(|diagram| diagram.marks[0].lane = Some(2)), "mark 0 is on a lane"),
            (refused(|diagram| diagram.messages[0].to = 2), "message 0 is between lanes"),
            (refused(|diagram| diagram.messages[0].arrived_nanos = Some(4)), "before it was sent"),
            (refused(|diagram| diagram.messages[0].arrived_order = None), "without a place"),
            (refused(|diagram| diagram.messages[0].arrived_order = Some(2)), "before it was sent"),
            (refused(|diagram| diagram.marks[0].order = 3), "have place 3"),
            (refused(|diagram| diagram.marks[0].order = 4), "but was earlier"),
            (refused(|diagram| diagram.violations[0] = 1), "a mark that is not there"),
            (
                refused(|diagram| {
                    let text = "runs 1.0.0".to_owned();
                    let stretch =
                        Stretch { from_nanos: 2, to_nanos: 1, text, ..Stretch::default() };
                    diagram.lanes[0].stretches.push(stretch);
                }),
                "`runs 1.0.0` ends before it begins",
            ),
            (
                refused(|diagram| {
                    let sides = vec![vec![0], vec![7]];
                    diagram.stretches.push(Stretch { sides, ..Stretch::default() });
                }),
                "parts lanes that are not there",
            ),
        ];
        for (said, wanted) in says {
            assert!(said.contains(wanted), "{said}");
        }
    }

    #[test]
    fn whatever_else_a_file_is_it_is_refused_in_words() {
        let said = |text: &str| Diagram::read(text).unwrap_err().to_string();
        assert!(
            said("{\"format_version\":1}\n{\"at_nanos\":1}\n").contains("is a trace of events")
        );
        assert!(said("   0.001000s  n3    recovered\n").contains("is a trace of events"));
        assert!(
            said(&small().text().replacen(&crate::FORMAT_VERSION.to_string(), "99", 1))
                .contains("version 99")
        );
        assert!(said("").contains("is not a diagram"));
        assert!(said("{}").contains("is not a diagram"));
        assert!(said("[1, 2]").contains("is not a diagram"));
        let whole = small().text();
        assert!(said(&whole[..whole.len() / 2]).contains("is not a diagram"));
    }
}
