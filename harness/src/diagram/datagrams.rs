//! What becomes of datagrams, as a diagram draws them: each is written down as it sets out, and again once it
//! has arrived or is known not to.

use replica::{
    Replica,
    message::{Content, Letter, Message as Datagram},
};
use results::{Fate, Message};
use sim::{Event, event::Why};

use super::{ORDINARY, Recorder};
use crate::trace::said;

impl Recorder {
    pub(super) fn sent(&mut self, at: u64, event: &Event<'_, Replica>) {
        let Event::Sent { from, to, number, message, size, fate, .. } = event else { return };
        // There is no lane for a node that does not exist, and a junk number must not make lanes.
        if *fate == sim::Fate::Nowhere {
            return;
        }
        let (from, to, number) = (self.lane(*from), self.lane(*to), *number);
        let (kind, release) = content(message);
        let order = self.next();
        let drawn = Message {
            from: from as u32,
            to: to as u32,
            sent_nanos: at,
            sent_order: order,
            kind: kind.to_owned(),
            release,
            bytes: u32::try_from(*size).unwrap_or(u32::MAX),
            text: said(&message.content),
            fate: Fate::UnderWay,
            ..Message::default()
        };
        let (whole, copied) = match fate {
            sim::Fate::Travels { copy, corrupted, .. } => {
                (if *corrupted { Fate::Corrupted } else { Fate::UnderWay }, copy.is_some())
            }
            sim::Fate::Mangled { copy } => (Fate::Corrupted, copy.is_some()),
            sim::Fate::Lost | sim::Fate::Overflowed => (Fate::Lost, false),
            sim::Fate::Cut => (Fate::Cut, false),
            sim::Fate::Nowhere => unreachable!("left out above"),
        };
        let why = match fate {
            sim::Fate::Mangled { .. } => ", mangled on the way",
            sim::Fate::Lost => ", lost on the way",
            sim::Fate::Overflowed => ", dropped, for the link's queue is full",
            sim::Fate::Cut => ", dropped, for the link is cut",
            sim::Fate::Travels { corrupted: true, .. } => ", with flipped bits",
            sim::Fate::Travels { reordered: true, .. } => ", held up on the way",
            sim::Fate::Travels { .. } | sim::Fate::Nowhere => "",
        };
        let travels = matches!(fate, sim::Fate::Travels { .. });
        let text = format!("{}{why}", drawn.text);
        let whole = Message { fate: whole, text, ..drawn.clone() };
        self.launch(whole, travels.then_some((number, false)));
        if copied {
            let sent_order = self.next();
            let text = format!("{}, the second copy", drawn.text);
            let copy = Message { fate: Fate::Duplicated, sent_order, text, ..drawn };
            self.launch(copy, Some((number, true)));
        }
    }

    /// Writes a message down; one that travels under its number and whether it is a copy.
    fn launch(&mut self, message: Message, travels: Option<(u64, bool)>) {
        let barred = ORDINARY[..self.barred].iter().position(|kind| *kind == message.kind);
        let ordinary = matches!(message.fate, Fate::UnderWay | Fate::Lost | Fate::Cut);
        if let (Some(barred), true) = (barred, ordinary) {
            self.messages_left_out[barred] += 1;
            return;
        }
        if let Some((number, copy)) = travels {
            let name = (message.from, message.to, number, copy);
            self.flying.insert(name, self.diagram.messages.len());
        }
        self.diagram.messages.push(message);
        while self.diagram.messages.len() > self.room.messages && self.barred < ORDINARY.len() {
            self.bar();
        }
    }

    /// There is no room: the next ordinary kind is left out, with all that is here of it.
    fn bar(&mut self) {
        let kind = ORDINARY[self.barred];
        let ordinary = [Fate::Delivered, Fate::UnderWay, Fate::Lost, Fate::Cut];
        let mut places = Vec::with_capacity(self.diagram.messages.len());
        let mut kept = 0;
        for message in &self.diagram.messages {
            let keep = message.kind != kind || !ordinary.contains(&message.fate);
            places.push(keep.then_some(kept));
            kept += usize::from(keep);
        }
        self.messages_left_out[self.barred] += (places.len() - kept) as u64;
        let mut place = places.iter();
        self.diagram.messages.retain(|_| place.next().is_some_and(Option::is_some));
        self.flying.retain(|_, at| {
            places[*at].is_some_and(|new| {
                *at = new;
                true
            })
        });
        for node in &mut self.nodes {
            node.input = node.input.and_then(|(input, at)| Some((input, places[at]?)));
        }
        self.barred += 1;
    }

    pub(super) fn delivered(&mut self, at: u64, event: &Event<'_, Replica>) {
        let Event::Delivered { from, to, number, copy, input, .. } = event else { return };
        let to = self.lane(*to);
        let order = self.next();
        let Some(message) = self.flying.remove(&(from.0, to as u32, *number, *copy)) else {
            self.nodes[to].input = None;
            return;
        };
        self.nodes[to].input = Some((*input, message));
        let message = &mut self.diagram.messages[message];
        message.arrived_nanos = Some(at);
        message.arrived_order = Some(order);
        if message.fate == Fate::UnderWay {
            message.fate = Fate::Delivered;
        }
    }

    pub(super) fn undeliverable(&mut self, at: u64, event: &Event<'_, Replica>) {
        let Event::Undeliverable { from, to, number, copy, why } = event else { return };
        let Some(message) = self.flying.remove(&(from.0, to.0, *number, *copy)) else { return };
        let message = &mut self.diagram.messages[message];
        message.dropped_nanos = Some(at);
        let (fate, text) = match why {
            Why::Down => (Fate::Cut, "for the node is down"),
            Why::Absent => (Fate::Cut, "for the node is not there"),
            Why::Cut => (Fate::Cut, "for the link was cut meanwhile"),
            Why::Overflowed => (Fate::Lost, "for too much waits already"),
            Why::Malformed => (Fate::Corrupted, "for its bytes read as nothing"),
        };
        message.fate = fate;
        message.text += &format!(", dropped, {text}");
    }
}

/// What kind of content a datagram has, and the release whose code sent it.
fn content(message: &Datagram) -> (&'static str, String) {
    match &message.content {
        Content::Ack(_) => ("ack", String::new()),
        Content::Frame(frame) => {
            let stamp = frame.items.iter().rev().find_map(|item| match &item.letter {
                Letter::App { stamp, .. } => stamp.as_ref(),
                Letter::Nack(_) | Letter::Piece(_) => None,
            });
            ("app", stamp.map_or_else(String::new, |stamp| stamp.id().to_string()))
        }
        Content::Once(once) => {
            let release = once.stamp.as_ref();
            ("once", release.map_or_else(String::new, |stamp| stamp.id().to_string()))
        }
        Content::Digest(_) | Content::Offer(_) | Content::Pull | Content::Members(_) => {
            ("gossip", String::new())
        }
        Content::Request(_) | Content::Chunk(_) => ("code", String::new()),
        Content::Operations(sent) => {
            let payload = sent.operations.iter().rev().find_map(|one| match &one.content {
                causal::Content::Payload(payload) => Some(payload),
                _ => None,
            });
            let release = payload.map(|payload| payload.stamp.id().to_string());
            ("operations", release.unwrap_or_default())
        }
        Content::Standing(_) | Content::Wanted(_) => ("repair", String::new()),
        Content::Enroll(_) | Content::Resync(_) => ("members", String::new()),
    }
}
