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

/// What nodes broadcast, by the name of the operation.
pub(super) const BROADCAST: [Word; 4] = [
    (
        "write",
        &[
            "Characters that somebody typed come into the text: one block of them, or several, each with the",
            "identifier that it begins with and the epoch that its node was in; a node in another epoch maps",
            "them to its own. What clients ask for (`type`, `append`, `insert`) is broadcast as `write`. Look",
            "at the goal `integrated-from-older-epoch`, and at C3. More: docs/sequences.md.",
        ],
    ),
    (
        "erase",
        &[
            "Characters leave the text, by their identifiers: whoever does not have them any more does",
            "nothing. What clients ask for (`remove`, `rub-out`) is broadcast as `erase`, and mapped between",
            "epochs as `write` is. More: docs/sequences.md.",
        ],
    ),
    (
        "announce",
        &[
            "Every member is known to have the rename that began this epoch: whoever delivers that is in it,",
            "or beyond, and writes in no older one from then on. Once the announcement is stable in its turn,",
            "what only older epochs need is dropped at each node, former states included. A member that is",
            "silent holds that up. Look at the goal `epoch-collected`, and at C7 with the canary",
            "`notes-collects-delivered`. More: docs/sequences.md.",
        ],
    ),
    (
        "block",
        &[
            "Characters that were typed in a row come into the text together: they share all of their",
            "identifiers but one number. Before 1.1.0 each character was broadcast by itself, as `insert`.",
            "In figures of `simctl evaluate` a block is the longest run of such neighbours that stand side by",
            "side: the more there are, the longer is what must be kept beside the text, until a `rename`.",
            "More: docs/sequences.md.",
        ],
    ),
];

/// Words of results, of stories and of scenarios.
pub(super) const WORDS: [Word; 7] = [
    (
        "diverges",
        &[
            "Of a row of `simctl evaluate`: once nothing was under way any more, two replicas differed in",
            "text, epoch or identifiers. It is a failure. More: docs/sequences-evaluation.md.",
        ],
    ),
    (
        "stops",
        &[
            "Of a row of `simctl evaluate`: a bot could not go on, such as one that was to rename an empty",
            "text, so where the replicas would have ended is not known. It is a failure.",
            "More: docs/sequences-evaluation.md.",
        ],
    ),
    (
        "exceeds",
        &[
            "Of a row of `simctl evaluate` that the papers have: its replicas agree, and more is left beside",
            "the text at the end than may be. It is a failure. More: docs/sequences-evaluation.md.",
        ],
    ),
    (
        "origin",
        &[
            "Of an operation: the member that issued it. `0.27` is the 27th of member 0, and `0'9.27` of a",
            "member that came later, in a life of its own. Of a text with renames: the epoch before all of",
            "them, in which 1.x still writes. More: docs/causal.md, docs/sequences.md.",
        ],
    ),
    (
        "document",
        &[
            "The text that a node of app `notes` has, with what is kept beside it: the identifier of each",
            "character, the epochs that somebody may still write in, each with its former state, and which",
            "names each writer gave. A switch converts all of it, and whoever joins is sent all of it.",
            "More: docs/sequences.md.",
        ],
    ),
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

/// What is said of the operation `name` of this kind beside who has it.
pub(super) fn beside(kind: &str, name: &str) -> Option<String> {
    let words = if kind == "operation of clients" { &OPERATIONS[..] } else { &BROADCAST };
    let (_, lines) = words.iter().find(|(operation, _)| *operation == name)?;
    Some(text(lines))
}

#[cfg(test)]
mod tests {
    use super::{super::explained, *};

    fn in_names(character: char) -> bool {
        character.is_ascii_lowercase() || "-.".contains(character)
    }

    /// A page that a word leads to is there, and so is what it quotes: a goal, a scenario, a key or
    /// whatever else can be explained. No line is wider than help.
    #[test]
    fn words_lead_to_what_there_is() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (word, lines) in OPERATIONS.iter().chain(&BROADCAST).chain(&WORDS) {
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
                assert!(is_there, "{word}: {name}");
            }
            assert!(lines.iter().all(|line| line.chars().count() < 100), "{word}");
        }
    }
}
