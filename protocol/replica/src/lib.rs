//! One node's brain: every layer of the protocol, composed into one process.
//!
//! Knows nothing of sockets, disks or clocks, and nothing of what an app's messages mean.

pub mod notice;
