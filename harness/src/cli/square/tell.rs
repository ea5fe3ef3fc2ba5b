//! What came of an upgrade, in words and as JSON.

use std::fmt::Write;

use app::{Body, Incoming, Outgoing, Schema, Value, schema::Field};
use contract::Time;
use serde_json::{Value as Json, json};

use super::super::{
    style::{BAD, BOLD, DIM, GOOD},
    words::{count, counted, time},
};
use crate::square::{Broken, Chain, End, Found, Move, Release, Report, Seen, Side, Upgrade, What};

/// What came of an upgrade.
pub(super) struct Told<'a> {
    pub(super) app: &'a str,
    pub(super) upgrade: &'a Upgrade,
    pub(super) report: &'a Report,
    /// The command that checks it again.
    pub(super) repeat: &'a str,
    /// Ctrl-C was pressed before all of it was tried.
    pub(super) interrupted: bool,
}

impl Told<'_> {
    /// Whether the upgrade was seen to hold.
    pub(super) fn holds(&self) -> bool {
        self.report.holds() && self.shortfall().is_none() && !self.interrupted
    }

    /// Why nothing was shown, where nothing was.
    fn shortfall(&self) -> Option<&'static str> {
        let nothing = self.report.holds() && self.report.effects == 0 && !self.interrupted;
        nothing.then_some("no case had an effect, so nothing was checked; try more --cases")
    }

    /// In words.
    pub(super) fn shown(&self) -> String {
        let (way, report) = (&self.upgrade.way, self.report);
        let (style, verdict) = match (report.holds(), self.shortfall()) {
            (false, _) => (BAD, "broken"),
            (true, Some(_)) => (BAD, "short "),
            (true, None) if self.interrupted => (BAD, "cut   "),
            (true, None) => (GOOD, "holds "),
        };
        let mut text = format!(
            "{style}{verdict}{style:#} {BOLD}{} {} -> {}{BOLD:#}  {} of which {} had an effect",
            self.app,
            way.from.name,
            way.to.name,
            counted(report.cases, "case"),
            count(report.effects),
        );
        if report.failed > 0 {
            write!(text, ", {BAD}{} failed{BAD:#}", count(report.failed)).expect("text grows");
        }
        let paths = self.upgrade.state_chains.len().max(self.upgrade.message_chains.len()) as u64;
        match report.strayed {
            _ if paths < 2 => text += "; one path",
            0 => text += &format!("; {} agree", counted(paths, "path")),
            strayed => {
                let (paths, strayed) = (counted(paths, "path"), count(strayed));
                text += &format!("; {BAD}{paths} disagree on {strayed}{BAD:#}");
            }
        }
        text.push('\n');
        if let Some(why) = self.shortfall() {
            writeln!(text, "       falls short: {why}").expect("text grows");
        }
        for (kind, times) in &report.refused {
            let times = counted(*times, "time");
            writeln!(text, "       {DIM}refuses `{kind}` ({times}), which changes no state{DIM:#}")
                .expect("text grows");
        }
        if report.shown_alike > 0 {
            let cases = counted(report.shown_alike, "case");
            writeln!(
                text,
                "       {DIM}in {cases} states are kept differently and show the same{DIM:#}"
            )
            .expect("text grows");
        }
        for found in &report.found {
            self.story(found, &mut text);
        }
        if !self.holds() {
            writeln!(text, "  {}", self.repeat).expect("text grows");
        }
        text
    }

    fn story(&self, found: &Found, text: &mut String) {
        let mut line = |line: String| writeln!(text, "  {line}").expect("text grows");
        line(format!(
            "{BAD}{}{BAD:#} {DIM}(seed {}: {} came down to {}){DIM:#}",
            found.broken.name(),
            found.seed,
            counted(found.found_with as u64, "move"),
            found.moves.len()
        ));
        for (step, seen) in &found.moves {
            line(format!("  {}", self.step(step, seen)));
        }
        let Seen { before, after, .. } = &found.seen;
        let old = |state: &[u8]| value(state_schema(&self.upgrade.way.from), state).words();
        let new = |state: &[u8]| value(state_schema(&self.upgrade.way.to), state).words();
        line(format!("the state s of {} is {}", found.seen.node, old(before)));
        let message = self.incoming(&found.seen);
        line(format!("the message m is {message}; effect(m, s) is {}", old(after)));
        match &found.broken {
            Broken::Fails { of, why } => line(format!("migrate({}) fails: {why}", side(*of))),
            Broken::Impure { of } => {
                line(format!("migrate({}) gives other bytes the second time", side(*of)));
            }
            Broken::Measure { of, name, before, after } => {
                line(format!("migrate({}) changes `{name}` from {before} to {after}", side(*of)));
            }
            Broken::IllTyped { converted } => {
                line(format!("convert(m) is no message: {converted:?}"));
            }
            Broken::States { converted, expected, found, refused } => {
                line(self.converted(converted.as_ref(), refused.as_ref()));
                line(format!("migrate(effect(m, s))           = {}", new(expected)));
                line(format!("effect'(convert(m), migrate(s)) = {}", new(found)));
            }
            Broken::Said { converted, expected, found, refused } => {
                line(self.converted(converted.as_ref(), refused.as_ref()));
                line(format!("before the upgrade it says {}", self.said(expected)));
                line(format!("after the upgrade it says  {}", self.said(found)));
            }
            Broken::Paths { message, ends } => {
                let what = if message.is_some() { "message" } else { "state" };
                for End { chain, end } in ends.iter() {
                    let end = match end {
                        Ok(bytes) => self.end(message.is_some(), bytes).words(),
                        Err(why) => format!("nowhere: {why}"),
                    };
                    line(format!("edges {chain} take the {what} to {end}"));
                }
            }
        }
    }

    fn converted(&self, converted: Option<&Body>, refused: Option<&String>) -> String {
        let converted = converted.map(|body| body_words(&self.upgrade.way.to, body));
        match (converted, refused) {
            (Some(body), None) => format!("convert(m) is {body}"),
            (Some(body), Some(why)) => format!("convert(m) is {body}, refused: {why}"),
            (None, Some(why)) => format!("{} refuses m: {why}", self.upgrade.way.to.name),
            (None, None) => "m is the same to both".to_owned(),
        }
    }

    /// What a chain leads to.
    fn end(&self, is_message: bool, bytes: &[u8]) -> Shown {
        let to = &self.upgrade.way.to;
        let tagged = bytes.split_first_chunk::<4>().filter(|_| is_message);
        let Some((tag, bytes)) = tagged else { return value(state_schema(to), bytes) };
        let kind = to.program.manifest().message(u32::from_be_bytes(*tag));
        kind.map_or_else(|| Shown::raw(bytes), |kind| value(&kind.schema, bytes))
    }

    fn step(&self, step: &Move, seen: &[Seen]) -> String {
        let node = format!("n{}", step.node);
        match (&step.what, seen.first()) {
            (What::Upgrade, _) => format!("{node} upgrades to {}", self.upgrade.way.from.name),
            (_, Some(seen)) => {
                let at = time(step.at.since(Time::ZERO));
                format!("at {at} {node} takes {}", self.incoming(seen))
            }
            (_, None) => format!("{node} refuses what comes"),
        }
    }

    fn incoming(&self, seen: &Seen) -> String {
        let words = |body: &Body| match self.upgrade.release(&seen.release) {
            Some(release) => body_words(release, body),
            None => format!("{body:?}"),
        };
        match &seen.incoming {
            Incoming::Message { from, body } => format!("{} from {from}", words(body)),
            Incoming::Operation { body, .. } => format!("the client's {}", words(body)),
            Incoming::Tick => "a tick".to_owned(),
            Incoming::Delivered { stamp, past, body } => {
                format!("operation {} after {past}: {}", stamp.dot, words(body))
            }
            Incoming::Stable { clock } => format!("that {clock} is stable"),
        }
    }

    fn said(&self, said: &[Outgoing]) -> String {
        let to = &self.upgrade.way.to;
        let each = said.iter().map(|outgoing| match outgoing {
            Outgoing::Send { to: node, body } => format!("{} to {node}", body_words(to, body)),
            Outgoing::Broadcast { body } => format!("{} to all", body_words(to, body)),
            Outgoing::Reply { result, .. } => {
                format!("{} to the client", Shown::raw(result).words())
            }
        });
        let each: Vec<String> = each.collect();
        if each.is_empty() { "nothing".to_owned() } else { each.join(", ") }
    }

    /// As one line of JSON.
    pub(super) fn json(&self) -> String {
        let (way, report) = (&self.upgrade.way, self.report);
        let names = |chains: &[Chain]| -> Vec<String> {
            chains.iter().map(|chain| chain.name.clone()).collect()
        };
        let failures = report.found.iter().map(|found| self.failure(found));
        let row = json!({
            "format_version": 1,
            "app": self.app,
            "from": way.from.name,
            "to": way.to.name,
            "state_edges": way.states.edges(),
            "message_edges": way.messages.edges(),
            "cases": report.cases,
            "effects": report.effects,
            "refused": report.refused,
            "shown_alike": report.shown_alike,
            "failed": report.failed,
            "state_paths": names(&self.upgrade.state_chains),
            "message_paths": names(&self.upgrade.message_chains),
            "strayed": report.strayed,
            "holds": self.holds(),
            "shortfall": self.shortfall(),
            "interrupted": self.interrupted,
            "failures": failures.collect::<Vec<_>>(),
            "repeat": self.repeat,
        });
        format!("{row}\n")
    }

    fn failure(&self, found: &Found) -> Json {
        let moves = found.moves.iter().map(|(step, seen)| self.step(step, seen));
        let old = |state: &[u8]| value(state_schema(&self.upgrade.way.from), state).json();
        let new = |state: &[u8]| value(state_schema(&self.upgrade.way.to), state).json();
        let to = &self.upgrade.way.to;
        let converted = |body: &Option<Body>| body.as_ref().map(|body| body_json(to, body));
        let how = match &found.broken {
            Broken::Fails { of, why } => json!({ "state": side(*of), "why": why }),
            Broken::Impure { of } => json!({ "state": side(*of) }),
            Broken::Measure { of, name, before, after } => json!({
                "state": side(*of),
                "measure": name,
                "before": before.to_string(),
                "after": after.to_string(),
            }),
            Broken::IllTyped { converted } => json!({ "converted": format!("{converted:?}") }),
            Broken::States { converted: body, expected, found, refused } => json!({
                "converted": converted(body),
                "refused": refused,
                "migrated_after": new(expected),
                "migrated_before": new(found),
            }),
            Broken::Said { converted: body, expected, found, refused } => json!({
                "converted": converted(body),
                "refused": refused,
                "said_before": self.said(expected),
                "said_after": self.said(found),
            }),
            Broken::Paths { message, ends } => {
                let ends = ends.iter().map(|End { chain, end }| match end {
                    Ok(bytes) => json!({
                        "path": chain,
                        "end": self.end(message.is_some(), bytes).json(),
                    }),
                    Err(why) => json!({ "path": chain, "why": why }),
                });
                json!({ "of": if message.is_some() { "message" } else { "state" }, "paths": ends.collect::<Vec<_>>() })
            }
        };
        json!({
            "kind": found.broken.name(),
            "seed": found.seed,
            "found_with_moves": found.found_with,
            "line": found.line,
            "moves": moves.collect::<Vec<_>>(),
            "node": found.seen.node.to_string(),
            "state": old(&found.seen.before),
            "message": self.incoming(&found.seen),
            "state_after": old(&found.seen.after),
            "how": how,
        })
    }
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Before => "s",
        Side::After => "effect(m, s)",
    }
}

fn state_schema(release: &Release) -> &Schema {
    &release.program.manifest().state
}

fn body_words(release: &Release, body: &Body) -> String {
    match release.program.manifest().message(body.tag) {
        Some(kind) => format!("`{}` {}", kind.name, value(&kind.schema, &body.bytes).words()),
        None => format!("{body:?}"),
    }
}

fn body_json(release: &Release, body: &Body) -> Json {
    match release.program.manifest().message(body.tag) {
        Some(kind) => json!({
            "type": kind.name,
            "tag": body.tag,
            "value": value(&kind.schema, &body.bytes).json(),
        }),
        None => json!({ "tag": body.tag, "value": Shown::raw(&body.bytes).json() }),
    }
}

/// A value with its schema, or bytes that are none.
enum Shown {
    Value(Value, Schema),
    Bytes(Vec<u8>),
}

fn value(schema: &Schema, bytes: &[u8]) -> Shown {
    match Value::decode(schema, bytes) {
        Ok(value) => Shown::Value(value, schema.clone()),
        Err(_) => Shown::raw(bytes),
    }
}

impl Shown {
    fn raw(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }

    fn words(&self) -> String {
        match self {
            Self::Value(value, schema) => value.named(schema).to_string(),
            Self::Bytes(bytes) => Value::Bytes(bytes.clone()).to_string(),
        }
    }

    fn json(&self) -> Json {
        match self {
            Self::Value(value, schema) => as_json(value, Some(schema)),
            Self::Bytes(bytes) => Json::from(Value::Bytes(bytes.clone()).to_string()),
        }
    }
}

/// What a field or arm is called, and its schema.
fn named(id: u32, fields: Option<&Vec<Field>>) -> (String, Option<&Schema>) {
    let field = fields.and_then(|fields| fields.iter().find(|field| field.id == id));
    let name = field.map_or_else(|| format!("#{id}"), |field| field.name.to_owned());
    (name, field.map(|field| &field.schema))
}

/// A value as JSON: fields and arms by name, maps as pairs of key and value.
fn as_json(value: &Value, schema: Option<&Schema>) -> Json {
    match value {
        Value::Unit | Value::Option(None) => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Str(value) => Json::from(value.as_str()),
        Value::Bytes(_) => Json::from(value.to_string()),
        Value::Rec(values) => {
            let fields = if let Some(Schema::Rec(fields)) = schema { Some(fields) } else { None };
            let each = values.iter().map(|(id, value)| {
                let (name, schema) = named(*id, fields);
                (name, as_json(value, schema))
            });
            Json::Object(each.collect())
        }
        Value::Var(arm, value) => {
            let arms = if let Some(Schema::Var(arms)) = schema { Some(arms) } else { None };
            let (name, schema) = named(*arm, arms);
            Json::Object([(name, as_json(value, schema))].into_iter().collect())
        }
        Value::List(values) => {
            let of = if let Some(Schema::List(of)) = schema { Some(&**of) } else { None };
            values.iter().map(|value| as_json(value, of)).collect()
        }
        Value::Map(entries) => {
            let (keys, values) = match schema {
                Some(Schema::Map(keys, values)) => (Some(&**keys), Some(&**values)),
                _ => (None, None),
            };
            let pair = |(key, value): (&Value, &Value)| {
                Json::from(vec![as_json(key, keys), as_json(value, values)])
            };
            entries.iter().map(pair).collect()
        }
        Value::Option(Some(value)) => {
            let of = if let Some(Schema::Option(of)) = schema { Some(&**of) } else { None };
            as_json(value, of)
        }
    }
}
