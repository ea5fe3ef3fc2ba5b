//! Names, stamps and retained operations as values of a schema.

use causal::{Dot, Origin, Stamp};
use contract::{Malformed, NodeId};

use crate::{native::typed::Typed, schema::Schema};

/// Operations that may still act on concurrent ones, as they are acted on themselves by now.
///
/// Invariant: they ascend by stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::native) struct History<M>(Vec<(Stamp, M)>);

impl<M> Default for History<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M> History<M> {
    pub(in crate::native) fn len(&self) -> usize {
        self.0.len()
    }

    /// The same stamps with other operations.
    pub(in crate::native) fn map<N>(self, to: impl Fn(M) -> N) -> History<N> {
        History(self.0.into_iter().map(|(stamp, message)| (stamp, to(message))).collect())
    }
}

/// In the order of their stamps, which is the invariant.
impl<M> FromIterator<(Stamp, M)> for History<M> {
    fn from_iter<I: IntoIterator<Item = (Stamp, M)>>(entries: I) -> Self {
        let entries: Vec<_> = entries.into_iter().collect();
        assert!(entries.is_sorted_by(|(a, _), (b, _)| a < b), "history stands in order of stamps");
        Self(entries)
    }
}

impl<M> IntoIterator for History<M> {
    type Item = (Stamp, M);
    type IntoIter = std::vec::IntoIter<(Stamp, M)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<M: Typed> Typed for History<M> {
    fn schema() -> Schema {
        Schema::list(<(Stamp, M)>::schema())
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let entries = Vec::<(Stamp, M)>::take(bytes)?;
        if entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            Ok(Self(entries))
        } else {
            Err(Malformed("stamps that ascend"))
        }
    }
}

/// What bears a stamp.
impl<M: Typed> Typed for (Stamp, M) {
    fn schema() -> Schema {
        Schema::record([(1, "stamp", Stamp::schema()), (2, "what", M::schema())])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok((Stamp::take(bytes)?, M::take(bytes)?))
    }
}

impl Typed for Stamp {
    fn schema() -> Schema {
        Schema::record([(1, "lamport", Schema::Int), (2, "dot", Dot::schema())])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.lamport.cast_signed().put(out);
        self.dot.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        Ok(Self { lamport: i64::take(bytes)?.cast_unsigned(), dot: named(bytes)? })
    }
}

/// The name of an operation, or of none.
impl Typed for Dot {
    fn schema() -> Schema {
        Schema::record([
            (1, "node", Schema::Int),
            (2, "life", Schema::Int),
            (3, "operation", Schema::Int),
        ])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.origin.node.0.put(out);
        self.origin.life.cast_signed().put(out);
        self.seq.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let node = NodeId(u32::take(bytes)?);
        let origin = Origin { node, life: i64::take(bytes)?.cast_unsigned() };
        Ok(Self { origin, seq: u32::take(bytes)? })
    }
}

/// The name of an operation.
pub(in crate::native) fn named(bytes: &mut &[u8]) -> Result<Dot, Malformed> {
    let dot = Dot::take(bytes)?;
    if dot.seq == 0 { Err(Malformed("an operation counted from 1")) } else { Ok(dot) }
}
