//! What kind of failure a run shows, so that failures of one kind can be told from those of another.
//!
//! Two runs fail alike where the same invariant broke first, in the same words once what differs from
//! seed to seed is taken out of them (numbers, nodes, versions, hashes, what is in a clock, what is quoted of
//! a state), in the same part of the run and between as many nodes. Nodes and versions keep who is who: the
//! first one named is `A` wherever it is named again.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use crate::{
    invariants::Violation,
    outcome::{Outcome, Verdict},
};

/// What kind of failure a run shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The invariant that broke first, such as `S6`.
    pub invariant: String,
    /// What was seen, without what differs from seed to seed.
    pub text: String,
    /// In which part of the run, and between how many nodes.
    pub shape: String,
}

/// What kind of failure `outcome` shows; `None`: no invariant broke.
pub fn signature(outcome: &Outcome) -> Option<Signature> {
    if outcome.verdict != Verdict::Violates {
        return None;
    }
    let first = outcome.violations.first()?;
    let part = if is_of_the_end(outcome) {
        "at the end"
    } else if outcome.calmed && first.at >= outcome.safety_ended {
        "while the fleet heals"
    } else {
        "under faults"
    };
    Some(Signature {
        invariant: first.invariant.to_owned(),
        text: normalised(&first.text),
        shape: format!("{part}, {}", involved(first)),
    })
}

/// Whether what broke first was found by looking at the end of the liveness phase, rather than when
/// something happened.
pub fn is_of_the_end(outcome: &Outcome) -> bool {
    let first = outcome.violations.first();
    first.is_some_and(|first| first.at == outcome.ended) && outcome.came_to_its_end
}

impl Signature {
    /// Its number in 16 hex digits: the same for every failure of this kind.
    pub fn id(&self) -> String {
        let Self { invariant, text, shape } = self;
        format!("{:016x}", xxh3_64(format!("{invariant}\n{text}\n{shape}").as_bytes()))
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.invariant, self.text, self.shape)
    }
}

fn involved(violation: &Violation) -> &'static str {
    match violation.nodes.len() {
        0 => "no node",
        1 => "one node",
        2 => "two nodes",
        _ => "several nodes",
    }
}

/// `text` without what differs from seed to seed.
///
/// A list of nodes that each wait for something is cut off: how many nodes a fleet has, and where each
/// of them stood when time was up, is not what broke.
pub(crate) fn normalised(text: &str) -> String {
    let mut nodes = Names::default();
    let mut versions = Names::default();
    let mut made = String::new();
    for clause in without_contents(text).split("; ") {
        let first = words(clause).next();
        if !made.is_empty() {
            let waits = first.is_some_and(|word| clause[word.len()..].starts_with(':'));
            if waits || clause.starts_with("and ") {
                break;
            }
            made.push_str("; ");
        }
        let mut rest = clause;
        for word in words(clause) {
            let at = rest.find(word).expect("words stand in their clause in order");
            made.push_str(&rest[..at]);
            made.push_str(&replaced(word, &mut nodes, &mut versions));
            rest = &rest[at + word.len()..];
        }
        made.push_str(rest);
    }
    made
}

/// `text` without what clocks and quoted states contain: a clock has an entry for each member, and a smaller
/// fleet must be able to fail in the same words.
fn without_contents(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text.chars();
    while let Some(opened) = rest.next() {
        let closed = match opened {
            '{' => '}',
            '"' => '"',
            '“' => '”',
            _ => {
                made.push(opened);
                continue;
            }
        };
        // All that is quoted counts alike, whichever way.
        made.push(if opened == '“' { '"' } else { opened });
        while let Some(inner) = rest.next() {
            if inner == closed {
                made.extend(['#', if closed == '”' { '"' } else { closed }]);
                break;
            }
            // What follows is quoted as it stands, and closes nothing.
            if inner == '\\' && closed != '”' {
                rest.next();
            }
        }
    }
    made
}

/// The parts of `text` that may be names or numbers.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let inside = |c: char| c.is_alphanumeric() || ".+-#".contains(c);
    text.split(move |c| !inside(c)).map(|word| word.trim_end_matches('.')).filter(|w| !w.is_empty())
}

fn replaced(word: &str, nodes: &mut Names, versions: &mut Names) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if word.strip_prefix('n').is_some_and(digits) {
        return nodes.of(word);
    }
    let (core, _) = word.split_once(['+', '-', '#']).unwrap_or((word, ""));
    if core.split('.').count() == 3 && core.split('.').all(digits) {
        return format!("v{}", versions.of(word));
    }
    let hexadecimal = word.len() >= 6
        && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit());
    if hexadecimal || word.trim_start_matches('#').starts_with(|c: char| c.is_ascii_digit()) {
        return "#".to_owned();
    }
    word.to_owned()
}

/// Names in the order in which they come up.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    fn of(&mut self, name: &str) -> String {
        let at = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        });
        match u8::try_from(at) {
            Ok(at) if at < 26 => char::from(b'A' + at).to_string(),
            _ => "Z".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_seed_to_seed_is_taken_out() {
        let one = "message 1.17 from n3 to n0 was delivered after message 19";
        let other = "message 4.2 from n7 to n11 was delivered after message 3";
        assert_eq!(normalised(one), "message # from A to B was delivered after message #");
        assert_eq!(normalised(one), normalised(other));
    }

    #[test]
    fn who_is_who_stays() {
        let back = normalised("n1 knew 2.0.0#ab12cd34 and now knows 1.4.0#99999999");
        assert_eq!(back, "A knew vA and now knows vB");
        assert_eq!(normalised("n1 heard n2 and n1"), "A heard B and A");
        assert_ne!(normalised("n1 heard n2 and n1"), normalised("n1 heard n2 and n2"));
    }

    #[test]
    fn a_stall_is_the_same_however_many_nodes_stall() {
        let few = "2.0.0 was published, and not all know of it; n1: waits for an envelope";
        let many = "2.0.0 was published, and not all know of it; n1: is down; n2: waits for an \
                    envelope; and 3 more";
        assert_eq!(normalised(few), "vA was published, and not all know of it");
        assert_eq!(normalised(few), normalised(many));
    }

    #[test]
    fn what_a_clock_or_a_state_contains_is_not_what_broke() {
        let many = "n3 was told that {0.1, 1.2, 2.7} is stable, and delivered {0.1}";
        let few = "n0 was told that {1.1} is stable, and delivered {}";
        assert_eq!(normalised(many), "A was told that {#} is stable, and delivered {#}");
        assert_eq!(normalised(many), normalised(few));
        let one = r#"n0 shows "a \"b; c\"" after {0.1}, which means "[]""#;
        assert_eq!(normalised(one), r##"A shows "#" after {#}, which means "#""##);
        assert_eq!(normalised("n0 shows \"never closed"), "A shows \"");
        let plain = r#"n0 shows “[{"a":1}; \” after {0.1}, which means “[]”"#;
        assert_eq!(normalised(plain), normalised(one));
    }

    #[test]
    fn times_and_sizes_are_numbers_and_words_are_not() {
        assert_eq!(
            normalised("n2 paused for 12.5ms to switch, at most 1s is allowed"),
            "A paused for # to switch, at most # is allowed"
        );
        assert_eq!(normalised("its state has 900 bytes of 1024"), "its state has # bytes of #");
        assert_eq!(normalised("a decade of faces"), "a decade of faces");
    }
}
