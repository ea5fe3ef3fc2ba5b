//! Counter 3.0.0: a node may fold its entry into a new epoch, so that what went up and down long ago
//! no longer fills it.
//!
//! Edges lead from 1.x and from 2.x, so that a node may skip 2.x; both ways lead to the same state.

use crate::{
    Body, Edge, Fault, Guarantee, Manifest, Meter,
    native::{
        counter::{
            APP, Edition, REPLICATED, Request, TICK,
            entries::{Amount, Entries, Entry, State},
            one, state_id,
            two::{self, UpDown},
        },
        message, operation,
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "a counter whose nodes fold what they counted into epochs; reads the states of 1.x and 2.x";

pub(super) const MAP: u32 = 9;
pub(super) const FOLD: u32 = 23;

record! {
    /// What one node counted, since it last folded.
    #[derive(Copy, Default)]
    Folded {
        /// How many times it folded; a higher one replaces a lower one.
        1 epoch: u64,
        2 up: u64,
        3 down: u64,
    }
}

/// The version.
pub(super) struct Three;

impl Folded {
    const fn here(self) -> UpDown {
        UpDown { up: self.up, down: self.down }
    }

    const fn of(epoch: u64, UpDown { up, down }: UpDown) -> Self {
        Self { epoch, up, down }
    }

    /// The same total, in the next epoch; `None` after the last one.
    fn folded(self) -> Option<Self> {
        let epoch = self.epoch + 1;
        i64::try_from(epoch).ok()?;
        let (up, down) = (self.up.saturating_sub(self.down), self.down.saturating_sub(self.up));
        Some(Self { epoch, up, down })
    }
}

impl Entry for Folded {
    fn join(self, other: Self) -> Self {
        match self.epoch.cmp(&other.epoch) {
            std::cmp::Ordering::Less => other,
            std::cmp::Ordering::Equal => Self::of(self.epoch, self.here().join(other.here())),
            std::cmp::Ordering::Greater => self,
        }
    }

    fn credited(self, amount: Amount) -> Option<Self> {
        Some(Self::of(self.epoch, self.here().credited(amount)?))
    }

    fn total(self) -> i64 {
        self.here().total()
    }

    fn place(self) -> (u64, u64) {
        (self.epoch, self.here().place().1)
    }
}

impl Edition for Three {
    type Entry = Folded;

    fn manifest(&self) -> Manifest {
        use Guarantee::{AtMostOnce, ExactlyOnce};
        const SINCE: [u64; 3] = [3, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: State::<Folded>::schema(),
            messages: vec![
                message::<two::Digest>(two::DIGEST, "digest", SINCE, AtMostOnce),
                message::<two::Add>(two::ADD, "add", SINCE, ExactlyOnce),
                message::<two::AddMany>(two::ADD_MANY, "add-many", SINCE, ExactlyOnce),
                message::<Entries<Folded>>(MAP, "map", SINCE, AtMostOnce),
                operation::<one::Add>(two::INCREMENT, "increment", SINCE),
                operation::<()>(two::READ, "read", SINCE),
                operation::<one::Add>(two::DECREMENT, "decrement", SINCE),
                operation::<two::Add>(two::SEND_ADD, "add", SINCE),
                operation::<two::AddMany>(two::SEND_ADD_MANY, "add-many", SINCE),
                operation::<()>(FOLD, "fold", SINCE),
            ],
            edges: vec![
                two::from_one_edge(),
                Edge {
                    from_class: "2",
                    to_class: "3",
                    from_state: state_id::<UpDown>(),
                    to_state: state_id::<Folded>(),
                },
            ],
            operations: vec!["increment", "decrement", "add", "read", "add-many", "fold"],
            measures: vec!["total"],
            replicated: Some(REPLICATED),
            tick: Some(TICK),
        }
    }

    fn request<'a>(&self, body: &'a Body) -> Result<Request<'a, Folded>, Fault> {
        match body.tag {
            MAP => Ok(Request::Join(&body.bytes)),
            FOLD => {
                <()>::read_body(body)?;
                Ok(Request::Rewrite(Folded::folded))
            }
            _ => two::request(body),
        }
    }

    fn map_tag(&self) -> u32 {
        MAP
    }

    fn compare(&self, map: &Entries<Folded>) -> Body {
        two::compare(map)
    }

    fn migrate(&self, edge: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        match edge {
            0 => two::migrate_from_one(state, meter),
            1 => migrate_from_two(state, meter),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn convert(&self, edge: usize, body: &Body) -> Result<Body, Fault> {
        match edge {
            0 => two::convert_from_one(body),
            1 => convert_from_two(body),
            _ => Err(Fault::Refused(format!("no edge {edge}"))),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        match kind {
            "fold" => Some(().body(FOLD)),
            _ => two::drawn(kind, entropy),
        }
    }
}

/// Nothing that 2.x counted was folded yet.
pub(super) fn up_from_two(entry: UpDown) -> Folded {
    Folded::of(0, entry)
}

fn migrate_from_two(state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
    let State { id, map } = State::<UpDown>::read(state, "state of 2.x")?;
    Ok(State { id, map: map.lift(meter, up_from_two)? }.bytes())
}

/// Takes a message of 2.x to 3.x: only the map has another form.
pub(super) fn convert_from_two(body: &Body) -> Result<Body, Fault> {
    Ok(match body.tag {
        two::MAP => {
            let map = Entries::<UpDown>::read_body(body)?;
            map.lift(&mut Meter::new(u64::MAX), up_from_two)?.body(MAP)
        }
        two::DIGEST => {
            let digest = two::Digest::read_body(body)?;
            two::Digest { answer: false, ..digest }.body(two::DIGEST)
        }
        two::ADD | two::ADD_MANY => body.clone(),
        two::INCREMENT | two::READ | two::DECREMENT => body.clone(),
        two::SEND_ADD | two::SEND_ADD_MANY => body.clone(),
        _ => return Err(unknown_tag(body)),
    })
}
