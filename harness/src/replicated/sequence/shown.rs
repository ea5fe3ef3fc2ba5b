//! What a replica shows, in the words of the file.

use sequence::{EpochId, Identifier, Interval, Path, Tuple};

/// What is compared with a file, and told where it differs.
pub(super) trait Shown: PartialEq {
    /// As a file has it; an epoch, which files count by its operation, as the rename that began it.
    fn shown(&self) -> String;
}

impl Shown for String {
    fn shown(&self) -> String {
        format!("{self:?}")
    }
}

impl Shown for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for usize {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for EpochId {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Tuple {
    fn shown(&self) -> String {
        format!("[{}, {}, {}, {}]", self.position, self.site, self.clock, self.offset)
    }
}

impl Shown for Identifier {
    fn shown(&self) -> String {
        self.tuples().collect::<Vec<_>>().shown()
    }
}

impl Shown for Interval {
    fn shown(&self) -> String {
        format!("{{\"id\": {}, \"end\": {}}}", self.first.shown(), self.end)
    }
}

impl Shown for Path {
    fn shown(&self) -> String {
        let (revert, apply) = (self.revert.shown(), self.apply.shown());
        format!("{{\"lca\": {}, \"revert\": {revert}, \"apply\": {apply}}}", self.meet)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> String {
        format!("[{}]", self.iter().map(Shown::shown).collect::<Vec<_>>().join(", "))
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Shown::shown)
    }
}
