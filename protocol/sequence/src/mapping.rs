//! The two functions of one rename, of identifiers spelled out.

use std::collections::BTreeSet;

use crate::{
    EpochId, Identifier, Operation, Options, Refused, Sequence,
    arena::{Arena, Id},
    former::Former,
};

/// What a rename makes of identifiers: exact inverses of each other, which keep order.
#[derive(Clone, Debug)]
pub struct Mapping {
    arena: Arena,
    former: Former,
}

impl Mapping {
    /// The functions of `rename`.
    ///
    /// Errors: it is no rename, or none that a replica would take.
    pub fn new(rename: &Operation) -> Result<Self, Refused> {
        let Operation::Rename { dot, former, .. } = rename else {
            return Err(Refused::NoRename);
        };
        let (dot, former) = (*dot, former.clone());
        // Whoever's names they are, they are another's here.
        let sites: BTreeSet<u32> = former.bases().iter().map(|base| base.site).collect();
        let mut others = (1..).filter(|site| *site != dot.site && !sites.contains(site));
        let other = others.next().expect("a document has fewer sites than there are");
        let mut replica = Sequence::new(other, Options::default())?;
        replica.apply(&Operation::Rename { epoch: EpochId::Origin, dot, former })?;
        let epoch = replica.epochs.list_mut().last_mut().and_then(|epoch| epoch.former.take());
        let mut former = epoch.expect("the rename began an epoch");
        former.resolve(&mut replica.arena);
        Ok(Self { arena: replica.arena, former })
    }

    /// The identifier in the new epoch of one in the former.
    pub fn forward(&mut self, identifier: &Identifier) -> Result<Identifier, Refused> {
        let id = self.arena.intern(&identifier.to_vec());
        let mapped = self.former.forward(&mut self.arena, id);
        self.spelled(mapped)
    }

    /// The identifier in the former epoch of one in the new.
    pub fn backward(&mut self, identifier: &Identifier) -> Result<Identifier, Refused> {
        let id = self.arena.intern(&identifier.to_vec());
        let mapped = self.former.backward(&mut self.arena, id);
        self.spelled(mapped)
    }

    fn spelled(&self, id: Id) -> Result<Identifier, Refused> {
        Identifier::new(self.arena.spell(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dot, FormerState, Interval, Tuple};

    #[test]
    fn what_is_no_rename_has_no_functions() {
        let epoch = EpochId::Origin;
        let nothing = Operation::Remove { epoch, intervals: Vec::new().into() };
        assert_eq!(Mapping::new(&nothing).err(), Some(Refused::NoRename));
    }

    #[test]
    fn any_site_may_have_renamed_under_any_name() {
        for site in [1, 2, (1 << 31) - 1] {
            let tuple = |site| Tuple { position: 0, site, clock: (1 << 31) - 2, offset: 0 };
            let first = Identifier::new([tuple(1), tuple(3), tuple(2)]).expect("an identifier");
            let former = FormerState::new(&[Interval { first: first.clone(), end: 0 }]);
            let dot = Dot { site, clock: (1 << 31) - 1 };
            let former = former.expect("a document");
            let rename = Operation::Rename { epoch: EpochId::Origin, dot, former };
            let mut mapping = Mapping::new(&rename).expect("a rename");
            let named = mapping.forward(&first).expect("an identifier");
            assert_eq!(named.dot(), dot);
            assert_eq!(mapping.backward(&named), Ok(first));
        }
    }
}
