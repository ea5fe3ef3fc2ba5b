//! Tables of sequences: pairs that a rename maps to each other, and trees of epochs.

use sequence::{Dot, EpochId, FormerState, Interval, Mapping, Operation, Options, Path, Sequence};
use serde::{Deserialize, de::IgnoredAny};

use super::{Fault, Span, Written, differ, differs, identifier, intervals, malformed, passive};

/// A rename, and what it maps to what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Map {
    site: u32,
    clock: u32,
    former: Vec<Span>,
    pairs: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    parent: Vec<Written>,
    child: Vec<Written>,
    #[serde(rename = "mute")]
    _mute: Option<IgnoredAny>,
}

/// Epochs, their order, and what may be dropped of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    epochs: Vec<Node>,
    order: Vec<u32>,
    leading: u32,
    #[serde(default)]
    paths: Vec<Way>,
    gc: Vec<Gone>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    id: u32,
    parent: i64,
    site: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    from: u32,
    to: u32,
    lca: u32,
    revert: Vec<u32>,
    apply: Vec<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gone {
    stable: Vec<u32>,
    #[serde(rename = "max_stable")]
    _max_stable: Option<IgnoredAny>,
    #[serde(rename = "potential")]
    _potential: Option<IgnoredAny>,
    lca: u32,
    required: Vec<u32>,
}

impl Map {
    /// Whether a replica that has a parent's element shows the child's after the rename, and the reverse.
    pub(super) fn hold(&self) -> Result<(), Fault> {
        let dot = Dot { site: self.site, clock: self.clock };
        let former = FormerState::new(&intervals(&self.former)?).map_err(malformed)?;
        let rename = Operation::Rename { epoch: EpochId::Origin, dot, former };
        let mut mapping = Mapping::new(&rename).map_err(malformed)?;
        for (at, pair) in self.pairs.iter().enumerate() {
            let (parent, child) = (identifier(&pair.parent)?, identifier(&pair.child)?);
            let forward = mapping.forward(&parent).map_err(differs)?;
            let backward = mapping.backward(&child).map_err(differs)?;
            differ(&format!("pair {at}, forward"), &forward, &child)?;
            differ(&format!("pair {at}, backward"), &backward, &parent)?;
        }
        Ok(())
    }
}

impl Tree {
    /// The name of an epoch. Numbers count in every row, so they are clocks.
    fn name(&self, id: u32) -> Result<EpochId, Fault> {
        let node = self.epochs.iter().find(|node| node.id == id);
        let node = node.ok_or_else(|| malformed(format_args!("there is no epoch {id}")))?;
        Ok(match node.parent {
            ..0 => EpochId::Origin,
            _ => EpochId::Renamed(Dot { site: node.site, clock: id }),
        })
    }

    fn names(&self, ids: &[u32]) -> Result<Vec<EpochId>, Fault> {
        ids.iter().map(|id| self.name(*id)).collect()
    }

    /// A replica that knows all epochs of the row.
    fn replica(&self) -> Result<Sequence, Fault> {
        let sites: Vec<u32> = self.epochs.iter().map(|node| node.site).collect();
        let mut replica = Sequence::new(passive(&sites), Options::default()).map_err(malformed)?;
        let first = identifier(&[(0, 1 << 20, 0, 0)])?;
        let insert =
            Operation::Insert { epoch: EpochId::Origin, first: first.clone(), text: "x".into() };
        replica.apply(&insert).map_err(malformed)?;
        for node in self.epochs.iter().filter(|node| node.parent >= 0) {
            let epoch = self.name(u32::try_from(node.parent).map_err(malformed)?)?;
            let dot = Dot { site: node.site, clock: node.id };
            // The only element, as its epoch names it.
            let first = match epoch {
                EpochId::Origin => first.clone(),
                EpochId::Renamed(Dot { site, clock }) => identifier(&[(0, site, clock, 0)])?,
            };
            let former = FormerState::new(&[Interval { first, end: 0 }]).map_err(malformed)?;
            let rename = Operation::Rename { epoch, dot, former };
            replica.apply(&rename).map_err(malformed)?;
        }
        Ok(replica)
    }

    /// Whether the sequence has what the row says.
    pub(super) fn hold(&self) -> Result<(), Fault> {
        let replica = self.replica()?;
        differ("leading", &replica.epoch(), &self.name(self.leading)?)?;
        differ("order", &replica.epochs_by_priority(), &self.names(&self.order)?)?;
        for (at, way) in self.paths.iter().enumerate() {
            let path = replica.path(self.name(way.from)?, self.name(way.to)?);
            let expected = Path {
                revert: self.names(&way.revert)?,
                meet: self.name(way.lca)?,
                apply: self.names(&way.apply)?,
            };
            differ(&format!("path {at}"), &path, &Some(expected))?;
        }
        for (at, gone) in self.gc.iter().enumerate() {
            let mut replica = replica.clone();
            replica.collect(&self.names(&gone.stable)?);
            replica.check();
            let mut kept: Vec<EpochId> = replica.known_epochs().collect();
            differ(&format!("collection {at}, root"), &kept[0], &self.name(gone.lca)?)?;
            let mut expected = self.names(&gone.required)?;
            kept.sort_unstable();
            expected.sort_unstable();
            differ(&format!("collection {at}, kept"), &kept, &expected)?;
        }
        Ok(())
    }
}
