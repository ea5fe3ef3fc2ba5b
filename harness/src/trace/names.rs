//! What the messages of a scenario's app are called: traces have their tags, people know their names.

use std::collections::BTreeMap;

use app::native::Registry;

use crate::scenario::Scenario;

/// Names of messages and operations, by tag.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// `None` where two releases do not agree.
    by_tag: BTreeMap<u32, Option<&'static str>>,
}

impl Names {
    /// As the releases of `scenario` declare them.
    pub fn of(scenario: &Scenario) -> Self {
        let registry = Registry::standard();
        let mut names = Self::default();
        for (version, variant) in scenario.programs() {
            let program = registry.program(&scenario.app, &version.to_string(), variant);
            for message in program.iter().flat_map(|program| &program.manifest().messages) {
                names.add(message.tag, message.name);
            }
        }
        names
    }

    fn add(&mut self, tag: u32, name: &'static str) {
        let known = self.by_tag.entry(tag).or_insert(Some(name));
        *known = known.filter(|known| *known == name);
    }

    /// `text` of a trace as people read it: what a client asks for is called by the client and how many times
    /// it asked before, as choices call it, and a tag by its name.
    pub fn told(&self, text: &str) -> String {
        self.put_into(&with_clients(text))
    }

    /// `text` of a trace with names in the place of tags: `, #17 in 1 byte` is about an `add`.
    fn put_into(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('#') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            // Releases and the counts of clients have a sign like it, and other words before.
            let is_tag = before.ends_with(", ") || before.ends_with("converted to ");
            let tag = after[..digits].parse().ok().filter(|_| is_tag);
            told.push_str(before);
            match tag.and_then(|tag: u32| self.by_tag.get(&tag).copied().flatten()) {
                Some(name) => told.push_str(&format!("`{name}`")),
                None => told.push_str(&rest[at..=at + digits]),
            }
            rest = &after[digits..];
        }
        told + rest
    }
}

/// `text` with operations named by their client and how many times it asked before, as choices are.
fn with_clients(text: &str) -> String {
    const WORD: &str = "operation ";
    let Some(at) = text.find(WORD).map(|at| at + WORD.len()) else { return text.to_owned() };
    let rest = &text[at..];
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    // A broadcast operation has an origin before its number, and that is its name.
    let is_name = rest[digits..].starts_with(['.', '\'']);
    match rest[..digits].parse() {
        Ok(id) if !is_name => {
            let (client, index) = crate::workload::asked(id);
            format!("{}c{client} #{index}{}", &text[..at], &rest[digits..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_as_choices_are() {
        let id = 3_u64 << 40 | 27;
        let said = with_clients(&format!("takes in operation {id}, #17 in 1 byte"));
        assert_eq!(said, "takes in operation c3 #26, #17 in 1 byte");
        assert_eq!(with_clients("refuses operation x"), "refuses operation x");
        for name in ["operation 3.27, #1 in 1 byte", "operation 3'9.27: it is newer"] {
            assert_eq!(with_clients(name), name, "a broadcast operation has its own name");
        }
        assert_eq!(with_clients("crashes, down for 1s"), "crashes, down for 1s");
    }

    #[test]
    fn tags_have_the_names_that_releases_declare() {
        let mut names = Names::default();
        for (tag, name) in [(7, "map"), (17, "add"), (17, "add"), (21, "add"), (4, "a"), (4, "b")] {
            names.add(tag, name);
        }
        let told = |text| names.put_into(text);
        assert_eq!(
            told("takes in operation c2 #17, #17 in 1 byte converted to #21 in 2 bytes"),
            "takes in operation c2 #17, `add` in 1 byte converted to `add` in 2 bytes"
        );
        assert_eq!(
            told("holds message 1.1 from n2 of 2.0.0#7d69d70c, #7: it is newer"),
            "holds message 1.1 from n2 of 2.0.0#7d69d70c, `map`: it is newer"
        );
        assert_eq!(
            told("sends, #4 in 9 bytes, #5 in 1 byte"),
            "sends, #4 in 9 bytes, #5 in 1 byte"
        );
        assert_eq!(told("ends in a sign, #"), "ends in a sign, #");
    }
}
