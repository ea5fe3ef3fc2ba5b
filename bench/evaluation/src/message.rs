//! What bots send each other.

use std::sync::Arc;

use causal::Payload;
use contract::{Encode, Malformed, Wire, wire};
use sequence::{Dot, EpochId, Operation, Reader, Writer};

/// What is broadcast in causal order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// A change of the document.
    Operation(Operation),
    /// The sender is in this epoch, and will not go back.
    Announced(EpochId),
}

/// A broadcast on its way. All receivers share it.
#[derive(Clone, Debug)]
pub(crate) struct Message(pub(crate) Arc<causal::Operation<Said>>);

const OPERATION: u8 = 0;
const ORIGIN: u8 = 1;
const RENAMED: u8 = 2;

impl Encode for Said {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Operation(operation) => {
                out.push(OPERATION);
                let bytes = Writer::default().write(std::slice::from_ref(operation));
                wire::put_blob(out, &bytes.expect("a replica makes none that no message can hold"));
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
            OPERATION => {
                let read = Reader::default().read(wire::take_blob(bytes)?)?;
                match <[Operation; 1]>::try_from(read) {
                    Ok([operation]) => Ok(Self::Operation(operation)),
                    Err(_) => Err(Malformed("one operation")),
                }
            }
            ORIGIN => Ok(Self::Announced(EpochId::Origin)),
            RENAMED => {
                let (site, clock) = (u32::read(bytes)?, u32::read(bytes)?);
                Ok(Self::Announced(EpochId::Renamed(Dot { site, clock })))
            }
            _ => Err(Malformed("an operation or an epoch")),
        }
    }
}

impl Payload for Said {
    fn bytes(&self) -> usize {
        // About what an interval takes up, identifiers shared.
        const INTERVAL: usize = 32;
        match self {
            Self::Operation(Operation::Insert { text, .. }) => INTERVAL + text.len(),
            Self::Operation(Operation::Remove { intervals, .. }) => INTERVAL * intervals.len(),
            Self::Operation(Operation::Rename { former, .. }) => INTERVAL * former.blocks(),
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
