//! What happened before what: everything on its lane in one order, and vector clocks over it.
//!
//! Source: Mattern, "Virtual Time and Global States of Distributed Systems", 1989.

use results::Diagram;

/// Something that happened on a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) order: u64,
    pub(super) lane: usize,
    pub(super) what: What,
}

/// What happened: an index into the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Mark(usize),
    Sent(usize),
    Arrived(usize),
}

/// Everything that happened on some lane, causes before effects.
pub(super) fn everything(run: &Diagram) -> Vec<Happened> {
    let marks = run.marks.iter().enumerate().filter_map(|(place, mark)| {
        let lane = mark.lane? as usize;
        Some(Happened { order: mark.order, lane, what: What::Mark(place) })
    });
    let sent = run.messages.iter().enumerate().map(|(place, message)| Happened {
        order: message.sent_order,
        lane: message.from as usize,
        what: What::Sent(place),
    });
    let arrived = run.messages.iter().enumerate().filter_map(|(place, message)| {
        let lane = message.to as usize;
        Some(Happened { order: message.arrived_order?, lane, what: What::Arrived(place) })
    });
    let mut everything: Vec<Happened> = marks.chain(sent).chain(arrived).collect();
    everything.sort_unstable_by_key(|one| one.order);
    everything
}

/// Shows `visit` each event of `everything` that is `shown`, with its vector clock: how many shown events
/// of each lane happened before it, itself included. Messages that are not shown carry clocks as well.
pub(super) fn clocks(
    run: &Diagram,
    everything: &[Happened],
    shown: impl Fn(&Happened) -> bool,
    mut visit: impl FnMut(&Happened, &[u32]),
) {
    let mut clocks = vec![vec![0_u32; run.lanes.len()]; run.lanes.len()];
    let mut carried: Vec<Option<Box<[u32]>>> = vec![None; run.messages.len()];
    for one in everything {
        if let What::Arrived(message) = one.what
            && let Some(sent) = carried[message].take()
        {
            for (mine, its) in clocks[one.lane].iter_mut().zip(&sent) {
                *mine = (*mine).max(*its);
            }
        }
        if shown(one) {
            clocks[one.lane][one.lane] += 1;
            visit(one, &clocks[one.lane]);
        }
        if let What::Sent(message) = one.what
            && run.messages[message].arrived_order.is_some()
        {
            carried[message] = Some(clocks[one.lane].as_slice().into());
        }
    }
}
