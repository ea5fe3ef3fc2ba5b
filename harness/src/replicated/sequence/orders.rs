//! Every order in which the operations of a vector can come, where causes allow few.
//!
//! Replicas that have the same operations are compared, whatever the order in which these came: so all orders
//! are covered by a replica for each set of operations.

use std::collections::{BTreeMap, btree_map::Entry};

use sequence::Operation;

use super::{Fault, Promise, Replica, Vector, differ, differs, passive};

/// Orders that are tried. No more sets of as many operations are looked at: each is of an order of its own.
const ORDERS_MAX: usize = 10_000;

/// Operations of a vector whose orders are tried: even where there is one order alone, each operation costs
/// a copy of what was made of all before it.
const OPERATIONS_MAX: usize = 100;

/// A set of operations with all that they follow: how many of each site.
type Set = Vec<u64>;

impl Vector {
    /// Whether a replica has the last text, epoch and identifiers whatever the order, as causes allow it.
    ///
    /// Where they allow more orders than [`ORDERS_MAX`], there are more operations than [`OPERATIONS_MAX`], or
    /// causes are not all that is promised, no order is tried.
    pub(super) fn agree_in_every_order<R: Replica>(
        &self,
        operations: &[Operation],
    ) -> Result<(), Fault> {
        if self.promise != Some(Promise::Causal) || !self.has_few_orders() {
            return Ok(());
        }
        let first = R::new(passive(&self.sites));
        let mut level = BTreeMap::from([(vec![0; self.sites.len()], first)]);
        for _ in operations {
            let mut next: BTreeMap<Set, R> = BTreeMap::new();
            for (set, replica) in &level {
                for (at, after) in self.ready(set) {
                    let of =
                        |fault: Fault| fault.of(&format!("op {at} behind {set:?} of each site"));
                    let mut replica = replica.clone();
                    replica.apply(&operations[at]).map_err(differs).map_err(of)?;
                    replica.check();
                    match next.entry(after) {
                        Entry::Vacant(place) => {
                            place.insert(replica);
                        }
                        Entry::Occupied(other) => {
                            let other = other.get();
                            differ("text", &replica.text(), &other.text()).map_err(of)?;
                            differ("epoch", &replica.epoch(), &other.epoch()).map_err(of)?;
                            let intervals = [&replica, other].map(R::intervals);
                            differ("intervals", &intervals[0], &intervals[1]).map_err(of)?;
                        }
                    }
                }
            }
            level = next;
        }
        let of = |fault: Fault| fault.of("in another order");
        level.values().try_for_each(|replica| self.is_last(replica)).map_err(of)
    }

    /// The operations that can come behind those of `set`, each with the set that they make.
    fn ready(&self, set: &Set) -> Vec<(usize, Set)> {
        let mut before = vec![0; self.sites.len()];
        let mut ready = Vec::new();
        for (at, change) in self.ops.iter().enumerate() {
            let site = self.sites.iter().position(|site| *site == change.site);
            let site = site.expect("the vector is possible");
            let next = before[site] == set[site];
            before[site] += 1;
            if next && change.deps.iter().zip(set).all(|(needed, there)| needed <= there) {
                let mut after = set.clone();
                after[site] += 1;
                ready.push((at, after));
            }
        }
        ready
    }

    /// Whether no more orders are possible than are tried, of no more operations.
    fn has_few_orders(&self) -> bool {
        if self.ops.len() > OPERATIONS_MAX {
            return false;
        }
        let mut level = BTreeMap::from([(vec![0; self.sites.len()], 1_usize)]);
        for _ in &self.ops {
            let mut next: BTreeMap<Set, usize> = BTreeMap::new();
            for (set, orders) in &level {
                for (_, after) in self.ready(set) {
                    *next.entry(after).or_default() += orders;
                }
            }
            if next.values().any(|orders| *orders > ORDERS_MAX) || next.len() > ORDERS_MAX {
                return false;
            }
            level = next;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use sequence::{EpochId, Interval, Sequence};

    use super::*;
    use crate::replicated::sequence::replay_on;

    /// A replica that shows its text in the order in which it came.
    #[derive(Clone)]
    struct ByArrival(Sequence, String);

    impl Replica for ByArrival {
        fn new(site: u32) -> Self {
            Self(Replica::new(site), String::new())
        }

        fn apply(&mut self, operation: &Operation) -> Result<(), String> {
            if let Operation::Insert { text, .. } = operation {
                self.1.push_str(text);
            }
            Replica::apply(&mut self.0, operation)
        }

        fn text(&self) -> String {
            self.1.clone()
        }

        fn count(&self) -> u64 {
            self.0.count()
        }

        fn epoch(&self) -> EpochId {
            self.0.epoch()
        }

        fn intervals(&self) -> Vec<Interval> {
            self.0.intervals()
        }
    }

    #[test]
    fn a_replica_that_is_right_in_the_order_of_the_file_alone_is_found_out() {
        let file = serde_json::json!({
            "schema": "seq-vectors/1",
            "vectors": [{
                "name": "two", "delivery": "causal", "sites": [1, 2],
                "ops": [
                    {"site": 1, "kind": "ins", "epoch": -1, "deps": [0, 0], "id": [[1, 1, 0, 0]], "text": "a"},
                    {"site": 2, "kind": "ins", "epoch": -1, "deps": [0, 0], "id": [[2, 2, 0, 0]], "text": "b"}
                ],
                "replicas": [{"site": 1, "steps": [{"op": 0, "len": 1}, {"op": 1, "len": 2}]}],
                "final": {"text": "ab", "epoch": -1, "intervals": [
                    {"id": [[1, 1, 0, 0]], "end": 0}, {"id": [[2, 2, 0, 0]], "end": 0}
                ]}
            }]
        });
        assert_eq!(replay_on::<Sequence>(file.clone()).expect("a file").failed, []);
        let replayed = replay_on::<ByArrival>(file).expect("a file");
        let [(name, why)] = &replayed.failed[..] else { panic!("{:?}", replayed.failed) };
        assert!(name == "two" && why.starts_with("op 1 behind [1, 0] of each site: text"), "{why}");
    }
}
