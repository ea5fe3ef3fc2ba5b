//! The canonical bytes of notices, for fingerprints: cheap, and one-to-one but for long states,
//! which stand by their length and hash, and for reasons, which stand by their text.

use std::{fmt::Debug, sync::Arc};

use app::Body;
use causal::Content;
use contract::{
    Encode, NodeId, Time,
    wire::{put_blob, put_varint},
};
use upgrade::release::{ReleaseId, Stamp};
use xxhash_rust::xxh3::xxh3_128;

use super::{CausallyDelivered, Conversion, MessageId, Notice, Outcome};

impl Encode for MessageId {
    fn encode(&self, out: &mut Vec<u8>) {
        put_node(out, self.from);
        put_varint(out, self.incarnation);
        put_node(out, self.to);
        put_varint(out, self.sequence);
    }
}

impl Encode for Notice {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sent { .. }
            | Self::Retransmitted { .. }
            | Self::Acknowledged { .. }
            | Self::Delivered { .. }
            | Self::Held { .. }
            | Self::NotDelivered { .. }
            | Self::Nacked { .. }
            | Self::Dropped { .. }
            | Self::PeerLost { .. }
            | Self::Renumbered { .. } => put_message_notice(self, out),
            Self::Broadcast(_)
            | Self::CausallyDelivered(_)
            | Self::Stable(_)
            | Self::OperationHeld { .. }
            | Self::OperationParked { .. }
            | Self::OperationRejected { .. }
            | Self::Enrolled { .. }
            | Self::EnrollRefused { .. }
            | Self::OperationNotHeld { .. }
            | Self::RepairAsked { .. }
            | Self::RepairAnswered { .. }
            | Self::Founded { .. }
            | Self::BecameMember(_)
            | Self::Retired { .. }
            | Self::Gone { .. }
            | Self::Resynced { .. }
            | Self::RetireRefused { .. }
            | Self::LayerRebuilt { .. } => put_causal_notice(self, out),
            Self::Operation { .. }
            | Self::OperationRefused { .. }
            | Self::Replied { .. }
            | Self::Ticked { .. }
            | Self::Faulted { .. }
            | Self::InstanceBegan { .. }
            | Self::InstanceEnded { .. }
            | Self::Compacted { .. } => put_app_notice(self, out),
            _ => put_release_notice(self, out),
        }
    }
}

/// What becomes of messages: the many.
fn put_message_notice(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Sent { id, body, stamp, exactly_once } => {
            out.push(1);
            id.encode(out);
            put_body(out, body);
            put_stamp(out, stamp.as_ref());
            out.push(u8::from(*exactly_once));
        }
        Notice::Retransmitted { to, count } => {
            out.push(2);
            put_node(out, *to);
            put_varint(out, u64::from(*count));
        }
        Notice::Acknowledged { id } => {
            out.push(3);
            id.encode(out);
        }
        Notice::Nacked { id, why } => {
            out.push(7);
            id.encode(out);
            put_text(out, why);
        }
        Notice::Dropped { from, why } => {
            out.push(8);
            put_node(out, *from);
            out.push(*why as u8);
        }
        Notice::PeerLost { peer, unacknowledged } => {
            out.push(9);
            put_node(out, *peer);
            put_ids(out, unacknowledged);
        }
        Notice::Renumbered { peer, before, after } => {
            out.push(10);
            put_node(out, *peer);
            put_ids(out, before);
            put_ids(out, after);
        }
        _ => put_arrival(notice, out),
    }
}

/// What becomes of a message where it arrives.
fn put_arrival(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Delivered {
            id,
            instance,
            stamp,
            sent,
            converted,
            was_held,
            exactly_once,
            entropy,
            at,
        } => {
            out.push(4);
            id.encode(out);
            put_varint(out, *instance);
            put_stamp(out, stamp.as_ref());
            put_converted(out, sent, converted);
            out.push(u8::from(*was_held) | u8::from(*exactly_once) << 1);
            out.extend_from_slice(&entropy.to_le_bytes());
            put_time(out, *at);
        }
        Notice::Held { id, tag, stamp, reason, count, bytes, durable } => {
            out.push(5);
            id.encode(out);
            put_varint(out, u64::from(*tag));
            put_stamp(out, stamp.as_ref());
            put_text(out, reason);
            put_varint(out, u64::from(*count));
            put_varint(out, *bytes);
            out.push(u8::from(*durable));
        }
        Notice::NotDelivered { id, why } => {
            out.push(6);
            id.encode(out);
            put_text(out, why);
        }
        _ => unreachable!("the caller passes notices of messages only"),
    }
}

/// What the app does.
fn put_app_notice(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Operation { id, instance, sent, converted, entropy, at } => {
            out.push(20);
            put_varint(out, *id);
            put_varint(out, *instance);
            put_converted(out, sent, converted);
            out.extend_from_slice(&entropy.to_le_bytes());
            put_time(out, *at);
        }
        Notice::OperationRefused { id, reason } => {
            out.push(21);
            put_varint(out, *id);
            put_blob(out, reason.as_bytes());
        }
        Notice::Replied { id, result } => {
            out.push(22);
            put_varint(out, *id);
            put_blob(out, result);
        }
        Notice::Ticked { instance, entropy, at } => {
            out.push(23);
            put_varint(out, *instance);
            out.extend_from_slice(&entropy.to_le_bytes());
            put_time(out, *at);
        }
        Notice::Faulted { instance, text } => {
            out.push(24);
            put_varint(out, *instance);
            put_blob(out, text.as_bytes());
        }
        Notice::InstanceBegan { instance, release } => {
            out.push(25);
            put_varint(out, *instance);
            release.encode(out);
        }
        Notice::InstanceEnded { instance } => {
            out.push(26);
            put_varint(out, *instance);
        }
        Notice::Compacted { state, bytes } => {
            out.push(27);
            out.extend_from_slice(&state.to_le_bytes());
            put_varint(out, *bytes);
        }
        _ => unreachable!("the caller passes notices of the app only"),
    }
}

/// What becomes of releases, and how incarnations begin: the few.
fn put_release_notice(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Started { incarnation, known, run, composition, state, messages, recovered } => {
            out.push(40);
            put_varint(out, *incarnation);
            put_release(out, known.as_ref());
            put_release(out, run.as_ref());
            put_text(out, composition);
            put_state(out, state.as_ref());
            put_ids(out, &messages.unacknowledged);
            put_ids(out, &messages.held);
            put_ids(out, &messages.received);
            out.push(u8::from(*recovered));
        }
        Notice::Merged { incoming, before, after } => {
            out.push(41);
            incoming.encode(out);
            put_release(out, before.as_ref());
            put_release(out, after.as_ref());
        }
        Notice::Conflict { winner, loser } => {
            out.push(42);
            winner.encode(out);
            loser.encode(out);
        }
        Notice::Forged { from, refusal } => {
            out.push(43);
            put_node(out, *from);
            put_text(out, refusal);
        }
        Notice::BadCode { release, from } => {
            out.push(44);
            release.encode(out);
            put_node(out, *from);
        }
        Notice::FetchResumed { release, have, total } => {
            out.push(45);
            release.encode(out);
            put_varint(out, u64::from(*have));
            put_varint(out, u64::from(*total));
        }
        Notice::Fetched { release, bytes } => {
            out.push(46);
            release.encode(out);
            put_varint(out, *bytes);
        }
        Notice::Staged { release, after } => {
            out.push(47);
            release.encode(out);
            put_varint(out, after.as_nanos());
        }
        _ => put_switch_notice(notice, out),
    }
}

/// What becomes of switches.
fn put_switch_notice(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Prepared { release, image } => {
            out.push(48);
            release.encode(out);
            out.extend_from_slice(&image.to_le_bytes());
        }
        Notice::Committed { from, release, migration, state_before, state_after, composition } => {
            out.push(49);
            put_release(out, from.as_ref());
            release.encode(out);
            put_text(out, migration);
            put_state(out, state_before.as_ref());
            put_state(out, Some(state_after));
            put_text(out, composition);
        }
        Notice::Quarantined { release, reason, image_before, image, left: _ } => {
            out.push(50);
            release.encode(out);
            put_text(out, reason);
            out.extend_from_slice(&image_before.to_le_bytes());
            out.extend_from_slice(&image.to_le_bytes());
        }
        Notice::Drained { delivered, left } => {
            out.push(51);
            put_varint(out, u64::from(*delivered));
            put_varint(out, u64::from(*left));
        }
        _ => unreachable!("every other notice is of a message, the app or a release"),
    }
}

/// What becomes of operations and of members.
fn put_causal_notice(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::Broadcast(issued) => {
            out.push(60);
            issued.stamp.encode(out);
            issued.past.encode(out);
            issued.operation.encode(out);
        }
        Notice::CausallyDelivered(delivered) => put_delivered(delivered, out),
        Notice::Stable(stable) => {
            out.push(62);
            stable.clock.encode(out);
            put_varint(out, stable.instance);
            out.extend_from_slice(&stable.entropy.to_le_bytes());
            put_time(out, stable.at);
        }
        Notice::OperationHeld { dot, reason, count } => {
            out.push(63);
            dot.encode(out);
            reason.encode(out);
            put_varint(out, u64::from(*count));
        }
        Notice::OperationParked { dot, missing, count } => {
            out.push(64);
            dot.encode(out);
            missing.encode(out);
            put_varint(out, u64::from(*count));
        }
        Notice::OperationRejected { from, why } => {
            out.push(65);
            put_node(out, *from);
            put_text(out, why);
        }
        Notice::Enrolled { origin } => put_tagged(out, 66, origin),
        Notice::BecameMember(joined) => {
            out.push(67);
            joined.origin.encode(out);
            put_node(out, joined.donor);
            joined.release.encode(out);
            put_varint(out, joined.edges.len() as u64);
            joined.edges.iter().for_each(|edge| put_varint(out, u64::from(*edge)));
            put_state(out, Some(&joined.state));
            joined.delivered.encode(out);
            put_varint(out, joined.instance);
        }
        Notice::Retired { origin } => put_tagged(out, 68, origin),
        Notice::Gone { origin } => put_tagged(out, 69, origin),
        Notice::Resynced { origin, from } => {
            put_tagged(out, 70, origin);
            put_node(out, *from);
        }
        Notice::RetireRefused { node, reason } => {
            out.push(71);
            put_node(out, *node);
            put_blob(out, reason.as_bytes());
        }
        Notice::LayerRebuilt { parked } => put_tagged(out, 72, parked),
        _ => put_repair(notice, out),
    }
}

/// What becomes of operations that are late, and of those that want to be members.
fn put_repair(notice: &Notice, out: &mut Vec<u8>) {
    match notice {
        Notice::EnrollRefused { node, why } => {
            out.push(73);
            put_node(out, *node);
            out.push(*why as u8);
        }
        Notice::OperationNotHeld { dot, why } => {
            out.push(74);
            dot.encode(out);
            out.push(*why as u8);
        }
        Notice::RepairAsked { to, operations } => {
            out.push(75);
            put_node(out, *to);
            put_varint(out, *operations);
        }
        Notice::RepairAnswered { to, operations } => {
            out.push(76);
            put_node(out, *to);
            put_varint(out, u64::from(*operations));
        }
        Notice::Founded { origin } => put_tagged(out, 77, origin),
        _ => unreachable!("the caller passes notices of operations and members only"),
    }
}

fn put_delivered(delivered: &CausallyDelivered, out: &mut Vec<u8>) {
    out.push(61);
    delivered.stamp.encode(out);
    delivered.past.encode(out);
    delivered.operation.encode(out);
    out.push(u8::from(delivered.waited));
    match &delivered.outcome {
        Outcome::Taken { instance, converted, entropy, at } => {
            out.push(0);
            put_varint(out, *instance);
            if let Content::Payload(sent) = &delivered.operation.content {
                put_converted(out, &sent.body, converted);
            }
            out.extend_from_slice(&entropy.to_le_bytes());
            put_time(out, *at);
        }
        Outcome::Control => out.push(1),
        Outcome::Void(reason) => {
            out.push(2);
            put_blob(out, reason.as_bytes());
        }
    }
}

fn put_tagged(out: &mut Vec<u8>, tag: u8, value: &impl Encode) {
    out.push(tag);
    value.encode(out);
}

fn put_node(out: &mut Vec<u8>, node: NodeId) {
    put_varint(out, u64::from(node.0));
}

fn put_time(out: &mut Vec<u8>, at: Time) {
    put_varint(out, at.as_nanos());
}

fn put_body(out: &mut Vec<u8>, body: &Body) {
    put_varint(out, u64::from(body.tag));
    put_blob(out, &body.bytes);
}

/// The converted body only where a conversion made it another.
fn put_converted(out: &mut Vec<u8>, sent: &Body, converted: &Conversion) {
    put_body(out, sent);
    let edges = converted.edges();
    put_varint(out, edges.len() as u64);
    if !edges.is_empty() {
        edges.iter().for_each(|edge| put_varint(out, u64::from(*edge)));
        put_body(out, converted.body(sent));
    }
}

fn put_stamp(out: &mut Vec<u8>, stamp: Option<&Stamp>) {
    out.push(u8::from(stamp.is_some()));
    if let Some(stamp) = stamp {
        stamp.encode(out);
    }
}

fn put_release(out: &mut Vec<u8>, release: Option<&ReleaseId>) {
    out.push(u8::from(release.is_some()));
    if let Some(release) = release {
        release.encode(out);
    }
}

fn put_state(out: &mut Vec<u8>, state: Option<&Arc<[u8]>>) {
    out.push(u8::from(state.is_some()));
    if let Some(state) = state {
        put_varint(out, state.len() as u64);
        out.extend_from_slice(&xxh3_128(state).to_le_bytes());
    }
}

fn put_ids(out: &mut Vec<u8>, ids: &[MessageId]) {
    put_varint(out, ids.len() as u64);
    ids.iter().for_each(|id| id.encode(out));
}

/// Reasons are rare, and their text is a function of their value.
fn put_text(out: &mut Vec<u8>, reason: &impl Debug) {
    put_blob(out, format!("{reason:?}").as_bytes());
}
