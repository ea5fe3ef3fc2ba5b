//! In which order a case's operations are delivered.

use crdt::{Clock, Event, catalogue::Draw};

/// The events of these numbers. Errors: nobody can have delivered just these, in this order.
pub(super) fn reached<'a, M>(
    events: &'a [Event<M>],
    numbers: &[usize],
) -> Result<Vec<&'a Event<M>>, String> {
    let mut seen = Clock::new();
    let mut delivered = Vec::with_capacity(numbers.len());
    for number in numbers {
        let event = events.get(*number).ok_or_else(|| format!("there is no operation {number}"))?;
        if seen.covers(event.stamp.dot) {
            return Err(format!("operation {number} is delivered twice"));
        }
        if !seen.covers_all(&event.past) {
            return Err(format!("operation {number} is delivered before what it had seen"));
        }
        seen.advance(event.stamp.dot);
        delivered.push(event);
    }
    Ok(delivered)
}

/// Some order of `events` that causality allows.
pub(super) fn any_order<'a, M>(events: &'a [Event<M>], draw: &mut Draw) -> Vec<&'a Event<M>> {
    let mut left: Vec<&Event<M>> = events.iter().collect();
    let mut seen = Clock::new();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let ready = (0..left.len()).filter(|at| seen.covers_all(&left[*at].past));
        let ready: Vec<usize> = ready.collect();
        let next = left.remove(draw.pick(&ready));
        seen.advance(next.stamp.dot);
        order.push(next);
    }
    order
}
