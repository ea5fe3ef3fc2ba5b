//! Sessions 2.0.0: a session may end by itself, and an answer says when.
//!
//! The one edge comes from 1.x, whose sessions never end. A client that was waiting when its node
//! upgraded is answered in the words of 1.x, for it asked in them.

use crate::{
    Body, Edge, Fault, Guarantee, Manifest, Meter,
    native::{
        message, operation,
        sessions::{
            APP, Answer, Ask, Edition, Form, Live, Pending, Request, Session, State, TICK,
            one::{self, Kept, Named, One, Outcome, PLAIN, Waiting},
        },
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "a store whose sessions may end by themselves; reads the states of 1.x";

pub(super) const PUT: u32 = 7;
pub(super) const TOUCH: u32 = 8;
pub(super) const ANSWER: u32 = 9;
pub(super) const CLIENT_PUT: u32 = 21;
pub(super) const CLIENT_TOUCH: u32 = 22;
pub(super) const CLIENT_GET: u32 = 23;
pub(super) const CLIENT_DELETE: u32 = 24;
pub(super) const CLIENT_LOGIN: u32 = 25;

/// A life that a client draws, in nanoseconds: long enough to meet the session, short enough to end.
const DRAWN_LIFE: u64 = 20_000_000_000;

record! {
    /// What is kept under a name.
    Mortal {
        1 value: String,
        2 uses: u64,
        /// When it ends, by the owner's clock.
        3 until: Option<u64>,
    }
}

record! {
    /// A request that waits.
    Asked {
        /// When it was sent, by the node's clock.
        1 since: u64,
        2 form: Form,
    }
}

record! {
    /// Another node keeps this for the client whose operation has this number.
    Put {
        1 id: i64,
        2 name: String,
        3 value: String,
        /// In nanoseconds.
        4 life: Option<u64>,
    }
}

record! {
    /// Another node touches this.
    Touch {
        1 id: i64,
        2 name: String,
        3 life: Option<u64>,
    }
}

record! {
    /// A client keeps this.
    ClientPut {
        1 name: String,
        2 value: String,
        3 life: Option<u64>,
        4 form: Form,
    }
}

record! {
    /// A client touches this.
    ClientTouch {
        1 name: String,
        2 life: Option<u64>,
        3 form: Form,
    }
}

record! {
    /// A client asks about this name.
    ClientNamed {
        1 name: String,
        2 form: Form,
    }
}

record! {
    /// The owner of a name answers.
    Answered {
        1 id: i64,
        2 told: Told,
    }
}

record! {
    /// What a client is told.
    Told {
        1 outcome: Outcome,
        /// How long the session lives on, where its life is limited.
        2 life: Option<u64>,
    }
}

/// The version.
pub(super) struct Two;

impl From<Mortal> for Live {
    fn from(Mortal { value, uses, until }: Mortal) -> Self {
        Self { value, uses, until }
    }
}

impl From<Live> for Mortal {
    fn from(Live { value, uses, until }: Live) -> Self {
        Self { value, uses, until }
    }
}

impl Session for Mortal {
    fn uses(&self) -> u64 {
        self.uses
    }

    fn until(&self) -> Option<u64> {
        self.until
    }
}

impl Pending for Asked {
    fn new(since: u64, form: Form) -> Self {
        Self { since, form }
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn form(&self) -> Form {
        self.form
    }
}

impl Edition for Two {
    type Session = Mortal;
    type Pending = Asked;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        let once = Guarantee::ExactlyOnce;
        Manifest {
            app: APP,
            about: ABOUT,
            state: State::<Self>::schema(),
            messages: vec![
                message::<Named>(one::GET, "get", SINCE, once),
                message::<Named>(one::DELETE, "delete", SINCE, once),
                message::<Named>(one::LOGIN, "login", SINCE, once),
                message::<Put>(PUT, "put", SINCE, once),
                message::<Touch>(TOUCH, "touch", SINCE, once),
                message::<Answered>(ANSWER, "answer", SINCE, once),
                operation::<ClientPut>(CLIENT_PUT, "put", SINCE),
                operation::<ClientTouch>(CLIENT_TOUCH, "touch", SINCE),
                operation::<ClientNamed>(CLIENT_GET, "get", SINCE),
                operation::<ClientNamed>(CLIENT_DELETE, "delete", SINCE),
                operation::<ClientNamed>(CLIENT_LOGIN, "login", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: State::<One>::schema().id(),
                to_state: State::<Self>::schema().id(),
            }],
            operations: vec!["login", "put", "get", "delete", "touch"],
            measures: vec!["sessions", "uses", "pending"],
            replicated: None,
            tick: Some(TICK),
        }
    }

    fn request(&self, body: &Body) -> Result<Request, Fault> {
        Ok(match body.tag {
            PUT => {
                let Put { id, name, value, life } = Put::read_body(body)?;
                Request::Peer { id, name, ask: Ask::Put { value, life } }
            }
            TOUCH => {
                let Touch { id, name, life } = Touch::read_body(body)?;
                Request::Peer { id, name, ask: Ask::Touch { life } }
            }
            ANSWER => {
                let Answered { id, told: Told { outcome, life } } = Answered::read_body(body)?;
                Request::Answer { id, answer: Answer { outcome, life } }
            }
            CLIENT_PUT => {
                let ClientPut { name, value, life, form } = ClientPut::read_body(body)?;
                Request::Client { name, ask: Ask::Put { value, life }, form }
            }
            CLIENT_TOUCH => {
                let ClientTouch { name, life, form } = ClientTouch::read_body(body)?;
                Request::Client { name, ask: Ask::Touch { life }, form }
            }
            CLIENT_GET => client(body, Ask::Get)?,
            CLIENT_DELETE => client(body, Ask::Delete)?,
            CLIENT_LOGIN => client(body, Ask::Login)?,
            _ => one::lasting(body)?,
        })
    }

    fn ask(&self, id: i64, name: String, ask: Ask) -> Body {
        match ask {
            Ask::Put { value, life } => Put { id, name, value, life }.body(PUT),
            Ask::Touch { life } => Touch { id, name, life }.body(TOUCH),
            Ask::Get => Named { id, name }.body(one::GET),
            Ask::Delete => Named { id, name }.body(one::DELETE),
            Ask::Login => Named { id, name }.body(one::LOGIN),
        }
    }

    fn answer(&self, id: i64, Answer { outcome, life }: Answer) -> Body {
        Answered { id, told: Told { outcome, life } }.body(ANSWER)
    }

    fn reply(&self, form: Form, Answer { outcome, life }: Answer) -> Vec<u8> {
        match form {
            Form::Plain(()) => outcome.bytes(),
            Form::Full(()) => Told { outcome, life }.bytes(),
        }
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        match edge {
            0 => migrate_from_one(state, meter),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        match edge {
            0 => convert_from_one(body),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let name = one::drawn_name(entropy);
        let life = entropy[2].is_multiple_of(4).then_some(DRAWN_LIFE);
        let form = Form::Full(());
        Some(match kind {
            "put" => {
                let value = one::drawn_value(entropy);
                ClientPut { name, value, life, form }.body(CLIENT_PUT)
            }
            "touch" => ClientTouch { name, life, form }.body(CLIENT_TOUCH),
            "get" => ClientNamed { name, form }.body(CLIENT_GET),
            "delete" => ClientNamed { name, form }.body(CLIENT_DELETE),
            "login" => ClientNamed { name, form }.body(CLIENT_LOGIN),
            _ => return None,
        })
    }
}

fn client(body: &Body, ask: Ask) -> Result<Request, Fault> {
    let ClientNamed { name, form } = ClientNamed::read_body(body)?;
    Ok(Request::Client { name, ask, form })
}

fn migrate_from_one(state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
    let State { sessions, pending } = State::<One>::read(state, "state of 1.x")?;
    meter.spend(1 + sessions.len() as u64 + pending.len() as u64)?;
    let sessions = sessions.map(|Kept { value, uses }| Mortal { value, uses, until: None });
    let pending = pending.map(|Waiting { since }| Asked { since, form: PLAIN });
    Ok(State::<Two> { sessions, pending }.bytes())
}

/// Takes a message of 1.x to 2.x: nothing that it begins ends by itself, and who asked in the form of
/// 1.x is answered in it.
fn convert_from_one(body: &Body) -> Result<Body, Fault> {
    let (life, form) = (None, PLAIN);
    let named = |tag| {
        let one::ClientNamed { name } = one::ClientNamed::read_body(body)?;
        Ok::<_, Fault>(ClientNamed { name, form }.body(tag))
    };
    Ok(match body.tag {
        one::PUT => {
            let one::Put { id, name, value } = one::Put::read_body(body)?;
            Put { id, name, value, life }.body(PUT)
        }
        one::TOUCH => {
            let Named { id, name } = Named::read_body(body)?;
            Touch { id, name, life }.body(TOUCH)
        }
        one::ANSWER => {
            let one::Answered { id, outcome } = one::Answered::read_body(body)?;
            Answered { id, told: Told { outcome, life } }.body(ANSWER)
        }
        one::CLIENT_PUT => {
            let one::ClientPut { name, value } = one::ClientPut::read_body(body)?;
            ClientPut { name, value, life, form }.body(CLIENT_PUT)
        }
        one::CLIENT_TOUCH => {
            let one::ClientNamed { name } = one::ClientNamed::read_body(body)?;
            ClientTouch { name, life, form }.body(CLIENT_TOUCH)
        }
        one::CLIENT_GET => named(CLIENT_GET)?,
        one::CLIENT_DELETE => named(CLIENT_DELETE)?,
        one::CLIENT_LOGIN => named(CLIENT_LOGIN)?,
        one::GET | one::DELETE | one::LOGIN => body.clone(),
        _ => return Err(unknown_tag(body)),
    })
}
