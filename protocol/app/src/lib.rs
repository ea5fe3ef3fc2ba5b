//! Applications: what a node runs, in whatever language it is written.
//!
//! A [`Program`] is the code of one release; an [`Instance`] is that code running on one node. An
//! instance takes one input at a time, as a transaction, and says what it wants sent. It never sees
//! a version, a signature or a release: upgrading happens around it.
//!
//! A release whose manifest declares a type under [`Guarantee::Causal`] has operations. An instance
//! broadcasts one with [`Outgoing::Broadcast`], at most one a step, and carries none out by itself:
//! what it broadcasts comes back as [`Incoming::Delivered`], as at every other member, but within the
//! same transaction, so that a client reads what it wrote. Operations come in causal order. Once
//! every member is known to have one, nothing concurrent to it can come any more, and
//! [`Incoming::Stable`] lets the instance forget what it kept for that. An operation of an older release is converted when it is
//! delivered, by the release that runs then; one that an instance fails on changes nothing.
//!
//! State and messages cross versions only as canonical values of [`value`], whatever the code is
//! written in. Knows nothing of links, gates, disks or gossip.
//! Source: "Dynamic Software Updates using CRDTs", sections 2 and 4.3.

use std::{fmt, sync::Arc};

use causal::{Clock, Log, Stamp};
use contract::{NodeId, Span, Time};

pub mod manifest;
pub mod native;
pub mod schema;
pub mod value;

pub use manifest::{Edge, Guarantee, Manifest, MessageType};
pub use value::{Schema, SchemaId, Value};

/// A message or an operation: an explicit tag, never reused, and a canonical value of its type.
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    /// Which message type of the manifest.
    pub tag: u32,
    /// The canonical bytes of a [`value::Value`]; shared, so that a broadcast copies nothing.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}[{} bytes]", self.tag, self.bytes.len())
    }
}

/// What reaches an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A message of another node's instance, or of this one's.
    Message {
        /// Whose.
        from: NodeId,
        /// What.
        body: Body,
    },
    /// A local client asks for something and waits for [`Outgoing::Reply`].
    Operation {
        /// Names the request in the reply; unique on this node.
        id: u64,
        /// What.
        body: Body,
    },
    /// The manifest's tick passed.
    Tick,
    /// An operation is delivered, of this node's instance or of another's. It has not been before, and
    /// all that it follows has.
    Delivered {
        /// Its place in one order of all operations, which no operation precedes its causes in.
        stamp: Stamp,
        /// What its origin had delivered before it, itself left out.
        past: Clock,
        /// What, in the form of the running release.
        body: Body,
    },
    /// Every member is known to have delivered these operations: whatever is delivered from now on
    /// follows them.
    Stable {
        /// Which; never less than before.
        clock: Clock,
    },
}

/// What an instance wants done once its step is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Send a message; its type in the manifest says under which guarantee.
    Send {
        /// To whom; may be the node itself.
        to: NodeId,
        /// What.
        body: Body,
    },
    /// Answer a local client.
    Reply {
        /// Which request.
        id: u64,
        /// The answer, a canonical value.
        result: Arc<[u8]>,
    },
    /// Broadcast an operation, under the stamp [`Context::next`]. At most one a step, and none while
    /// there is no such stamp; its type in the manifest is [`Guarantee::Causal`].
    Broadcast {
        /// What.
        body: Body,
    },
}

/// Where an instance runs, given at every step: everything outside its state that it may know.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The node.
    pub node: NodeId,
    /// The node's clock.
    pub now: Time,
    /// The nodes this one knows, itself included, ascending.
    pub nodes: &'a [NodeId],
    /// Randomness of this step alone; the same when the step is replayed from the journal.
    pub entropy: u64,
    /// The stamp that a broadcast of this step has. `None`: nothing can be broadcast, as the release
    /// has no operations, the node is no member of the fleet yet, or too many of its operations are
    /// under way; a client's operation that needs one is then refused.
    pub next: Option<Stamp>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The state may differ: the step must be made durable.
    Changed,
    /// The state is as before.
    Unchanged,
}

/// A step or a migration failed. A failed step has no effect: neither on state nor outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The input or the state is not what the manifest says.
    #[error("malformed {0}")]
    Malformed(&'static str),
    /// The code refuses, and says why.
    #[error("{0}")]
    Refused(String),
    /// It cost more than it may.
    #[error("out of budget: more than {budget} units")]
    OverBudget {
        /// Units spent when it was stopped.
        spent: u64,
        /// Units allowed.
        budget: u64,
    },
}

/// Meters the cost of a migration in units that the code states, about one per element touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    spent: u64,
    budget: u64,
}

impl Meter {
    /// A meter that stops at `budget` units.
    pub const fn new(budget: u64) -> Self {
        Self { spent: 0, budget }
    }

    /// Units spent.
    pub const fn spent(&self) -> u64 {
        self.spent
    }

    /// Units allowed.
    pub const fn budget(&self) -> u64 {
        self.budget
    }

    /// Spends `units`. Errors: [`Fault::OverBudget`] where that is more than is left.
    pub fn spend(&mut self, units: u64) -> Result<(), Fault> {
        self.spent = self.spent.saturating_add(units);
        if self.spent > self.budget {
            return Err(Fault::OverBudget { spent: self.spent, budget: self.budget });
        }
        Ok(())
    }
}

/// The code of one release.
pub trait Program: Send + Sync {
    /// What the code declares of itself.
    fn manifest(&self) -> &Manifest;

    /// An instance that starts from nothing.
    fn init(&self, node: NodeId) -> Box<dyn Instance>;

    /// An instance that starts from a state that [`Instance::export`] or [`Program::migrate`] gave.
    ///
    /// Errors: [`Fault`] where `state` is not of the manifest's state schema, or is one this code
    /// refuses. Nothing is kept of it.
    fn load(&self, node: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault>;

    /// Takes `state` along edge number `edge` of the manifest. Pure: the same bytes every time.
    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault>;

    /// Takes a message along edge number `edge` of the manifest. Pure.
    ///
    /// Errors: [`Fault`] where this message means nothing after the edge.
    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault>;

    /// The declared measures of `state`, in the order of the manifest's `measures`.
    ///
    /// A migration conserves each. Errors: [`Fault::Malformed`] where `state` is not of the schema.
    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault>;

    /// A client's operation of the kind `kind` (one of the manifest's `operations`), drawn from
    /// `entropy`; `None` where there is no such kind.
    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body>;

    /// What a node must show that has delivered exactly `log`, whose bodies are in this release's form:
    /// canonical bytes, as [`Program::shown`] gives. `None` where the code has no operations.
    ///
    /// By the definition of the type, which looks at no order of delivery: the judge of the instances,
    /// and never one itself. An operation that an instance fails on counts for nothing here too.
    fn meaning(&self, log: &Log<'_, Body>) -> Option<Result<Vec<u8>, Fault>> {
        let _ = log;
        None
    }

    /// What `state` shows of the operations delivered, whatever is kept besides; `None` as above.
    ///
    /// Errors: [`Fault::Malformed`] where `state` is not of the schema.
    fn shown(&self, state: &[u8]) -> Option<Result<Vec<u8>, Fault>> {
        let _ = state;
        None
    }
}

/// Code running on one node.
pub trait Instance {
    /// Takes one input as one transaction and appends what must happen when it is durable.
    ///
    /// Errors: [`Fault`]; the state is then as before, and whatever was appended is discarded.
    fn handle(
        &mut self,
        context: Context<'_>,
        incoming: &Incoming,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault>;

    /// The state as canonical bytes of the manifest's state schema. Pure: the instance goes on.
    fn export(&self) -> Vec<u8>;
}

/// The code a release carries, resolved into something that runs.
///
/// Later languages (typed machines, Luau, Wasm) compile `code`; native code is looked up.
pub trait Runtime: Send + Sync {
    /// The program that `code` names or is. Errors: [`Fault`] where this host cannot run it.
    fn load(&self, code: &[u8]) -> Result<Arc<dyn Program>, Fault>;
}

/// How long an instance may go between ticks, so that a manifest cannot busy a node.
pub const TICK_MIN: Span = Span::from_millis(1);
