//! What bots send each other.

use std::sync::Arc;

use causal::Payload;
use contract::{Encode, Malformed, Wire, wire};
use sequence::{Dot, EpochId, Operation, Reader, Writer};

/// What is broadcast in causal order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// An insert or a removal.
    Edit(Operation),
    /// A rename in few bytes, and in full for who does not understand those.
    Rename(Arc<[u8]>, Operation),
    /// The sender is in this epoch, and will not go back.
    Announced(EpochId),
}

/// A broadcast on its way. All receivers share it.
#[derive(Clone, Debug)]
pub(crate) struct Message(pub(crate) Arc<causal::Operation<Said>>);

const EDIT: u8 = 0;
const RENAME: u8 = 1;
const ORIGIN: u8 = 2;
const RENAMED: u8 = 3;

fn put_operation(out: &mut Vec<u8>, operation: &Operation) {
    let bytes = Writer::default().write(std::slice::from_ref(operation));
    wire::put_blob(out, &bytes.expect("a replica makes none that no message can hold"));
}

fn take_operation(bytes: &mut &[u8]) -> Result<Operation, Malformed> {
    let read = Reader::default().read(wire::take_blob(bytes)?)?;
    match <[Operation; 1]>::try_from(read) {
        Ok([operation]) => Ok(operation),
        Err(_) => Err(Malformed("one operation")),
    }
}

impl Encode for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Edit(operation) => {
                out.push(EDIT);
                put_operation(out, operation);
            }
            Self::Rename(bytes, operation) => {
                out.push(RENAME);
                wire::put_blob(out, bytes);
                put_operation(out, operation);
            }
            Self::Announced(EpochId::Origin) => out.push(ORIGIN),
            Self::Announced(EpochId::Renamed(Dot { site, clock })) => {
                out.push(RENAMED);
                site.encode(out);
                clock.encode(out);
            }
        }
    }
}

impl Wire for Said {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        match wire::take_byte(bytes)? {
            EDIT => take_operation(bytes).map(Self::Edit),
            RENAME => {
                let short = wire::take_blob(bytes)?.into();
                Ok(Self::Rename(short, take_operation(bytes)?))
            }
            ORIGIN => Ok(Self::Announced(EpochId::Origin)),
            RENAMED => {
                let (site, clock) = (u32::read(bytes)?, u32::read(bytes)?);
                Ok(Self::Announced(EpochId::Renamed(Dot { site, clock })))
            }
            _ => Err(Malformed("an edit, a rename or an epoch")),
        }
    }
}

impl Payload for Said {
    fn bytes(&self) -> usize {
        // About what an interval takes up, identifiers shared.
        const INTERVAL: usize = 32;
        match self {
            Self::Edit(Operation::Insert { text, .. }) => INTERVAL + text.len(),
            Self::Edit(Operation::Remove { intervals, .. }) => INTERVAL * intervals.len(),
            Self::Edit(Operation::Rename { former, .. }) => INTERVAL * former.blocks(),
            Self::Rename(bytes, _) => bytes.len(),
            Self::Announced(_) => INTERVAL,
        }
    }
}

impl Encode for Message {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
}

impl Wire for Message {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        causal::Operation::read(bytes).map(Arc::new).map(Self)
    }
}
