//! Clogs: datagrams that arrive on a clogged link are held, and delivered in order when it clears.

use contract::NodeId;
use std::collections::BTreeMap;

/// The clogs in force and what they hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clogs {
    rules: Vec<Rule>,
    /// Queue items of datagrams, by link, in the order in which they would have arrived.
    held: BTreeMap<(NodeId, NodeId), Vec<u32>>,
    held_count: usize,
}

#[derive(Clone, Debug)]
struct Rule {
    id: u64,
    from: Option<NodeId>,
    to: Option<NodeId>,
    held: bool,
}

/// Datagrams held at most, over all links: a clog that outlasts the run must not eat the memory.
pub(crate) const HELD_MAX: usize = 1 << 20;

/// What became of a datagram that met the clogs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    /// The link is clear.
    Clear,
    /// It is held; `first` where the clog that holds it held nothing before.
    Held { first: bool },
    /// There was no room to hold it.
    Overflowed,
}

impl Clogs {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn begin(&mut self, id: u64, from: Option<NodeId>, to: Option<NodeId>) {
        self.rules.push(Rule { id, from, to, held: false });
    }

    /// Ends a clog and returns what it alone held, link by link.
    pub(crate) fn end(&mut self, id: u64) -> Vec<u32> {
        self.rules.retain(|rule| rule.id != id);
        let rules = &self.rules;
        let mut released = Vec::new();
        self.held.retain(|(from, to), items| {
            let still = rules.iter().any(|rule| rule.clogs(*from, *to));
            if !still {
                released.append(items);
            }
            still
        });
        self.held_count -= released.len();
        released
    }

    /// Offers the datagram of a queue item, which arrives now.
    pub(crate) fn meet(&mut self, from: NodeId, to: NodeId, item: u32) -> Met {
        let Some(rule) = self.rules.iter_mut().find(|rule| rule.clogs(from, to)) else {
            return Met::Clear;
        };
        if self.held_count == HELD_MAX {
            return Met::Overflowed;
        }
        self.held_count += 1;
        self.held.entry((from, to)).or_default().push(item);
        Met::Held { first: !std::mem::replace(&mut rule.held, true) }
    }
}

impl Rule {
    fn clogs(&self, from: NodeId, to: NodeId) -> bool {
        from != to
            && self.from.is_none_or(|node| node == from)
            && self.to.is_none_or(|node| node == to)
    }
}
