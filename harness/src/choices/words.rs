//! One accident and what was settled of it, on one line: `send n1->n4 #3 latency = 12ms, lost`.
//!
//! First the kind of accident, then to whom it happens, then how many of its kind came before, then each
//! of its decisions that is not benign. Whatever no line names is benign.

use std::{fmt, ops::Range};

use contract::{NodeId, Occasion, Site, Span, choices::link};
use sim::choices::Decision;

use super::names::{self, Entity, FAMILIES, Named, SITES, Value};
use crate::scenario::{
    diagnostic::listed,
    units::{Drift, Factor, Unit},
};

/// The largest number: where a datagram is damaged is drawn as a word, and counted from 1.
const NUMBER_MAX: u64 = 1 << u32::BITS;
/// The largest factor, in thousandths.
const FACTOR_MAX: u32 = 1_000_000;
/// Drifts are kept as parts per million above minus a million.
const DRIFT_ZERO: u64 = 1_000_000;

/// Reads and writes choices; knows the kinds of operation that a run's clients ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Kinds of operation, in the order of their numbers.
    pub kinds: Vec<String>,
}

/// A line that is no choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordsError {
    /// The bytes of the line that are wrong.
    pub at: Range<usize>,
    /// What was expected there.
    pub expected: String,
}

impl fmt::Display for WordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}", self.expected)
    }
}

impl Words {
    /// Writes `decisions`, the decisions of one occasion on one line, in the order of first mention.
    pub fn lines(&self, decisions: &[Decision]) -> Vec<String> {
        let mut lines: Vec<(Occasion, String)> = Vec::new();
        for decision in decisions {
            let text = self.settled(decision);
            match lines.last_mut() {
                Some((occasion, line)) if *occasion == decision.occasion => {
                    line.push_str(", ");
                    line.push_str(&text);
                }
                _ => {
                    let line = format!("{} {text}", occasion(decision.occasion));
                    lines.push((decision.occasion, line));
                }
            }
        }
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// What was settled, such as `latency = 12ms`.
    fn settled(&self, decision: &Decision) -> String {
        let value = decision.value;
        let Some(named) = names::aspect(decision.occasion.site, decision.aspect) else {
            return format!("{} = {value}", decision.aspect.0);
        };
        let name = named.name;
        match named.value {
            Value::Flag if value == 1 => name.to_owned(),
            Value::Flag | Value::Number => format!("{name} = {value}"),
            Value::Span => format!("{name} = {}", Span::from_nanos(value)),
            Value::Kind => {
                let kind = usize::try_from(value).ok().and_then(|kind| self.kinds.get(kind));
                kind.map_or_else(|| format!("{name} = {value}"), |kind| format!("{name} = {kind}"))
            }
            Value::Factor => {
                let milli = u32::try_from(value).unwrap_or(u32::MAX);
                format!("{name} = {}", Factor { milli })
            }
            Value::Drift => {
                let ppm = value as i64 - DRIFT_ZERO as i64;
                format!("{name} = {}", Drift { ppm: ppm as i32 })
            }
        }
    }

    /// Reads one line. Errors: [`WordsError`], which says where and what was expected.
    pub fn read(&self, line: &str) -> Result<Vec<Decision>, WordsError> {
        let mut reader = Reader { line, at: 0 };
        let occasion = reader.occasion()?;
        let mut decisions: Vec<Decision> = Vec::new();
        loop {
            let start = reader.skip();
            let decision = reader.settled(self, occasion)?;
            if decisions.iter().any(|before| before.aspect == decision.aspect) {
                return Err(WordsError {
                    at: start..reader.at,
                    expected: "each decision once".to_owned(),
                });
            }
            decisions.push(decision);
            reader.skip();
            if reader.rest().is_empty() {
                return Ok(decisions);
            }
            reader.expect(",", "`,` and another decision, or the end of the line")?;
        }
    }
}

/// An occasion, such as `send n1->n4 #3`.
pub fn occasion(occasion: Occasion) -> String {
    let Occasion { site, entity, index } = occasion;
    let Some((name, whom)) = names::site(site) else {
        return format!("{site:?} {entity} #{index}");
    };
    match whom {
        Entity::Link => format!("{name} n{}->n{} #{index}", entity >> 32, entity as u32),
        Entity::Node if site == Site::Run => format!("{name} n{entity}"),
        Entity::Node => format!("{name} n{entity} #{index}"),
        Entity::Client => format!("{name} c{entity} #{index}"),
        Entity::Fleet => format!("{name} #{index}"),
        Entity::Family => {
            let family = FAMILIES.iter().find(|(number, _)| *number == entity);
            family.map_or_else(|| format!("{name} {entity}"), |(_, of)| format!("{name} {of}"))
        }
    }
}

/// The nodes that an occasion is about.
pub fn nodes(occasion: Occasion) -> Vec<NodeId> {
    let Occasion { site, entity, .. } = occasion;
    match names::site(site).map(|(_, whom)| whom) {
        Some(Entity::Link) => vec![NodeId((entity >> 32) as u32), NodeId(entity as u32)],
        Some(Entity::Node) => vec![NodeId(entity as u32)],
        _ => Vec::new(),
    }
}

/// Reads a line from left to right.
struct Reader<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// Steps over blanks; where the next word begins.
    fn skip(&mut self) -> usize {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.at
    }

    /// The next word, up to a blank, a comma or an equals sign.
    fn word(&mut self) -> (Range<usize>, &'a str) {
        let start = self.skip();
        let end = |c: char| c.is_whitespace() || c == ',' || c == '=';
        let length = self.rest().find(end).unwrap_or(self.rest().len());
        self.at += length;
        (start..self.at, &self.line[start..self.at])
    }

    fn expect(&mut self, token: &str, expected: &str) -> Result<(), WordsError> {
        let start = self.skip();
        if self.rest().starts_with(token) {
            self.at += token.len();
            return Ok(());
        }
        let end = start + self.rest().chars().next().map_or(0, char::len_utf8);
        Err(WordsError { at: start..end, expected: expected.to_owned() })
    }

    fn occasion(&mut self) -> Result<Occasion, WordsError> {
        let (at, word) = self.word();
        let Some((site, _, whom)) = SITES.iter().find(|(_, name, _)| *name == word) else {
            let known = listed(SITES.iter().map(|(_, name, _)| *name));
            return Err(WordsError { at, expected: format!("one of {known}") });
        };
        let entity = match whom {
            Entity::Fleet => 0,
            _ => self.entity(*whom)?,
        };
        let index = match whom {
            Entity::Family => 0,
            Entity::Node if *site == Site::Run => 0,
            _ => self.index()?,
        };
        Ok(Occasion { site: *site, entity, index })
    }

    fn entity(&mut self, whom: Entity) -> Result<u64, WordsError> {
        let (at, word) = self.word();
        let node = |text: &str| text.parse::<NodeId>().ok().map(|node| node.0);
        let (read, expected) = match whom {
            Entity::Link => {
                let ends = word.split_once("->");
                let both = ends.and_then(|(from, to)| Some(link(node(from)?, node(to)?)));
                (both, "a link such as `n1->n4`".to_owned())
            }
            Entity::Node | Entity::Fleet => {
                (node(word).map(u64::from), "a node such as `n4`".to_owned())
            }
            Entity::Client => {
                let client = word.strip_prefix('c').and_then(|number| number.parse::<u32>().ok());
                (client.map(u64::from), "a client such as `c2`".to_owned())
            }
            Entity::Family => {
                let family = FAMILIES.iter().find(|(_, name)| *name == word);
                let known = listed(FAMILIES.iter().map(|(_, name)| *name));
                (family.map(|(number, _)| *number), format!("one of {known}"))
            }
        };
        read.ok_or(WordsError { at, expected })
    }

    fn index(&mut self) -> Result<u64, WordsError> {
        let (at, word) = self.word();
        let number = word.strip_prefix('#').and_then(|number| number.parse::<u64>().ok());
        let expected = || "how many came before, such as `#3`".to_owned();
        // A queue of choices never gets so long; the largest numbers are left to arithmetic.
        let number = number.filter(|number| *number <= u64::from(u32::MAX));
        number.ok_or_else(|| WordsError { at, expected: expected() })
    }

    fn settled(&mut self, words: &Words, occasion: Occasion) -> Result<Decision, WordsError> {
        let (at, word) = self.word();
        let Some(named) = names::decision(occasion.site, word) else {
            let of = names::NAMED.iter().filter(|named| named.site == occasion.site);
            let expected = format!("one of {}", listed(of.map(|named| named.name)));
            return Err(WordsError { at, expected });
        };
        let value = match named.value {
            Value::Flag => 1,
            _ => {
                self.expect("=", &format!("`=` and {}", expected(words, named)))?;
                self.value(words, named)?
            }
        };
        Ok(Decision { occasion, aspect: named.aspect, value })
    }

    fn value(&mut self, words: &Words, named: &Named) -> Result<u64, WordsError> {
        let start = self.skip();
        let length = self.rest().find(',').unwrap_or(self.rest().len());
        let text = self.rest()[..length].trim_end();
        self.at += text.len();
        let value = match named.value {
            Value::Flag | Value::Number => text.parse().ok().filter(|n| *n <= NUMBER_MAX),
            Value::Span => text.parse::<Span>().ok().map(nanos),
            Value::Kind => {
                let known = words.kinds.iter().position(|kind| kind == text);
                known.map(|kind| kind as u64)
            }
            Value::Factor => Factor::read(text)
                .ok()
                .filter(|factor| (1..=FACTOR_MAX).contains(&factor.milli))
                .map(|factor| factor.milli.into()),
            Value::Drift => Drift::read(text)
                .ok()
                .map(|drift| (DRIFT_ZERO as i64 + i64::from(drift.ppm)) as u64),
        };
        let at = start..self.at.max(start);
        value.ok_or_else(|| WordsError { at, expected: expected(words, named) })
    }
}

fn nanos(span: Span) -> u64 {
    span.as_nanos()
}

/// What a value of `named` looks like.
fn expected(words: &Words, named: &Named) -> String {
    match named.value {
        Value::Flag | Value::Number => format!("a number up to {NUMBER_MAX}"),
        Value::Span => "a time such as `150ms`".to_owned(),
        Value::Kind if words.kinds.is_empty() => {
            "a kind of operation, but nobody asks for anything".to_owned()
        }
        Value::Kind => format!("one of {}", listed(words.kinds.iter().map(String::as_str))),
        Value::Factor => format!("{}, up to {}", Factor::EXPECTED, Factor { milli: FACTOR_MAX }),
        Value::Drift => Drift::EXPECTED.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words { kinds: vec!["add".to_owned(), "read".to_owned()] }
    }

    #[test]
    fn every_kind_of_choice_reads_back_as_written() {
        let lines = [
            "send n1->n4 #3 lost",
            "send n1->n4 #3 latency = 12300us, delayed = 5ms, duplicated, duplicate-latency = 1ns",
            "send n0->n1 #0 corrupted = 17",
            "send n0->n1 #0 corrupted = 4294967296",
            "persist n2 #9 latency = 2ms",
            "persist n2 #9 latency = 18446744073709551615ns",
            "crash n3 #1 strikes",
            "pause n3 #0 strikes",
            "clock n3 #0 skew = 50ms, drift = -20 ppm",
            "clock n3 #1 strikes",
            "partition #0 strikes",
            "clog #2 strikes",
            "op c2 #5 gap = 48ms, asked, kind = read",
            "swarm disk-damage on, scale = 0.354",
            "core n2 gone",
        ];
        for line in lines {
            let decisions = words().read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(words().lines(&decisions), [line]);
        }
    }

    #[test]
    fn decisions_of_one_occasion_share_a_line_and_others_do_not() {
        let mut decisions = words().read("send n1->n4 #3 latency = 2ms, lost").unwrap();
        decisions.extend(words().read("send n4->n1 #3 lost").unwrap());
        let lines = words().lines(&decisions);
        assert_eq!(lines, ["send n1->n4 #3 latency = 2ms, lost", "send n4->n1 #3 lost"]);
    }

    #[test]
    fn a_mistake_is_named_with_its_place_and_what_was_expected() {
        let wrong = |line: &str| {
            let error = words().read(line).expect_err(line);
            format!("{}: {error}", line.get(error.at.clone()).unwrap_or("?"))
        };
        assert!(wrong("sent n1->n4 #3 lost").starts_with("sent: expected one of `send`"));
        assert!(wrong("send n1-n4 #3 lost").starts_with("n1-n4: expected a link"));
        assert!(wrong("send n1->n4 3 lost").starts_with("3: expected how many came before"));
        assert!(wrong("send n1->n4 #3 los").starts_with("los: expected one of `lost`"));
        assert!(wrong("send n1->n4 #3 latency = 12").starts_with("12: expected a time"));
        assert!(wrong("send n1->n4 #3 latency 12ms").starts_with("1: expected `=`"));
        assert!(
            wrong("send n1->n4 #3 lost, lost").starts_with("lost: expected each decision once")
        );
        assert!(wrong("send n1->n4 #3 lost lost").starts_with("l: expected `,`"));
        assert!(wrong("op c1 #3 kind = ad").starts_with("ad: expected one of `add` or `read`"));
        assert!(wrong("send n1->n4 #99999999999999 lost").starts_with("#99999999999999: "));
        assert!(wrong("").starts_with(": expected one of `send`"));
    }

    #[test]
    fn no_text_makes_it_panic() {
        let line = "send n1->n4 #3 latency = 12ms, lost";
        for cut in 0..line.len() {
            let _ = words().read(&line[..cut]);
            let _ = words().read(&format!("{}\u{fc}{}", &line[..cut], &line[cut..]));
        }
    }
}
