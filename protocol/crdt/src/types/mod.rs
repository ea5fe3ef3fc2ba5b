//! The types, one file each.

mod bounds;
mod counters;
mod each;
mod flags;
pub mod list;
pub mod planted;
mod poll;
mod register;
mod resets;
mod sets;
mod shapes;
mod tropical;
mod unique;

pub use bounds::{Bounds, BoundsOp, Kind};
pub use counters::{CounterMap, CounterMapOp};
pub use each::{EachMap, EachMapOp};
pub use flags::{DisableWins, EnableWins, FlagOp};
pub use list::{ListOp, Ranged, Reversible, Rich};
pub use poll::{Poll, PollOp, Records};
pub use register::{OddRegister, Register, RegisterOp, SignedRegister};
pub use resets::{ObservedReset, ResetOp, ResetWins};
pub use sets::{AddWins, RemoveWins, RemoveWinsPure, SetOp};
pub use shapes::{Axis, Shape, Shapes, ShapesOp, Symmetry};
pub use tropical::{Tropical, TropicalOp};
pub use unique::{Element, Registers, Unique, UniqueOp};
