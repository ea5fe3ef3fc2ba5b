//! `simctl explain`: what a word means. Every text comes from the code that it is about.

use std::path::{Path, PathBuf};

use app::{
    Guarantee, Manifest, MessageType,
    native::{Listed, Registry},
};
use clap::Args;
use serde_json::Value;
use sim::ledger::Injector;
use upgrade::bugs::Bug;

use super::{Exit, Failure, evaluate, load, print, quoted};
use crate::{
    goals::Goal,
    invariants,
    scenario::{
        self, Scenario,
        diagnostic::{Code, meant},
        shape::{names_of, resolve, schema},
        units,
    },
    shell::setting,
    trace,
    visible::visible,
};

mod glossary;

pub(super) const EXAMPLES: &str = "\
Examples:
  simctl explain keys             every key of a scenario
  simctl explain network.latency  one key
  simctl explain crash-in         a fault
  simctl explain S6               an invariant
  simctl explain counter          an app and its versions
  simctl explain strays           a variant: a code that is wrong on purpose
  simctl explain decrement        an operation that clients ask for
  simctl explain announce         an operation that nodes broadcast
  simctl explain major-bump       a scenario of the folder `scenarios`
  simctl explain keep-30000-by-2  a row of the evaluation
  simctl explain volatile-hold    a planted bug
  simctl explain S0004            a diagnostic
  simctl explain carried-out      an event of a trace
  simctl explain exit-codes       what simctl exits with
  simctl explain a.toml           the story of a failure, in causal order
  simctl explain a.toml --seed 7  the failure that this seed shows
  # the same at a point of a sweep's grid
  simctl explain a.toml --seed 7 --set fleet.nodes=5

Lists:
  apps, bugs, diagnostics, events, exit-codes, faults, goals, invariants,
  keys, ledger, operations, units, variants; `simctl list` lists scenarios";

/// Where a scenario is looked for whose name alone is given.
const FOLDERS: [&str; 3] = ["", "scenarios", "scenarios/regress"];

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A key with or without the keys around it, a name, or a list such as `faults`; or a failure: a
    /// scenario that fails by itself, or a file of choices.
    word: String,
    /// The word is a scenario: tell the story of its run with this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Give a key of the scenario another value, as `simctl run --set` does; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

/// Something that can be explained: its name, what kind of thing it is, and a text.
struct Entry {
    name: String,
    kind: &'static str,
    text: String,
}

pub(super) fn carry_out(arguments: &Arguments) -> Result<Exit, Failure> {
    let word = arguments.word.trim();
    if word.is_empty() {
        let lists = LISTS.join(", ");
        return Err(Failure::Usage(format!("expected a word, or one of the lists {lists}")));
    }
    if arguments.seed.is_some() || !arguments.set.is_empty() {
        return super::tell::carry_out(&asked(word)?, arguments.seed, &arguments.set);
    }
    if super::tell::is_a_failure(word) {
        let path = Path::new(word);
        if let Some(text) = row_of(path) {
            print(&text)?;
            return Ok(Exit::Holds);
        }
        return super::tell::carry_out(path, None, &[]);
    }
    let files = [scenario(word), row(word)];
    let texts = match explained(word) {
        // What is wrong with a file is of no interest where the word means something else.
        Some(text) => [text].into_iter().chain(files.into_iter().flatten().flatten()).collect(),
        None => files
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
    };
    if texts.is_empty() {
        return Err(unknown(word));
    }
    print(&texts.join("\n"))?;
    Ok(Exit::Holds)
}

/// The file of the run that `word` names, of which a seed or a key was given.
fn asked(word: &str) -> Result<PathBuf, Failure> {
    if super::tell::is_a_failure(word) || word.contains(std::path::is_separator) {
        return Ok(word.into());
    }
    let why = || {
        let word = visible(word);
        Failure::Usage(format!("{word} is no scenario: --seed and --set are of a run of one"))
    };
    // What is there and is no file, such as a pipe, is refused where it is read.
    let other = || Some(PathBuf::from(word)).filter(|path| path.exists());
    named(word).or_else(other).ok_or_else(why)
}

/// The file of the scenario that is called `word`.
fn named(word: &str) -> Option<PathBuf> {
    let file = |folder: &&str| Path::new(folder).join(format!("{word}.toml"));
    let is_name = !word.is_empty() && !word.contains(std::path::is_separator);
    FOLDERS.iter().map(file).find(|file| is_name && file.is_file())
}

/// What the scenario claims that is called `word`; `None`: none is.
fn scenario(word: &str) -> Result<Option<String>, Failure> {
    let Some(file) = named(word) else { return Ok(None) };
    let loaded = load::load(std::slice::from_ref(&file))?;
    let about = loaded.iter().map(|one| format!("  {}\n", super::claimed(&one.scenario.about)));
    let (about, shown) = (about.collect::<String>(), quoted(&file));
    Ok(Some(format!("{word} (scenario)\n{about}  simctl run {shown}\n")))
}

/// What the row of the evaluation shows that is called `word`; `None`: none is.
fn row(word: &str) -> Result<Option<String>, Failure> {
    let Some((_, row)) = evaluate::named(word)? else { return Ok(None) };
    Ok(Some(told_of_row(word, &row.about, Path::new(word))))
}

/// What the row of the evaluation shows that `path` holds; `None`: it holds none.
fn row_of(path: &Path) -> Option<String> {
    let text = Scenario::text(path).ok()?;
    let name = path.file_stem()?.to_string_lossy().into_owned();
    let row = scenario::row(path, &name, text).ok()?;
    Some(told_of_row(&visible(&name), &row.about, path))
}

fn told_of_row(name: &str, about: &str, evaluated: &Path) -> String {
    let (about, evaluated) = (super::claimed(about), quoted(evaluated));
    format!("{name} (row of the evaluation)\n  {about}\n  simctl evaluate {evaluated}\n")
}

/// Everything that `word` means; `None` where it means nothing.
fn explained(word: &str) -> Option<String> {
    let schema = schema();
    if let Some(list) = list(word, &schema) {
        return Some(list);
    }
    let mut texts: Vec<String> = Vec::new();
    // `3.0.0:strays` is how a variant is named to `simctl square`.
    let variant = word.rsplit_once(':').map_or(word, |(_, variant)| variant);
    let named = entries().into_iter().filter(|entry| {
        let word = if entry.kind == "variant" { variant } else { word };
        entry.name.eq_ignore_ascii_case(word)
    });
    texts.extend(named.map(|entry| format!("{} ({})\n  {}\n", entry.name, entry.kind, entry.text)));
    let keys = keys(&schema);
    let exact: Vec<&Key<'_>> = keys.iter().filter(|key| key.path == plain(word)).collect();
    let last = |key: &&Key<'_>| key.path.rsplit('.').next() == Some(word);
    let found = if exact.is_empty() { keys.iter().filter(last).collect() } else { exact };
    texts.extend(found.into_iter().map(|key| key.explained(&schema)));
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn unknown(word: &str) -> Failure {
    let schema = schema();
    let mut names: Vec<String> = entries().into_iter().map(|entry| entry.name).collect();
    for key in keys(&schema) {
        names.extend(key.path.rsplit('.').next().map(str::to_owned));
        names.push(key.path);
    }
    names.extend(LISTS.map(str::to_owned));
    names.extend(FOLDERS.iter().flat_map(|folder| scenarios(Path::new(folder))));
    names.extend(evaluate::names());
    let meant = meant(word, names.iter().map(String::as_str));
    let help = meant.map_or_else(
        || format!("the lists are {}; `simctl list` lists scenarios", LISTS.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Failure::Usage(format!("nothing is called `{word}`; {help}"))
}

/// The names of the scenarios in `folder`.
fn scenarios(folder: &Path) -> Vec<String> {
    // Where nothing is written the folder is the one that one is in.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
    let files = files.filter(|file| file.extension().is_some_and(|ending| ending == "toml"));
    let name = |file: PathBuf| Some(file.file_stem()?.to_str()?.to_owned());
    files.filter_map(name).collect()
}

/// What a word of a trace is called.
const EVENT: &str = "event of traces";

const LISTS: [&str; 13] = [
    "apps",
    "bugs",
    "diagnostics",
    "events",
    "exit-codes",
    "faults",
    "goals",
    "invariants",
    "keys",
    "ledger",
    "operations",
    "units",
    "variants",
];

fn list(word: &str, schema: &Value) -> Option<String> {
    let kind = match word {
        "apps" => "app",
        "bugs" => "planted bug",
        "diagnostics" => "diagnostic",
        "events" => EVENT,
        "exit-codes" => "exit code",
        "goals" => "goal",
        "invariants" => "invariant",
        "ledger" => "line of the fault ledger",
        "operations" => "app with its operations",
        "units" => "unit",
        "variants" => "variant",
        "faults" => {
            let choices = schema["$defs"]["Fault"]["oneOf"].as_array()?;
            let named = choices
                .iter()
                .flat_map(|choice| names_of(choice).map(|name| (name.to_owned(), about(choice))));
            return Some(table(named.collect()));
        }
        "keys" => {
            let named = keys(schema).into_iter().map(|key| (key.path, key.about));
            return Some(table(named.collect()));
        }
        _ => return None,
    };
    let entries = entries().into_iter().filter(|entry| entry.kind == kind);
    Some(table(entries.map(|entry| (entry.name, entry.text)).collect()))
}

fn entries() -> Vec<Entry> {
    let entry =
        |name: &str, kind, text: &str| Entry { name: name.to_owned(), kind, text: text.to_owned() };
    let mut entries = Vec::new();
    entries.extend(invariants::list().iter().map(|one| entry(one.name, "invariant", one.claim)));
    entries.extend(Goal::ALL.iter().map(|one| entry(one.name(), "goal", one.about())));
    entries.extend(Bug::ALL.map(|bug| entry(bug.name(), "planted bug", bug.about())));
    entries.extend(Code::ALL.map(|code| entry(&code.to_string(), "diagnostic", code.about())));
    entries
        .extend(Exit::ALL.map(|exit| entry(&exit.code().to_string(), "exit code", exit.about())));
    let ledger = Injector::ALL.iter();
    entries.extend(ledger.map(|one| entry(one.name(), "line of the fault ledger", one.about())));
    entries.extend(apps());
    entries.extend(operations());
    entries.extend(variants());
    entries.extend(each_operation());
    entries.extend(each_message());
    let words = glossary::WORDS.iter();
    entries.extend(words.map(|(name, lines)| entry(name, "word", &glossary::text(lines))));
    entries.extend(trace::KINDS.map(|(name, about)| entry(name, EVENT, about)));
    entries.extend(units::all().into_iter().map(|(name, text)| entry(name, "unit", &text)));
    entries
}

/// How a program is named to `simctl square`.
fn program(listed: &Listed) -> String {
    match listed.variant {
        Some(variant) => format!("{}:{variant}", listed.version),
        None => listed.version.to_owned(),
    }
}

/// Each app with its versions.
fn apps() -> Vec<Entry> {
    let registry = Registry::standard();
    let width = registry.list().iter().map(|listed| program(listed).len()).max().unwrap_or(0);
    let mut apps: Vec<Entry> = Vec::new();
    for listed in registry.list() {
        if apps.last().is_none_or(|app| app.name != listed.app) {
            apps.push(Entry { name: listed.app.to_owned(), kind: "app", text: String::new() });
        }
        let app = apps.last_mut().expect("one was just pushed");
        let indent = if app.text.is_empty() { "" } else { "\n  " };
        app.text += &format!("{indent}{:<width$}  {}", program(listed), listed.about);
    }
    apps
}

/// What clients may ask of each app, as `workload.mix` names it: every operation of any version.
fn operations() -> Vec<Entry> {
    let registry = Registry::standard();
    let mut apps: Vec<(&str, Vec<&str>)> = Vec::new();
    for listed in registry.list() {
        if apps.last().is_none_or(|(app, _)| *app != listed.app) {
            apps.push((listed.app, Vec::new()));
        }
        let loaded = registry.program(listed.app, listed.version, listed.variant);
        let (_, known) = apps.last_mut().expect("one was just pushed");
        for operation in loaded.iter().flat_map(|program| program.manifest().operations.iter()) {
            if !known.contains(operation) {
                known.push(operation);
            }
        }
    }
    let kind = "app with its operations";
    let entry = |(app, known): (&str, Vec<&str>)| Entry {
        name: app.to_owned(),
        kind,
        text: known.join(", "),
    };
    apps.into_iter().map(entry).collect()
}

/// Each code of a version beside the plain one.
fn variants() -> Vec<Entry> {
    let registry = Registry::standard();
    let entry = |listed: &Listed| {
        let text = format!("{} {}: {}", listed.app, listed.version, listed.about);
        Some(Entry { name: listed.variant?.to_owned(), kind: "variant", text })
    };
    registry.list().iter().filter_map(entry).collect()
}

/// Each operation that clients may ask for, with the plain versions of each app that have it.
fn each_operation() -> Vec<Entry> {
    each_named("operation of clients", |listed, manifest| match listed.variant {
        None => manifest.operations.clone(),
        Some(_) => Vec::new(),
    })
}

/// Each message that instances send each other, as traces and stories call it: what clients ask for as well is said
/// with that, but where it is broadcast, which is another thing.
fn each_message() -> Vec<Entry> {
    let is_broadcast = |message: &&MessageType| message.guarantee == Guarantee::Causal;
    let mut found = each_named("operation that is broadcast", |_, manifest| {
        manifest.messages.iter().filter(is_broadcast).map(|message| message.name).collect()
    });
    found.extend(each_named("message between nodes", |_, manifest| {
        let others = manifest.messages.iter().filter(|message| !is_broadcast(message));
        let names = others.map(|message| message.name);
        names.filter(|name| !manifest.operations.contains(name)).collect()
    }));
    found
}

/// A `kind` of words that `names` finds in what programs declare, each with the programs of each app that have it.
fn each_named(
    kind: &'static str,
    names: impl Fn(&Listed, &Manifest) -> Vec<&'static str>,
) -> Vec<Entry> {
    let registry = Registry::standard();
    // Each with the app that was named last.
    let mut found: Vec<(Entry, &str)> = Vec::new();
    for listed in registry.list() {
        let (of, version) = (listed.app, program(listed));
        let loaded = registry.program(of, listed.version, listed.variant);
        for name in loaded.iter().flat_map(|program| names(listed, program.manifest())) {
            match found.iter_mut().find(|(entry, _)| entry.name == name) {
                Some((entry, app)) if *app == of => entry.text += &format!(", {version}"),
                Some((entry, app)) => {
                    entry.text += &format!("; {of} {version}");
                    *app = of;
                }
                None => {
                    let (name, text) = (name.to_owned(), format!("of {of} {version}"));
                    found.push((Entry { name, kind, text }, of));
                }
            }
        }
    }
    let more = |(mut entry, _): (Entry, &str)| {
        if let Some(more) = glossary::beside(kind, &entry.name) {
            entry.text += &format!("\n  {more}");
        }
        entry
    };
    found.into_iter().map(more).collect()
}

/// A key of scenarios: the keys around it, joined by dots, and its schema.
struct Key<'s> {
    path: String,
    about: String,
    schema: &'s Value,
    required: bool,
}

impl Key<'_> {
    fn explained(&self, root: &Value) -> String {
        let schema = resolve(root, self.schema);
        let more = about(schema);
        let more = beyond(&more, &self.about);
        // Where the table's own text begins with the key's and says more, it says it alone.
        let own = match self.about.split_once('.') {
            Some((first, rest)) if more.starts_with(first) => rest.trim_start(),
            _ => &self.about,
        };
        let mut shown = format!("{} (scenario key)\n", self.path);
        if !own.is_empty() {
            shown += &format!("  {own}\n");
        }
        if !more.is_empty() && !more.starts_with("Expected:") {
            shown += &format!("  {more}\n");
        }
        let must = if self.required { "must be there" } else { "may be absent" };
        shown += &format!("  {}; {must}\n", expected(root, self.schema));
        let mut inner = Vec::new();
        for choice in schema["oneOf"].as_array().into_iter().flatten() {
            inner.extend(names_of(choice).map(|name| (format!("  {name}"), about(choice))));
        }
        let items = resolve(root, &schema["items"]);
        for table in [schema, items] {
            let keys = table["properties"].as_object().into_iter().flatten();
            let must = |name: &str| if required(table, name) { " Must be there." } else { "" };
            inner.extend(keys.map(|(name, of)| (format!("  {name}"), about(of) + must(name))));
        }
        if inner.is_empty() { shown } else { shown + "\n" + &table(inner) }
    }
}

/// Every key of scenarios, in the order of the schema.
fn keys(root: &Value) -> Vec<Key<'_>> {
    let mut found = Vec::new();
    gather(root, root, "", &mut found);
    found
}

fn gather<'s>(root: &'s Value, schema: &'s Value, path: &str, found: &mut Vec<Key<'s>>) {
    let schema = resolve(root, schema);
    if schema["type"] == "array" {
        return gather(root, &schema["items"], path, found);
    }
    let choices = schema["oneOf"].as_array().into_iter().flatten();
    for table in choices.chain([schema]) {
        let is_choice = !std::ptr::eq(table, schema);
        for (name, of) in table["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let required = !is_choice && required(table, name);
            // A choice says what it means above its one key, any other key beside itself.
            let about = about(if is_choice { table } else { of });
            found.push(Key { path: path.clone(), about, schema: of, required });
            gather(root, of, &path, found);
        }
    }
}

fn required(table: &Value, name: &str) -> bool {
    table["required"].as_array().into_iter().flatten().any(|one| one == name)
}

/// What a value of `schema` looks like.
fn expected(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(unit) = schema["format"].as_str().and_then(units::expected) {
        return unit.to_owned();
    }
    if schema["oneOf"].is_array() {
        return "one of the choices below".to_owned();
    }
    match schema["type"].as_str() {
        Some("array") => format!("a list, each {}", expected(root, &schema["items"])),
        Some("object") => "a table".to_owned(),
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true` or `false`".to_owned(),
        _ => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            (Some(min), Some(max)) => format!("a number from {min} to {max}"),
            (Some(min), None) if min > 0 => format!("a number from {min}"),
            _ => "a number".to_owned(),
        },
    }
}

fn about(schema: &Value) -> String {
    schema["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// What `text` says beyond `said`: it without the sentences that it begins with and that stand there.
fn beyond<'t>(mut text: &'t str, said: &str) -> &'t str {
    while !text.is_empty() {
        let ends = text.find(". ").map_or(text.len(), |stop| stop + 1);
        if !said.contains(&text[..ends]) {
            break;
        }
        text = text[ends..].trim_start();
    }
    text
}

/// `fault[0].crash` names the same key as `fault.crash`.
fn plain(word: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for c in word.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => {}
            _ => plain.push(c),
        }
    }
    plain
}

fn table(rows: Vec<(String, String)>) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    // What goes on in another line stands below its first.
    let below = format!("\n{:width$}  ", "");
    let row = |(name, text): (String, String)| {
        format!("{name:<width$}  {}\n", text.replace("\n  ", &below))
    };
    rows.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_every_name_is_explained() {
        let schema = schema();
        for key in keys(&schema) {
            let text = explained(&key.path).unwrap_or_default();
            let line = text.lines().nth(1).unwrap_or_default().trim();
            assert!(!line.is_empty(), "{} has no text", key.path);
        }
        for entry in entries() {
            assert!(!entry.text.is_empty(), "{} has no text", entry.name);
            assert!(explained(&entry.name).is_some(), "{}", entry.name);
        }
        for word in LISTS {
            assert!(explained(word).is_some_and(|text| text.lines().count() > 1), "{word}");
        }
    }

    /// Stories call messages as programs declare them.
    #[test]
    fn every_message_that_a_story_may_name_is_explained() {
        let registry = Registry::standard();
        for listed in registry.list() {
            let loaded = registry.program(listed.app, listed.version, listed.variant);
            for message in &loaded.expect("it is listed").manifest().messages {
                let text = explained(message.name).unwrap_or_default();
                assert!(
                    text.contains(&format!("of {} ", listed.app))
                        || text.contains(&format!("; {} ", listed.app)),
                    "{}: {text}",
                    message.name
                );
            }
        }
        let announce = explained("announce").unwrap_or_default();
        assert!(announce.starts_with("announce (operation that is broadcast)\n  of notes 2.0.0"));
        let rename = explained("rename").unwrap_or_default();
        assert!(rename.contains("rename (operation of clients)"), "{rename}");
        assert!(rename.contains("rename (operation that is broadcast)"), "{rename}");
        for word in ["origin", "document", "write", "erase", "block"] {
            let lines = explained(word).map_or(0, |text| text.lines().count());
            assert!(lines > 3, "{word} takes more than a line");
        }
    }

    #[test]
    fn a_key_is_found_with_and_without_what_is_around_it() {
        let text = explained("crash-in").unwrap_or_default();
        assert!(text.contains("fault.crash-in (scenario key)"), "{text}");
        assert_eq!(explained("fault[0].crash-in"), explained("fault.crash-in"));
        assert_eq!(explained("no-such-word"), None);
    }

    #[test]
    fn a_variant_and_an_operation_say_whose_they_are() {
        let strays = "strays (variant)\n  counter 3.0.0: its own edge from 1.x disagrees with that of 2.0.0\n";
        assert_eq!(explained("strays").as_deref(), Some(strays));
        assert_eq!(explained("3.0.0:strays"), explained("strays"));
        let underline = "underline (operation of clients)\n  of text 1.1.0\n\n\
                         underline (operation that is broadcast)\n  of text 1.1.0\n";
        assert_eq!(explained("underline").as_deref(), Some(underline));
        let read = explained("put").unwrap_or_default();
        assert!(
            read.contains("  of sessions 1.0.0, 1.1.0, 2.0.0; basket 1.0.0, 2.0.0\n"),
            "{read}"
        );
    }

    #[test]
    fn a_key_repeats_no_sentence_of_what_it_is_a_table_of() {
        let schema = schema();
        for key in keys(&schema) {
            let text = key.explained(&schema);
            let mut sentences: Vec<&str> =
                text.lines().skip(1).take(2).flat_map(|line| line.split(". ")).collect();
            sentences.iter_mut().for_each(|one| *one = one.trim().trim_end_matches('.'));
            let all = sentences.len();
            sentences.sort_unstable();
            sentences.dedup();
            assert_eq!(sentences.len(), all, "{text}");
        }
        let phases = explained("phases").unwrap_or_default();
        assert!(
            phases.starts_with("phases (scenario key)\n  How long a run lasts: a safety phase"),
            "{phases}"
        );
        let causal = explained("causal").unwrap_or_default();
        assert_eq!(causal.matches("How operations are broadcast").count(), 1, "{causal}");
    }
}
