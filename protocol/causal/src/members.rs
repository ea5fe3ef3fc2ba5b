//! Who may issue operations, what each is known to have delivered, and what all have.
//!
//! A row is the clock of the last operation of a member that was delivered here: whatever the member issues
//! next follows all of it. The least of all rows is *stable*: nothing that is delivered here from now on is
//! concurrent to any of it.
//!
//! **Joining.** A donor issues `Join` and hands out its state of that very instant; all operations of the
//! joiner follow `Join`, said or not: it is a cause of the first of them. Let X be stable here before `Join` was delivered here. Then an operation of the
//! donor that was delivered here follows X and precedes `Join`, for an origin's operations are delivered in
//! order; so the donor had X before `Join`, and so has the joiner. (If the donor is itself unknown here, the
//! same holds of its donor.)
//!
//! **Retiring.** Once `Retire` is delivered here, nothing is taken any more that the retired origin hands
//! over, be it its own or another's. Its row leaves the columns only when the rows of all that remain cover
//! `Retire`; several that retire at the same time leave together. In one phase it fails: somebody who has
//! not heard of `Retire` may still take an operation that is concurrent to what was collected here.
//!
//! *Claim.* Let H be whoever let go, and call *kin* of a member those who are unknown at H and whom it let
//! in, or its kin did. None of those that remain at H, and none of their kin, ever delivers an operation of
//! one that left which H lacks. *Proof.* `Retire` follows what let its origin in, and an origin's row covers
//! it or is the clock of an operation that H has: so whoever remains either delivers something before that
//! operation of his, and H has it, or knows that all who left are retired. Kin know so from birth, for what
//! let them in is not at H and hence follows the row of who issued it. Let x be the first operation that
//! breaks the claim, s who delivers it, and p who handed it to s, whom s does not know to be retired. If p
//! remains or is kin of one that does, p broke the claim before. If p left, s knows of it. So p is unknown at
//! H and kin of one that left, who let in p1, who let in ... p. If s has delivered what let p1 in, that broke
//! the claim before. Otherwise p is a stranger to s, and so is everybody on its lineage from p1 on: the nearest
//! whom s knows is the one that left, and he is retired, so that nobody answers for p (`strangers`), and s
//! takes from p only what is of origins that s does not know to be retired, which x is not.
//!
//! So a member may take what a stranger hands over for whom one in good standing answers, and has to: whoever
//! retires r may lack what others took from r in time, and after they lost their disks he knows only former
//! lives of them. A stranger for whom nobody answers brings operations of members, and is told to join again
//! once there is nothing else to wait for.
//!
//! **Bounds.** Of those that left, the last life of each node is kept: its older lives are outlived by it, and
//! nobody lets one of them in, for whoever remains knows of the later one. A joiner whose state never
//! arrived is a row that stays until somebody retires it, or its node joins under another life: nothing here
//! knows how long is too long, but whoever drives the layer does. A clock has a count for each life that ever
//! issued anything: clocks of operations are compared for ever, and all would have to forget at once.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use contract::NodeId;

use crate::{Clock, Dot, Origin, layer::Flaw};

#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    rows: BTreeMap<Origin, Row>,
    columns: BTreeMap<Origin, Column>,
    /// The last life of each node of which one left: of its older ones none ever counts again.
    gone: BTreeMap<NodeId, u64>,
    stable: Clock,
}

/// A member, and what it is known to have delivered.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) clock: Clock,
    /// What made it a member; [`Dot::NONE`] for founders, and where that was stable when a state was read.
    joined: Dot,
    /// Operations each of which retires it.
    pub(crate) retired: Vec<Dot>,
}

/// The least count of one origin's operations in any row, and how many rows have it.
#[derive(Clone, Copy, Debug)]
struct Column {
    least: u32,
    rows: usize,
}

/// Ancestors that a digest names, at most: a chain of so many joins of which none is stable is no fleet.
pub(crate) const LINEAGE_MAX: usize = 32;

/// Whether to take what somebody hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Member,
    Retired,
    Stranger,
}

impl Members {
    /// Those that were there when everything up to `stable` was.
    pub(crate) fn new(members: impl IntoIterator<Item = Origin>, stable: Clock) -> Self {
        let row = || Row { clock: stable.clone(), joined: Dot::NONE, retired: Vec::new() };
        let rows: BTreeMap<Origin, Row> =
            members.into_iter().map(|member| (member, row())).collect();
        let column = |last: Dot| (last.origin, Column { least: last.seq, rows: rows.len() });
        let columns = stable.iter().map(column).collect();
        Self { rows, columns, gone: BTreeMap::new(), stable }
    }

    pub(crate) fn stable(&self) -> &Clock {
        &self.stable
    }

    pub(crate) fn rows(&self) -> &BTreeMap<Origin, Row> {
        &self.rows
    }

    /// The last life of each node of which one left.
    pub(crate) fn gone(&self) -> impl ExactSizeIterator<Item = Origin> + '_ {
        self.gone.iter().map(|(node, life)| Origin { node: *node, life: *life })
    }

    /// Members left.
    pub(crate) fn leave(&mut self, gone: impl IntoIterator<Item = Origin>) {
        for Origin { node, life } in gone {
            let last = self.gone.entry(node).or_insert(life);
            *last = life.max(*last);
        }
    }

    /// Whether `origin` left, or is older than who left.
    pub(crate) fn is_gone(&self, origin: Origin) -> bool {
        !self.has(origin) && self.gone.get(&origin.node).is_some_and(|last| *last >= origin.life)
    }

    /// Who let `origin` in, who let that one in, and so on up to one whose own admission all have, or who
    /// left: whoever knows a member at all knows one of these, or was let in by one.
    pub(crate) fn lineage(&self, origin: Origin) -> Vec<Origin> {
        let mut lineage = Vec::new();
        let mut next = origin;
        while let Some(row) = self.rows.get(&next)
            && !self.stable.covers(row.joined)
            && lineage.len() < LINEAGE_MAX
        {
            next = row.joined.origin;
            lineage.push(next);
        }
        lineage
    }

    /// What let the origin of `first` in, where that is its first operation and not all are known to have it: a cause
    /// that may go unsaid. Without it the past would be less where less is stable.
    pub(crate) fn joined(&self, first: Dot) -> Option<Dot> {
        let joined = self.rows.get(&first.origin).map(|row| row.joined);
        joined.filter(|joined| first.seq == 1 && *joined != Dot::NONE)
    }

    pub(crate) fn standing(&self, origin: Origin) -> Standing {
        match self.rows.get(&origin) {
            Some(row) if row.retired.is_empty() => Standing::Member,
            Some(_) => Standing::Retired,
            None if self.is_gone(origin) || self.is_outlived(origin) => Standing::Retired,
            None => Standing::Stranger,
        }
    }

    /// Whether a later life of its node was let in.
    fn is_outlived(&self, origin: Origin) -> bool {
        let later = Origin { life: origin.life.saturating_add(1), ..origin };
        let next = self.rows.range(later..).next();
        next.is_some_and(|(other, _)| other.node == origin.node && other.life > origin.life)
    }

    /// Whether the operations of `origin` still count, though it may be retired.
    pub(crate) fn has(&self, origin: Origin) -> bool {
        self.rows.contains_key(&origin)
    }

    /// A member has delivered all of `clock`.
    pub(crate) fn raise(&mut self, member: Origin, clock: &Clock) {
        let Some(row) = self.rows.get_mut(&member) else { return };
        let mut new = row.clock.clone();
        new.merge(clock);
        let old = std::mem::replace(&mut row.clock, new.clone());
        for last in new.beyond(&old) {
            self.raise_column(last, old.get(last.origin));
        }
    }

    /// A member has delivered `dot` beside what it had.
    pub(crate) fn advance(&mut self, member: Origin, dot: Dot) {
        let Some(row) = self.rows.get_mut(&member) else { return };
        let old = row.clock.get(dot.origin);
        if old < dot.seq {
            row.clock.advance(dot);
            self.raise_column(dot, old);
        }
    }

    fn raise_column(&mut self, to: Dot, from: u32) {
        let rows = self.rows.len();
        let column = self.columns.entry(to.origin).or_insert(Column { least: 0, rows });
        if from == column.least {
            column.rows -= 1;
            if column.rows == 0 {
                self.recount(to.origin);
            }
        }
    }

    /// Finds the least count in a column anew.
    fn recount(&mut self, origin: Origin) {
        let counts = self.rows.values().map(|row| row.clock.get(origin));
        let (mut least, mut rows) = (u32::MAX, 0);
        for count in counts {
            if count < least {
                (least, rows) = (count, 0);
            }
            rows += usize::from(count == least);
        }
        self.columns.insert(origin, Column { least, rows });
        if rows > 0 {
            self.stable.advance(Dot { origin, seq: least });
        }
    }

    /// `join` makes `origin` a member, who has what precedes `join` and `join` itself: `clock`. Members
    /// that this retires are returned.
    pub(crate) fn join(&mut self, origin: Origin, join: Dot, clock: &Clock) -> Vec<Origin> {
        // Whoever lets an older life in after a later one left is no member: a member would know.
        if self.is_gone(origin) {
            return Vec::new();
        }
        let lives = self.rows.range(Origin { life: 0, ..origin }..);
        let lives = lives.take_while(|(other, _)| other.node == origin.node);
        let newer = lives.clone().find(|(other, _)| other.life > origin.life);
        // All that remain know of a later life that is stable: whoever has `join` too knows both.
        let newer = newer.map(|(_, row)| if row.joined == Dot::NONE { join } else { row.joined });
        let older: Vec<Origin> =
            lives.map(|(other, _)| *other).filter(|other| other.life < origin.life).collect();
        let retired: Vec<Dot> = newer.into_iter().collect();
        match self.rows.entry(origin) {
            Entry::Vacant(vacant) => {
                vacant.insert(Row { clock: self.stable.clone(), joined: join, retired });
                for (column, counts) in &mut self.columns {
                    counts.rows += usize::from(counts.least == self.stable.get(*column));
                }
            }
            // A state that was read has the rows first, and then what made them.
            Entry::Occupied(row) if row.get().joined == Dot::NONE && !origin.is_founder() => {
                row.into_mut().joined = join;
            }
            Entry::Occupied(_) => {}
        }
        self.raise(origin, clock);
        older.into_iter().filter(|other| self.retire(*other, join)).collect()
    }

    /// `retire` retires `origin`. Says whether it was a member in good standing.
    pub(crate) fn retire(&mut self, origin: Origin, retire: Dot) -> bool {
        let Some(row) = self.rows.get_mut(&origin) else { return false };
        let first = row.retired.is_empty();
        if !row.retired.contains(&retire) {
            row.retired.push(retire);
        }
        first
    }

    /// What retired `origin`, where that has not left: nothing else did.
    pub(crate) fn retired_by(&mut self, origin: Origin, retired: Vec<Dot>) {
        if let Some(row) = self.rows.get_mut(&origin) {
            row.retired = retired;
        }
    }

    /// Lets those retired members go of which all that remain know. Says who went.
    pub(crate) fn let_go(&mut self, flaw: Option<Flaw>) -> Vec<Origin> {
        let retired = self.rows.iter().filter(|(_, row)| !row.retired.is_empty());
        let mut leaving: BTreeSet<Origin> = retired.map(|(origin, _)| *origin).collect();
        if leaving.is_empty() {
            return Vec::new();
        }
        loop {
            let before = leaving.len();
            let knows = |row: &Row, of: &Origin| {
                self.rows[of].retired.iter().any(|retire| row.clock.covers(*retire))
            };
            let known = |of: &Origin| {
                let mut remain = self.rows.iter().filter(|(other, _)| !leaving.contains(other));
                flaw == Some(Flaw::RetiresInOnePhase) || remain.all(|(_, row)| knows(row, of))
            };
            let stay: Vec<Origin> = leaving.iter().copied().filter(|of| !known(of)).collect();
            stay.iter().for_each(|of| _ = leaving.remove(of));
            if leaving.len() == before {
                break;
            }
        }
        // The last ones have nobody to leave to.
        if leaving.is_empty() || leaving.len() == self.rows.len() {
            return Vec::new();
        }
        leaving.iter().for_each(|origin| _ = self.rows.remove(origin));
        self.leave(leaving.iter().copied());
        let columns: Vec<Origin> = self.columns.keys().copied().collect();
        columns.into_iter().for_each(|origin| self.recount(origin));
        leaving.into_iter().collect()
    }
}
