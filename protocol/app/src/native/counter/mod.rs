//! The counter of the paper: every node counts in an entry of its own, and nodes exchange the map.
//!
//! One core serves every version: it gossips, joins, counts and answers. What differs from version to
//! version is an [`Edition`]: the entry, how messages are written, and the edges that lead there.
//!
//! A tick sends a digest, and every few ticks the whole map, to one node; a node whose map differs
//! from a digest answers with its map. So an idle fleet exchanges a few bytes, and a node of an older
//! version, to which a newer map would mean nothing yet, still tells what it counted.
//!
//! Invariant: the sum over the nodes of their own entries is the sum of all amounts accepted.
//! Source: "Dynamic Software Updates using CRDTs", section 5.1.1, Listing 4.

use std::sync::Arc;

use contract::{NodeId, Span};

use self::{
    asking::Asking,
    entries::{Amount, Entries, Entry, State},
};
use crate::{
    Body, Context, Fault, Incoming, Instance, Manifest, Meter, Outgoing, Program, Step,
    native::{Listed, Reacts, peer, react, typed::Typed, unknown_tag},
    schema::SchemaId,
};

mod asking;
mod entries;
mod flawed;
mod one;
mod three;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "counter";

/// The field of the state that nodes exchange.
const REPLICATED: &str = "map";

/// How often a node gossips.
const TICK: Span = Span::from_millis(500);

/// One tick in this many sends the whole map unasked, for those who cannot ask.
const PUSH_EVERY: u64 = 8;

/// The good codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", None, one::ABOUT_FIRST, || build(one::One::First)),
    listed("1.0.1", None, one::ABOUT_FIXED, || build(one::One::Fixed)),
    listed("1.4.0", None, one::ABOUT_MANY, || build(one::One::Many)),
    listed("1.5.0", None, asking::ABOUT_ONE, || {
        build(Asking { edition: one::One::Many, about: asking::ABOUT_ONE, since: [1, 5, 0] })
    }),
    listed("2.0.0", None, two::ABOUT, || build(two::Two)),
    listed("2.1.0", None, asking::ABOUT_TWO, || {
        build(Asking { edition: two::Two, about: asking::ABOUT_TWO, since: [2, 1, 0] })
    }),
    listed("3.0.0", None, three::ABOUT, || build(three::Three)),
];

pub(super) use flawed::LIST as FLAWED;

const fn listed(
    version: &'static str,
    variant: Option<&'static str>,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant, about, build }
}

/// What one version has of its own.
trait Edition: Send + Sync + 'static {
    /// How it writes what one node counted.
    type Entry: Entry;

    fn manifest(&self) -> Manifest;

    /// What a message or operation asks for.
    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, Self::Entry>, Fault>;

    /// The tag of the message that holds the map.
    fn map_tag(&self) -> u32;

    /// The message that asks for a map that differs.
    fn compare(&self, map: &Entries<Self::Entry>) -> Body;

    /// What a client reads.
    fn read(&self, map: &Entries<Self::Entry>, _: Context<'_>) -> i128 {
        map.total()
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault>;

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault>;

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body>;
}

/// What a message or an operation means, whichever way a version writes it.
enum Request<'a, E> {
    /// Join the canonical bytes of this map.
    Join(&'a [u8]),
    /// Answer with the map where it differs.
    Compare {
        digest: i64,
        count: u64,
        /// Whether the one who asks could read the answer.
        answer: bool,
    },
    /// Answer with the map.
    Tell,
    /// Count here.
    Count(Amount),
    /// Have another node count: send it this body under this tag.
    Forward(u32),
    /// Tell the sum.
    Read,
    /// Write the own entry in another form that says the same, where there is one.
    Rewrite(fn(E) -> Option<E>),
}

/// The code of one version.
struct Counter<N> {
    edition: Arc<N>,
    manifest: Manifest,
}

/// The counter on one node.
struct Replica<N: Edition> {
    edition: Arc<N>,
    state: State<N::Entry>,
}

fn build<N: Edition>(edition: N) -> Arc<dyn Program> {
    let manifest = edition.manifest();
    Arc::new(Counter { edition: Arc::new(edition), manifest })
}

fn state_id<E: Entry>() -> SchemaId {
    State::<E>::schema().id()
}

impl<N: Edition> Program for Counter<N> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn init(&self, node: NodeId) -> Box<dyn Instance> {
        let state = State { id: node.0, map: Entries::default() };
        Box::new(Replica { edition: Arc::clone(&self.edition), state })
    }

    fn load(&self, node: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault> {
        let state = State::<N::Entry>::read(state, "state")?;
        if state.id != node.0 {
            return Err(Fault::Refused(format!("state of {} given to {node}", NodeId(state.id))));
        }
        Ok(Box::new(Replica { edition: Arc::clone(&self.edition), state }))
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.edition.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        self.edition.convert(edge, body)
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        let state = State::<N::Entry>::read(state, "state")?;
        let own = i128::from(state.map.get(state.id).total());
        Ok(self.manifest.measures.iter().map(|_| own).collect())
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        self.edition.operation(kind, entropy)
    }
}

impl<N: Edition> Instance for Replica<N> {
    fn handle(
        &mut self,
        context: Context<'_>,
        incoming: &Incoming,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        react(self, context, incoming, out)
    }

    fn export(&self) -> Vec<u8> {
        self.state.bytes()
    }
}

impl<N: Edition> Reacts for Replica<N> {
    /// Gossips.
    fn tick(&mut self, context: Context<'_>, out: &mut Vec<Outgoing>) -> Result<Step, Fault> {
        let Some(to) = peer(context, context.entropy / PUSH_EVERY) else {
            return Ok(Step::Unchanged);
        };
        let push = context.entropy.is_multiple_of(PUSH_EVERY) && self.state.map.len() > 0;
        let body = if push { self.map() } else { self.edition.compare(&self.state.map) };
        out.push(Outgoing::Send { to, body });
        Ok(Step::Unchanged)
    }

    fn message(
        &mut self,
        _: Context<'_>,
        from: NodeId,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let own = (self.state.map.digest(), self.state.map.len() as u64);
        match self.edition.request(body)? {
            Request::Join(bytes) => self.state.map.join(bytes),
            Request::Compare { digest, count, answer } => {
                if answer && own != (digest, count) {
                    out.push(Outgoing::Send { to: from, body: self.map() });
                }
                Ok(Step::Unchanged)
            }
            Request::Tell => {
                out.push(Outgoing::Send { to: from, body: self.map() });
                Ok(Step::Unchanged)
            }
            Request::Count(amount) => self.state.map.credit(self.state.id, amount),
            Request::Forward(_) | Request::Read | Request::Rewrite(_) => Err(unknown_tag(body)),
        }
    }

    fn operation(
        &mut self,
        context: Context<'_>,
        id: u64,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let (step, result) = match self.edition.request(body)? {
            Request::Count(amount) => {
                let step = self.state.map.credit(self.state.id, amount)?;
                (step, self.own().total().bytes())
            }
            Request::Forward(tag) => {
                let to = peer(context, context.entropy).unwrap_or(context.node);
                let body = Body { tag, bytes: Arc::clone(&body.bytes) };
                out.push(Outgoing::Send { to, body });
                (Step::Unchanged, ().bytes())
            }
            Request::Read => {
                let total = self.edition.read(&self.state.map, context);
                let total = i64::try_from(total)
                    .map_err(|_| Fault::Refused("a sum past what a client can read".to_owned()))?;
                (Step::Unchanged, total.bytes())
            }
            Request::Rewrite(rewrite) => {
                let own = rewrite(self.own())
                    .ok_or_else(|| Fault::Refused("no further form of the entry".to_owned()))?;
                assert!(own.total() == self.own().total(), "a rewritten entry says the same");
                self.state.map.set(self.state.id, own);
                (Step::Changed, own.total().bytes())
            }
            Request::Join(_) | Request::Compare { .. } | Request::Tell => {
                return Err(unknown_tag(body));
            }
        };
        out.push(Outgoing::Reply { id, result: result.into() });
        Ok(step)
    }
}

impl<N: Edition> Replica<N> {
    fn own(&self) -> N::Entry {
        self.state.map.get(self.state.id)
    }

    fn map(&self) -> Body {
        self.state.map.body(self.edition.map_tag())
    }
}
