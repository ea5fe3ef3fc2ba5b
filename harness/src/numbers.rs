//! Numbers as people read them.

pub(crate) use plots::count;

/// `1 node`, `2 nodes`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_plural_and_thousands_stand_apart() {
        assert_eq!([1, 2, 1_000].map(|n| counted(n, "node")), ["1 node", "2 nodes", "1,000 nodes"]);
    }
}
