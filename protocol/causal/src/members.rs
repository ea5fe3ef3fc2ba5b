//! Who may issue operations, what each is known to have delivered, and what all have.
//!
//! A row is the clock of the last operation of a member that was delivered here: whatever the member issues
//! next follows all of it. The least of all rows is *stable*: nothing that is delivered here from now on is
//! concurrent to any of it.
//!
//! **Joining.** A donor issues `Join` and hands out its state of that very instant; all operations of the
//! joiner follow `Join`. Let X be stable here before `Join` was delivered here. Then an operation of the
//! donor that was delivered here follows X and precedes `Join`, for an origin's operations are delivered in
//! order; so the donor had X before `Join`, and so has the joiner. (If the donor is itself unknown here, the
//! same holds of its donor.)
//!
//! **Retiring.** Once `Retire` is delivered here, nothing is taken any more that the retired origin hands
//! over, be it its own or another's. Its row leaves the columns only when the rows of all that remain cover
//! `Retire`. Let x be an operation of the retired origin that a remaining member ever delivers. It came
//! there over a chain of members each of which took it before it knew that the one before it was retired.
//! The first remaining member on that chain took it from one that is retired, before `Retire` of that one;
//! its row covers that `Retire`, hence x, which therefore was delivered here as well. Several that retire
//! at the same time leave together: the argument needs that each remaining row covers `Retire` of each that
//! leaves. In one phase it fails: somebody who has not heard of `Retire` may still take an operation that is
//! concurrent to what was collected here.
//!
//! A stranger may be a joiner whose `Join` nobody else has: what he brings is taken as if its origin had
//! handed it over, where that is not known to be retired, and the chain begins with that origin.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use crate::{Clock, Dot, Origin, layer::Flaw};

#[derive(Clone, Debug, Default)]
pub(crate) struct Members {
    rows: BTreeMap<Origin, Row>,
    columns: BTreeMap<Origin, Column>,
    /// Members that left.
    gone: BTreeSet<Origin>,
    stable: Clock,
}

/// A member, and what it is known to have delivered.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) clock: Clock,
    /// What made it a member; [`Dot::NONE`] where that is stable, and for founders.
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
        Self { rows, columns, gone: BTreeSet::new(), stable }
    }

    pub(crate) fn stable(&self) -> &Clock {
        &self.stable
    }

    pub(crate) fn rows(&self) -> &BTreeMap<Origin, Row> {
        &self.rows
    }

    pub(crate) fn gone(&self) -> &BTreeSet<Origin> {
        &self.gone
    }

    pub(crate) fn leave(&mut self, gone: impl IntoIterator<Item = Origin>) {
        self.gone.extend(gone);
    }

    pub(crate) fn standing(&self, origin: Origin) -> Standing {
        match self.rows.get(&origin) {
            Some(row) if row.retired.is_empty() => Standing::Member,
            Some(_) => Standing::Retired,
            None if self.gone.contains(&origin) || self.is_outlived(origin) => Standing::Retired,
            None => Standing::Stranger,
        }
    }

    /// Whether a later life of its node was let in.
    fn is_outlived(&self, origin: Origin) -> bool {
        let later = Origin { life: origin.life.saturating_add(1), ..origin };
        let is_later = |other: &Origin| other.node == origin.node && other.life > origin.life;
        self.rows.range(later..).next().is_some_and(|(other, _)| is_later(other))
            || self.gone.range(later..).next().is_some_and(is_later)
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
        if self.gone.contains(&origin) {
            return Vec::new();
        }
        let lives = self.rows.range(Origin { life: 0, ..origin }..);
        let lives = lives.take_while(|(other, _)| other.node == origin.node);
        let newer = lives.clone().find(|(other, _)| other.life > origin.life);
        let newer = newer.map(|(_, row)| if row.joined == Dot::NONE { join } else { row.joined });
        let older: Vec<Origin> =
            lives.map(|(other, _)| *other).filter(|other| other.life < origin.life).collect();
        let retired: Vec<Dot> = newer.into_iter().collect();
        if let Entry::Vacant(vacant) = self.rows.entry(origin) {
            vacant.insert(Row { clock: self.stable.clone(), joined: join, retired });
            for (column, counts) in &mut self.columns {
                counts.rows += usize::from(counts.least == self.stable.get(*column));
            }
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
        for origin in &leaving {
            self.rows.remove(origin);
            self.gone.insert(*origin);
        }
        let columns: Vec<Origin> = self.columns.keys().copied().collect();
        columns.into_iter().for_each(|origin| self.recount(origin));
        leaving.into_iter().collect()
    }
}
