//! What nodes tell of broadcast operations and of who is a member, in words.

use causal::{Clock, Content, Dot, Operation};
use replica::{
    Notice,
    message::Stamped,
    notice::{NotEnrolled, NotHeld, Outcome},
};

use super::{of_release, shown, taken};

/// Entries of a clock that are written out; of a longer one the others are counted.
const CLOCK_ENTRIES_MAX: usize = 8;

/// What `notice` says; `None`: it is of something else.
pub(super) fn noticed(notice: &Notice) -> Option<(&'static str, String)> {
    use Notice as N;
    Some(match notice {
        N::Broadcast(issued) => match &issued.operation.content {
            Content::Heartbeat => ("heartbeat", said(&issued.operation)),
            _ => ("broadcast", said(&issued.operation)),
        },
        N::CausallyDelivered(told) => {
            let waited = if told.waited { ", which waited for others" } else { "" };
            let Operation { dot, content, .. } = &*told.operation;
            match (content, &told.outcome) {
                (Content::Payload(sent), Outcome::Taken { converted, .. }) => {
                    let release = of_release(Some(&sent.stamp));
                    let what = taken(&sent.body, converted);
                    ("carried-out", format!("operation {dot}{release}, {what}{waited}"))
                }
                (_, Outcome::Void(why)) => {
                    ("void", format!("operation {dot} counts and does nothing: {why}"))
                }
                (Content::Heartbeat, _) => ("heard", format!("operation {dot}, a heartbeat")),
                _ => ("carried-out", format!("operation {dot}{}{waited}", about(content))),
            }
        }
        N::Stable(stable) => ("stable", format!("takes {} for stable", clock(&stable.clock))),
        N::OperationHeld { dot, reason, count } => {
            ("held", format!("operation {dot}: {reason}; {count} operations wait now"))
        }
        N::OperationParked { dot, missing, count } => {
            ("parked", format!("operation {dot} waits for {missing}; {count} wait now"))
        }
        N::OperationRejected { from, why } => {
            ("rejected", format!("refuses what {from} says of operations: {why}"))
        }
        N::OperationNotHeld { dot, why } => {
            ("not-held", format!("operation {dot} is to come again: {}", not_held(*why)))
        }
        N::RepairAsked { to, operations } => {
            ("repair", format!("asks {to} for {operations} operations"))
        }
        N::RepairAnswered { to, operations } => {
            ("repair", format!("sends {to} {operations} operations that it lacked"))
        }
        _ => return members(notice),
    })
}

fn members(notice: &Notice) -> Option<(&'static str, String)> {
    use Notice as N;
    Some(match notice {
        N::Founded { origin } => {
            ("founded", format!("broadcasts as {origin}, for nobody was a member"))
        }
        N::Enrolled { origin } => {
            ("enrolled", format!("lets {} in as {origin} and sends its state", origin.node))
        }
        N::EnrollRefused { node, why } => {
            ("not-enrolled", format!("does not let {node} in: {}", not_enrolled(*why)))
        }
        N::BecameMember(became) => (
            "member",
            format!(
                "goes on as {} from {} bytes of state of {}, which had delivered {}",
                became.origin,
                became.state.len(),
                became.donor,
                clock(&became.delivered)
            ),
        ),
        N::Retired { origin } => {
            ("retired", format!("takes nothing from {origin} any more: it is retired"))
        }
        N::Gone { origin } => ("gone", format!("waits for {origin} no more")),
        N::Resynced { origin, from } => {
            ("resynced", format!("is {origin} no more, as {from} says, and has to join again"))
        }
        N::RetireRefused { node, reason } => {
            ("not-retired", format!("does not retire {node}: {reason}"))
        }
        N::LayerRebuilt { parked } => (
            "rebuilt",
            format!("the causal layer is taken down and up again; {parked} operations wait in it"),
        ),
        _ => return None,
    })
}

fn not_held(why: NotHeld) -> &'static str {
    match why {
        NotHeld::Stranger => "nobody here knows its origin",
        NotHeld::Ahead => "it is too far ahead",
        NotHeld::Share => "the room at the gate that is left is for others",
        NotHeld::Full => "there is no room at the gate",
    }
}

fn not_enrolled(why: NotEnrolled) -> &'static str {
    match why {
        NotEnrolled::Newer => "the state here is of a newer release",
        NotEnrolled::NoMember => "it is no member itself",
        NotEnrolled::Full => "there are as many members as there may be",
        NotEnrolled::Busy => "another is being let in, or too much is to be sent as it is",
        NotEnrolled::Early => "it was let in a moment ago",
        NotEnrolled::TooLong => "the state here is too long to send",
    }
}

/// An operation with its direct causes: `operation 2.17 after 1.4 and 2.16, #3 in 2 bytes`.
pub(super) fn said(operation: &Operation<Stamped>) -> String {
    let causes: Vec<Dot> = operation.causes().collect();
    format!("operation {}{}{}", operation.dot, after(&causes), about(&operation.content))
}

fn after(causes: &[Dot]) -> String {
    match causes {
        [] => ", after nothing".to_owned(),
        [only] => format!(" after {only}"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(Dot::to_string).collect();
            format!(" after {} and {last}", rest.join(", "))
        }
    }
}

/// What an operation says, to follow its name.
fn about(content: &Content<Stamped>) -> String {
    match content {
        Content::Payload(sent) => format!(", {}", shown(&sent.body)),
        Content::Heartbeat => ", a heartbeat".to_owned(),
        Content::Join(origin) => format!(", which lets {origin} in"),
        Content::Retire(origin) => format!(", which retires {origin}"),
    }
}

/// A clock of a fleet of any size.
pub(super) fn clock(clock: &Clock) -> String {
    let entries: Vec<String> =
        clock.iter().take(CLOCK_ENTRIES_MAX).map(|last| last.to_string()).collect();
    let more = match clock.iter().count() - entries.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{{{}{more}}}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_told_with_its_direct_causes() {
        let told = |heads: &[Dot]| {
            let (heads, content) = (heads.into(), Content::Heartbeat);
            said(&Operation { dot: Dot::new(2, 17), heads, content })
        };
        assert_eq!(told(&[]), "operation 2.17 after 2.16, a heartbeat");
        assert_eq!(told(&[Dot::new(1, 4)]), "operation 2.17 after 2.16 and 1.4, a heartbeat");
        let two = [Dot::new(1, 4), Dot::new(9, 1)];
        assert_eq!(told(&two), "operation 2.17 after 2.16, 1.4 and 9.1, a heartbeat");
        let (heads, content) = ([].into(), Content::Heartbeat);
        let first = said(&Operation { dot: Dot::new(2, 1), heads, content });
        assert_eq!(first, "operation 2.1, after nothing, a heartbeat");
    }

    #[test]
    fn a_long_clock_is_counted_and_not_listed() {
        let told = clock(&(0..1_000).map(|node| Dot::new(node, 3)).collect());
        assert_eq!(told, "{0.3, 1.3, 2.3, 3.3, 4.3, 5.3, 6.3, 7.3 and 992 more}");
        assert_eq!(clock(&Clock::new()), "{}");
    }
}
