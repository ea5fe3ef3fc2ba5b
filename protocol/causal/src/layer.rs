//! The layer: what a member broadcasts, what it receives, and what it delivers in causal order.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    Clock, Content, Dot, Operation, Origin, Payload, Refusal, Stamp,
    exchange::RANGES_MAX,
    members::{Members, Standing},
    operation::HEADS_MAX,
    strangers::Strangers,
    waiting::Waiting,
};

/// Causal broadcast at one node.
///
/// Operations are delivered once, after everything that their origin had delivered before; one's own at
/// once. What is delivered is kept until it is stable, for those who lack it.
#[derive(Clone, Debug)]
pub struct Broadcast<P> {
    pub(crate) limits: Limits,
    flaw: Option<Flaw>,
    /// As whom this node issues; `None`: it is no member.
    pub(crate) own: Option<Origin>,
    pub(crate) delivered: Clock,
    /// What was delivered, is stable and was forgotten.
    pub(crate) collected: Clock,
    /// The greatest Lamport time among what was forgotten.
    pub(crate) collected_lamport: Option<u64>,
    /// Delivered operations that no delivered one follows.
    pub(crate) heads: BTreeSet<Dot>,
    /// The greatest Lamport time among all that was delivered.
    lamport: Option<u64>,
    /// Delivered and not forgotten, by origin without a gap.
    pub(crate) log: BTreeMap<Origin, VecDeque<Entry<P>>>,
    pub(crate) members: Members,
    pub(crate) strangers: Strangers,
    waiting: Waiting<P>,
    /// Parked operations at the last look for circles.
    circles_at: usize,
    refused: Vec<(Arc<Operation<P>>, Refusal)>,
    /// Requests that had no room for all ranges.
    pub(crate) turn: usize,
    /// Whether something other than a heartbeat was delivered since this member last issued anything.
    pub(crate) owes: bool,
}

/// A delivered operation.
#[derive(Clone, Debug)]
pub(crate) struct Entry<P> {
    pub(crate) operation: Arc<Operation<P>>,
    pub(crate) lamport: u64,
    pub(crate) past: Clock,
}

/// Bounds of what a layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations that wait for their causes; beyond it what comes is dropped, and comes again.
    pub parked_max: usize,
    /// Bytes of them.
    pub parked_bytes_max: usize,
    /// Own operations that are not stable; beyond it none is issued.
    pub unstable_max: usize,
    /// How far ahead of what was delivered an operation of the same origin may be.
    pub gap_max: u32,
    /// Ranges in one request for what is missing.
    pub ranges_max: usize,
    /// Bytes of an own operation: what fits a datagram with whatever is around it.
    pub operation_bytes_max: usize,
}

/// Ways to get it wrong, for tests that show that a checker sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Something is called stable once any other member is known to have it.
    StableEarly,
    /// A retired member's row is dropped at once.
    RetiresInOnePhase,
}

/// What became of an operation that was received. A refusal is an error, see [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It can be delivered: [`Broadcast::deliver`] gives it.
    Ready,
    /// It waits for this one.
    Parked(Dot),
    /// It was here before.
    Duplicate,
    /// There is no room for another that waits.
    Dropped,
}

/// An operation that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<P> {
    /// Its place in one order of all.
    pub stamp: Stamp,
    /// What its origin had delivered before it.
    pub past: Clock,
    /// It.
    pub operation: Arc<Operation<P>>,
    /// Whether it had to wait for others.
    pub waited: bool,
    /// Members that it retired.
    pub retired: Vec<Origin>,
    /// Retired members that nobody waits for any more.
    pub gone: Vec<Origin>,
}

impl Default for Limits {
    /// 10,000 parked operations, 16 MiB of them; 4,096 own unstable ones; a gap of 65,536; 1,024 ranges;
    /// 63 KiB an operation.
    fn default() -> Self {
        Self {
            parked_max: 10_000,
            parked_bytes_max: 16 << 20,
            unstable_max: 4_096,
            gap_max: 1 << 16,
            ranges_max: RANGES_MAX,
            operation_bytes_max: 63 << 10,
        }
    }
}

impl<P: Payload> Broadcast<P> {
    /// The layer of a founder of a fleet: `own` is one of `founders`.
    pub fn founder(
        own: Origin,
        founders: impl IntoIterator<Item = Origin>,
        limits: Limits,
    ) -> Self {
        let members = Members::new(founders.into_iter().chain([own]), Clock::new());
        Self::with_members(Some(own), members, limits)
    }

    pub(crate) fn with_members(own: Option<Origin>, members: Members, limits: Limits) -> Self {
        Self {
            limits,
            flaw: None,
            own,
            delivered: members.stable().clone(),
            collected: members.stable().clone(),
            collected_lamport: None,
            heads: BTreeSet::new(),
            lamport: None,
            log: BTreeMap::new(),
            members,
            strangers: Strangers::default(),
            waiting: Waiting::default(),
            circles_at: CIRCLES_MIN,
            refused: Vec::new(),
            turn: 0,
            owes: false,
        }
    }

    /// Plants a bug.
    pub fn plant(&mut self, flaw: Option<Flaw>) {
        self.flaw = flaw;
    }

    /// As whom this node issues operations; `None`: it is no member, or was retired.
    pub fn own(&self) -> Option<Origin> {
        self.own.filter(|own| self.members.standing(*own) == Standing::Member)
    }

    /// As whom this node issued, though it may be retired.
    pub fn issues_as(&self) -> Option<Origin> {
        self.own
    }

    /// What was delivered here.
    pub fn delivered(&self) -> &Clock {
        &self.delivered
    }

    /// What nothing that is delivered from now on is concurrent to.
    pub fn stable(&self) -> Clock {
        if self.flaw == Some(Flaw::StableEarly) {
            let mut known = Clock::new();
            let others =
                self.members.rows().iter().filter(|(origin, _)| Some(**origin) != self.own);
            others.for_each(|(_, row)| known.merge(&row.clock));
            return known;
        }
        self.members.stable().clone()
    }

    /// The members, those that are retired and waited for included.
    pub fn members(&self) -> impl Iterator<Item = Origin> + '_ {
        self.members.rows().keys().copied()
    }

    /// Whether `origin` is a member and not retired, as far as is known here.
    pub fn is_member(&self, origin: Origin) -> bool {
        self.members.standing(origin) == Standing::Member
    }

    /// Whether `origin` was a member and is retired, as far as is known here.
    pub fn is_retired(&self, origin: Origin) -> bool {
        self.members.standing(origin) == Standing::Retired
    }

    /// What `member` is known to have delivered: the least of all rows is stable.
    pub fn row(&self, member: Origin) -> Option<&Clock> {
        self.members.rows().get(&member).map(|row| &row.clock)
    }

    /// Operations that wait, each with what it waits for; without it: it can be delivered.
    pub fn parked(&self) -> impl Iterator<Item = (&Arc<Operation<P>>, Option<Dot>)> {
        self.waiting.iter()
    }

    /// How many operations wait, and their bytes.
    pub fn parked_size(&self) -> (usize, usize) {
        (self.waiting.len(), self.waiting.bytes())
    }

    /// How many delivered operations are kept as they are not stable.
    pub fn unstable(&self) -> usize {
        self.log.values().map(VecDeque::len).sum()
    }

    /// Whether a heartbeat is due where this member says nothing else: it has delivered something that
    /// others wait to hear of. Heartbeats themselves are answered by none.
    pub fn owes_heartbeat(&self) -> bool {
        self.owes && self.own().is_some()
    }

    /// The stamp that this member's next operation has if it is issued now; that of a heartbeat which
    /// gathers some of too many heads may be earlier.
    pub fn next_stamp(&self) -> Option<Stamp> {
        let origin = self.own()?;
        let seq = self.delivered.get(origin).checked_add(1)?;
        let lamport = self.lamport.map_or(0, |lamport| lamport + 1);
        Some(Stamp { lamport, dot: Dot { origin, seq } })
    }

    /// Whether this member may say something now, if it is not too long.
    ///
    /// Errors: it is no member, too many of its operations are not stable, or it would follow too many
    /// concurrent ones.
    pub fn admits(&self) -> Result<Stamp, Refusal> {
        let stamp = self.next_stamp().ok_or(Refusal::NoMember)?;
        let unstable = self.log.get(&stamp.dot.origin).map_or(0, VecDeque::len);
        if unstable >= self.limits.unstable_max {
            return Err(Refusal::Unstable(unstable));
        }
        match self.crowd(stamp.dot.origin) {
            crowd if crowd > HEADS_MAX => Err(Refusal::Crowd(crowd)),
            _ => Ok(stamp),
        }
    }

    /// How many heads an operation of `own` would have to name now: its own before it is a cause by its name.
    fn crowd(&self, own: Origin) -> usize {
        self.heads.iter().filter(|head| head.origin != own).count()
    }

    /// Issues an operation and delivers it here; what is returned goes to all other members.
    ///
    /// It follows all that was delivered here. Only where that is more concurrent operations than one may
    /// name does a heartbeat name some of them; once enough of them were issued, others can be.
    ///
    /// Errors: as for [`Broadcast::admits`], it is too long, or it says of a member what is not so; nothing
    /// has changed then. Only how much users say is bounded: without the rest nothing would become stable
    /// again.
    pub fn broadcast(&mut self, content: Content<P>) -> Result<Delivery<P>, Refusal> {
        let stamp = match content {
            Content::Payload(_) => self.admits()?,
            _ => self.next_stamp().ok_or(Refusal::NoMember)?,
        };
        self.look_at_members(&content)?;
        let (own, crowd) = (stamp.dot.origin, self.crowd(stamp.dot.origin));
        let more = crowd > HEADS_MAX;
        if more && content != Content::Heartbeat {
            return Err(Refusal::Crowd(crowd));
        }
        let heads = self.heads.iter().filter(|head| head.origin != own).take(HEADS_MAX);
        let heads = heads.copied().collect();
        let operation = Arc::new(Operation { dot: stamp.dot, heads, content });
        if let Content::Payload(payload) = &operation.content {
            let bytes = operation.metadata_bytes() + payload.bytes();
            if bytes > self.limits.operation_bytes_max {
                return Err(Refusal::Long(bytes));
            }
        }
        if !more {
            let past = self.delivered.clone();
            return Ok(self.take_in(operation, past, stamp.lamport, false));
        }
        let (past, lamport) = self.place(&operation)?;
        let delivery = self.take_in(operation, past, lamport, false);
        self.owes = true;
        Ok(delivery)
    }

    /// Takes an operation that `via` handed over: its origin, or somebody who had delivered it.
    ///
    /// What a stranger hands over is taken as if a member had where one answers for him, and otherwise as
    /// from whoever issued it.
    ///
    /// Errors: [`Refusal`]; nothing is kept of it then. What can only be judged once its causes are there is
    /// refused then, see [`Broadcast::take_refused`].
    pub fn receive(
        &mut self,
        via: Origin,
        operation: Arc<Operation<P>>,
    ) -> Result<Received, Refusal> {
        let dot = operation.dot;
        let via = match self.members.standing(via) {
            Standing::Member => via,
            Standing::Retired => return Err(Refusal::Retired(via)),
            Standing::Stranger if self.strangers.is_answered_for(via, &self.members) => via,
            Standing::Stranger if self.members.standing(dot.origin) == Standing::Retired => {
                return Err(Refusal::Stranger(via));
            }
            // As good as from whoever issued it, and no better.
            Standing::Stranger => dot.origin,
        };
        if self.delivered.covers(dot) {
            return match self.entry(dot) {
                Some(entry) if *entry.operation != *operation => Err(Refusal::Reused(dot)),
                _ => Ok(Received::Duplicate),
            };
        }
        if let Some(parked) = self.waiting.get(dot) {
            let same = **parked == *operation;
            return if same { Ok(Received::Duplicate) } else { Err(Refusal::Reused(dot)) };
        }
        self.look_at(&operation)?;
        let bytes = Waiting::bytes_of(&operation);
        let full = self.waiting.len() >= self.limits.parked_max
            || self.waiting.bytes() + bytes > self.limits.parked_bytes_max;
        // One a member is taken whatever waits: what is asked for first would be dropped for ever.
        let next = dot.seq - 1 == self.delivered.get(dot.origin) && self.members.has(dot.origin);
        if full && !next {
            return Ok(Received::Dropped);
        }
        Ok(match self.waiting.put(operation, via, &self.delivered) {
            Some(missing) => Received::Parked(missing),
            None => Received::Ready,
        })
    }

    /// Whether some operation can be delivered.
    pub fn is_ready(&self) -> bool {
        self.waiting.is_ready()
    }

    /// Delivers the next operation that can be.
    pub fn deliver(&mut self) -> Option<Delivery<P>> {
        loop {
            let ready = self.waiting.take()?;
            match self.carry_out(Arc::clone(&ready.operation), ready.waited) {
                Ok(delivery) => return Some(delivery),
                Err(why) => self.refused.push((ready.operation, why)),
            }
        }
    }

    /// Delivers an operation that was delivered before the state was exported.
    ///
    /// Errors: [`Refusal`] where it was not; nothing has changed then.
    pub fn redeliver(&mut self, operation: Arc<Operation<P>>) -> Result<Delivery<P>, Refusal> {
        let dot = operation.dot;
        if self.delivered.covers(dot) || self.waiting.get(dot).is_some() {
            return Err(Refusal::Reused(dot));
        }
        let missing = operation.causes().find(|cause| !self.delivered.covers(*cause));
        match missing {
            Some(missing) => Err(Refusal::Missing(missing)),
            None => self.carry_out(operation, false),
        }
    }

    /// Operations that were refused only when their causes were there, each with the reason. Looks for
    /// operations that wait in a circle where many more wait than at the last look.
    pub fn take_refused(&mut self) -> Vec<(Arc<Operation<P>>, Refusal)> {
        if self.waiting.len() >= self.circles_at {
            self.refuse_circles();
        }
        std::mem::take(&mut self.refused)
    }

    /// Refuses operations that wait for each other in a circle: for now and then, as it looks at all that
    /// wait.
    pub fn refuse_circles(&mut self) {
        let circles = self.waiting.circles();
        let in_circle = |dot: &Dot| circles.binary_search(dot).is_ok();
        let gone = self.waiting.retain(|operation, _| !in_circle(&operation.dot));
        self.refused.extend(gone.into_iter().map(|(_, operation)| {
            let why = Refusal::Circle(operation.dot);
            (operation, why)
        }));
        self.circles_at = (self.waiting.len() * 2).max(CIRCLES_MIN);
    }

    /// What waits here, with who handed it over: to be received again by the layer that takes the place
    /// of this one.
    pub fn into_parked(self) -> impl Iterator<Item = (Origin, Arc<Operation<P>>)> {
        let mut waiting = self.waiting;
        waiting.retain(|_, _| false).into_iter()
    }

    pub(crate) fn entry(&self, dot: Dot) -> Option<&Entry<P>> {
        let at = dot.seq.checked_sub(self.collected.get(dot.origin))?.checked_sub(1)?;
        self.log.get(&dot.origin)?.get(at as usize)
    }

    pub(crate) fn waiting(&self) -> &Waiting<P> {
        &self.waiting
    }

    pub(crate) fn ranges_max(&self) -> usize {
        self.limits.ranges_max
    }

    fn carry_out(
        &mut self,
        operation: Arc<Operation<P>>,
        waited: bool,
    ) -> Result<Delivery<P>, Refusal> {
        let (past, lamport) = self.place(&operation)?;
        Ok(self.take_in(operation, past, lamport, waited))
    }

    /// Delivers an operation that stands there.
    pub(crate) fn take_in(
        &mut self,
        operation: Arc<Operation<P>>,
        past: Clock,
        lamport: u64,
        waited: bool,
    ) -> Delivery<P> {
        let dot = operation.dot;
        let stamp = Stamp { lamport, dot };
        self.heads.retain(|head| !past.covers(*head));
        self.heads.insert(dot);
        self.delivered.advance(dot);
        self.lamport = self.lamport.max(Some(lamport));
        let entry = Entry { operation: Arc::clone(&operation), lamport, past: past.clone() };
        self.log.entry(dot.origin).or_default().push_back(entry);
        let mut row = past.clone();
        row.advance(dot);
        self.members.raise(dot.origin, &row);
        if let Some(own) = self.own {
            self.members.advance(own, dot);
        }
        let retired = match operation.content {
            Content::Join(origin) => self.members.join(origin, dot, &row),
            Content::Retire(origin) if self.members.retire(origin, dot) => vec![origin],
            _ => Vec::new(),
        };
        self.owes = match operation.content {
            _ if Some(dot.origin) == self.own => false,
            Content::Heartbeat => self.owes,
            _ => true,
        };
        let gone = self.members.let_go(self.flaw);
        if !matches!(operation.content, Content::Payload(_) | Content::Heartbeat)
            || !gone.is_empty()
        {
            self.turn_away();
        }
        self.waiting.wake(dot, &self.delivered);
        self.collect();
        Delivery { stamp, past, operation, waited, retired, gone }
    }

    /// Drops what waits and came through somebody who is retired, or can never be delivered: what others
    /// took of that in time comes again through them.
    fn turn_away(&mut self) {
        self.strangers.forget(&self.members);
        let (members, strangers, delivered) = (&self.members, &self.strangers, &self.delivered);
        let lost = |dot: &Dot| members.is_gone(dot.origin) && !delivered.covers(*dot);
        let keeps = |operation: &Operation<P>, via: Origin| {
            let trusted = match members.standing(via) {
                Standing::Member => true,
                Standing::Retired => false,
                Standing::Stranger => {
                    via == operation.dot.origin || strangers.is_answered_for(via, members)
                }
            };
            trusted && !operation.heads.iter().chain([&operation.dot]).any(lost)
        };
        let refused = self.waiting.retain(keeps).into_iter();
        self.refused.extend(refused.map(|(via, operation)| (operation, Refusal::Retired(via))));
    }

    /// Forgets what is stable.
    fn collect(&mut self) {
        let stable = self.members.stable();
        for last in stable.beyond(&self.collected) {
            let Some(log) = self.log.get_mut(&last.origin) else { continue };
            let count = last.seq - self.collected.get(last.origin);
            for entry in log.drain(..(count as usize).min(log.len())) {
                self.collected_lamport = self.collected_lamport.max(Some(entry.lamport));
            }
            if log.is_empty() {
                self.log.remove(&last.origin);
            }
        }
        self.collected.merge(stable);
    }

    pub(crate) fn recall(&mut self, lamport: Option<u64>, heads: BTreeSet<Dot>) {
        self.collected_lamport = lamport;
        self.lamport = lamport;
        self.heads = heads;
    }
}

/// Parked operations below which nobody looks for circles by himself.
const CIRCLES_MIN: usize = 64;
