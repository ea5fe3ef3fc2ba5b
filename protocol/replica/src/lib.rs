//! One node's brain: every layer of the protocol, composed into one process.
//!
//! Outside to inside, on receive: reliable link, release gossip and transfer | gate, hold,
//! conversion, app. One input is one transaction: its durable changes are one record, and nothing
//! that depends on it shows before the record is durable. Recovery replays the records.
//!
//! Knows nothing of sockets, disks or clocks, and nothing of what an app's messages mean.

mod codec;
pub mod command;
pub mod message;
pub mod notice;
pub mod settings;
pub mod status;

pub use command::{Command, Timer};
pub use message::Message;
pub use notice::{MessageId, Notice};
pub use settings::Settings;
pub use status::{Status, Waiting};
