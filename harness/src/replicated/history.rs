//! Histories: what the replicas of a type did, and what each had seen when it did it.

use crdt::{Clock, Dot, Event, Log, Op, Refused, Stamp, Value, catalogue::Draw};

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who did it, and which of its operations it is.
    pub dot: Dot,
    /// What that replica had seen.
    pub past: Clock,
    /// What it did, as a user would say it.
    pub operation: Value,
}

/// Operations, causes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(pub Vec<Step>);

/// Who says what a user who sees a value might do.
pub type Proposal<'a> = &'a dyn Fn(&Value, &mut Draw) -> Value;

/// The shape of a history: who did something after having seen what.
pub type Shape = Vec<(Dot, Clock)>;

/// The events of a history, with what they send. Errors: the step that is refused, and why.
pub fn events<T: Op>(
    kind: &T,
    history: &History,
) -> Result<Vec<Event<T::Message>>, (usize, Refused)> {
    let mut events = Vec::with_capacity(history.0.len());
    for (at, step) in history.0.iter().enumerate() {
        let event = event(kind, &events, step).map_err(|why| (at, why))?;
        events.push(event);
    }
    Ok(events)
}

/// What all of a history means; `None`: some step of it is refused.
pub fn meaning<T: Op>(kind: &T, history: &History) -> Option<Value> {
    let events = events(kind, history).ok()?;
    Some(kind.meaning(&Log::new(&events)))
}

/// The event of `step` after `events`.
fn event<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    step: &Step,
) -> Result<Event<T::Message>, Refused> {
    let (state, stamp) = seen(kind, events, step.dot, &step.past)?;
    let message = kind.prepare(&state, &kind.parse(&step.operation)?, stamp)?;
    Ok(Event { stamp, past: step.past.clone(), message })
}

/// The state of a replica that has seen `past` of `events`, and the stamp of what it does next.
fn seen<T: Op>(
    kind: &T,
    events: &[Event<T::Message>],
    dot: Dot,
    past: &Clock,
) -> Result<(T::State, Stamp), Refused> {
    let mut state = kind.initial();
    let mut lamport = 0;
    for event in Log::new(events.iter().filter(|event| past.covers(event.stamp.dot))).iter() {
        kind.effect(&mut state, event.at(), &event.message)?;
        lamport = lamport.max(event.stamp.lamport + 1);
    }
    Ok((state, Stamp { lamport, dot }))
}

/// Operations that a type may refuse of one history: a broken one may come to refuse all.
const REFUSED_MAX: usize = 1_000;

/// A history of `operations` operations, fewer where the type refuses too many, at `replicas` replicas that see each other's at random.
pub fn random<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    replicas: u32,
    operations: usize,
    draw: &mut Draw,
) -> History {
    let mut history = History::default();
    let mut events = Vec::new();
    let mut clocks = vec![Clock::new(); replicas as usize];
    let mut refused = 0;
    while history.0.len() < operations && refused < REFUSED_MAX {
        let replica = draw.below(replicas as usize);
        let clock = &clocks[replica];
        let ready = events.iter().filter(|event: &&Event<T::Message>| {
            !clock.covers(event.stamp.dot) && clock.covers_all(&event.past)
        });
        let ready: Vec<Dot> = ready.map(|event| event.stamp.dot).collect();
        if !ready.is_empty() && draw.below(5) < 2 {
            let dot = draw.pick(&ready);
            clocks[replica].advance(dot);
            continue;
        }
        let dot = Dot::new(replica as u32, clock.get(replica as u32) + 1);
        let past = clock.clone();
        if let Some((step, event)) = proposed(kind, propose, &events, dot, past, draw) {
            clocks[replica].advance(dot);
            history.0.push(step);
            events.push(event);
        } else {
            refused += 1;
        }
    }
    history
}

/// Something that a user might do who has seen `past`; `None`: the type, being broken, refused it.
fn proposed<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    events: &[Event<T::Message>],
    dot: Dot,
    past: Clock,
    draw: &mut Draw,
) -> Option<(Step, Event<T::Message>)> {
    let (state, _) = seen(kind, events, dot, &past).ok()?;
    let operation = propose(&kind.value(&state), draw);
    let step = Step { dot, past, operation };
    let event = event(kind, events, &step).ok()?;
    Some((step, event))
}

/// Every shape of `operations` operations at `replicas` replicas, each once.
pub fn shapes(replicas: u32, operations: usize) -> Vec<Shape> {
    let mut shapes: std::collections::BTreeSet<Vec<(Dot, Vec<Dot>)>> = [Vec::new()].into();
    for _ in 0..operations {
        let mut longer = std::collections::BTreeSet::new();
        for shape in &shapes {
            for origin in 0..replicas {
                let own =
                    shape.iter().filter(|(dot, _)| dot.origin == origin.into()).count() as u32;
                let dot = Dot::new(origin, own + 1);
                for past in closed(shape, replicas) {
                    if past.get(origin) == own {
                        let mut new = shape.clone();
                        new.push((dot, past.iter().collect()));
                        new.sort_unstable();
                        longer.insert(new);
                    }
                }
            }
        }
        shapes = longer;
    }
    shapes.into_iter().map(|shape| ordered(&shape)).collect()
}

/// Of shapes that differ by nothing but the names of their replicas, one each.
pub fn up_to_renaming(shapes: &[Shape], replicas: u32) -> Vec<Shape> {
    let mut names: Vec<Vec<u32>> = vec![Vec::new()];
    for _ in 0..replicas {
        let longer = names.iter().flat_map(|order| {
            let left = (0..replicas).filter(|name| !order.contains(name));
            left.map(|name| [&order[..], &[name]].concat()).collect::<Vec<_>>()
        });
        names = longer.collect();
    }
    let renamed = |shape: &Shape, names: &[u32]| {
        let name = |dot: Dot| Dot::new(names[dot.origin.node.0 as usize], dot.seq);
        let past = |past: &Clock| {
            let mut past: Vec<Dot> = past.iter().map(name).collect();
            past.sort_unstable();
            past
        };
        let mut renamed: Vec<_> = shape.iter().map(|(dot, of)| (name(*dot), past(of))).collect();
        renamed.sort_unstable();
        renamed
    };
    // Of all its names a shape is kept under the least.
    let is_least = |shape: &&Shape| {
        let own: Vec<u32> = (0..replicas).collect();
        let as_is = renamed(shape, &own);
        names.iter().all(|names| as_is <= renamed(shape, names))
    };
    shapes.iter().filter(is_least).cloned().collect()
}

/// How many shapes there are; counting stops soon after `most`.
pub fn count_shapes(replicas: u32, operations: usize, most: usize) -> usize {
    let mut count = 1;
    for operations in 1..=operations {
        if count > most {
            break;
        }
        count = shapes(replicas, operations).len();
    }
    count
}

fn clock(dots: &[Dot]) -> Clock {
    let mut clock = Clock::new();
    dots.iter().for_each(|dot| clock.advance(*dot));
    clock
}

/// Every causally closed part of a shape.
fn closed(shape: &[(Dot, Vec<Dot>)], replicas: u32) -> Vec<Clock> {
    let mut found = vec![Clock::new()];
    for origin in 0..replicas {
        let count = shape.iter().filter(|(dot, _)| dot.origin == origin.into()).count() as u32;
        let with = |seq| {
            let wider = found.iter().cloned().map(move |mut clock| {
                if seq > 0 {
                    clock.advance(Dot::new(origin, seq));
                }
                clock
            });
            wider.collect::<Vec<_>>()
        };
        found = (0..=count).flat_map(with).collect();
    }
    let is_closed = |of: &Clock| {
        let inside = shape.iter().filter(|(dot, _)| of.covers(*dot));
        inside.into_iter().all(|(_, past)| of.covers_all(&clock(past)))
    };
    found.retain(is_closed);
    found
}

/// A shape, causes first.
fn ordered(shape: &[(Dot, Vec<Dot>)]) -> Shape {
    let mut left: Vec<_> = shape.iter().map(|(dot, past)| (*dot, clock(past))).collect();
    let mut seen = Clock::new();
    let mut out = Shape::new();
    while !left.is_empty() {
        let next = left.iter().position(|(_, past)| seen.covers_all(past));
        let next = left.remove(next.expect("a shape has no cycle"));
        seen.advance(next.0);
        out.push(next);
    }
    out
}

/// Every history of this shape in which each step is one operation of each kind that makes sense there.
pub fn assignments<T: Op>(
    kind: &T,
    propose: Proposal<'_>,
    shape: &Shape,
    each: &mut dyn FnMut(&History),
) {
    fn go<T: Op>(
        kind: &T,
        propose: Proposal<'_>,
        shape: &Shape,
        history: &mut History,
        events: &mut Vec<Event<T::Message>>,
        each: &mut dyn FnMut(&History),
    ) {
        let Some((dot, past)) = shape.get(history.0.len()) else { return each(history) };
        let Ok((state, _)) = seen(kind, events, *dot, past) else { return };
        for operation in alphabet(propose, &kind.value(&state)) {
            let step = Step { dot: *dot, past: past.clone(), operation };
            if let Ok(event) = event(kind, events, &step) {
                history.0.push(step);
                events.push(event);
                go(kind, propose, shape, history, events, each);
                history.0.pop();
                events.pop();
            }
        }
    }
    go(kind, propose, shape, &mut History::default(), &mut Vec::new(), each);
}

/// Proposals are drawn this often to find one of each kind.
const DRAWS: usize = 48;

/// One operation of each kind that a user who sees `value` might do.
pub fn alphabet(propose: Proposal<'_>, value: &Value) -> Vec<Value> {
    let mut draw = Draw(0);
    let mut found: Vec<Value> = Vec::new();
    for _ in 0..DRAWS {
        let operation = propose(value, &mut draw);
        if found.iter().all(|known| known.get("kind") != operation.get("kind")) {
            found.push(operation);
        }
    }
    found
}

impl History {
    /// Every history with a step less, and every one with a simpler number.
    pub fn smaller(&self) -> Vec<Self> {
        let shorter = (0..self.0.len()).rev().map(|at| self.without(at));
        let simpler = (0..self.0.len()).flat_map(|at| {
            let with = move |operation| {
                let mut simpler = self.clone();
                simpler.0[at].operation = operation;
                simpler
            };
            super::laws::simpler(&self.0[at].operation).into_iter().map(with)
        });
        shorter.chain(simpler).collect()
    }

    /// What was done, and after what, one step a line.
    pub fn told(&self) -> Vec<String> {
        let step = |(at, step): (usize, &Step)| {
            let causes: Vec<String> = self.causes(at).iter().map(ToString::to_string).collect();
            let after = if causes.is_empty() { String::new() } else { " after ".to_owned() };
            format!("{} {}{after}{}", step.dot, step.operation, causes.join(", "))
        };
        self.0.iter().enumerate().map(step).collect()
    }

    /// Without the step `at`, and as if it had never been: later steps of its replica move up.
    pub fn without(&self, at: usize) -> Self {
        let gone = self.0[at].dot;
        let moved = |dot: Dot| {
            let later = dot.origin == gone.origin && dot.seq >= gone.seq;
            Dot { seq: dot.seq - u32::from(later), ..dot }
        };
        let kept = self.0.iter().filter(|step| step.dot != gone);
        let steps = kept.map(|step| {
            let past = step.past.iter().map(moved).filter(|dot| dot.seq > 0);
            let past: Vec<Dot> = past.collect();
            Step { dot: moved(step.dot), past: clock(&past), operation: step.operation.clone() }
        });
        Self(steps.collect())
    }

    /// The direct causes of the step `at`: what it had seen and nothing else it had seen came after.
    pub fn causes(&self, at: usize) -> Vec<Dot> {
        let past = &self.0[at].past;
        let seen = |dot: &Dot| {
            let others = self.0.iter().filter(|step| step.dot != *dot && past.covers(step.dot));
            !others.into_iter().any(|step| step.past.covers(*dot))
        };
        past.iter().filter(seen).collect()
    }

    /// The history as a graph for `dot`.
    pub fn dot(&self) -> String {
        let mut text =
            "digraph history {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n"
                .to_owned();
        for (at, step) in self.0.iter().enumerate() {
            let label = step.operation.to_string().replace('\\', r"\\").replace('"', r#"\""#);
            text += &format!("  \"{}\" [label=\"{}\\n{label}\"];\n", step.dot, step.dot);
            for cause in self.causes(at) {
                text += &format!("  \"{cause}\" -> \"{}\";\n", step.dot);
            }
        }
        text + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts are those of the literature; two replicas give the Catalan numbers.
    #[test]
    fn there_are_as_many_shapes_as_there_must_be() {
        let counts = |replicas, most: usize| {
            let count = |count| {
                let shapes = shapes(replicas, count);
                (shapes.len(), up_to_renaming(&shapes, replicas).len())
            };
            (1..=most).map(count).unzip()
        };
        let two: (Vec<_>, Vec<_>) = counts(2, 7);
        assert_eq!(two.0, [2, 5, 14, 42, 132, 429, 1430]);
        assert_eq!(two.1, [1, 3, 7, 22, 66, 217, 715]);
        let three: (Vec<_>, Vec<_>) = counts(3, 5);
        assert_eq!(three.0, [3, 12, 58, 321, 1968]);
        assert_eq!(three.1, [1, 3, 12, 58, 339]);
        let four: (Vec<_>, Vec<_>) = counts(4, 4);
        assert_eq!(four.0, [4, 22, 152, 1255]);
        assert_eq!(four.1, [1, 3, 12, 74]);
    }
}
