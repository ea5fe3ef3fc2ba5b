//! What must happen in a run for a planted bug to show: a scenario in which all is well, and what is changed in it.

use std::path::Path;

use harness::scenario::Scenario;
use upgrade::bugs::Bug;

/// A text, and what stands in its place.
pub type Edit = (&'static str, &'static str);

/// A scenario for a bug to show in.
#[derive(Clone, Copy, Debug)]
pub struct Story {
    /// The scenario, which has a table `[protocol]`.
    pub plain: &'static str,
    /// What is changed in it.
    pub edits: &'static [Edit],
    /// Lines at its end.
    pub more: &'static str,
}

impl Story {
    /// The scenario, with `bug` planted in it if there is one.
    ///
    /// # Panics
    ///
    /// Where the story is wrong.
    pub fn scenario(&self, bug: Option<Bug>) -> Scenario {
        let edited = |text: String, (from, to): &Edit| {
            assert!(text.contains(from), "`{from}` is somewhere");
            text.replace(from, to)
        };
        let mut text = self.edits.iter().fold(self.plain.to_owned(), edited) + self.more;
        if let Some(bug) = bug {
            text = text.replace("[protocol]", &format!("[protocol]\nplant = [\"{bug}\"]"));
        }
        Scenario::parse(Path::new("planted.toml"), text)
            .unwrap_or_else(|rejected| panic!("{}", rejected.rendered()))
    }
}

/// A 2.0.0 whose migration fails where a node counted an odd number: it may pass its dry run and fail
/// when it is its turn.
pub const ODD: Edit = ("version = \"2.0.0\"", "version = \"2.0.0\"\nvariant = \"fails-on-odd\"");
/// A migration that costs more than it may.
pub const DEAR: Edit =
    ("version = \"2.0.0\"", "version = \"2.0.0\"\nbudget = { fuel = 1, state = \"1 MiB\" }");
/// A hold that two messages fill.
pub const FULL: Edit = ("[protocol]", "[protocol]\nhold = { messages = 2 }");
/// A node that believes strangers.
pub const HOSTILE: Edit = ("[fleet]", "[fleet]\nhostile = [\"n3\"]");
/// From 1.0.0 to 1.4.0, which is of the same class.
pub const MINOR: &[Edit] = &[("1.4.0", "1.0.0"), ("version = \"2.0.0\"", "version = \"1.4.0\"")];
/// From 1.5.0 to 2.1.0, whose nodes ask each other for the map without a release: past what waits.
pub const ASKS: &[Edit] = &[
    ("1.4.0", "1.5.0"),
    ("version = \"2.0.0\"", "version = \"2.1.0\""),
    ("add = 8", "add = 8, ask = 4"),
];
/// An app that goes by who is there.
pub const SESSIONS: &[Edit] = &[
    ("counter", "sessions"),
    ("1.4.0", "1.1.0"),
    ("increment = 2, add = 8", "put = 5, login = 5"),
];
/// Nodes may refuse 2.0.0.
pub const REFUSED: &str = "[expect]\nquarantined = [\"2.0.0\"]\n";
