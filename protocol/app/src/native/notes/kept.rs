//! Documents as values of a schema: those of 1.x, and those of 2.x, which have epochs.

use causal::Dot;
use sequence::{Parts, Renamed, Root};

use crate::{
    Fault,
    native::{
        notes::{
            document::{Document, Ways},
            places::{Blocks, Name, SPELLED_IN_STATE_MAX, epoch, name, odd},
            sites::{Claim, Sites},
        },
        typed::record,
    },
};

record! {
    /// What is written, in 1.x.
    Plain {
        1 blocks: Blocks,
        2 text: String,
    }
}

record! {
    /// The state of 1.x.
    PlainKept {
        1 document: Plain,
        2 claims: Vec<Claim>,
    }
}

record! {
    /// What is written, by the identifiers of the epoch that leads.
    Written {
        1 epoch: Option<Name>,
        2 blocks: Blocks,
        3 text: String,
    }
}

record! {
    /// The epoch that all others that are kept are below.
    Ground {
        1 epoch: Option<Name>,
        2 depth: u32,
        3 covered: u64,
    }
}

record! {
    /// A rename, and what it left behind.
    Left {
        1 name: Name,
        2 parent: Option<Name>,
        3 former: Blocks,
    }
}

record! {
    /// An epoch, and the operation that told of it.
    Told {
        1 by: Dot,
        2 epoch: Name,
    }
}

record! {
    /// The state of 2.x.
    Kept {
        1 document: Written,
        2 claims: Vec<Claim>,
        3 ground: Ground,
        4 renames: Vec<Left>,
        5 announced: Option<Name>,
        6 unsettled: Vec<Told>,
        7 announcements: Vec<Told>,
        8 settled: Option<Name>,
    }
}

impl PlainKept {
    pub(super) fn of(document: &Document) -> Self {
        let Kept { document, claims, .. } = Kept::of(document);
        let Written { blocks, text, .. } = document;
        Self { document: Plain { blocks, text }, claims }
    }

    /// The same in an epoch, which is the origin.
    pub(super) fn lift(self) -> Kept {
        let Self { document: Plain { blocks, text }, claims } = self;
        Kept {
            document: Written { epoch: None, blocks, text },
            claims,
            ground: Ground { epoch: None, depth: 0, covered: 0 },
            renames: Vec::new(),
            announced: None,
            unsettled: Vec::new(),
            announcements: Vec::new(),
            settled: None,
        }
    }
}

impl Kept {
    pub(super) fn of(document: &Document) -> Self {
        let Parts { root, renames, current, document: written, text } = document.parts();
        let left = |Renamed { dot, parent, former }: &Renamed| Left {
            name: Name::of(*dot),
            parent: name(*parent),
            former: Blocks::of(former),
        };
        let told = |open: &std::collections::BTreeMap<Dot, sequence::EpochId>| {
            let told = open.iter().filter_map(|(by, epoch)| Some((*by, name(*epoch)?)));
            told.map(|(by, epoch)| Told { by, epoch }).collect()
        };
        Self {
            document: Written { epoch: name(current), blocks: Blocks::of(&written), text },
            claims: document.sites.keep(),
            ground: Ground { epoch: name(root.id), depth: root.depth, covered: root.covered },
            renames: renames.iter().map(left).collect(),
            announced: name(document.announced),
            unsettled: told(&document.unsettled),
            announcements: told(&document.announcements),
            settled: name(document.settled),
        }
    }

    /// Errors: [`Fault`] where no replica keeps this.
    pub(super) fn document(self, ways: Ways) -> Result<Document, Fault> {
        let left = |Left { name, parent, former }: &Left| {
            let (dot, parent) = (name.dot(), epoch(parent.as_ref()));
            Ok(Renamed { dot, parent, former: former.document(SPELLED_IN_STATE_MAX)? })
        };
        let Ground { epoch: ground, depth, covered } = self.ground;
        let parts = Parts {
            root: Root { id: epoch(ground.as_ref()), depth, covered },
            renames: self.renames.iter().map(left).collect::<Result<_, Fault>>()?,
            current: epoch(self.document.epoch.as_ref()),
            document: self.document.blocks.document(SPELLED_IN_STATE_MAX)?,
            text: self.document.text,
        };
        let sites = Sites::restored(self.claims)?;
        let announced = epoch(self.announced.as_ref());
        let document = Document::assembled(ways, &parts, sites, announced);
        let mut document = document.map_err(|why| odd(&why))?;
        let told = |told: Vec<Told>| {
            let ascend = told.is_sorted_by(|one, other| one.by < other.by);
            let open = told.into_iter().map(|Told { by, epoch }| (by, epoch.begun())).collect();
            if ascend { Ok(open) } else { Err(Fault::Malformed("state: names that ascend")) }
        };
        document.unsettled = told(self.unsettled)?;
        document.announcements = told(self.announcements)?;
        document.settled = epoch(self.settled.as_ref());
        Ok(document)
    }
}
