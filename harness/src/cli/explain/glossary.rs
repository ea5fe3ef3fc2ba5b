//! Words that a run, a scenario or these docs use and that no list in the code says enough of: what it is, when
//! it happens, what to look at, and which page says more.

/// A word, and what is said of it, line by line.
pub(super) type Word = (&'static str, &'static [&'static str]);

/// What clients ask for, by the name of the operation.
pub(super) const OPERATIONS: [Word; 3] = [
    (
        "rename",
        &[
            "The node names all elements of the text anew: what was many blocks becomes one, and an epoch",
            "begins. Others go on writing meanwhile; what they say of an older epoch is mapped to the new",
            "one, and of renames made at the same time all nodes choose the same one to lead. Ask for it",
            "seldom, in `workload.mix`, and by `workload.clients` at the nodes that may.",
            "Look at the goals `renamed`, `renamed-concurrently`, `integrated-from-older-epoch` and",
            "`epoch-collected`, at C3 and C1, and at the canaries `notes-printed-mapping` and",
            "`notes-reuses-names`. More: docs/sequences.md.",
        ],
    ),
    (
        "tidy",
        &[
            "A `rename` that is made only where it pays: where the node sees a text of at least twelve",
            "blocks. Otherwise the client is answered and nothing is broadcast. Clients may ask for it often.",
            "Look at the goal `renamed`, and with `--trace -` at who begins an epoch; scenario",
            "`notes-renames`. More: docs/sequences.md.",
        ],
    ),
    (
        "rub-out",
        &[
            "The client takes away the one to three characters that stand last in the text that its node",
            "sees, as somebody who corrects a slip. Of an empty text nothing is taken: the client is",
            "answered and nothing is broadcast. `append` and `rub-out` together make names that are gone and",
            "must not be given again: canary `notes-reuses-names`, which C3 sees. More: docs/sequences.md.",
        ],
    ),
];

/// Words of results and of scenarios.
pub(super) const WORDS: [Word; 2] = [
    (
        "refused",
        &[
            "Somebody was told no, or was not heard, and nothing changed. Of clients (`184 refused` of those",
            "that asked): their node is down, runs nothing yet, is no member yet, has no room, or its release",
            "does not take what the client was built for; the client knows and may ask again. That is no",
            "failure: what must be served is a bound, `expect.serving`. Of operations that were broadcast:",
            "what nothing honest explains, such as one clock for two of them. Of upgrades (`refused as",
            "forged`): a release without enough trusted signatures. A message that the gate refuses is",
            "answered and counted as `nacked`. Look at `--trace -`: of clients at kind `command` where a node",
            "`is down and does not hear it`, and at kind `refused`, which says why a node that is up does not",
            "take what they ask; of messages at kinds `not-delivered` and `nacked`, which say why.",
            "More: docs/causal.md, and ARCHITECTURE.md under Rulings.",
        ],
    ),
    (
        "canary",
        &[
            "A scenario that must fail, so that one knows that its invariant still sees what it is for:",
            "`[expect] outcome = { violates = [\"S13\"] }`. `simctl` exits with 0 where these broke, and with 1",
            "where they held. What is wrong on purpose is a planted bug of the protocol (`protocol.plant`,",
            "`simctl explain bugs`) or a variant of an app (`release.variant`, `fleet.runs = \"3.0.0:strays\"`,",
            "`simctl explain variants`). `simctl list` shows them: their claims begin with `Canary:`.",
            "More: docs/planted-bugs.md. The key `release.rollout.canary` is another thing: a share of the",
            "nodes that upgrades first.",
        ],
    ),
];

/// `lines` below each other, each indented but the first.
pub(super) fn text(lines: &[&str]) -> String {
    lines.join("\n  ")
}

/// What is said of the operation `name` beside who has it.
pub(super) fn of_operation(name: &str) -> Option<String> {
    let (_, lines) = OPERATIONS.iter().find(|(operation, _)| *operation == name)?;
    Some(text(lines))
}

#[cfg(test)]
mod tests {
    use super::{super::explained, *};

    /// Kinds of lines that traces have.
    const OF_TRACES: [&str; 2] = ["command", "not-delivered"];

    fn in_names(character: char) -> bool {
        character.is_ascii_lowercase() || "-.".contains(character)
    }

    /// A page that a word leads to is there, and so is what it quotes: a goal, a scenario, a key or
    /// whatever else can be explained. No line is wider than help.
    #[test]
    fn words_lead_to_what_there_is() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (word, lines) in OPERATIONS.iter().chain(&WORDS) {
            let said = lines.join(" ");
            let pages = said.split([' ', ',']).filter(|word| word.contains(".md"));
            let pages: Vec<&str> = pages.map(|page| page.trim_end_matches('.')).collect();
            assert!(!pages.is_empty(), "{word} leads to a page");
            for page in pages {
                assert!(root.join(page).is_file(), "{word}: {page}");
            }
            let quoted = said.split('`').skip(1).step_by(2);
            let quoted = quoted.map(|it| it.strip_prefix("simctl explain ").unwrap_or(it));
            for name in quoted.filter(|it| *it != "simctl" && it.chars().all(in_names)) {
                let is_scenario = root.join(format!("scenarios/{name}.toml")).is_file();
                let is_there = is_scenario || explained(name).is_some();
                assert!(is_there || OF_TRACES.contains(&name), "{word}: {name}");
            }
            assert!(lines.iter().all(|line| line.chars().count() < 100), "{word}");
        }
    }
}
