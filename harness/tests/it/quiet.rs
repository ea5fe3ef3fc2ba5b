//! `--quiet`: one meaning for all commands. Results stay; notes and progress go.

use crate::support::{HOLDS, VIOLATES, exits, folder};

#[test]
fn quiet_takes_away_notes_and_no_result() {
    let folder = folder(&[("holds.toml", HOLDS), ("gate.toml", VIOLATES)]);
    for (line, code, notes) in [
        ("run holds.toml", 0, false),
        ("run holds.toml --seeds 0..2", 0, false),
        ("run holds.toml --seeds 0..2 --format json", 0, false),
        ("run gate.toml", 1, false),
        ("sweep holds.toml --seeds 0..2", 0, true),
        ("sweep holds.toml --seeds 0..2 --format json", 0, true),
        ("plan holds.toml --seeds 0..2 --out -", 0, true),
        ("shrink gate.toml", 0, true),
        ("view holds.toml --out -", 0, true),
        ("export dot holds.toml --out -", 0, true),
        ("lattice --type int_add_mult --histories 2 --dot none.dot", 0, true),
        ("laws --type g_counter --cases 2", 0, false),
        ("square sessions --cases 2 --format json", 0, true),
        ("check holds.toml", 0, false),
        ("list holds.toml", 0, false),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let told = exits(folder.path(), &arguments, code);
        for quiet in ["-q", "--quiet"] {
            let ran = exits(folder.path(), &[&arguments[..], &[quiet]].concat(), code);
            assert_eq!(ran.bytes, told.bytes, "{line}");
            assert_eq!(ran.err, "", "{line}");
        }
        assert_eq!(!told.err.is_empty(), notes, "{line}: {}", told.err);
        assert!(!told.out.is_empty(), "{line}");
    }
}

#[test]
fn quiet_takes_no_result_from_beside_a_trace() {
    let folder = folder(&[("holds.toml", HOLDS), ("gate.toml", VIOLATES)]);
    for (line, code) in [
        ("run holds.toml --trace -", 0),
        ("run holds.toml --trace - --format json", 0),
        ("run gate.toml --trace -", 1),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let told = exits(folder.path(), &arguments, code);
        let quiet = exits(folder.path(), &[&arguments[..], &["-q"]].concat(), code);
        assert!(told.err.contains("fingerprint"), "{line}: {}", told.err);
        assert_eq!((quiet.bytes, quiet.err), (told.bytes, told.err), "{line}");
    }
    let help = exits(folder.path(), &["run", "--help"], 0).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("and then the result is on standard error"), "{help}");
}

#[test]
fn quiet_silences_no_mistake_and_no_reason() {
    let missing = format!("{HOLDS}\n[expect]\nsometimes = [\"crash-in-drain\"]\n");
    let folder =
        folder(&[("bad.toml", "about = 1"), ("goal.toml", &missing), ("gate.toml", VIOLATES)]);
    for (line, code, why) in [
        ("run bad.toml --quiet", 2, "S0003"),
        ("sweep none.toml --quiet", 2, "No such file"),
        ("report none --quiet", 2, "it is not there"),
        ("run goal.toml --seeds 0..2 --format json --quiet", 1, "crash-in-drain was never reached"),
        ("run gate.toml --trace - --quiet", 1, "is violated"),
    ] {
        let ran = exits(folder.path(), &line.split(' ').collect::<Vec<_>>(), code);
        assert!(ran.err.contains(why), "{line}: {}", ran.err);
    }
}
