//! The names that a site has given: of each of its bases, the greatest offset ever.
//!
//! It survives renames and removals, so that no name is given twice. A base that it does not know is not gone
//! on with: what of it is left says little of what was given.

/// Offsets by clock of the site.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Ascending by clock.
    given: Vec<(u32, i32)>,
    /// Where the last one was found: most that are asked for are that one again.
    hint: usize,
}

impl Ledger {
    #[inline]
    fn find(&self, clock: u32) -> Result<usize, usize> {
        match self.given.get(self.hint) {
            Some((at, _)) if *at == clock => Ok(self.hint),
            _ => self.find_elsewhere(clock),
        }
    }

    fn find_elsewhere(&self, clock: u32) -> Result<usize, usize> {
        match (self.given.first(), self.given.last()) {
            (Some((first, _)), Some((last, _))) if (*first..=*last).contains(&clock) => {
                // Few clocks are left out: it is there or before.
                let end = self.given.len().min((clock - first) as usize + 1);
                match self.given[end - 1].0 == clock {
                    true => Ok(end - 1),
                    false => self.given[..end].binary_search_by_key(&clock, |(clock, _)| *clock),
                }
            }
            (Some((first, _)), _) if clock < *first => Err(0),
            _ => Err(self.given.len()),
        }
    }

    /// Whether `offset` is the greatest that was given under `clock`. Until another is asked for, `raise` of
    /// this one is cheap.
    #[inline]
    pub(crate) fn is_last(&mut self, clock: u32, offset: i32) -> bool {
        match self.find(clock) {
            Ok(at) => {
                self.hint = at;
                self.given[at].1 == offset
            }
            Err(_) => false,
        }
    }

    /// Notes that offsets up to `offset` were given under `clock`.
    #[inline]
    pub(crate) fn raise(&mut self, clock: u32, offset: i32) {
        match self.find(clock) {
            Ok(at) => {
                self.hint = at;
                self.given[at].1 = self.given[at].1.max(offset);
            }
            Err(at) => {
                self.hint = at;
                self.given.insert(at, (clock, offset));
            }
        }
    }

    /// Notes that `length` offsets more were given under `clock`, of which some were.
    #[inline]
    pub(crate) fn go_on(&mut self, clock: u32, length: u32) {
        match self.given.get_mut(self.hint) {
            Some((at, offset)) if *at == clock => *offset = offset.wrapping_add_unsigned(length),
            _ => self.go_on_elsewhere(clock, length),
        }
    }

    #[cold]
    fn go_on_elsewhere(&mut self, clock: u32, length: u32) {
        self.hint = self.find(clock).expect("names were given under this clock");
        let (_, offset) = &mut self.given[self.hint];
        *offset = offset.wrapping_add_unsigned(length);
    }

    /// Forgets the clocks of which `used` does not hold.
    pub(crate) fn keep(&mut self, used: impl Fn(u32) -> bool) {
        self.given.retain(|(clock, _)| used(*clock));
        self.given.shrink_to_fit();
        self.hint = 0;
    }

    /// The greatest offset that was given under `clock`, where that is known.
    pub(crate) fn last(&self, clock: u32) -> Option<i32> {
        self.find(clock).ok().map(|at| self.given[at].1)
    }

    /// All of it, ascending by clock.
    pub(crate) fn given(&self) -> &[(u32, i32)] {
        &self.given
    }

    /// Bytes of memory that it takes up.
    pub(crate) fn held(&self) -> usize {
        self.given.capacity() * size_of::<(u32, i32)>()
    }
}
