//! Interleaving: whether what two people type at one place at a time stays in two pieces.
//!
//! No list specification forbids that it does not; a text in which it does not reads like nobody's.
//! Source: Weidner and Kleppmann, "The Art of the Fugue" (2023): no algorithm keeps all forward and all
//! backward runs in one piece, so that a rate is reported and nothing is a failure.

use crdt::{Clock, Dot, Log, Op, Value, catalogue::Draw};

use super::super::history::{self, History, Step};

/// Which way somebody types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Each element behind the one before.
    Forward,
    /// Each element in front of the one before.
    Backward,
}

/// How many runs there were, and how many were torn apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Runs that were typed.
    pub runs: u64,
    /// Those that are not in one piece at the end.
    pub torn: u64,
}

/// Elements that are there before anybody types a run.
const BASE_MAX: usize = 3;

/// Has `writers` type runs of `length` elements at one place at a time, in `trials` lists.
pub fn rate<T: Op>(
    kind: &T,
    direction: Direction,
    writers: u32,
    length: usize,
    trials: u64,
    seed: u64,
) -> Rate {
    let mut rate = Rate::default();
    for trial in 0..trials {
        let mut draw = Draw(seed.wrapping_add(trial));
        let history = typed(direction, writers, length, &mut draw);
        let Ok(events) = history::events(kind, &history) else { continue };
        let mut state = kind.initial();
        for event in Log::new(&events).iter() {
            // What is refused is seen by the sweep; here it is missing.
            let _ = kind.effect(&mut state, event.at(), &event.message);
        }
        let Value::List(shown) = kind.value(&state) else { continue };
        for writer in 0..writers {
            let own = |value: &Value| text(value).is_some_and(|text| text == name(writer));
            let first = shown.iter().position(own);
            let last = shown.iter().rposition(own);
            if let (Some(first), Some(last)) = (first, last) {
                rate.runs += 1;
                rate.torn += u64::from(last - first + 1 != length);
            }
        }
    }
    rate
}

/// Some elements that all have seen, and then a run of each writer at one place.
fn typed(direction: Direction, writers: u32, length: usize, draw: &mut Draw) -> History {
    let mut history = History::default();
    let base = draw.below(BASE_MAX + 1);
    let mut seen = Clock::new();
    for index in 0..base {
        let dot = Dot::new(0, index as u32 + 1);
        history.0.push(Step { dot, past: seen.clone(), operation: insert(index, "base") });
        seen.advance(dot);
    }
    let place = draw.below(base + 1);
    for writer in 0..writers {
        let mut past = seen.clone();
        for at in 0..length {
            let index = match direction {
                Direction::Forward => place + at,
                Direction::Backward => place,
            };
            let dot = Dot::new(writer, past.get(writer) + 1);
            let operation = insert(index, &name(writer));
            history.0.push(Step { dot, past: past.clone(), operation });
            past.advance(dot);
        }
    }
    history
}

/// The history that tells Fugue from FugueMax, which random ones hardly ever are: b and c are put behind a at
/// a time; then, where a and c are seen, e and g behind a and behind c; then d and f between what came so.
pub fn two_rounds() -> History {
    let (a, b, c) = (Dot::new(0, 1), Dot::new(0, 2), Dot::new(1, 1));
    let (e, g) = (Dot::new(2, 1), Dot::new(3, 1));
    let (d, f) = (Dot::new(0, 3), Dot::new(0, 4));
    let past = |dots: &[Dot]| dots.iter().copied().collect::<Clock>();
    let step = |dot, dots: &[Dot], index| Step {
        dot,
        past: past(dots),
        operation: insert(index, &dot.to_string()),
    };
    History(vec![
        step(a, &[], 0),
        step(b, &[a], 1),
        step(c, &[a], 1),
        step(e, &[a, c], 1),
        step(g, &[a, c], 1),
        step(d, &[b, c, e], 2),
        step(f, &[d, c, e, g], 2),
    ])
}

fn insert(index: usize, value: &str) -> Value {
    Value::map([
        ("kind", Value::from("insert")),
        ("index", Value::from(index as i64)),
        ("value", Value::from(value)),
    ])
}

/// What a writer types.
fn name(writer: u32) -> String {
    format!("writer {writer}")
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::List(parts) => parts.first().and_then(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::planted::ByReceipt, *};

    #[test]
    fn a_tree_keeps_forward_runs_in_one_piece_and_tears_backward_ones() {
        let rate = |direction, writers| rate(&ByReceipt, direction, writers, 5, 40, 1);
        assert_eq!(rate(Direction::Forward, 2), Rate { runs: 80, torn: 0 });
        let backward = rate(Direction::Backward, 2);
        assert_eq!((backward.runs, backward.torn > 40), (80, true), "{backward:?}");
        assert_eq!(rate(Direction::Backward, 1), Rate { runs: 40, torn: 0 });
    }

    #[test]
    fn the_history_of_two_rounds_can_be_carried_out() {
        let events = history::events(&ByReceipt, &two_rounds()).unwrap();
        assert_eq!(events.len(), 7);
    }
}
