//! Shapes in the plane: translations of one go before concurrent rotations and reflections of all.
//!
//! Exact: positions in Z², rotations by quarter turns about the origin, reflections on the axes.

use crate::{Dot, Refused, Semidirect, Stamp, Value, op::Reader, product::Framed};

/// Shapes that are moved one by one, and rotated and reflected all together.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Where they are at the start.
    pub start: Vec<(i64, i64)>,
}

/// What is done to [`Shapes`]: operation and message alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapesOp {
    /// Moves one by a vector.
    Translate {
        /// Which, from 0.
        shape: u32,
        /// By how much.
        by: (i64, i64),
    },
    /// Turns all about the origin, by so many quarter turns counter-clockwise, 0 to 3.
    Rotate(u8),
    /// Reflects all.
    Reflect(Axis),
}

/// Which coordinate a reflection negates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The first.
    X,
    /// The second.
    Y,
}

/// A shape: where it is, and its orientation: mirrored (x negated) or not, then turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Where.
    pub at: (i64, i64),
    /// Quarter turns counter-clockwise, 0 to 3.
    pub quarter: u8,
    /// Whether it was mirrored before it was turned.
    pub mirrored: bool,
}

use ShapesOp::{Reflect, Rotate, Translate};

fn rotated((x, y): (i64, i64), quarter: u8) -> (i64, i64) {
    match quarter % 4 {
        0 => (x, y),
        1 => (y.wrapping_neg(), x),
        2 => (x.wrapping_neg(), y.wrapping_neg()),
        _ => (y, x.wrapping_neg()),
    }
}

fn reflected((x, y): (i64, i64), axis: Axis) -> (i64, i64) {
    match axis {
        Axis::X => (x.wrapping_neg(), y),
        Axis::Y => (x, y.wrapping_neg()),
    }
}

impl Semidirect for Shapes {
    const CLASSES: usize = 3;
    type Operation = ShapesOp;
    type Message = ShapesOp;
    type State = Vec<Shape>;

    fn initial(&self) -> Vec<Shape> {
        self.start.iter().map(|at| Shape { at: *at, quarter: 0, mirrored: false }).collect()
    }

    fn prepare(
        &self,
        state: &Vec<Shape>,
        operation: &ShapesOp,
        _: Stamp,
    ) -> Result<ShapesOp, Refused> {
        self.admit(state, operation)?;
        Ok(*operation)
    }

    fn admit(&self, state: &Vec<Shape>, message: &ShapesOp) -> Result<(), Refused> {
        match *message {
            Translate { shape, .. } if shape as usize >= state.len() => {
                Err(Refused::OutOfRange { index: shape as usize, length: state.len() })
            }
            Rotate(quarter) if quarter > 3 => {
                Err(Refused::Meaningless(quarter.into(), "a rotation has 0 to 3 quarter turns"))
            }
            _ => Ok(()),
        }
    }

    fn class(&self, message: &ShapesOp) -> usize {
        match message {
            Translate { .. } => 0,
            Rotate(_) => 1,
            Reflect(_) => 2,
        }
    }

    fn apply(&self, state: &mut Vec<Shape>, _: Stamp, message: &ShapesOp) {
        match *message {
            Translate { shape, by } => {
                let at = &mut state[shape as usize].at;
                *at = (at.0.wrapping_add(by.0), at.1.wrapping_add(by.1));
            }
            Rotate(quarter) => {
                for shape in state {
                    shape.at = rotated(shape.at, quarter);
                    shape.quarter = (shape.quarter + quarter) % 4;
                }
            }
            Reflect(axis) => {
                for shape in state {
                    shape.at = reflected(shape.at, axis);
                    // With X the negation of x and R the quarter turn: X R^q = R^-q X, and that of y is R² X.
                    let turned = if axis == Axis::X { 4 } else { 6 };
                    shape.quarter = (turned - shape.quarter) % 4;
                    shape.mirrored = !shape.mirrored;
                }
            }
        }
    }

    fn act(&self, (_, y): (Stamp, &ShapesOp), (_, x): (Stamp, ShapesOp)) -> Option<ShapesOp> {
        Some(match (*y, x) {
            (Rotate(quarter), Translate { shape, by }) => {
                Translate { shape, by: rotated(by, quarter) }
            }
            (Reflect(axis), Translate { shape, by }) => {
                Translate { shape, by: reflected(by, axis) }
            }
            (Reflect(_), Rotate(quarter)) => Rotate((4 - quarter) % 4),
            (y, x) => unreachable!("{y:?} does not act on {x:?}"),
        })
    }

    fn value(&self, state: &Vec<Shape>) -> Value {
        let shown = |shape: &Shape| {
            Value::map([
                ("x", Value::from(shape.at.0)),
                ("y", Value::from(shape.at.1)),
                ("quarter", Value::from(i64::from(shape.quarter))),
                ("mirrored", Value::from(i64::from(shape.mirrored))),
            ])
        };
        Value::List(state.iter().map(shown).collect())
    }

    fn parse(&self, operation: &Value) -> Result<ShapesOp, Refused> {
        let read = Reader(operation);
        match read.kind() {
            "translate" => {
                let shape = u32::try_from(read.index("shape")?).unwrap_or(u32::MAX);
                Ok(Translate { shape, by: (read.int("dx")?, read.int("dy")?) })
            }
            "rotate_all" => Ok(Rotate(read.int("quarter")?.rem_euclid(4) as u8)),
            "reflect_all" => match read.text("axis")?.as_str() {
                "x" => Ok(Reflect(Axis::X)),
                "y" => Ok(Reflect(Axis::Y)),
                _ => read.unknown("an axis `x` or `y`"),
            },
            _ => read.unknown("an operation `translate`, `rotate_all` or `reflect_all`"),
        }
    }
}

/// A symmetry of the square: first quarter turns, then reflections, each of which undoes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symmetry {
    /// Quarter turns counter-clockwise, 0 to 3.
    quarter: u8,
    /// Whether the first coordinate is negated, and whether the second is.
    reflected: [bool; 2],
}

impl Symmetry {
    /// Whether it reverses the sense of rotation.
    fn mirrors(self) -> bool {
        self.reflected[0] != self.reflected[1]
    }

    /// `quarter` turns on the other side of its reflections.
    fn turned(self, quarter: u8) -> u8 {
        if self.mirrors() { (4 - quarter % 4) % 4 } else { quarter % 4 }
    }

    /// The reflections that it has.
    fn axes(self) -> impl Iterator<Item = Axis> {
        let [x, y] = self.reflected;
        [x.then_some(Axis::X), y.then_some(Axis::Y)].into_iter().flatten()
    }
}

/// Rotations and reflections make up the symmetries of the square: the dihedral group of eight.
impl Framed for Shapes {
    type Frame = Symmetry;

    fn identity(&self) -> Symmetry {
        Symmetry { quarter: 0, reflected: [false; 2] }
    }

    fn inverse(&self, frame: Symmetry) -> Symmetry {
        // (F R)⁻¹ = R⁻¹ F = F (F R⁻¹ F).
        Symmetry { quarter: frame.turned(4 - frame.quarter), ..frame }
    }

    fn turned(&self, mut frame: Symmetry, message: &ShapesOp) -> Symmetry {
        match message {
            Translate { .. } => unreachable!("{message:?} acts on nothing"),
            Rotate(quarter) => frame.quarter = (frame.quarter + quarter) % 4,
            Reflect(Axis::X) => frame.reflected[0] ^= true,
            Reflect(Axis::Y) => frame.reflected[1] ^= true,
        }
        frame
    }

    fn act_by(&self, frame: Symmetry, message: ShapesOp) -> ShapesOp {
        match message {
            Translate { shape, by } => {
                let by = frame.axes().fold(rotated(by, frame.quarter), reflected);
                Translate { shape, by }
            }
            Rotate(quarter) => Rotate(frame.turned(quarter)),
            Reflect(axis) => Reflect(axis),
        }
    }

    fn through(&self, frame: Symmetry, state: &Vec<Shape>) -> Vec<Shape> {
        let mut seen = state.clone();
        // Whose stamp it is makes no difference to a shape.
        let stamp = Stamp { lamport: 0, dot: Dot::NONE };
        self.apply(&mut seen, stamp, &Rotate(frame.quarter));
        frame.axes().for_each(|axis| self.apply(&mut seen, stamp, &Reflect(axis)));
        seen
    }

    fn prepare_in(
        &self,
        frame: Symmetry,
        state: &Vec<Shape>,
        operation: &ShapesOp,
        _: Stamp,
    ) -> Result<ShapesOp, Refused> {
        self.admit(state, operation)?;
        Ok(self.act_by(self.inverse(frame), *operation))
    }
}
