//! Notes 2.x: renames. 2.1.0 goes to a new epoch only once that is announced.
//!
//! The one edge comes from 1.x, all of which is of the origin: epochs there were none. The text and its
//! identifiers stay what they are.

use sequence::{EpochId, FormerState, Operation};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        notes::{
            self, APP, CLIENT_APPEND, CLIENT_INSERT, CLIENT_REMOVE, CLIENT_RUB_OUT, CLIENT_TYPE,
            ClientAppend, ClientInsert, ClientRemove, ClientRubOut, READ, REPLICATED,
            document::Document,
            kept::{Kept, PlainKept},
            kind::{Change, Edit, Notes},
            one,
            places::{Blocks, Name, Piece, SPELLED_IN_MESSAGE_MAX, Span, epoch, name, odd},
        },
        operation,
        replicated::{Asked, Edition, State, broadcast},
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "text whose elements can all be named anew (RenamableLogootSplit); reads the states of 1.x";
pub(super) const ABOUT_POSTPONES: &str =
    "as 2.0.0, and goes to a new epoch only once everybody is known to have it";

const WRITE: u32 = 4;
const ERASE: u32 = 5;
const RENAME: u32 = 6;
const ANNOUNCE: u32 = 7;
const CLIENT_RENAME: u32 = 22;
const CLIENT_TIDY: u32 = 23;

/// From how many blocks on the clients of scenarios want a text tidied up.
const TIDY_FROM: u64 = 12;

/// How often a node looks whether there is an epoch to announce.
const TICK: contract::Span = contract::Span::from_millis(400);

/// Whoever renamed announces; one in so many ticks of the others does too, should that one be gone.
const OTHERS_ANNOUNCE: u64 = 16;

record! {
    /// Characters come into being, by identifiers of this epoch.
    Write {
        1 epoch: Option<Name>,
        2 pieces: Vec<Piece>,
    }
}

record! {
    /// Characters go, by identifiers of this epoch.
    Erase {
        1 epoch: Option<Name>,
        2 spans: Vec<Span>,
    }
}

record! {
    /// All elements come to be of one base, whose name is that of the new epoch too.
    Rename {
        1 epoch: Option<Name>,
        2 name: Name,
        3 former: Blocks,
    }
}

record! {
    /// Every member has the rename that began this epoch.
    Announce {
        1 epoch: Name,
    }
}

record! {
    /// A client wants a rename, where there are at least as many blocks.
    ClientTidy {
        1 blocks: u64,
    }
}

/// The versions of this line.
pub(super) struct Two {
    pub(super) kind: Notes,
    /// It is 2.1.0.
    pub(super) postpones: bool,
}

impl Edition for Two {
    type Kind = Notes;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: if self.postpones { ABOUT_POSTPONES } else { ABOUT },
            state: Kept::schema(),
            messages: vec![
                broadcast::<Write>(WRITE, "write", SINCE),
                broadcast::<Erase>(ERASE, "erase", SINCE),
                broadcast::<Rename>(RENAME, "rename", SINCE),
                broadcast::<Announce>(ANNOUNCE, "announce", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<ClientInsert>(CLIENT_INSERT, "insert", SINCE),
                operation::<ClientRemove>(CLIENT_REMOVE, "remove", SINCE),
                operation::<ClientInsert>(CLIENT_TYPE, "type", SINCE),
                operation::<ClientAppend>(CLIENT_APPEND, "append", SINCE),
                operation::<ClientRubOut>(CLIENT_RUB_OUT, "rub-out", SINCE),
                operation::<()>(CLIENT_RENAME, "rename", SINCE),
                operation::<ClientTidy>(CLIENT_TIDY, "tidy", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: PlainKept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec![
                "insert", "remove", "read", "type", "append", "rub-out", "rename", "tidy",
            ],
            measures: vec!["characters"],
            replicated: Some(REPLICATED),
            tick: Some(TICK),
        }
    }

    fn kind(&self) -> &Notes {
        &self.kind
    }

    fn keep(&self, document: &Document) -> Kept {
        Kept::of(document)
    }

    fn restore(&self, kept: Kept) -> Result<Document, Fault> {
        kept.document(self.kind.0)
    }

    fn retained(&self, document: &Document) -> usize {
        document.retained()
    }

    fn forget(&self, document: &mut Document, stable: &causal::Clock) -> bool {
        document.forget(stable)
    }

    fn asked(&self, document: &Document, body: &Body) -> Result<Asked<Edit>, Fault> {
        if let Some(asked) = notes::asked(document, body)? {
            return Ok(asked);
        }
        let blocks = match body.tag {
            CLIENT_RENAME => <()>::read_body(body).map(|()| 1)?,
            CLIENT_TIDY => ClientTidy::read_body(body)?.blocks,
            _ => return Err(unknown_tag(body)),
        };
        let there = document.sequence.blocks() as u64;
        Ok(if there == 0 || there < blocks { Asked::Nothing } else { Asked::Do(Edit::Rename) })
    }

    fn write(&self, change: &Change) -> Body {
        let operations = match change {
            Change::Announce(epoch) => {
                let epoch = name(*epoch).expect("the origin is never announced");
                return Announce { epoch }.body(ANNOUNCE);
            }
            Change::Edit(operations) => operations,
        };
        match &operations[..] {
            [Operation::Rename { epoch, dot, former }] => {
                let (epoch, name) = (name(*epoch), Name::of(*dot));
                Rename { epoch, name, former: Blocks::of(&former.intervals()) }.body(RENAME)
            }
            [Operation::Remove { epoch, intervals }] => {
                let spans = intervals.iter().map(Span::of).collect();
                Erase { epoch: name(*epoch), spans }.body(ERASE)
            }
            inserts => {
                let epoch = inserts.first().map(Operation::epoch).unwrap_or_default();
                Write { epoch: name(epoch), pieces: notes::pieces(inserts) }.body(WRITE)
            }
        }
    }

    fn read(&self, body: &Body) -> Result<Change, Fault> {
        Ok(match body.tag {
            WRITE => {
                let Write { epoch: of, pieces } = Write::read_body(body)?;
                notes::inserts(epoch(of.as_ref()), pieces)?
            }
            ERASE => {
                let Erase { epoch: of, spans } = Erase::read_body(body)?;
                notes::removal(epoch(of.as_ref()), &spans)?
            }
            RENAME => {
                let Rename { epoch: of, name, former } = Rename::read_body(body)?;
                let (epoch, dot) = (epoch(of.as_ref()), name.dot());
                let former = FormerState::new(&former.document(SPELLED_IN_MESSAGE_MAX)?)
                    .map_err(|why| odd(&why))?;
                Change::Edit(vec![Operation::Rename { epoch, dot, former }])
            }
            ANNOUNCE => Change::Announce(Announce::read_body(body)?.epoch.begun()),
            _ => return Err(unknown_tag(body)),
        })
    }

    fn idle(&self, document: &State<Self>, next: causal::Stamp, entropy: u64) -> Option<Change> {
        let epoch = document.to_announce()?;
        let EpochId::Renamed(rename) = epoch else { return None };
        let own = document.sites.gave(next.dot.origin, rename);
        (own || entropy.is_multiple_of(OTHERS_ANNOUNCE)).then_some(Change::Announce(epoch))
    }

    fn measure(&self, document: &Document) -> Vec<i128> {
        notes::characters(document)
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let old = PlainKept::read(state, "state of 1.x")?;
        meter.spend(1 + old.document.blocks.runs.len() as u64)?;
        Ok(old.lift().bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let write = |pieces| Write { epoch: None, pieces }.body(WRITE);
        Ok(match body.tag {
            READ | CLIENT_INSERT | CLIENT_REMOVE | CLIENT_TYPE | CLIENT_APPEND | CLIENT_RUB_OUT => {
                body.clone()
            }
            one::INSERT => write(one::inserted(body)?),
            one::BLOCK => write(vec![one::Block::read_body(body)?.piece]),
            one::REMOVE => {
                let one::Remove { spans } = one::Remove::read_body(body)?;
                Erase { epoch: None, spans }.body(ERASE)
            }
            _ => return Err(unknown_tag(body)),
        })
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "rename" => ().body(CLIENT_RENAME),
            "tidy" => ClientTidy { blocks: TIDY_FROM }.body(CLIENT_TIDY),
            _ => return notes::drawn(kind, entropy),
        })
    }
}
