//! Bugs that are planted in replicated types, and who finds them.

use harness::replicated::laws::planted::table;

/// Histories that each checker gets here; the table in the docs was printed with more.
const HISTORIES: u64 = 60;

/// The table in the docs, which the example `planted_types` printed.
const DOCUMENTED: &str = include_str!("../docs/planted-types.md");

#[test]
fn every_planted_bug_is_found_and_the_docs_say_by_whom() {
    let table = table(HISTORIES);
    let documented: Vec<Vec<&str>> = DOCUMENTED
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .skip(2)
        .collect();
    assert_eq!(documented.len(), table.len(), "a row for each, and no other");
    for (row, documented) in table.iter().zip(documented) {
        let found = row.found();
        assert!(found.iter().any(|(_, found)| found.is_some()), "{row:?}");
        assert_eq!(documented[..2], [row.bug, row.kind], "{row:?}");
        assert_eq!(documented.len(), 2 + found.len(), "{documented:?}");
        for ((checker, found), cell) in found.into_iter().zip(&documented[2..]) {
            // What was not found here may have been found later there.
            let there = cell.parse().ok().filter(|history| *history <= HISTORIES);
            assert_eq!(there, found, "{} in {}, by {checker}: `{cell}`", row.bug, row.kind);
        }
        // Replicas that agree on nonsense are seen by what looks at more than agreement.
        if row.bug == "acts-with-all" {
            assert_eq!((row.values, row.states, row.laws), (None, None, None), "{row:?}");
            assert!(row.meaning.is_some(), "{row:?}");
        }
    }
}
