//! Events in words that someone understands who has not read the code.

use app::Body;
use contract::{NodeId, Span, Time};
use replica::{
    Command, Notice, Replica,
    message::{Content, Letter},
    notice::{Conversion, Dropped, Ended, MessageId},
};
use sim::{
    Event, Fate,
    event::{Phase, Why},
};
use upgrade::{
    release::{ReleaseId, Stamp},
    switch::Migration,
};

use super::Line;
use crate::numbers::counted;

mod operations;

pub(super) fn line(at: Time, event: &Event<'_, Replica>) -> Line {
    let (node, peer, kind, text) = words(event);
    Line { at: at.as_nanos(), node, peer, kind, text }
}

type Words = (Option<NodeId>, Option<NodeId>, &'static str, String);

fn words(event: &Event<'_, Replica>) -> Words {
    let (node, kind, text) = match event {
        Event::Started { node, records, earlier, .. } => {
            let time = if *earlier == 0 { "for the first time" } else { "again" };
            (node, "started", format!("starts {time} from {records} records"))
        }
        Event::Crashed { node, down_for, lost, .. } => {
            let mut text = match down_for {
                Some(down_for) => format!("crashes, down for {}", time(*down_for)),
                None => "crashes, down for good".to_owned(),
            };
            for (what, count) in [("durable", lost.tail), ("rotten", lost.rotten)] {
                if count > 0 {
                    text += &format!(", loses {count} {what} records");
                }
            }
            if lost.amnesia > 0 {
                text += ", loses its whole disk";
            } else if lost.torn {
                text += ", tears the record in flight";
            } else if lost.in_flight {
                text += ", loses the record in flight";
            }
            (node, "crashed", text)
        }
        Event::Recovered { node } => (node, "recovered", "is up again".to_owned()),
        Event::Left { node } => (node, "left", "leaves for ever".to_owned()),
        Event::Paused { node, lasts } => {
            (node, "paused", format!("stands still for {}", time(*lasts)))
        }
        Event::Resumed { node, waited } => {
            (node, "resumed", format!("goes on; {waited} inputs waited"))
        }
        Event::Command { node, command, accepted, .. } => {
            let refused = if *accepted { "" } else { "; it is down and does not hear it" };
            (node, "command", format!("{}{refused}", asked(command)))
        }
        Event::Timer { node, timer, .. } => (node, "timer", format!("{timer:?} is due")),
        Event::Persisting { node, record, replace, .. } => {
            let how = if *replace { "replaces its records by" } else { "appends" };
            (node, "persisting", format!("{how} a record of {} bytes", record.len()))
        }
        Event::Persisted { node, bytes, .. } => {
            (node, "persisted", format!("a record of {bytes} bytes is durable"))
        }
        Event::Notice { node, notice, .. } => {
            let (kind, text) = noticed(notice);
            (node, kind, text)
        }
        Event::Fault { fault, phase } => {
            let kind = if *phase == Phase::Begins { "fault" } else { "fault-ends" };
            return (None, None, kind, fault.to_string());
        }
        Event::Sent { .. } | Event::Delivered { .. } | Event::Undeliverable { .. } => {
            return datagram(event);
        }
    };
    (Some(*node), None, kind, text)
}

fn datagram(event: &Event<'_, Replica>) -> Words {
    match event {
        Event::Sent { from, to, number, message, size, fate, .. } => {
            let text = format!(
                "to {to}: datagram {number}, {size} bytes, {}; {}",
                said(&message.content),
                fated(fate)
            );
            (Some(*from), Some(*to), "sent", text)
        }
        Event::Delivered { from, to, number, copy, message, .. } => {
            let copy = if *copy { "a copy of " } else { "" };
            let text = format!("from {from}: {copy}datagram {number}, {}", said(&message.content));
            (Some(*to), Some(*from), "delivered", text)
        }
        Event::Undeliverable { from, to, number, why, .. } => {
            let text = format!("from {from}: datagram {number} is dropped, {}", why_not(*why));
            (Some(*to), Some(*from), "undeliverable", text)
        }
        _ => unreachable!("only datagrams come here"),
    }
}

fn asked(command: &Command) -> String {
    match command {
        Command::Operation { id, body, stamp, .. } => {
            format!("a client asks operation {id}, {}{}", shown(body), built_for(stamp.as_ref()))
        }
        Command::Publish { code, .. } => {
            format!("a publisher hands over a release with {} bytes of code", code.len())
        }
        Command::Retire(node) => format!("an operator retires {node}"),
    }
}

/// What a datagram says.
pub(crate) fn said(content: &Content) -> String {
    match content {
        Content::Ack(ack) => format!("acknowledges up to {}", ack.cursor),
        Content::Frame(frame) => {
            let nack = |letter: &Letter| matches!(letter, Letter::Nack(_));
            let nacks = frame.items.iter().filter(|item| nack(&item.letter)).count();
            let letters = frame.items.len() - nacks;
            let first = frame.items.first().map_or(0, |item| item.sequence);
            let nacks = if nacks == 0 { String::new() } else { format!(" and {nacks} refusals") };
            let messages = if letters == 1 { "message" } else { "messages" };
            format!("{letters} {messages}{nacks} from number {first}")
        }
        Content::Once(once) => format!("{}, once or never", shown(&once.body)),
        Content::Digest(digest) => match &digest.known {
            Some(known) => format!("knows {known}"),
            None => "knows no release".to_owned(),
        },
        Content::Offer(_) => "offers an envelope".to_owned(),
        Content::Pull => "asks for an envelope".to_owned(),
        Content::Members(nodes) => format!("knows {} nodes", nodes.len()),
        Content::Request(request) => {
            format!("asks for {} chunks from {}", 1 + request.more.count_ones(), request.first)
        }
        Content::Chunk(chunk) => format!("chunk {} of {}", chunk.index, chunk.code),
        Content::Operations(sent) => {
            let names: Vec<String> =
                sent.operations.iter().map(|operation| operation.dot.to_string()).collect();
            match &sent.operations[..] {
                [one] if one.dot.origin == sent.via => operations::said(one),
                _ => format!("operations {} by way of {}", names.join(", "), sent.via),
            }
        }
        Content::Standing(standing) => {
            format!("has delivered {}", operations::clock(&standing.digest.delivered))
        }
        Content::Wanted(ranges) => format!("asks for operations in {} ranges", ranges.len()),
        Content::Enroll(enroll) => format!("asks to be let in as {}", enroll.origin),
        Content::Resync(origin) => format!("says that {origin} has to join again"),
    }
}

fn fated(fate: &Fate) -> String {
    match fate {
        Fate::Travels { arrives, copy, corrupted, reordered } => {
            let mut text = format!("arrives at {arrives}");
            if let Some(copy) = copy {
                text += &format!(", its copy at {copy}");
            }
            if *corrupted {
                text += ", with flipped bits";
            }
            if *reordered {
                text += ", held up on the way";
            }
            text
        }
        Fate::Mangled { copy: Some(copy) } => format!("mangled, its copy arrives at {copy}"),
        Fate::Mangled { copy: None } => "mangled on the way".to_owned(),
        Fate::Lost => "lost on the way".to_owned(),
        Fate::Overflowed => "dropped, for the link's queue is full".to_owned(),
        Fate::Cut => "dropped, for the link is cut".to_owned(),
        Fate::Nowhere => "dropped, for there is no such node".to_owned(),
    }
}

fn why_not(why: Why) -> &'static str {
    match why {
        Why::Down => "for the node is down",
        Why::Absent => "for the node is not there",
        Why::Cut => "for the link was cut meanwhile",
        Why::Overflowed => "for too much waits already",
        Why::Malformed => "for its bytes read as nothing",
    }
}

fn noticed(notice: &Notice) -> (&'static str, String) {
    use Notice as N;
    if let Some(words) = operations::noticed(notice) {
        return words;
    }
    match notice {
        N::Sent { .. }
        | N::Retransmitted { .. }
        | N::Acknowledged { .. }
        | N::Delivered { .. }
        | N::Held { .. }
        | N::NotDelivered { .. }
        | N::Nacked { .. }
        | N::Dropped { .. }
        | N::PeerLost { .. }
        | N::Renumbered { .. } => messages(notice),
        N::Operation { .. }
        | N::OperationRefused { .. }
        | N::Replied { .. }
        | N::Ticked { .. }
        | N::Faulted { .. } => of_the_app(notice),
        _ => releases(notice),
    }
}

fn releases(notice: &Notice) -> (&'static str, String) {
    use Notice as N;
    match notice {
        N::Started { incarnation, known, run, messages, recovered, .. } => {
            let how = if *recovered { "recovers" } else { "begins with nothing" };
            let text = format!(
                "{how}: incarnation {incarnation}, runs {}, knows {}, {} messages under way, {} held",
                name(run.as_ref()),
                name(known.as_ref()),
                messages.unacknowledged.len(),
                messages.held.len()
            );
            ("incarnation", text)
        }
        N::Merged { incoming, before, after } if before == after => (
            "merged",
            format!("hears of {}: nothing new, it knows {}", incoming.id, name(after.as_ref())),
        ),
        N::Merged { incoming, before, .. } => {
            ("merged", format!("hears of {}; it knew {}", incoming.id, name(before.as_ref())))
        }
        N::Conflict { winner, loser } => {
            ("conflict", format!("two codes under one version: {winner} wins over {loser}"))
        }
        N::Forged { from, refusal } => {
            ("forged", format!("refuses an envelope from {from}: {refusal}"))
        }
        N::BadCode { release, from } => {
            ("bad-code", format!("throws away code from {from} that is not that of {release}"))
        }
        N::FetchResumed { release, have, total } => (
            "fetch-resumed",
            format!("goes on fetching {release}: {have} of {total} chunks are here"),
        ),
        N::Fetched { release, bytes } => ("fetched", format!("has all {bytes} bytes of {release}")),
        N::Staged { release, after } if *after == Span::ZERO => {
            ("staged", format!("{release} passed its dry run"))
        }
        N::Staged { release, after } => {
            ("staged", format!("{release} passed its dry run; its turn comes in {}", time(*after)))
        }
        N::Prepared { release, .. } => ("prepared", format!("is about to switch to {release}")),
        N::Committed { from, release, migration, .. } => {
            let from = name(from.as_ref());
            let how = migrated(migration);
            ("committed", format!("runs {} instead of {from}; {how}", release.id))
        }
        N::Quarantined { release, reason, .. } => {
            ("quarantined", format!("will not run {release}: {reason}"))
        }
        N::Drained { delivered, left } => {
            ("drained", format!("{delivered} held messages delivered, {left} left"))
        }
        N::InstanceBegan { instance, release } => {
            ("instance", format!("instance {instance} of {release} begins"))
        }
        N::InstanceEnded { instance } => ("instance", format!("instance {instance} ends")),
        N::Compacted { bytes, .. } => {
            ("compacted", format!("its log is a snapshot of {bytes} bytes now"))
        }
        _ => unreachable!("not a notice about releases"),
    }
}

fn messages(notice: &Notice) -> (&'static str, String) {
    use Notice as N;
    match notice {
        N::Sent { id, body, stamp, exactly_once } => {
            let once = if *exactly_once { "" } else { ", once or never" };
            (
                "message-sent",
                format!(
                    "{} to {}{once}{}, {}",
                    numbered(id),
                    id.to,
                    of_release(stamp.as_ref()),
                    shown(body)
                ),
            )
        }
        N::Retransmitted { to, count } => {
            ("retransmitted", format!("sends {count} messages to {to} again"))
        }
        N::Acknowledged { id } => {
            ("acknowledged", format!("{} to {} has arrived for good", numbered(id), id.to))
        }
        N::Delivered { id, stamp, sent, converted, was_held, .. } => {
            let held = if *was_held { ", after it was held" } else { "" };
            let what = taken(sent, converted);
            (
                "message",
                format!(
                    "{} from {}{}, {what}{held}",
                    numbered(id),
                    id.from,
                    of_release(stamp.as_ref())
                ),
            )
        }
        N::Held { id, tag, stamp, reason, count, durable, .. } => {
            let volatile = if *durable { "" } else { ", in memory only" };
            let text = format!(
                "{} from {}{}, #{tag}: {reason}; {count} wait now{volatile}",
                numbered(id),
                id.from,
                of_release(stamp.as_ref())
            );
            ("held", text)
        }
        N::NotDelivered { id, why } => (
            "not-delivered",
            format!("{} from {} ends here: {}", numbered(id), id.from, ended(why)),
        ),
        N::Nacked { id, why } => (
            "nacked",
            format!("hears that {} to {} was not delivered: {}", numbered(id), id.to, ended(why)),
        ),
        N::Dropped { from, why } => {
            ("dropped", format!("drops what came from {from}: {}", dropped(*why)))
        }
        N::PeerLost { peer, unacknowledged } => {
            let count = unacknowledged.len();
            (
                "peer-lost",
                format!("{peer} lost its disk; {count} messages to it were not acknowledged"),
            )
        }
        N::Renumbered { peer, before, .. } => (
            "renumbered",
            format!("begins its stream to {peer} anew with {} messages", before.len()),
        ),
        _ => unreachable!("not a notice about messages"),
    }
}

fn of_the_app(notice: &Notice) -> (&'static str, String) {
    use Notice as N;
    match notice {
        N::Operation { id, sent, converted, .. } => {
            let what = taken(sent, converted);
            ("operation", format!("takes in operation {id}, {what}"))
        }
        N::OperationRefused { id, reason } => {
            ("refused", format!("refuses operation {id}: {reason}"))
        }
        N::Replied { id, result } => {
            let bytes = counted(result.len() as u64, "byte");
            ("replied", format!("answers operation {id} in {bytes}"))
        }
        N::Ticked { .. } => ("ticked", "a tick changed the state".to_owned()),
        N::Faulted { text, .. } => ("faulted", format!("the app faulted, without effect: {text}")),
        _ => unreachable!("not a notice about the app"),
    }
}

fn migrated(migration: &Migration) -> String {
    match (migration.hot_swap, migration.edges.len()) {
        (true, _) => "the state stays".to_owned(),
        (false, 0) => "from nothing".to_owned(),
        (false, 1) => format!("the state migrated over one edge for {} fuel", migration.fuel),
        (false, edges) => {
            format!("the state migrated over {edges} edges for {} fuel", migration.fuel)
        }
    }
}

/// What the app saw, and what arrived where that was converted.
fn taken(sent: &Body, converted: &Conversion) -> String {
    if converted.is_empty() {
        shown(converted.body(sent))
    } else {
        format!("{} converted to {}", shown(sent), shown(converted.body(sent)))
    }
}

fn name(release: Option<&ReleaseId>) -> String {
    release.map_or_else(|| "nothing".to_owned(), ReleaseId::to_string)
}

fn numbered(id: &MessageId) -> String {
    format!("message {}.{}", id.incarnation, id.sequence)
}

fn of_release(stamp: Option<&Stamp>) -> String {
    stamp.map_or_else(String::new, |stamp| format!(" of {}", stamp.id()))
}

fn built_for(stamp: Option<&Stamp>) -> String {
    stamp.map_or_else(String::new, |stamp| format!(" as of {}", stamp.id()))
}

fn shown(body: &Body) -> String {
    format!("#{} in {}", body.tag, counted(body.bytes.len() as u64, "byte"))
}

fn ended(why: &Ended) -> String {
    match why {
        Ended::Refused(reason) => format!("the gate refuses it, {reason}"),
        Ended::HoldFull => "as much is held as may be".to_owned(),
        Ended::Expired => "it was held for too long".to_owned(),
        Ended::Faulted(text) => format!("the app faulted on it, {text}"),
    }
}

fn dropped(why: Dropped) -> &'static str {
    match why {
        Dropped::Stale => "of or for an incarnation that is over",
        Dropped::Duplicate => "seen before",
        Dropped::BeyondWindow => "too far ahead",
        Dropped::Shed => "of a newer class, once or never",
        Dropped::Refused => "refused by the gate, once or never",
        Dropped::Unasked => "answers no question",
        Dropped::Malformed => "its numbers cannot be",
        Dropped::Crowded => "more to itself than may wait",
    }
}

/// Three digits of a length of time: `3.22s`, `740ms`, `12.5us`.
pub fn time(span: Span) -> String {
    let nanos = span.as_nanos();
    let (unit, name) = match nanos {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let hundredths = nanos % unit * 100 / unit;
    match whole {
        0..10 if hundredths > 0 => format!("{whole}.{hundredths:02}{name}"),
        10..100 if hundredths >= 10 => format!("{whole}.{}{name}", hundredths / 10),
        _ => format!("{whole}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_keeps_three_digits() {
        let shown = |nanos| time(Span::from_nanos(nanos));
        assert_eq!(shown(3_217_654_321), "3.21s");
        assert_eq!(shown(740_000_000), "740ms");
        assert_eq!(shown(12_560), "12.5us");
        assert_eq!(shown(61_000_000_000), "61s");
        assert_eq!(shown(2_000_000_000), "2s");
        assert_eq!(shown(0), "0s");
    }
}
