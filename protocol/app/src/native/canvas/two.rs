//! Canvas 2.0.0: shapes are reflected too, and distances are in half steps.
//!
//! The one edge comes from 1.x. Turns that were retained there are turned round themselves by reflections
//! to come.

use crdt::{
    Op, Product,
    product::Acting,
    types::{Axis, Shape, ShapesOp},
};

use crate::{
    Body, Edge, Fault, Manifest, Meter,
    native::{
        canvas::{
            APP, CLIENT_ROTATE, READ, REPLICATED, ROTATE, Rotate, STARTS, drawn_move, one, shapes,
        },
        operation,
        replicated::{Asked, Edition, History, broadcast, refused},
        typed::{Typed, record, variant},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "shapes in the plane, which are moved, turned and reflected; reads the states of 1.x";

pub(super) const SHIFT: u32 = 3;
pub(super) const REFLECT: u32 = 4;
pub(super) const CLIENT_SHIFT: u32 = 19;
pub(super) const CLIENT_REFLECT: u32 = 20;

/// How many half steps a step has.
pub(super) const HALVES: i64 = 2;

record! {
    /// Moves a shape, by half steps.
    Shift {
        /// Which, from 0.
        1 shape: u64,
        2 right: i64,
        3 up: i64,
    }
}

variant! {
    /// Which coordinate is negated.
    #[derive(Copy)]
    Mirror {
        1 X(()),
        2 Y(()),
    }
}

record! {
    /// Reflects all.
    Reflect {
        1 negates: Mirror,
    }
}

record! {
    /// A shape, in half steps.
    Figure {
        1 x: i64,
        2 y: i64,
        /// Quarter turns counter-clockwise, 0 to 3.
        3 quarters: u64,
        /// Whether it was mirrored before it was turned.
        4 mirrored: bool,
    }
}

variant! {
    /// What acts on others.
    #[derive(Copy)]
    Retained {
        1 Rotate(u64),
        2 Reflect(Mirror),
    }
}

record! {
    /// The state.
    Kept {
        1 shapes: Vec<Figure>,
        2 retained: History<Retained>,
    }
}

/// The version, with its semidirect product or one that has a bug.
pub(super) struct Two<K>(pub(super) K);

impl From<Mirror> for Axis {
    fn from(mirror: Mirror) -> Self {
        match mirror {
            Mirror::X(()) => Self::X,
            Mirror::Y(()) => Self::Y,
        }
    }
}

impl From<Axis> for Mirror {
    fn from(axis: Axis) -> Self {
        match axis {
            Axis::X => Self::X(()),
            Axis::Y => Self::Y(()),
        }
    }
}

impl<K> Edition for Two<K>
where
    K: Op<Operation = ShapesOp, Message = ShapesOp, State = Acting<Vec<Shape>, ShapesOp>>
        + Send
        + Sync
        + 'static,
{
    type Kind = K;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [2, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Rotate>(ROTATE, "rotate", SINCE),
                broadcast::<Shift>(SHIFT, "shift", SINCE),
                broadcast::<Reflect>(REFLECT, "reflect", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<Rotate>(CLIENT_ROTATE, "rotate", SINCE),
                operation::<Shift>(CLIENT_SHIFT, "shift", SINCE),
                operation::<Reflect>(CLIENT_REFLECT, "reflect", SINCE),
            ],
            edges: vec![Edge {
                from_class: "1",
                to_class: "2",
                from_state: one::Kept::schema().id(),
                to_state: Kept::schema().id(),
            }],
            operations: vec!["shift", "rotate", "reflect", "read"],
            measures: vec![],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &K {
        &self.0
    }

    fn keep(&self, state: &K::State) -> Kept {
        let figure = |shape: &Shape| {
            let ((x, y), quarters) = (shape.at, shape.quarter.into());
            Figure { x, y, quarters, mirrored: shape.mirrored }
        };
        let retained = |(stamp, message): (_, &ShapesOp)| match *message {
            ShapesOp::Rotate(quarters) => (stamp, Retained::Rotate(quarters.into())),
            ShapesOp::Reflect(axis) => (stamp, Retained::Reflect(axis.into())),
            ref other => unreachable!("{other:?} acts on nothing"),
        };
        let shapes = state.state.iter().map(figure).collect();
        Kept { shapes, retained: state.history().map(retained).collect() }
    }

    fn restore(&self, kept: Kept) -> Result<K::State, Fault> {
        let shape = |Figure { x, y, quarters, mirrored }| {
            Ok(Shape { at: (x, y), quarter: one::quarter(quarters)?, mirrored })
        };
        let figures = kept.shapes.into_iter().map(shape).collect::<Result<Vec<_>, Fault>>()?;
        let acting = |(stamp, retained)| {
            let acting = match retained {
                Retained::Rotate(quarters) => ShapesOp::Rotate(one::quarter(quarters)?),
                Retained::Reflect(mirror) => ShapesOp::Reflect(mirror.into()),
            };
            Ok((stamp, acting))
        };
        let history = kept.retained.into_iter().map(acting).collect::<Result<Vec<_>, Fault>>()?;
        Product(shapes(HALVES)).restored(one::all_there(figures)?, history).map_err(refused)
    }

    fn retained(&self, state: &K::State) -> usize {
        state.kept()
    }

    fn asked(&self, state: &K::State, body: &Body) -> Result<Asked<ShapesOp>, Fault> {
        match body.tag {
            READ => {
                <()>::read_body(body)?;
                Ok(Asked::Tell(one::places(&state.state, HALVES).bytes()))
            }
            CLIENT_SHIFT => shift(body).map(Asked::Do),
            CLIENT_ROTATE => one::rotation(body).map(Asked::Do),
            CLIENT_REFLECT => reflection(body).map(Asked::Do),
            _ => Err(unknown_tag(body)),
        }
    }

    fn write(&self, message: &ShapesOp) -> Body {
        match *message {
            ShapesOp::Translate { shape, by: (right, up) } => {
                Shift { shape: shape.into(), right, up }.body(SHIFT)
            }
            ShapesOp::Rotate(quarters) => Rotate { quarters: quarters.into() }.body(ROTATE),
            ShapesOp::Reflect(axis) => Reflect { negates: axis.into() }.body(REFLECT),
        }
    }

    fn read(&self, body: &Body) -> Result<ShapesOp, Fault> {
        match body.tag {
            SHIFT => shift(body),
            ROTATE => one::rotation(body),
            REFLECT => reflection(body),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, _: &K::State) -> Vec<i128> {
        vec![]
    }

    fn migrate(&self, _: usize, state: &[u8], meter: &mut Meter) -> Result<Vec<u8>, Fault> {
        let one::Kept { shapes, rotations } = one::Kept::read(state, "state of 1.x")?;
        meter.spend(1 + (shapes.len() + rotations.len()) as u64)?;
        let figure = |one::Figure { x, y, quarters }| Figure {
            x: x.wrapping_mul(HALVES),
            y: y.wrapping_mul(HALVES),
            quarters,
            mirrored: false,
        };
        let shapes = shapes.into_iter().map(figure).collect();
        Ok(Kept { shapes, retained: rotations.map(Retained::Rotate) }.bytes())
    }

    fn convert(&self, _: usize, body: &Body) -> Result<Body, Fault> {
        let shifted = |tag| {
            let one::Translate { shape, dx, dy } = one::Translate::read_body(body)?;
            let (right, up) = (dx.wrapping_mul(HALVES), dy.wrapping_mul(HALVES));
            Ok(Shift { shape, right, up }.body(tag))
        };
        match body.tag {
            one::TRANSLATE => shifted(SHIFT),
            one::CLIENT_TRANSLATE => shifted(CLIENT_SHIFT),
            ROTATE | READ | CLIENT_ROTATE => Ok(body.clone()),
            _ => Err(unknown_tag(body)),
        }
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "shift" => {
                let shape = u64::from(entropy[0]) % STARTS.len() as u64;
                let (right, up) = (drawn_move(entropy[1]), drawn_move(entropy[2]));
                Shift { shape, right, up }.body(CLIENT_SHIFT)
            }
            "rotate" => Rotate { quarters: u64::from(1 + entropy[0] % 3) }.body(CLIENT_ROTATE),
            "reflect" => {
                let x = entropy[0].is_multiple_of(2);
                Reflect { negates: if x { Mirror::X(()) } else { Mirror::Y(()) } }
                    .body(CLIENT_REFLECT)
            }
            "read" => ().body(READ),
            _ => return None,
        })
    }
}

fn shift(body: &Body) -> Result<ShapesOp, Fault> {
    let Shift { shape, right, up } = Shift::read_body(body)?;
    Ok(ShapesOp::Translate { shape: one::shape(shape)?, by: (right, up) })
}

fn reflection(body: &Body) -> Result<ShapesOp, Fault> {
    Ok(ShapesOp::Reflect(Reflect::read_body(body)?.negates.into()))
}
