//! The few styles of the output. Whoever prints strips them where the terminal has none.

use clap::builder::styling::{AnsiColor, Style};

/// What matters most.
pub(super) const BOLD: Style = Style::new().bold();
/// What matters least.
pub(super) const DIM: Style = Style::new().dimmed();
/// As it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// As it should not be.
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
