//! Founding: how a fleet that broadcast nothing so far comes to have members.
//!
//! A fleet whose first release has operations is founded by its driver, see [`Replica::genesis`]. One that
//! gets its first operations by an upgrade has nobody who could let others in. There each node that finds
//! no member says so to the first of the peers that all were told of; once each of the others has said so of
//! late, that one founds alone, under a new life. The rest join it as any newcomer does, and so all go on
//! from one state, whatever each made of its own before.
//!
//! There is one membership: whoever is a member says nothing of the kind, and while any of the peers says
//! nothing, nobody founds. So a founder that loses its disk asks like the others, and founds again only where
//! none of the peers is a member any more. A member that is none of them is not asked; but who would found
//! does not while he hears of how far any member has come, and each tells somebody now and then.

use std::collections::BTreeMap;

use causal::Origin;
use contract::{NodeId, Time};

use crate::{
    Notice, Replica,
    journal::Change,
    message::{Content, Enroll},
    notice::Dropped,
};

/// When each of the other peers said last that it found no member.
pub(crate) type Blank = BTreeMap<NodeId, Time>;

impl Replica {
    /// This node finds no member: it says so to who would found, or founds.
    pub(crate) fn miss_members(&mut self) {
        let Some(release) = self.run().cloned() else { return };
        let node = self.settings.node;
        match self.settings.peers.iter().min() {
            Some(first) if *first == node => self.try_to_found(),
            Some(first) if self.settings.peers.contains(&node) => {
                let origin = Origin::founder(node);
                self.tell(*first, Content::Enroll(Box::new(Enroll { origin, release })));
            }
            _ => {}
        }
    }

    /// A peer says that it finds no member.
    pub(crate) fn hear_blank(&mut self, from: NodeId) {
        let awaits = self.state.layer.is_none() && self.has_operations();
        if awaits && self.settings.peers.contains(&from) {
            self.operating.blank.insert(from, self.now);
        } else {
            self.drop_from(from, Dropped::Unasked);
        }
    }

    fn try_to_found(&mut self) {
        let (now, node) = (self.now, self.settings.node);
        let patience = self.settings.causal.patience;
        self.operating.blank.retain(|_, at| *at <= now && now < *at + patience);
        let blank = &self.operating.blank;
        let mut others = self.settings.peers.iter().filter(|peer| **peer != node);
        let heard = self.operating.heard_member;
        let has_member = heard.is_some_and(|at| at <= now && now < at + patience);
        if has_member || !others.all(|peer| blank.contains_key(peer)) {
            return;
        }
        let origin = Origin { node, life: self.fresh_life() };
        self.operating.joining = None;
        self.change(Change::FoundAlone(origin));
        self.forget_operations();
        self.notify(Notice::Founded { origin });
    }
}
