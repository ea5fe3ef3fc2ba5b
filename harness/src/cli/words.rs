//! Numbers as people read them.

pub(super) use crate::{
    numbers::{count, counted},
    trace::time,
};
