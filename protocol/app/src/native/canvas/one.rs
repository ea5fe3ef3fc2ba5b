//! Canvas 1.0.0: shapes are moved and turned.

use crdt::{
    Op, Product,
    product::Acting,
    types::{Shape, Shapes, ShapesOp},
};

use crate::{
    Body, Fault, Manifest,
    native::{
        canvas::{APP, CLIENT_ROTATE, READ, REPLICATED, ROTATE, Rotate, STARTS, Whole, drawn_move},
        operation,
        replicated::{Asked, Edition, History, broadcast, refused},
        typed::{Typed, record},
        unknown_tag,
    },
};

pub(super) const ABOUT: &str =
    "shapes in the plane, which are moved one by one and turned together";

pub(super) const TRANSLATE: u32 = 1;
pub(super) const CLIENT_TRANSLATE: u32 = 17;

record! {
    /// Moves a shape, by whole steps.
    Translate {
        /// Which, from 0.
        1 shape: u64,
        2 dx: i64,
        3 dy: i64,
    }
}

record! {
    /// A shape.
    Figure {
        1 x: i64,
        2 y: i64,
        /// Quarter turns counter-clockwise, 0 to 3.
        3 quarters: u64,
    }
}

record! {
    /// The state.
    Kept {
        1 shapes: Vec<Figure>,
        /// Quarter turns that act on moves to come.
        2 rotations: History<u64>,
    }
}

/// The version.
pub(super) struct One<K>(pub(super) K);

impl Edition for One<Product<Shapes>> {
    type Kind = Product<Shapes>;
    type Kept = Kept;

    fn manifest(&self) -> Manifest {
        const SINCE: [u64; 3] = [1, 0, 0];
        Manifest {
            app: APP,
            about: ABOUT,
            state: Kept::schema(),
            messages: vec![
                broadcast::<Translate>(TRANSLATE, "translate", SINCE),
                broadcast::<Rotate>(ROTATE, "rotate", SINCE),
                operation::<()>(READ, "read", SINCE),
                operation::<Translate>(CLIENT_TRANSLATE, "translate", SINCE),
                operation::<Rotate>(CLIENT_ROTATE, "rotate", SINCE),
            ],
            edges: vec![],
            operations: vec!["translate", "rotate", "read"],
            measures: vec![],
            replicated: Some(REPLICATED),
            tick: None,
        }
    }

    fn kind(&self) -> &Product<Shapes> {
        &self.0
    }

    fn keep(&self, state: &Acting<Vec<Shape>, ShapesOp>) -> Kept {
        let figure = |shape: &Shape| {
            let ((x, y), quarters) = (shape.at, shape.quarter.into());
            Figure { x, y, quarters }
        };
        let quarters = |(stamp, message): (_, &ShapesOp)| match *message {
            ShapesOp::Rotate(quarters) => (stamp, quarters.into()),
            ref other => unreachable!("{other:?} acts on nothing here"),
        };
        let shapes = state.state.iter().map(figure).collect();
        Kept { shapes, rotations: state.history().map(quarters).collect() }
    }

    fn restore(&self, kept: Kept) -> Result<Acting<Vec<Shape>, ShapesOp>, Fault> {
        let shape = |Figure { x, y, quarters }| {
            Ok(Shape { at: (x, y), quarter: quarter(quarters)?, mirrored: false })
        };
        let shapes = kept.shapes.into_iter().map(shape).collect::<Result<Vec<_>, Fault>>()?;
        let rotation = |(stamp, quarters)| Ok((stamp, ShapesOp::Rotate(quarter(quarters)?)));
        let history =
            kept.rotations.into_iter().map(rotation).collect::<Result<Vec<_>, Fault>>()?;
        self.0.restored(all_there(shapes)?, history).map_err(refused)
    }

    fn retained(&self, state: &<Self::Kind as Op>::State) -> usize {
        state.kept()
    }

    fn asked(
        &self,
        state: &<Self::Kind as Op>::State,
        body: &Body,
    ) -> Result<Asked<ShapesOp>, Fault> {
        match body.tag {
            READ => {
                <()>::read_body(body)?;
                Ok(Asked::Tell(places(&state.state, 1).bytes()))
            }
            CLIENT_TRANSLATE => translation(body).map(Asked::Do),
            CLIENT_ROTATE => rotation(body).map(Asked::Do),
            _ => Err(unknown_tag(body)),
        }
    }

    fn write(&self, message: &ShapesOp) -> Body {
        match *message {
            ShapesOp::Translate { shape, by: (dx, dy) } => {
                Translate { shape: shape.into(), dx, dy }.body(TRANSLATE)
            }
            ShapesOp::Rotate(quarters) => Rotate { quarters: quarters.into() }.body(ROTATE),
            ShapesOp::Reflect(_) => unreachable!("nobody reflects in this line"),
        }
    }

    fn read(&self, body: &Body) -> Result<ShapesOp, Fault> {
        match body.tag {
            TRANSLATE => translation(body),
            ROTATE => rotation(body),
            _ => Err(unknown_tag(body)),
        }
    }

    fn measure(&self, _: &<Self::Kind as Op>::State) -> Vec<i128> {
        vec![]
    }

    fn operation(&self, kind: &str, entropy: [u32; 4]) -> Option<Body> {
        Some(match kind {
            "translate" => {
                let shape = u64::from(entropy[0]) % STARTS.len() as u64;
                let (dx, dy) = (drawn_move(entropy[1]), drawn_move(entropy[2]));
                Translate { shape, dx, dy }.body(CLIENT_TRANSLATE)
            }
            "rotate" => Rotate { quarters: u64::from(1 + entropy[0] % 3) }.body(CLIENT_ROTATE),
            "read" => ().body(READ),
            _ => return None,
        })
    }
}

/// Where the shapes are, in units of which a step has so many.
pub(super) fn places(shapes: &[Shape], units: i64) -> Vec<Whole> {
    let whole =
        |Shape { at: (x, y), .. }: &Shape| Whole { x: x.div_euclid(units), y: y.div_euclid(units) };
    shapes.iter().map(whole).collect()
}

/// Quarter turns. Errors: [`Fault::Refused`] where they are more than three.
pub(super) fn quarter(quarters: u64) -> Result<u8, Fault> {
    let quarter = u8::try_from(quarters).ok().filter(|quarter| *quarter < 4);
    quarter.ok_or_else(|| Fault::Refused("a turn of more than three quarters".to_owned()))
}

/// The number of a shape. Errors: [`Fault::Refused`] where there is none.
pub(super) fn shape(number: u64) -> Result<u32, Fault> {
    let known = u32::try_from(number).ok().filter(|number| (*number as usize) < STARTS.len());
    known.ok_or_else(|| Fault::Refused(format!("no shape {number}")))
}

/// As many shapes as there are from the start. Errors: [`Fault::Malformed`].
pub(super) fn all_there(shapes: Vec<Shape>) -> Result<Vec<Shape>, Fault> {
    if shapes.len() == STARTS.len() { Ok(shapes) } else { Err(Fault::Malformed("state: shapes")) }
}

pub(super) fn rotation(body: &Body) -> Result<ShapesOp, Fault> {
    Ok(ShapesOp::Rotate(quarter(Rotate::read_body(body)?.quarters)?))
}

fn translation(body: &Body) -> Result<ShapesOp, Fault> {
    let Translate { shape: number, dx, dy } = Translate::read_body(body)?;
    Ok(ShapesOp::Translate { shape: shape(number)?, by: (dx, dy) })
}
