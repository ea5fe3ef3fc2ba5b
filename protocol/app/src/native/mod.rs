//! Native applications: programs built into this binary, found by the name that a release carries.
//!
//! The code of a native release is text. Its first line says `native <app> <version>`, and a variant
//! where there are several codes of one version; whatever follows is padding, and counts: two texts
//! are two codes.
//!
//! One folder per application, one file per family of versions, one line in [`Registry::standard`].

use std::sync::Arc;

use contract::NodeId;

use crate::{
    Body, Context, Fault, Guarantee, Incoming, MessageType, Outgoing, Program, Runtime, Step,
    native::typed::Typed,
};

mod basket;
mod canvas;
mod counter;
mod gauge;
mod notes;
mod register;
mod replicated;
mod sessions;
mod tally;
mod text;
mod typed;

#[cfg(test)]
mod rig;
#[cfg(test)]
mod tests;

/// The first line of a code is no longer, so that finding its end is bounded.
const FIRST_LINE_BYTES_MAX: usize = 256;

/// Tags from here on are operations of clients; below are messages between instances.
const OPERATIONS_FROM: u32 = 16;

/// One program that this binary can run.
#[derive(Clone, Copy)]
pub struct Listed {
    /// Which application.
    pub app: &'static str,
    /// Which version, as releases write it.
    pub version: &'static str,
    /// Which code of that version; `None` is the good one.
    pub variant: Option<&'static str>,
    /// One line for people.
    pub about: &'static str,
    /// Makes the program.
    build: fn() -> Arc<dyn Program>,
}

/// The programs of a host.
pub struct Registry {
    programs: Vec<Listed>,
}

impl Registry {
    /// Every program that is built in.
    pub fn standard() -> Self {
        let programs = [
            counter::LIST,
            counter::FLAWED,
            sessions::LIST,
            register::LIST,
            register::FLAWED,
            tally::LIST,
            text::LIST,
            canvas::LIST,
            canvas::FLAWED,
            basket::LIST,
            gauge::LIST,
            gauge::FLAWED,
            notes::LIST,
            notes::FLAWED,
        ]
        .concat();
        let key = |listed: &Listed| (listed.app, listed.version, listed.variant);
        for (at, listed) in programs.iter().enumerate() {
            assert!(
                programs[..at].iter().all(|other| key(other) != key(listed)),
                "one code a name"
            );
        }
        Self { programs }
    }

    /// What is known, by application, oldest version first.
    pub fn list(&self) -> &[Listed] {
        &self.programs
    }

    /// The program with this name. Errors: [`Fault::Refused`] naming what is known instead.
    pub fn program(
        &self,
        app: &str,
        version: &str,
        variant: Option<&str>,
    ) -> Result<Arc<dyn Program>, Fault> {
        let found = self.programs.iter().find(|listed| {
            listed.app == app && listed.version == version && listed.variant == variant
        });
        found.map(|listed| (listed.build)()).ok_or_else(|| self.unknown(app, version, variant))
    }

    /// The text of a code: the first line and `padding` bytes that depend on `salt` and do not
    /// compress. Says nothing of whether any host knows the program.
    pub fn code(
        app: &str,
        version: &str,
        variant: Option<&str>,
        padding: u64,
        salt: u64,
    ) -> Vec<u8> {
        let mut code = first_line(app, version, variant).into_bytes();
        code.push(b'\n');
        let start = code.len();
        code.resize(start + usize::try_from(padding).expect("a code fits memory"), 0);
        blake3::Hasher::new().update(&salt.to_le_bytes()).finalize_xof().fill(&mut code[start..]);
        code
    }

    fn unknown(&self, app: &str, version: &str, variant: Option<&str>) -> Fault {
        let known: Vec<String> = self
            .programs
            .iter()
            .map(|listed| first_line(listed.app, listed.version, listed.variant))
            .collect();
        let wanted = first_line(app, version, variant);
        Fault::Refused(format!("no `{wanted}` in this host, which has {}", known.join(", ")))
    }
}

impl Runtime for Registry {
    fn load(&self, code: &[u8]) -> Result<Arc<dyn Program>, Fault> {
        let head = &code[..code.len().min(FIRST_LINE_BYTES_MAX)];
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if line.len() == code.len() || line.len() == FIRST_LINE_BYTES_MAX {
            return Err(Fault::Malformed("native code: its first line does not end"));
        }
        let line = str::from_utf8(line).map_err(|_| Fault::Malformed("native code: no text"))?;
        match *line.split(' ').collect::<Vec<_>>() {
            ["native", app, version] => self.program(app, version, None),
            ["native", app, version, variant] => self.program(app, version, Some(variant)),
            _ => Err(Fault::Malformed("native code: no `native <app> <version>`")),
        }
    }
}

fn first_line(app: &str, version: &str, variant: Option<&str>) -> String {
    match variant {
        Some(variant) => format!("native {app} {version} {variant}"),
        None => format!("native {app} {version}"),
    }
}

/// A message between instances whose value is a `T`.
fn message<T: Typed>(
    tag: u32,
    name: &'static str,
    since: [u64; 3],
    guarantee: Guarantee,
) -> MessageType {
    assert!(tag < OPERATIONS_FROM, "messages and operations keep their ranges");
    MessageType { tag, name, since, guarantee, versioned: true, schema: T::schema() }
}

/// An operation of a local client whose value is a `T`.
fn operation<T: Typed>(tag: u32, name: &'static str, since: [u64; 3]) -> MessageType {
    assert!(tag >= OPERATIONS_FROM, "messages and operations keep their ranges");
    let guarantee = Guarantee::ExactlyOnce;
    MessageType { tag, name, since, guarantee, versioned: true, schema: T::schema() }
}

/// What an instance does with each kind of input.
trait Reacts {
    fn tick(&mut self, context: Context<'_>, out: &mut Vec<Outgoing>) -> Result<Step, Fault>;

    fn message(
        &mut self,
        context: Context<'_>,
        from: NodeId,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault>;

    fn operation(
        &mut self,
        context: Context<'_>,
        id: u64,
        body: &Body,
        out: &mut Vec<Outgoing>,
    ) -> Result<Step, Fault>;
}

/// Gives an input to what reacts to its kind. An operation is no message, and a message no operation.
fn react(
    instance: &mut impl Reacts,
    context: Context<'_>,
    incoming: &Incoming,
    out: &mut Vec<Outgoing>,
) -> Result<Step, Fault> {
    match incoming {
        Incoming::Tick => instance.tick(context, out),
        Incoming::Message { from, body } if body.tag < OPERATIONS_FROM => {
            instance.message(context, *from, body, out)
        }
        Incoming::Operation { id, body } if body.tag >= OPERATIONS_FROM => {
            instance.operation(context, *id, body, out)
        }
        Incoming::Message { body, .. }
        | Incoming::Operation { body, .. }
        | Incoming::Delivered { body, .. } => Err(unknown_tag(body)),
        // What declares no operations keeps nothing for them.
        Incoming::Stable { .. } => Ok(Step::Unchanged),
    }
}

/// A message means nothing to the code that was asked to take or convert it.
fn unknown_tag(body: &Body) -> Fault {
    Fault::Refused(format!("no message #{} here", body.tag))
}

/// A known node other than this one, by `entropy`; `None` where there is no other.
fn peer(context: Context<'_>, entropy: u64) -> Option<NodeId> {
    let own = context.nodes.binary_search(&context.node);
    let others = context.nodes.len() - usize::from(own.is_ok());
    let pick = usize::try_from(entropy.checked_rem(others as u64)?).expect("an index");
    let skip = own.is_ok_and(|own| pick >= own);
    Some(context.nodes[pick + usize::from(skip)])
}

/// Scrambles a number so that its bits look independent: the finalizer of splitmix64.
///
/// Not a cryptographic hash; what relies on it heals by itself from a collision.
const fn scramble(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}
