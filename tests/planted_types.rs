//! Bugs that are planted in replicated types, and who finds them.

use harness::replicated::laws::planted::table;

#[test]
fn every_planted_bug_is_found() {
    for row in table(60) {
        let by: Vec<_> = row.found().into_iter().filter(|(_, found)| found.is_some()).collect();
        assert!(!by.is_empty(), "{row:?}");
        // Replicas that agree on nonsense are seen by what looks at more than agreement.
        if row.bug == "acts-with-all" {
            assert_eq!((row.values, row.states, row.laws), (None, None, None), "{row:?}");
            assert!(row.meaning.is_some(), "{row:?}");
        }
    }
}
