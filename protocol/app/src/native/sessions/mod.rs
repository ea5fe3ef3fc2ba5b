//! A store of sessions, spread over the nodes: any node takes a client's request, asks the node that
//! owns the name, and answers the client when it hears back.
//!
//! Nothing here is a CRDT: a lost or repeated request would show, so requests and answers are sent
//! exactly once. What a node waits for is state, and an upgrade takes it along.
//!
//! A name belongs to the known node that scores highest for it, so that a node that joins takes over
//! as few names as can be. A session that its name leaves behind is not handed over: it is missed, as
//! in a cache.
//!
//! One core serves every version; what differs is an [`Edition`].

use std::sync::Arc;

use contract::{NodeId, Span, Time};

use self::one::Outcome;
use crate::{
    Body, Context, Fault, Incoming, Instance, Manifest, Meter, Outgoing, Program, Step,
    native::{
        Listed, Reacts, react, scramble,
        typed::{Table, Typed, variant},
        unknown_tag,
    },
    schema::Schema,
};

mod one;
mod two;

#[cfg(test)]
mod tests;

/// What releases call the application.
const APP: &str = "sessions";

/// How often a node looks for what is over.
const TICK: Span = Span::from_secs(1);

/// A client is told that no answer came after this long: far longer than an upgrade takes.
const PATIENCE: Span = Span::from_secs(300);

/// A node waits for no more answers at once, so that an owner out of reach does not fill it.
const PENDING_MAX: usize = 1 << 14;

/// A node keeps no more sessions.
const SESSIONS_MAX: usize = 1 << 20;

/// The largest count that the schema's integer holds.
const COUNT_MAX: u64 = i64::MAX as u64;

/// A name is no longer.
const NAME_BYTES_MAX: usize = 64;

/// A session's value is no longer.
const VALUE_BYTES_MAX: usize = 4 << 10;

/// The codes, oldest first.
pub(super) const LIST: &[Listed] = &[
    listed("1.0.0", one::ABOUT_FIRST, || build(one::One::First)),
    listed("1.1.0", one::ABOUT_TOUCH, || build(one::One::Touch)),
    listed("2.0.0", two::ABOUT, || build(two::Two)),
];

const fn listed(
    version: &'static str,
    about: &'static str,
    build: fn() -> Arc<dyn Program>,
) -> Listed {
    Listed { app: APP, version, variant: None, about, build }
}

/// What one version has of its own.
trait Edition: Send + Sync + 'static {
    /// How it keeps a session.
    type Session: Session;
    /// How it keeps a request that it waits for.
    type Pending: Pending;

    fn manifest(&self) -> Manifest;

    /// What a message or operation asks for.
    fn request(&self, body: &Body) -> Result<Request, Fault>;

    /// The message that asks a name's owner.
    fn ask(&self, id: i64, name: String, ask: Ask) -> Body;

    /// The message that answers it.
    fn answer(&self, id: i64, answer: Answer) -> Body;

    /// What a client is told.
    fn reply(&self, form: Form, answer: Answer) -> Vec<u8>;

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault>;

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault>;

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body>;
}

/// What is kept under a name, as one version writes it.
trait Session: Typed + Clone + Into<Live> + From<Live> {
    /// How often someone logged in or touched it.
    fn uses(&self) -> u64;

    /// When it ends, if ever.
    fn until(&self) -> Option<u64>;
}

/// What is kept under a name, whichever way a version writes it.
#[derive(Default)]
struct Live {
    value: String,
    uses: u64,
    until: Option<u64>,
}

/// A request that another node has yet to answer.
trait Pending: Typed {
    fn new(since: u64, form: Form) -> Self;

    fn since(&self) -> u64;

    fn form(&self) -> Form;
}

variant! {
    /// In which form a client is answered: the one in which it asked, whatever runs by then.
    #[derive(Copy)]
    Form {
        /// The outcome alone, as in 1.x.
        1 Plain(()),
        /// The outcome, and how long the session lives on.
        2 Full(()),
    }
}

/// What a client wants with a name.
enum Ask {
    /// Keep this value, perhaps for so long only.
    Put { value: String, life: Option<u64> },
    /// Tell the value.
    Get,
    /// Forget it.
    Delete,
    /// Use it, and begin it where there is none.
    Login,
    /// Use it if there is one, and perhaps let it live so long from now.
    Touch { life: Option<u64> },
}

/// What a message or an operation means, whichever way a version writes it.
enum Request {
    /// A client wants this.
    Client { name: String, ask: Ask, form: Form },
    /// Another node wants this, for a client of its own.
    Peer { id: i64, name: String, ask: Ask },
    /// A name's owner answers.
    Answer { id: i64, answer: Answer },
}

/// What an owner says.
struct Answer {
    outcome: Outcome,
    /// How long the session lives on, where its life is limited.
    life: Option<u64>,
}

/// What a node keeps.
struct State<N: Edition> {
    /// By name.
    sessions: Table<String, N::Session>,
    /// By the number of the client's operation.
    pending: Table<i64, N::Pending>,
}

/// The code of one version.
struct Sessions<N> {
    edition: Arc<N>,
    manifest: Manifest,
}

/// The store on one node.
struct Store<N: Edition> {
    edition: Arc<N>,
    state: State<N>,
}

fn build<N: Edition>(edition: N) -> Arc<dyn Program> {
    let manifest = edition.manifest();
    Arc::new(Sessions { edition: Arc::new(edition), manifest })
}

impl<N: Edition> Typed for State<N> {
    fn schema() -> Schema {
        Schema::record([
            (1, "sessions", Table::<String, N::Session>::schema()),
            (2, "pending", Table::<i64, N::Pending>::schema()),
        ])
    }

    fn put(&self, out: &mut Vec<u8>) {
        self.sessions.put(out);
        self.pending.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Self, contract::Malformed> {
        Ok(Self { sessions: Table::take(bytes)?, pending: Table::take(bytes)? })
    }
}

impl<N: Edition> Program for Sessions<N> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn init(&self, _: NodeId) -> Box<dyn Instance> {
        let state = State { sessions: Table::default(), pending: Table::default() };
        Box::new(Store { edition: Arc::clone(&self.edition), state })
    }

    fn load(&self, _: NodeId, state: &[u8]) -> Result<Box<dyn Instance>, Fault> {
        let state = State::read(state, "state")?;
        Ok(Box::new(Store { edition: Arc::clone(&self.edition), state }))
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        self.edition.migrate(edge, state, meter)
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        self.edition.convert(edge, body)
    }

    fn measure(&self, state: &[u8]) -> Result<Vec<i128>, Fault> {
        let state = State::<N>::read(state, "state")?;
        let uses = state.sessions.values().map(|session| i128::from(session.uses())).sum();
        Ok(vec![state.sessions.len() as i128, uses, state.pending.len() as i128])
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        self.edition.operation(kind, entropy)
    }
}

impl<N: Edition> Instance for Store<N> {
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

impl<N: Edition> Reacts for Store<N> {
    /// Ends sessions whose time is over, and gives up on answers that are long due.
    fn tick(&mut self, context: Context<'_>, out: &mut Vec<Outgoing>) -> Result<Step, Fault> {
        let now = nanos(context.now);
        let ended = self.state.sessions.take_where(|session| is_over(session, now));
        let due = |pending: &N::Pending| later(pending.since(), PATIENCE.as_nanos()) < now;
        let late = self.state.pending.take_where(due);
        for (id, pending) in &late {
            let answer = Answer { outcome: Outcome::Late(()), life: None };
            self.reply(id.cast_unsigned(), pending.form(), answer, out);
        }
        Ok(if ended.is_empty() && late.is_empty() { Step::Unchanged } else { Step::Changed })
    }

    fn operation(
        &mut self,
        context: Context<'_>,
        id: u64,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        let Request::Client { name, ask, form } = self.edition.request(body)? else {
            return Err(unknown_tag(body));
        };
        let to = owner(context, &name);
        if to == context.node {
            let (step, answer) = self.serve(nanos(context.now), name, ask)?;
            self.reply(id, form, answer, out);
            return Ok(step);
        }
        if self.state.pending.len() >= PENDING_MAX {
            return Err(Fault::Refused(format!("waiting for {PENDING_MAX} answers already")));
        }
        let pending = N::Pending::new(nanos(context.now), form);
        self.state.pending.insert(&id.cast_signed(), pending);
        let body = self.edition.ask(id.cast_signed(), name, ask);
        out.push(Outgoing::Send { to, body });
        Ok(Step::Changed)
    }

    fn message(
        &mut self,
        context: Context<'_>,
        from: NodeId,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault> {
        match self.edition.request(body)? {
            Request::Peer { id, name, ask } => {
                let (step, answer) = self.serve(nanos(context.now), name, ask)?;
                let body = self.edition.answer(id, answer);
                out.push(Outgoing::Send { to: from, body });
                Ok(step)
            }
            Request::Answer { id, answer } => match self.state.pending.remove(&id) {
                Some(pending) => {
                    self.reply(id.cast_unsigned(), pending.form(), answer, out);
                    Ok(Step::Changed)
                }
                None => Ok(Step::Unchanged),
            },
            Request::Client { .. } => Err(unknown_tag(body)),
        }
    }
}

impl<N: Edition> Store<N> {
    /// Does what is asked of a name that belongs here.
    ///
    /// Errors: [`Fault::Refused`] past a limit; nothing is then changed.
    fn serve(&mut self, now: u64, name: String, ask: Ask) -> Result<(Step, Answer), Fault> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Fault::Refused(format!("a name of more than {NAME_BYTES_MAX} bytes")));
        }
        let live = self.state.sessions.get(&name).filter(|session| !is_over(*session, now));
        let live: Option<Live> = live.cloned().map(Into::into);
        let answer = |outcome, until: Option<u64>| {
            let life = until.map(|until| until.saturating_sub(now));
            Answer { outcome, life }
        };
        match (ask, live) {
            (Ask::Get, Some(live)) => {
                Ok((Step::Unchanged, answer(Outcome::Found(live.value), live.until)))
            }
            (Ask::Get | Ask::Delete | Ask::Touch { .. }, None) => {
                Ok((Step::Unchanged, answer(Outcome::Missing(()), None)))
            }
            (Ask::Delete, Some(_)) => {
                self.state.sessions.remove(&name);
                Ok((Step::Changed, answer(Outcome::Done(()), None)))
            }
            (Ask::Login, live) => {
                let live = used(live.unwrap_or_default());
                let answer = answer(Outcome::Found(live.value.clone()), live.until);
                self.keep(name, live).map(|step| (step, answer))
            }
            (Ask::Touch { life }, Some(live)) => {
                let until = life.map(|life| later(now, life)).or(live.until);
                let live = Live { until, ..used(live) };
                let answer = answer(Outcome::Done(()), live.until);
                self.keep(name, live).map(|step| (step, answer))
            }
            (Ask::Put { value, .. }, _) if value.len() > VALUE_BYTES_MAX => {
                Err(Fault::Refused(format!("a value of more than {VALUE_BYTES_MAX} bytes")))
            }
            (Ask::Put { value, life }, live) => {
                let uses = live.unwrap_or_default().uses;
                let live = Live { value, uses, until: life.map(|life| later(now, life)) };
                let answer = answer(Outcome::Done(()), live.until);
                self.keep(name, live).map(|step| (step, answer))
            }
        }
    }

    fn keep(&mut self, name: String, live: Live) -> Result<Step, Fault> {
        let sessions = &mut self.state.sessions;
        if sessions.len() >= SESSIONS_MAX && sessions.get(&name).is_none() {
            return Err(Fault::Refused(format!("{SESSIONS_MAX} sessions are kept already")));
        }
        sessions.insert(&name, live.into());
        Ok(Step::Changed)
    }

    fn reply(&self, id: u64, form: Form, answer: Answer, out: &mut Vec<Outgoing>) {
        let result = self.edition.reply(form, answer).into();
        out.push(Outgoing::Reply { id, result });
    }
}

/// Whose a name is: the known node that scores highest for it.
fn owner(context: Context<'_>, name: &str) -> NodeId {
    let hash = name.bytes().fold(0, |hash, byte| scramble(hash ^ (u64::from(byte) + 1)));
    let score = |node: &&NodeId| scramble(hash ^ scramble(u64::from(node.0) + 1));
    context.nodes.iter().max_by_key(score).copied().unwrap_or(context.node)
}

fn used(live: Live) -> Live {
    Live { uses: live.uses.saturating_add(1).min(COUNT_MAX), ..live }
}

fn is_over<S: Session>(session: &S, now: u64) -> bool {
    session.until().is_some_and(|until| until <= now)
}

fn nanos(now: Time) -> u64 {
    now.as_nanos().min(COUNT_MAX)
}

fn later(from: u64, by: u64) -> u64 {
    from.saturating_add(by).min(COUNT_MAX)
}
