//! The shape of a scenario: its schema, and every place where a text departs from it.
//!
//! The schema comes from the types, so that what is checked, explained and shown in an editor is one
//! thing. Unlike deserialising, the walk goes on after a mistake and finds the others too.

use std::ops::Range;

use schemars::JsonSchema;
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Scenario,
    diagnostic::{Code, Diagnostic, listed, meant},
    units,
};

/// The JSON Schema of scenarios.
///
/// TOML has no null, so neither has the schema: an optional key is one that may be absent.
pub fn schema() -> Value {
    let mut schema = schema_of::<Scenario>();
    schema["title"] = "A simctl scenario".into();
    schema
}

/// The JSON Schema of `T` as a file holds it.
pub(super) fn schema_of<T: JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    drop_nulls(&mut schema);
    schema
}

fn drop_nulls(schema: &mut Value) {
    if let Value::Array(items) = schema {
        items.iter_mut().for_each(drop_nulls);
    }
    let Value::Object(map) = schema else { return };
    if map.get("default").is_some_and(|default| default.is_null() || default.is_object()) {
        map.remove("default");
    }
    if let Some(Value::Array(types)) = map.get("type") {
        let one = types.iter().find(|name| *name != "null").cloned();
        map.insert("type".into(), one.expect("nothing is always null"));
    }
    if let Some(Value::Array(any)) = map.remove("anyOf") {
        let null = |of: &Value| of.get("type").is_some_and(|name| name == "null");
        let one = any.into_iter().find(|of| !null(of)).expect("nothing is always null");
        map.extend(one.as_object().cloned().into_iter().flatten());
    }
    map.values_mut().for_each(drop_nulls);
}

/// Every departure of `table` from `schema`, in the order of the text.
pub(super) fn departures(table: &DeTable<'_>, schema: &Value) -> Vec<Diagnostic> {
    let mut walk = Walk { schema, found: Vec::new() };
    walk.table(table, 0..0, schema, "");
    walk.found.sort_by_key(|found| found.at.as_ref().map(|at| at.start));
    walk.found
}

/// A walk along a text and its schema.
struct Walk<'a> {
    schema: &'a Value,
    found: Vec<Diagnostic>,
}

type Node<'a> = Spanned<DeValue<'a>>;

impl Walk<'_> {
    /// Reports every departure of `table`, at `path`, from `schema`.
    pub(super) fn table(
        &mut self,
        table: &DeTable<'_>,
        at: Range<usize>,
        schema: &Value,
        path: &str,
    ) {
        let root = self.schema;
        let schema = resolve(root, schema);
        let known = schema["properties"].as_object();
        let open = schema.get("additionalProperties");
        // Whoever reads the table knows better what belongs there.
        if open.is_some_and(|open| *open == true) {
            return;
        }
        let open = open.filter(|open| open.is_object());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let inner = join(path, name);
            match (known.and_then(|known| known.get(name)), open) {
                (Some(of), _) | (None, Some(of)) => self.value(value, of, &inner),
                (None, None) => self.unknown_key(name, key.span(), schema, path),
            }
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().expect("the schema names keys");
            if !table.contains_key(name) {
                self.missing_key(name, at.clone(), schema, path);
            }
        }
    }

    fn value(&mut self, node: &Node<'_>, schema: &Value, path: &str) {
        let root = self.schema;
        let schema = resolve(root, schema);
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.choice(node, choices, path);
        }
        match (schema["type"].as_str(), node.get_ref()) {
            (Some("object"), DeValue::Table(table)) => self.table(table, node.span(), schema, path),
            (Some("array"), DeValue::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &schema["items"], &join(path, &index.to_string()));
                }
            }
            (Some("string"), DeValue::String(text)) => self.text(text, node.span(), schema, path),
            (Some("integer"), DeValue::Integer(_)) => self.integer(node, schema, path),
            (Some("boolean"), DeValue::Boolean(_)) => {}
            _ => self.wrong_type(node, schema, path),
        }
    }

    /// An externally tagged enum: a word, or a table with one key.
    fn choice(&mut self, node: &Node<'_>, choices: &[Value], path: &str) {
        let names = || choices.iter().flat_map(names_of);
        match node.get_ref() {
            DeValue::String(word) => {
                if !choices.iter().any(|choice| words_of(choice).any(|name| name == word)) {
                    self.unknown_choice(word, node.span(), choices, path);
                }
            }
            DeValue::Table(table) => {
                let mut keys = table.iter();
                let Some((key, value)) = keys.next() else {
                    let label = format!("expected one of {}", listed(names()));
                    let title = "nothing is chosen".to_owned();
                    return self.push(Code::MissingKey, title, node.span(), label, path, None);
                };
                if let Some((second, _)) = keys.next() {
                    let title = format!(
                        "`{}` and `{}` exclude each other",
                        key.get_ref(),
                        second.get_ref()
                    );
                    let label = "expected one key".to_owned();
                    self.push(Code::Contradiction, title, second.span(), label, path, None);
                }
                let name = key.get_ref().as_ref();
                let of = choices.iter().find_map(|choice| choice["properties"].get(name));
                match of {
                    Some(of) => self.value(value, of, &join(path, name)),
                    None => self.unknown_choice(name, key.span(), choices, path),
                }
            }
            other => {
                let title = format!("expected a choice, found {}", kind(other));
                let label = format!("expected one of {}", listed(names()));
                self.push(Code::WrongType, title, node.span(), label, path, None);
            }
        }
    }

    fn text(&mut self, text: &str, at: Range<usize>, schema: &Value, path: &str) {
        let Some(unit) = schema["format"].as_str() else { return };
        let Some(why) = units::complaint(unit, text) else { return };
        let expected = units::expected(unit).map(|expected| format!("expected {expected}"));
        let help = expected.filter(|expected| *expected != why);
        let title = format!("`{text}` does not belong here");
        self.push(Code::BadQuantity, title, at, why, path, help);
    }

    fn integer(&mut self, node: &Node<'_>, schema: &Value, path: &str) {
        let DeValue::Integer(integer) = node.get_ref() else { return };
        let digits = integer.as_str().replace('_', "");
        let number = i128::from_str_radix(&digits, integer.radix()).ok();
        let bound = |key: &str| schema[key].as_i64().map(i128::from);
        let min = bound("minimum").unwrap_or(0);
        let max = bound("maximum").unwrap_or(match schema["format"].as_str() {
            Some("uint32") => i128::from(u32::MAX),
            // TOML's integers end here.
            _ => i128::from(i64::MAX),
        });
        if number.is_none_or(|number| !(min..=max).contains(&number)) {
            let title = format!("{} is out of range", integer.as_str());
            let label = format!("expected a number from {min} to {max}");
            self.push(Code::BadQuantity, title, node.span(), label, path, None);
        }
    }

    fn wrong_type(&mut self, node: &Node<'_>, schema: &Value, path: &str) {
        let found = kind(node.get_ref());
        let unit = schema["format"].as_str().and_then(units::expected);
        let label = match (schema["type"].as_str(), unit) {
            (_, Some(expected)) => format!("expected {expected}"),
            (Some("object"), _) => "expected a table".to_owned(),
            (Some("array"), _) => "expected a list".to_owned(),
            (Some("string"), _) => "expected text in quotes".to_owned(),
            (Some("integer"), _) => "expected a whole number".to_owned(),
            _ => "expected `true` or `false`".to_owned(),
        };
        let help = unit.and_then(|_| quoted(schema["format"].as_str()?, node.get_ref()));
        let title = format!("{found} does not belong here");
        self.push(Code::WrongType, title, node.span(), label, path, help);
    }

    fn unknown_key(&mut self, name: &str, at: Range<usize>, schema: &Value, path: &str) {
        let known: Vec<&str> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.as_str())
            .collect();
        let label = format!("expected one of {}", listed(known.iter().copied()));
        let help =
            meant(name, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        let title = format!("unknown key `{name}`");
        self.push(Code::UnknownKey, title, at, label, &join(path, name), help);
    }

    fn unknown_choice(&mut self, name: &str, at: Range<usize>, choices: &[Value], path: &str) {
        let names: Vec<&str> = choices.iter().flat_map(names_of).collect();
        let needs_table = choices.iter().any(|choice| choice["properties"].get(name).is_some());
        let label = format!("expected one of {}", listed(names.iter().copied()));
        let help = if needs_table {
            Some(format!("`{name}` takes a value: write `{{ {name} = ... }}`"))
        } else {
            meant(name, names).map(|meant| format!("did you mean `{meant}`?"))
        };
        self.push(Code::UnknownChoice, format!("unknown choice `{name}`"), at, label, path, help);
    }

    fn missing_key(&mut self, name: &str, at: Range<usize>, schema: &Value, path: &str) {
        let about = schema["properties"][name]["description"].as_str().unwrap_or_default();
        let label = format!("expected `{name}` in here");
        let help = (!about.is_empty()).then(|| format!("`{name}`: {about}"));
        self.push(Code::MissingKey, format!("`{name}` is missing"), at, label, path, help);
    }

    fn push(
        &mut self,
        code: Code,
        title: String,
        at: Range<usize>,
        label: String,
        path: &str,
        help: Option<String>,
    ) {
        self.found.push(Diagnostic { code, title, at: Some(at), label, path: shown(path), help });
    }
}

/// How a bare number is written where the unit called `unit` belongs; `None` of what is no number.
fn quoted(unit: &str, found: &DeValue<'_>) -> Option<String> {
    let (text, is_whole) = match found {
        DeValue::Integer(integer) => (integer.as_str(), integer.radix() == 10),
        DeValue::Float(float) => (float.as_str(), false),
        _ => return None,
    };
    let is_plain = is_whole && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(match unit {
        "node" if is_plain => format!("a node is named in quotes: write `\"n{text}\"`"),
        "node" => "a node is named in quotes".to_owned(),
        "version" | "program" => {
            "a version is text with all of its three numbers, in quotes".to_owned()
        }
        "seed" | "factor" => format!("write it in quotes: `\"{text}\"`"),
        _ => "quantities are text with a unit, in quotes".to_owned(),
    })
}

/// The schema that `schema` refers to, or itself.
pub fn resolve<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    let reference = schema["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
    reference.map_or(schema, |name| &root["$defs"][name])
}

/// The names under which `choice` of an externally tagged enum is written.
pub fn names_of(choice: &Value) -> impl Iterator<Item = &str> {
    let keys = choice["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    keys.chain(words_of(choice))
}

/// The words that stand for `choice` alone.
fn words_of(choice: &Value) -> impl Iterator<Item = &str> {
    let several = choice["enum"].as_array().into_iter().flatten();
    choice.get("const").into_iter().chain(several).filter_map(Value::as_str)
}

/// What a value is, for people.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a bare number",
        DeValue::Float(_) => "a bare decimal",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

/// `fault.0.crash.node` as a user reads it: `fault[0].crash.node`.
pub(super) fn shown(path: &str) -> String {
    let mut shown = String::new();
    for step in path.split('.') {
        match step.parse::<usize>() {
            Ok(index) => shown.push_str(&format!("[{index}]")),
            Err(_) if shown.is_empty() => shown.push_str(step),
            Err(_) => shown.push_str(&format!(".{step}")),
        }
    }
    shown
}

/// The path that is [`shown`] so.
pub(super) fn unshown(shown: &str) -> String {
    shown.replace('[', ".").replace(']', "")
}

/// What a step along a path leads into.
#[derive(Clone, Copy)]
enum Place<'t> {
    Root(&'t DeTable<'t>),
    Inner(&'t Node<'t>),
}

impl<'t> Place<'t> {
    fn table(self) -> Option<&'t DeTable<'t>> {
        match self {
            Self::Root(table) => Some(table),
            Self::Inner(node) => node.get_ref().as_table(),
        }
    }

    /// What `step`, a key or an index, leads to from here.
    fn step(self, step: &str) -> Option<&'t Node<'t>> {
        match self {
            Self::Inner(node) if node.get_ref().is_array() => {
                node.get_ref().as_array()?.get(step.parse::<usize>().ok()?)
            }
            _ => self.table()?.get(step),
        }
    }
}

/// How far `path`, such as `fault.0.crash.node`, leads into a text: what is there, and whether that is its end.
fn follow<'t>(table: &'t Spanned<DeTable<'t>>, path: &str) -> (Place<'t>, Range<usize>, bool) {
    let (mut place, mut at) = (Place::Root(table.get_ref()), table.span());
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let Some(next) = place.step(step) else { return (place, at, false) };
        (place, at) = (Place::Inner(next), next.span());
    }
    (place, at, true)
}

/// Whether something stands at `path`.
pub(super) fn leads_somewhere(table: &Spanned<DeTable<'_>>, path: &str) -> bool {
    follow(table, path).2
}

/// The bytes of what `path`, such as `fault.0.crash.node`, leads to; of the nearest thing around it
/// where it leads nowhere.
pub(super) fn locate(table: &Spanned<DeTable<'_>>, path: &str) -> Range<usize> {
    follow(table, path).1
}

/// The bytes of the key that `path` ends with, and otherwise as [`locate`].
pub(super) fn locate_key(table: &Spanned<DeTable<'_>>, path: &str) -> Range<usize> {
    let (around, last) = path.rsplit_once('.').unwrap_or(("", path));
    let (place, _, is_there) = follow(table, around);
    let keys = place.table().filter(|_| is_there);
    let key = keys.and_then(|keys| keys.get_key_value(last)).map(|(key, _)| key.span());
    key.unwrap_or_else(|| locate(table, path))
}
