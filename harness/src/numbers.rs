//! Numbers as people read them.

pub(crate) use plots::count;

/// `1 node`, `2 nodes`, `2 histories`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let number_shown = count(number);
    match noun.strip_suffix("ry") {
        _ if number == 1 => format!("{number_shown} {noun}"),
        Some(stem) => format!("{number_shown} {stem}ries"),
        None => format!("{number_shown} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_plural_and_thousands_stand_apart() {
        assert_eq!([1, 2, 1_000].map(|n| counted(n, "node")), ["1 node", "2 nodes", "1,000 nodes"]);
        assert_eq!([1, 2].map(|n| counted(n, "history")), ["1 history", "2 histories"]);
    }
}
