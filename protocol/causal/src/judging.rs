//! What can be said against an operation, and where it stands among those that were delivered.

use crate::{
    Broadcast, Clock, Content, Dot, HEADS_MAX, Operation, Payload, Refusal, members::Standing,
};

impl<P: Payload> Broadcast<P> {
    /// Whether this node may say that of a member: who retires follows what let him in, and nobody is
    /// let in twice.
    pub(crate) fn look_at_members(&self, content: &Content<P>) -> Result<(), Refusal> {
        let (Content::Join(origin) | Content::Retire(origin)) = content else { return Ok(()) };
        match (content, self.members.standing(*origin)) {
            (Content::Join(_), Standing::Member) => Err(Refusal::Member(*origin)),
            (Content::Join(_), Standing::Retired) => Err(Refusal::Retired(*origin)),
            (Content::Retire(_), _) if !self.members.has(*origin) => {
                Err(Refusal::Stranger(*origin))
            }
            _ => Ok(()),
        }
    }

    /// What can be said against an operation whatever else is here.
    pub(crate) fn look_at(&self, operation: &Operation<P>) -> Result<(), Refusal> {
        let dot = operation.dot;
        if Some(dot.origin) == self.own {
            return Err(Refusal::Future(dot));
        }
        let heads = &operation.heads;
        if heads.len() > HEADS_MAX || !heads.is_sorted_by(|one, other| one.origin < other.origin) {
            return Err(Refusal::Heads(heads.len()));
        }
        for named in heads.iter().chain([&dot]) {
            if named.seq == 0 {
                return Err(Refusal::Heads(heads.len()));
            }
            if named.origin == dot.origin && named.seq > dot.seq {
                return Err(Refusal::Future(*named));
            }
            let known = self.delivered.get(named.origin);
            if Some(named.origin) == self.own && named.seq > known {
                return Err(Refusal::Future(*named));
            }
            if named.seq.saturating_sub(known) > self.limits.gap_max {
                return Err(Refusal::Gap(*named));
            }
            let left = named.seq > known && self.members.is_gone(named.origin);
            if left {
                return Err(Refusal::Retired(named.origin));
            }
        }
        match heads.iter().find(|head| head.origin == dot.origin) {
            Some(head) if *head == dot => Err(Refusal::Circle(dot)),
            Some(head) => Err(Refusal::Redundant { dot, head: *head }),
            None => Ok(()),
        }
    }

    /// Where an operation stands all of whose causes are delivered: its past and its Lamport time.
    ///
    /// Whatever is not delivered yet follows all that is stable, so what was forgotten need not be known.
    pub(crate) fn place(&self, operation: &Operation<P>) -> Result<(Clock, u64), Refusal> {
        let Dot { origin, seq } = operation.dot;
        if !self.members.has(origin) {
            let left = self.members.is_gone(origin);
            return Err(if left { Refusal::Retired(origin) } else { Refusal::Stranger(origin) });
        }
        // Who retires another follows what let him in.
        if let Content::Retire(other) = operation.content
            && self.members.standing(other) == Standing::Stranger
        {
            return Err(Refusal::Stranger(other));
        }
        let mut past = self.collected.clone();
        let mut lamport = self.collected_lamport;
        for cause in operation.causes() {
            if let Some(entry) = self.entry(cause) {
                past.merge(&entry.past);
                lamport = lamport.max(Some(entry.lamport));
            }
        }
        for head in operation.heads.iter() {
            let collected = head.seq <= self.collected.get(head.origin);
            let follows = past.covers(*head);
            let alone = collected && head.seq == self.collected.get(head.origin);
            let covered = alone && self.is_followed(*head, operation);
            if follows && !alone || covered {
                return Err(Refusal::Redundant { dot: operation.dot, head: *head });
            }
        }
        operation.causes().for_each(|cause| past.advance(cause));
        // What was said of who was let in holds where he does not say that he follows it, too.
        if let Some(join) = self.members.joined(operation.dot) {
            if let Some(entry) = self.entry(join) {
                past.merge(&entry.past);
                lamport = lamport.max(Some(entry.lamport));
            }
            past.advance(join);
        }
        assert_eq!(
            past.get(origin),
            seq - 1,
            "it was not delivered, so nothing delivered follows it"
        );
        Ok((past, lamport.map_or(0, |lamport| lamport + 1)))
    }

    /// Whether another cause of `operation` that is still known follows `head`, which is forgotten.
    fn is_followed(&self, head: Dot, operation: &Operation<P>) -> bool {
        let others = operation.causes().filter(|other| *other != head);
        others.filter_map(|other| self.entry(other)).any(|entry| entry.past.covers(head))
    }
}
