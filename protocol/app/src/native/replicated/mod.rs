//! A replicated type on a node: what every application with operations shares.
//!
//! A client's operation is prepared and broadcast, and answered before it is carried out; it is carried out
//! when it comes back, as others' operations are, and as those that an application has of itself at a tick. What differs from application to application and from
//! version to version is an [`Edition`]: the type, how operations and state are written, and the edges.
//!
//! Invariant: the state is what the type makes of the delivered operations, and nothing else changes it.
//! Source: "Dynamic Software Updates using CRDTs", section 5.1.2.

use std::sync::Arc;

use causal::{At, Clock, Event, Log, Stamp};
use contract::NodeId;
use crdt::{Op, Refused};

use crate::{
    Body, Context, Fault, Guarantee, Incoming, Instance, Manifest, MessageType, Meter, Outgoing,
    Program, Step,
    native::{OPERATIONS_FROM, message, typed::Typed, unknown_tag},
};

mod history;
mod sum;

#[cfg(test)]
pub(super) mod rig;
#[cfg(test)]
mod tests;

pub(super) use history::History;
pub(super) use sum::Sum;

/// The state of an edition's type.
pub(super) type State<N> = <<N as Edition>::Kind as Op>::State;

/// A user's operation on an edition's type.
pub(super) type Operation<N> = <<N as Edition>::Kind as Op>::Operation;

/// A broadcast operation of an edition's type.
pub(super) type Message<N> = <<N as Edition>::Kind as Op>::Message;

/// What one version of an application has of its own.
pub(super) trait Edition: Sized + Send + Sync + 'static {
    /// The replicated type.
    type Kind: Op;
    /// The state as it is exported.
    type Kept: Typed;

    fn manifest(&self) -> Manifest;

    fn kind(&self) -> &Self::Kind;

    fn keep(&self, state: &State<Self>) -> Self::Kept;

    /// Errors: [`Fault`] where no replica has such a state.
    fn restore(&self, kept: Self::Kept) -> Result<State<Self>, Fault>;

    /// How much is kept for operations to come that are concurrent to delivered ones: forgetting makes
    /// it less or changes nothing.
    fn retained(&self, state: &State<Self>) -> usize;

    /// Forgets what is kept for operations that cannot come any more now that `stable` is. Says whether the
    /// state has changed.
    fn forget(&self, state: &mut State<Self>, stable: &Clock) -> bool {
        let before = self.retained(state);
        if before == 0 {
            return false;
        }
        self.kind().forget(state, stable);
        self.retained(state) != before
    }

    /// What a client asks for.
    fn asked(&self, state: &State<Self>, body: &Body) -> Result<Asked<Operation<Self>>, Fault>;

    /// A broadcast operation, as this version writes it.
    fn write(&self, message: &Message<Self>) -> Body;

    /// Errors: [`Fault`] where it is none that an honest instance broadcasts.
    fn read(&self, body: &Body) -> Result<Message<Self>, Fault>;

    /// What it broadcasts by itself when its tick passes, if anything; `next` is the stamp of that.
    fn idle(&self, state: &State<Self>, next: Stamp, entropy: u64) -> Option<Message<Self>> {
        let _ = (state, next, entropy);
        None
    }

    /// In the order of the manifest.
    fn measure(&self, state: &State<Self>) -> Vec<i128>;

    /// Along an edge of the manifest.
    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let _ = (state, meter);
        no_edge(edge)
    }

    /// Along an edge of the manifest.
    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        let _ = body;
        no_edge(edge)
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body>;
}

/// What a client asks for.
pub(super) enum Asked<O> {
    /// To do this.
    Do(O),
    /// To do something to what is not there any more: nothing.
    Nothing,
    /// To be told this.
    Tell(Vec<u8>),
}

/// The code of one version.
struct Replicated<N> {
    edition: Arc<N>,
    manifest: Manifest,
}

/// The type on one node.
struct Replica<N: Edition> {
    edition: Arc<N>,
    state: State<N>,
}

pub(super) fn build<N: Edition>(edition: N) -> Arc<dyn Program> {
    let manifest = edition.manifest();
    Arc::new(Replicated { edition: Arc::new(edition), manifest })
}

/// An operation that is broadcast, whose value is a `T`.
pub(super) fn broadcast<T: Typed>(tag: u32, name: &'static str, since: [u64; 3]) -> MessageType {
    message::<T>(tag, name, since, Guarantee::Causal)
}

/// A manifest names no such edge.
pub(super) fn no_edge<T>(edge: usize) -> Result<T, Fault> {
    Err(Fault::Refused(format!("no edge {edge}")))
}

pub(super) fn refused(refused: Refused) -> Fault {
    Fault::Refused(refused.to_string())
}

impl<N: Edition> Replicated<N> {
    fn restored(&self, state: &[u8]) -> Result<State<N>, Fault> {
        self.edition.restore(N::Kept::read(state, "state")?)
    }
}

impl<N: Edition> Program for Replicated<N> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn init(&self, _: NodeId) -> Box<dyn Instance> {
        let state = self.edition.kind().initial();
        Box::new(Replica { edition: Arc::clone(&self.edition), state })
    }

    fn load(&self, _: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault> {
        let state = self.restored(state)?;
        Ok(Box::new(Replica { edition: Arc::clone(&self.edition), state }))
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        if edge >= self.manifest.edges.len() {
            return no_edge(edge);
        }
        self.edition.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        if edge >= self.manifest.edges.len() {
            return no_edge(edge);
        }
        self.edition.convert(edge, body)
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        Ok(self.edition.measure(&self.restored(state)?))
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        self.edition.operation(kind, entropy)
    }

    fn meaning(&self, log: &Log<'_, Body>) -> Option<Result<Vec<u8>, Fault>> {
        let read = |event: &Event<Body>| {
            let message = self.edition.read(&event.message).ok()?;
            Some(Event { stamp: event.stamp, past: event.past.clone(), message })
        };
        let events: Vec<_> = log.iter().filter_map(read).collect();
        Some(Ok(self.edition.kind().meaning(&Log::new(&events)).to_string().bytes()))
    }

    fn shown(&self, state: &[u8]) -> Option<Result<Vec<u8>, Fault>> {
        let shown = |state| self.edition.kind().value(&state).to_string().bytes();
        Some(self.restored(state).map(shown))
    }
}

impl<N: Edition> Instance for Replica<N> {
    fn handle(
        &mut self,
        context: Context<'_>,
        incoming: &Incoming,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        match incoming {
            Incoming::Tick => {
                let idle = |next| self.edition.idle(&self.state, next, context.entropy);
                if let Some(message) = context.next.and_then(idle) {
                    out.push(Outgoing::Broadcast { body: self.edition.write(&message) });
                }
                Ok(Step::Unchanged)
            }
            Incoming::Message { body, .. } => Err(unknown_tag(body)),
            Incoming::Operation { id, body } => {
                self.operate(context.next, *id, body, out).map(|()| Step::Unchanged)
            }
            Incoming::Delivered { stamp, past, body } => {
                let at = At { stamp: *stamp, past };
                let message = self.edition.read(body)?;
                self.edition.kind().effect(&mut self.state, at, &message).map_err(refused)?;
                Ok(Step::Changed)
            }
            Incoming::Stable { clock } => Ok(match self.edition.forget(&mut self.state, clock) {
                true => Step::Changed,
                false => Step::Unchanged,
            }),
        }
    }

    fn export(&self) -> Vec<u8> {
        self.edition.keep(&self.state).bytes()
    }
}

impl<N: Edition> Replica<N> {
    /// Prepares what a client asks for and broadcasts it, or answers from what is there.
    fn operate(
        &self,
        next: Option<Stamp>,
        id: u64,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<(), Fault> {
        if body.tag < OPERATIONS_FROM {
            return Err(unknown_tag(body));
        }
        let result = match self.edition.asked(&self.state, body)? {
            Asked::Do(operation) => {
                let next = next.ok_or_else(|| {
                    Fault::Refused("no operation can be broadcast now".to_owned())
                })?;
                let message = self.edition.kind().prepare(&self.state, &operation, next);
                let body = self.edition.write(&message.map_err(refused)?);
                out.push(Outgoing::Broadcast { body });
                true.bytes()
            }
            Asked::Nothing => false.bytes(),
            Asked::Tell(told) => told,
        };
        out.push(Outgoing::Reply { id, result: result.into() });
        Ok(())
    }
}
