//! Sessions 1.x: a value and a count of uses under a name. 1.1.0 lets a client touch a session.

use crate::{
    Body, Fault, Guarantee, Manifest, Meter,
    native::{
        message, operation,
        sessions::{APP, Answer, Ask, Edition, Form, Live, Pending, Request, Session, State, TICK},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT_FIRST: &str = "a store of sessions by name, asked and answered across nodes";
pub(super) const ABOUT_TOUCH: &str =
    "as 1.0.0, and a client may touch a session without reading it";

pub(super) const PUT: u32 = 1;
pub(super) const GET: u32 = 2;
pub(super) const DELETE: u32 = 3;
pub(super) const LOGIN: u32 = 4;
pub(super) const ANSWER: u32 = 5;
pub(super) const TOUCH: u32 = 6;
pub(super) const CLIENT_PUT: u32 = 16;
pub(super) const CLIENT_GET: u32 = 17;
pub(super) const CLIENT_DELETE: u32 = 18;
pub(super) const CLIENT_LOGIN: u32 = 19;
pub(super) const CLIENT_TOUCH: u32 = 20;

/// How this line answers.
pub(super) const PLAIN: Form = Form::Plain(());

record! {
    /// What is kept under a name.
    Kept {
        1 value: String,
        2 uses: u64,
    }
}

record! {
    /// A request that waits.
    Waiting {
        /// When it was sent, by the node's clock.
        1 since: u64,
    }
}

record! {
    /// Another node keeps this for the client whose operation has this number.
    Put {
        1 id: i64,
        2 name: String,
        3 value: String,
    }
}

record! {
    /// Another node asks about this name.
    Named {
        1 id: i64,
        2 name: String,
    }
}

record! {
    /// A client keeps this.
    ClientPut {
        1 name: String,
        2 value: String,
    }
}

record! {
    /// A client asks about this name.
    ClientNamed {
        1 name: String,
    }
}

record! {
    /// The owner of a name answers.
    Answered {
        1 id: i64,
        2 outcome: Outcome,
    }
}

variant! {
    /// How a request ended. A client is told this much in every version.
    Outcome {
        1 Done(()),
        2 Found(String),
        3 Missing(()),
        /// No answer came in time; the request may have been served.
        4 Late(()),
    }
}

/// The versions of this line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum One {
    /// 1.0.0.
    First,
    /// 1.1.0.
    Touch,
}

impl From<Kept> for Live {
    fn from(Kept { value, uses }: Kept) -> Self {
        Self { value, uses, until: None }
    }
}

impl From<Live> for Kept {
    fn from(Live { value, uses, until }: Live) -> Self {
        assert!(until.is_none(), "no request of this line limits a life");
        Self { value, uses }
    }
}

impl Session for Kept {
    fn uses(&self) -> u64 {
        self.uses
    }

    fn until(&self) -> Option<u64> {
        None
    }
}

impl Pending for Waiting {
    fn new(since: u64, _: Form) -> Self {
        Self { since }
    }

    fn since(&self) -> u64 {
        self.since
    }

    fn form(&self) -> Form {
        PLAIN
    }
}

impl Edition for One {
    type Session = Kept;
    type Pending = Waiting;

    fn manifest(&self) -> Manifest {
        const FIRST: [u64; 3] = [1, 0, 0];
        const TOUCHED: [u64; 3] = [1, 1, 0];
        let once = Guarantee::ExactlyOnce;
        let mut messages = vec![
            message::<Put>(PUT, "put", FIRST, once),
            message::<Named>(GET, "get", FIRST, once),
            message::<Named>(DELETE, "delete", FIRST, once),
            message::<Named>(LOGIN, "login", FIRST, once),
            message::<Answered>(ANSWER, "answer", FIRST, once),
            message::<Named>(TOUCH, "touch", TOUCHED, once),
            operation::<ClientPut>(CLIENT_PUT, "put", FIRST),
            operation::<ClientNamed>(CLIENT_GET, "get", FIRST),
            operation::<ClientNamed>(CLIENT_DELETE, "delete", FIRST),
            operation::<ClientNamed>(CLIENT_LOGIN, "login", FIRST),
            operation::<ClientNamed>(CLIENT_TOUCH, "touch", TOUCHED),
        ];
        let mut operations = vec!["login", "put", "get", "delete", "touch"];
        if *self == Self::First {
            messages.retain(|message| message.since != TOUCHED);
            operations.pop();
        }
        Manifest {
            app: APP,
            about: match self {
                Self::First => ABOUT_FIRST,
                Self::Touch => ABOUT_TOUCH,
            },
            state: State::<Self>::schema(),
            messages,
            edges: vec![],
            operations,
            measures: vec!["sessions", "uses", "pending"],
            replicated: None,
            tick: Some(TICK),
        }
    }

    fn request(&self, body: &Body) -> Result<Request, Fault> {
        match body.tag {
            PUT => {
                let Put { id, name, value } = Put::read_body(body)?;
                Ok(Request::Peer { id, name, ask: Ask::Put { value, life: None } })
            }
            CLIENT_PUT => {
                let ClientPut { name, value } = ClientPut::read_body(body)?;
                Ok(Request::Client { name, ask: Ask::Put { value, life: None }, form: PLAIN })
            }
            CLIENT_GET => client(body, Ask::Get),
            CLIENT_DELETE => client(body, Ask::Delete),
            CLIENT_LOGIN => client(body, Ask::Login),
            ANSWER => {
                let Answered { id, outcome } = Answered::read_body(body)?;
                Ok(Request::Answer { id, answer: Answer { outcome, life: None } })
            }
            TOUCH if *self == Self::Touch => peer(body, Ask::Touch { life: None }),
            CLIENT_TOUCH if *self == Self::Touch => client(body, Ask::Touch { life: None }),
            _ => lasting(body),
        }
    }

    fn ask(&self, id: i64, name: String, ask: Ask) -> Body {
        match ask {
            Ask::Put { value, .. } => Put { id, name, value }.body(PUT),
            Ask::Touch { .. } => Named { id, name }.body(TOUCH),
            Ask::Get => Named { id, name }.body(GET),
            Ask::Delete => Named { id, name }.body(DELETE),
            Ask::Login => Named { id, name }.body(LOGIN),
        }
    }

    fn answer(&self, id: i64, answer: Answer) -> Body {
        Answered { id, outcome: answer.outcome }.body(ANSWER)
    }

    fn reply(&self, _: Form, answer: Answer) -> Vec<u8> {
        answer.outcome.bytes()
    }

    fn migrate(&self, edge: usize, _: &[u8], _: &mut Meter) -> Result<Vec<u8>, Fault> {
        Err(Fault::Refused(format!("no edge {edge}")))
    }

    fn convert(&self, edge: usize, _: &Body) -> Result<Body, Fault> {
        Err(Fault::Refused(format!("no edge {edge}")))
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        let name = drawn_name(entropy);
        Some(match kind {
            "put" => {
                let value = drawn_value(entropy);
                ClientPut { name, value }.body(CLIENT_PUT)
            }
            "get" => ClientNamed { name }.body(CLIENT_GET),
            "delete" => ClientNamed { name }.body(CLIENT_DELETE),
            "login" => ClientNamed { name }.body(CLIENT_LOGIN),
            "touch" if *self == Self::Touch => ClientNamed { name }.body(CLIENT_TOUCH),
            _ => return None,
        })
    }
}

/// The requests that every version writes the same way.
pub(super) fn lasting(body: &Body) -> Result<Request, Fault> {
    match body.tag {
        GET => peer(body, Ask::Get),
        DELETE => peer(body, Ask::Delete),
        LOGIN => peer(body, Ask::Login),
        _ => Err(unknown_tag(body)),
    }
}

/// One of so few names that clients meet.
pub(super) fn drawn_name(entropy: [u32; 4]) -> String {
    format!("user-{}", entropy[0] % 1_000)
}

pub(super) fn drawn_value(entropy: [u32; 4]) -> String {
    format!("{:08x}", entropy[1])
}

fn peer(body: &Body, ask: Ask) -> Result<Request, Fault> {
    let Named { id, name } = Named::read_body(body)?;
    Ok(Request::Peer { id, name, ask })
}

fn client(body: &Body, ask: Ask) -> Result<Request, Fault> {
    let ClientNamed { name } = ClientNamed::read_body(body)?;
    Ok(Request::Client { name, ask, form: PLAIN })
}
