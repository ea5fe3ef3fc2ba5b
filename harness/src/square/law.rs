//! The upgrade square: one state, one message, taken before the upgrade and after it.

use app::{Body, Guarantee, Incoming, Outgoing, Program};
use contract::NodeId;

use super::{Seen, Way};

/// Which state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one before the message.
    Before,
    /// The one after it.
    After,
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A state cannot be migrated.
    Fails {
        /// Which.
        of: Side,
        /// Why.
        why: String,
    },
    /// A migration gives other bytes the second time.
    Impure {
        /// Of which state.
        of: Side,
    },
    /// A migration changes what both releases measure.
    Measure {
        /// Of which state.
        of: Side,
        /// What.
        name: &'static str,
        /// In the old state.
        before: i128,
        /// In the new one.
        after: i128,
    },
    /// A conversion gives what is no message of the newer release.
    IllTyped {
        /// What it gives.
        converted: Body,
    },
    /// The states differ.
    States {
        /// The message, converted; `None`: it is refused, or there was none to convert.
        converted: Option<Body>,
        /// Took the message, then upgraded.
        expected: Vec<u8>,
        /// Upgraded, then took the message.
        found: Vec<u8>,
        /// Why the newer release does not take it, where it does not.
        refused: Option<String>,
    },
    /// The states agree, and what clients and nodes are told does not.
    Said {
        /// The message, converted; `None`: there was none to convert.
        converted: Option<Body>,
        /// By the older release, converted.
        expected: Vec<Outgoing>,
        /// By the newer one.
        found: Vec<Outgoing>,
        /// Why the newer release does not take something, where it does not.
        refused: Option<String>,
    },
    /// Two chains of edges lead to different states or messages.
    Paths {
        /// What is taken along; `None`: the state.
        message: Option<Body>,
        /// Where they lead.
        ends: Box<[End; 2]>,
    },
}

/// Where a chain of edges leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The chain.
    pub chain: String,
    /// A state; or a message, its tag first. Errors: why it cannot be taken along.
    pub end: Result<Vec<u8>, String>,
}

impl Broken {
    /// What is broken, in a word that never changes.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fails { .. } => "migration-fails",
            Self::Impure { .. } => "migration-is-impure",
            Self::Measure { .. } => "measure-changes",
            Self::IllTyped { .. } => "conversion-is-ill-typed",
            Self::States { .. } => "states-differ",
            Self::Said { .. } => "answers-differ",
            Self::Paths { .. } => "paths-differ",
        }
    }
}

/// A square that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Case {
    /// Whether the older release changed its state or said something that lasts.
    pub(crate) effect: bool,
    /// The type of the message, where the newer release refuses it.
    pub(crate) refused: Option<String>,
    /// Whether the states differ in bytes, and show the same.
    pub(crate) shown_alike: bool,
}

/// Whether `migrate(effect(m, s)) = effect'(convert(m), migrate(s))`. A step that fails has no effect, and
/// neither has a message that the newer release refuses.
///
/// Errors: [`Broken`].
pub(crate) fn square(way: &Way, seen: &Seen) -> Result<Case, Broken> {
    let before = migrated(way, seen.node, &seen.before, Side::Before)?;
    let expected = migrated(way, seen.node, &seen.after, Side::After)?;
    let said = seen.said.as_deref().unwrap_or_default();
    let said = lasting(&*way.from.program, said);
    let effect = seen.before != seen.after || !said.is_empty();
    let incoming = match converted(way, &seen.incoming) {
        Ok(incoming) => incoming,
        Err(why) => {
            if before != expected {
                let (converted, refused) = (None, Some(why));
                return Err(Broken::States { converted, expected, found: before, refused });
            }
            return Ok(Case { effect, refused: kind_of(way, seen), ..Case::default() });
        }
    };
    let body = body_of(&incoming);
    if let Some(body) = body.filter(|body| !is_typed(&*way.to.program, body)) {
        return Err(Broken::IllTyped { converted: body.clone() });
    }
    let mut instance = load(way, seen.node, &before);
    let mut found_said = Vec::new();
    let taken = instance.handle(seen.context(), &incoming, &mut found_said);
    let found = instance.export();
    let refused = taken.err().map(|fault| fault.to_string());
    if refused.is_some() {
        found_said.clear();
    }
    let mut case = Case { effect, ..Case::default() };
    if found != expected {
        let shown = |state: &[u8]| way.to.program.shown(state);
        if shown(&found).is_none() || shown(&found) != shown(&expected) {
            let converted = body.cloned();
            return Err(Broken::States { converted, expected, found, refused });
        }
        case.shown_alike = true;
    }
    let found_said = lasting(&*way.to.program, &found_said);
    let (expected_said, unconverted) = converted_said(way, said);
    if expected_said != found_said {
        let converted = body.cloned();
        let refused = refused.or(unconverted);
        let (expected, found) = (expected_said, found_said);
        return Err(Broken::Said { converted, expected, found, refused });
    }
    Ok(case)
}

/// A migrated state as the newer release exports it.
fn migrated(way: &Way, node: NodeId, state: &[u8], of: Side) -> Result<Vec<u8>, Broken> {
    let fails = |why: String| Broken::Fails { of, why };
    let migrate = || way.migrate(state).map_err(|fault| fails(fault.to_string()));
    let migrated = migrate()?;
    if migrate()? != migrated {
        return Err(Broken::Impure { of });
    }
    let new = &way.to.program;
    new.manifest().state.check(&migrated).map_err(|why| fails(format!("it leaves no {why}")))?;
    let instance = new.load(node, &migrated).map_err(|fault| fails(fault.to_string()))?;
    let exported = instance.export();
    let measure = |program: &dyn Program, state: &[u8]| {
        program.measure(state).map_err(|fault| fails(fault.to_string()))
    };
    let old_names = &way.from.program.manifest().measures;
    let before = measure(&*way.from.program, state)?;
    let after = measure(&**new, &exported)?;
    for (name, after) in new.manifest().measures.iter().zip(after) {
        let same = old_names.iter().position(|old| old == name);
        match same.and_then(|at| before.get(at)) {
            Some(before) if *before != after => {
                return Err(Broken::Measure { of, name, before: *before, after });
            }
            _ => {}
        }
    }
    Ok(exported)
}

fn load(way: &Way, node: NodeId, state: &[u8]) -> Box<dyn app::Instance> {
    way.to.program.load(node, state).expect("a program loads what it exported")
}

/// What the newer release is given in the place of `incoming`. Errors: why it refuses it.
fn converted(way: &Way, incoming: &Incoming) -> Result<Incoming, String> {
    let mut converted = incoming.clone();
    match &mut converted {
        Incoming::Message { body, .. }
        | Incoming::Operation { body, .. }
        | Incoming::Delivered { body, .. } => *body = way.arrive(body)?,
        Incoming::Tick | Incoming::Stable { .. } => {}
    }
    Ok(converted)
}

fn body_of(incoming: &Incoming) -> Option<&Body> {
    match incoming {
        Incoming::Message { body, .. }
        | Incoming::Operation { body, .. }
        | Incoming::Delivered { body, .. } => Some(body),
        Incoming::Tick | Incoming::Stable { .. } => None,
    }
}

fn is_typed(program: &dyn Program, body: &Body) -> bool {
    let kind = program.manifest().message(body.tag);
    kind.is_some_and(|kind| kind.schema.check(&body.bytes).is_ok())
}

fn kind_of(way: &Way, seen: &Seen) -> Option<String> {
    let body = seen.body()?;
    let kind = way.from.program.manifest().message(body.tag);
    Some(kind.map_or_else(|| format!("#{}", body.tag), |kind| kind.name.to_owned()))
}

/// What is promised to arrive. What is sent at most once, such as gossip, may be said or not.
fn lasting(program: &dyn Program, said: &[Outgoing]) -> Vec<Outgoing> {
    let lasts = |outgoing: &&Outgoing| match outgoing {
        Outgoing::Send { body, .. } => {
            let kind = program.manifest().message(body.tag);
            kind.is_none_or(|kind| kind.guarantee != Guarantee::AtMostOnce)
        }
        Outgoing::Reply { .. } | Outgoing::Broadcast { .. } => true,
    };
    said.iter().filter(lasts).cloned().collect()
}

/// What the older release said, as it arrives at the newer one: without what that refuses, and why.
fn converted_said(way: &Way, said: Vec<Outgoing>) -> (Vec<Outgoing>, Option<String>) {
    let mut refused = None;
    let mut arrive = |body: Body| {
        let arrived = way.arrive(&body);
        arrived.map_err(|why| refused = Some(why)).ok()
    };
    let said = said.into_iter().filter_map(|outgoing| match outgoing {
        Outgoing::Send { to, body } => arrive(body).map(|body| Outgoing::Send { to, body }),
        Outgoing::Broadcast { body } => arrive(body).map(|body| Outgoing::Broadcast { body }),
        reply @ Outgoing::Reply { .. } => Some(reply),
    });
    (said.collect(), refused)
}
