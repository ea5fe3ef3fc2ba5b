//! A file of choices: everything about one run that was not benign, so that it can be repeated.
//!
//! TOML with one choice a line. It names the scenario and its hash, the seed and the build, and what came
//! of the run. A digest over all of it tells a file that was cut off or damaged from one that somebody
//! edited: whoever edits one deletes the line with the digest.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use contract::{Aspect, Occasion};
use serde::{Deserialize, Serialize};
use sim::choices::Decision;
use toml::Spanned;
use xxhash_rust::xxh3::xxh3_64;

use super::Words;
use crate::{
    file,
    scenario::{
        Text,
        diagnostic::{Code, Diagnostic, Rejected},
    },
    shell,
    signature::Signature,
};

/// The format that is written and read.
pub const FORMAT: u32 = 1;
/// The longest file that is read into memory.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// Mistakes of one file that are told in full; the others are counted.
const MISTAKES_MAX: usize = 20;

/// What a file of choices holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceFile {
    /// The scenario's file.
    pub scenario: PathBuf,
    /// A hash of the scenario's text.
    pub scenario_hash: String,
    /// Keys of the scenario that had other values than its text says.
    pub settings: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// What it was recorded with.
    pub build: String,
    /// The fingerprint of the run.
    pub fingerprint: String,
    /// What came of it: `holds`, `violates` or `falls-short`.
    pub verdict: String,
    /// How it failed; `None`: no invariant broke.
    pub violation: Option<Signature>,
    /// The choices, a line each.
    pub choices: Vec<String>,
}

/// A file of choices that cannot be used. Nothing was run.
pub type FileError = Box<Rejected>;

/// A file of choices that was read, with the places of its choices.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it holds.
    pub file: ChoiceFile,
    path: PathBuf,
    text: String,
    places: Vec<Range<usize>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Shape {
    format: u32,
    scenario: String,
    scenario_hash: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settings: Vec<String>,
    seed: Text<u64>,
    build: String,
    fingerprint: String,
    verdict: String,
    violation: Option<Violation>,
    recorded: Recorded,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Violation {
    signature: String,
    invariant: String,
    text: String,
    shape: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Recorded {
    digest: Option<String>,
    choices: Vec<Spanned<String>>,
}

impl ChoiceFile {
    /// The file's text.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# The choices of one run that are not benign. `simctl replay` repeats it.\n\
             # Whoever edits this file deletes the line with the digest.\n",
        );
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        text += &format!("format = {FORMAT}\n");
        let keys = [
            ("scenario", self.scenario.display().to_string()),
            ("scenario-hash", self.scenario_hash.clone()),
            ("seed", self.seed.to_string()),
            ("build", self.build.clone()),
            ("fingerprint", self.fingerprint.clone()),
            ("verdict", self.verdict.clone()),
        ];
        for (key, value) in keys {
            text += &format!("{key} = {}\n", quoted(&value));
        }
        if !self.settings.is_empty() {
            let each = self.settings.iter().map(|(key, value)| quoted(&format!("{key}={value}")));
            text += &format!("settings = [{}]\n", each.collect::<Vec<_>>().join(", "));
        }
        if let Some(violation) = &self.violation {
            text += &format!(
                "\n[violation]\nsignature = {}\ninvariant = {}\ntext = {}\nshape = {}\n",
                quoted(&violation.id()),
                quoted(&violation.invariant),
                quoted(&violation.text),
                quoted(&violation.shape),
            );
        }
        text += &format!("\n[recorded]\ndigest = {}\nchoices = [\n", quoted(&self.digest()));
        for line in &self.choices {
            text += &format!("  {},\n", quoted(line));
        }
        text + "]\n"
    }

    /// A hash over all that the file says.
    fn digest(&self) -> String {
        let Self { scenario, scenario_hash, seed, build, fingerprint, verdict, .. } = self;
        let mut text = format!(
            "{}\n{scenario_hash}\n{seed}\n{build}\n{fingerprint}\n{verdict}\n",
            scenario.display()
        );
        for (key, value) in &self.settings {
            text += &format!("set {key}={value}\n");
        }
        if let Some(violation) = &self.violation {
            text += &format!("{violation}\n");
        }
        text += &self.choices.join("\n");
        format!("{:016x}", xxh3_64(text.as_bytes()))
    }

    /// Reads the file `path`. Errors: where it is wrong, and how much of it could be read.
    pub fn open(path: &Path) -> Result<Opened, FileError> {
        let unreadable = |why: String| Box::new(Rejected::whole(path, Code::Unreadable, why, None));
        let fail = |error: std::io::Error| unreadable(format!("the file cannot be read: {error}"));
        let bytes = file::read(path, FILE_BYTES_MAX).map_err(fail)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let good = String::from_utf8_lossy(&error.as_bytes()[..at]).into_owned();
            let title = format!("the file is not UTF-8: its first bad byte is number {}", at + 1);
            let help = Some(recovered(&good));
            Box::new(Rejected::whole(path, Code::NotUtf8, title, help))
        })?;
        Self::parse(path, text)
    }

    /// As [`ChoiceFile::open`], for a text that is said to be in the file `path`.
    pub fn parse(path: &Path, text: String) -> Result<Opened, FileError> {
        let reject = |code, title: String, at, label: String| {
            let help = Some(recovered(&text));
            let diagnostic = Diagnostic { code, title, at, label, path: String::new(), help };
            let (file, text) = (path.to_owned(), text.clone());
            Box::new(Rejected { file, text, diagnostics: vec![diagnostic] })
        };
        let shape: Shape = toml::from_str(&text).map_err(|error| {
            let title = match toml::de::DeTable::parse(&text) {
                Err(_) => "the file of choices is damaged or breaks off",
                Ok(_) => "this is not a file of choices as `simctl run --record` writes them",
            };
            reject(Code::NotToml, title.to_owned(), error.span(), error.message().to_owned())
        })?;
        if shape.format != FORMAT {
            let title = format!("the file has format {}", shape.format);
            let label = format!("expected format {FORMAT}: record the run again");
            return Err(reject(Code::BadQuantity, title, place(&text, "format"), label));
        }
        let settings: Result<_, _> = shape.settings.iter().map(|one| shell::setting(one)).collect();
        let settings = settings.map_err(|expected| {
            let title = "a setting of the file does not read".to_owned();
            let at = place(&text, "settings");
            reject(Code::BadQuantity, title, at, expected.to_owned())
        })?;
        let places = shape.recorded.choices.iter().map(Spanned::span).collect();
        let signature = |one: &Violation| Signature {
            invariant: one.invariant.clone(),
            text: one.text.clone(),
            shape: one.shape.clone(),
        };
        let choices = shape.recorded.choices.into_iter().map(Spanned::into_inner);
        let file = Self {
            scenario: shape.scenario.into(),
            scenario_hash: shape.scenario_hash,
            settings,
            seed: *shape.seed,
            build: shape.build,
            fingerprint: shape.fingerprint,
            verdict: shape.verdict,
            violation: shape.violation.as_ref().map(signature),
            choices: choices.collect(),
        };
        if let Some(digest) = shape.recorded.digest
            && digest != file.digest()
        {
            let title = "the file is not as it was written".to_owned();
            let label = format!("expected `{}`, or no digest in an edited file", file.digest());
            return Err(reject(Code::Contradiction, title, place(&text, "digest"), label));
        }
        Ok(Opened { file, path: path.to_owned(), text, places })
    }
}

impl Opened {
    /// The choices, as the simulator takes them. Errors: those that do not read, and those that another
    /// line contradicts.
    pub fn decisions(&self, words: &Words) -> Result<Vec<Decision>, FileError> {
        let (mut decisions, mut wrong) = (Vec::new(), 0);
        let mut settled: BTreeMap<(Occasion, Aspect), (u64, usize)> = BTreeMap::new();
        let mut diagnostics = Vec::new();
        for (index, (line, place)) in self.file.choices.iter().zip(&self.places).enumerate() {
            let read = words.read(line).map_err(|error| {
                // One quote stands before the line. Where it has escapes, its parts are elsewhere.
                let part = place.start + 1 + error.at.start..place.start + 1 + error.at.end;
                let exact = self.text.get(part.clone()) == line.get(error.at.clone());
                let at = if exact { part } else { place.clone() };
                let title = format!("`{line}` is no choice of this scenario");
                (Code::BadChoice, title, at, error.to_string())
            });
            let read = read.and_then(|read| {
                for decision in &read {
                    let key = (decision.occasion, decision.aspect);
                    let (value, first) = *settled.entry(key).or_insert((decision.value, index));
                    if value != decision.value {
                        let title = format!("`{line}` contradicts another choice");
                        let label = format!("expected as in `{}`", self.file.choices[first]);
                        return Err((Code::Contradiction, title, place.clone(), label));
                    }
                }
                Ok(read)
            });
            match read {
                Ok(read) => decisions.extend(read),
                Err((code, title, at, label)) => {
                    wrong += 1;
                    if wrong <= MISTAKES_MAX {
                        let (at, path) = (Some(at), String::new());
                        diagnostics.push(Diagnostic { code, title, at, label, path, help: None });
                    }
                }
            }
        }
        let Some(last) = diagnostics.last_mut() else { return Ok(decisions) };
        let all = self.file.choices.len();
        let more = match wrong.saturating_sub(MISTAKES_MAX) {
            0 => String::new(),
            more => format!("and {more} more; "),
        };
        last.help = Some(format!("{more}{} of {all} choices could be read", all - wrong));
        let (file, text) = (self.path.clone(), self.text.clone());
        Err(Box::new(Rejected { file, text, diagnostics }))
    }
}

/// Where the line that gives `key` its value is.
fn place(text: &str, key: &str) -> Option<Range<usize>> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with(key) {
            return Some(start..start + line.trim_end().len());
        }
        start += line.len();
    }
    None
}

/// What can still be made of a damaged file.
fn recovered(text: &str) -> String {
    let whole = text.lines().filter(|line| {
        let line = line.trim();
        let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix("\","));
        // Kinds of operation are known only with the scenario; no kind is judged here.
        quoted.is_some_and(|line| match Words::default().read(line) {
            Ok(_) => true,
            Err(error) => line.starts_with("op ") && error.expected.contains("kind of operation"),
        })
    });
    // A line that was damaged is no TOML; what reads may still say anything.
    let value = |key: &str| {
        let line = text
            .lines()
            .find(|line| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = ")))?;
        toml::from_str::<toml::Table>(line).ok()?.remove(key)
    };
    let scenario =
        value("scenario").and_then(|path| Some(shell::quoted(Path::new(path.as_str()?))));
    let seed = value("seed").and_then(|seed| seed.as_str()?.parse::<u64>().ok());
    let list = value("settings");
    let list = list.as_ref().and_then(|list| list.as_array()).into_iter().flatten();
    let set: Vec<_> = list.filter_map(|one| shell::setting(one.as_str()?).ok()).collect();
    let again = match (scenario, seed) {
        (Some(scenario), Some(seed)) => {
            let set = shell::settings(&set);
            format!("; to record it again: simctl run {scenario} --seed {seed}{set} --record FILE")
        }
        _ => String::new(),
    };
    format!("{} choices could be read{again}", whole.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> ChoiceFile {
        ChoiceFile {
            scenario: "scenarios/a \"quoted\" one.toml".into(),
            scenario_hash: "00ff".to_owned(),
            settings: vec![("fleet.nodes".to_owned(), "5".to_owned())],
            seed: u64::MAX,
            build: "0.0.0".to_owned(),
            fingerprint: "abcd".to_owned(),
            verdict: "violates".to_owned(),
            violation: Some(Signature {
                invariant: "S6".to_owned(),
                text: "A took a message of B".to_owned(),
                shape: "under faults, one node".to_owned(),
            }),
            choices: vec![
                "send n0->n1 #3 lost".to_owned(),
                "op c0 #1 asked, kind = add".to_owned(),
            ],
        }
    }

    fn rejected(text: String) -> Rejected {
        *ChoiceFile::parse(Path::new("c.toml"), text).expect_err("it is damaged")
    }

    #[test]
    fn a_file_reads_back_as_written() {
        let opened = ChoiceFile::parse(Path::new("c.toml"), file().text()).unwrap();
        assert_eq!(opened.file, file());
        let words = Words { kinds: vec!["add".to_owned()] };
        assert_eq!(opened.decisions(&words).unwrap().len(), 3);
    }

    #[test]
    fn a_file_that_breaks_off_says_how_much_could_be_read() {
        let text = file().text();
        let cut = text.find("  \"op").unwrap() + 9;
        let rejected = rejected(text[..cut].to_owned());
        let help = rejected.diagnostics[0].help.clone().unwrap_or_default();
        assert!(help.starts_with("1 choices could be read; to record it again"), "{help}");
        assert!(rejected.to_string().starts_with("c.toml:"), "{rejected}");
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_seen() {
        let text = file().text();
        for cut in 0..text.len() - 1 {
            assert!(
                ChoiceFile::parse(Path::new("c.toml"), text[..cut].to_owned()).is_err(),
                "{cut}"
            );
        }
        let from = text.find("format").unwrap();
        for at in from..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(bytes).unwrap();
            let read = ChoiceFile::parse(Path::new("c.toml"), changed);
            // Blanks between values say nothing.
            assert!(read.is_err() || read.unwrap().file == file(), "{at}: {}", &text[at..]);
        }
    }

    #[test]
    fn an_edited_file_reads_without_its_digest() {
        let edited = file().text().replace("#3", "#4");
        assert!(rejected(edited.clone()).to_string().contains("not as it was written"));
        let digest = edited.lines().find(|line| line.starts_with("digest")).unwrap();
        let opened = ChoiceFile::parse(Path::new("c.toml"), edited.replace(digest, "")).unwrap();
        assert_eq!(opened.file.choices[0], "send n0->n1 #4 lost");
    }

    #[test]
    fn what_a_damaged_file_says_is_quoted_in_the_command_that_records_it_again() {
        let said = |scenario: &str| recovered(&format!("scenario = {scenario}\nseed = \"7\"\ncho"));
        assert!(
            said("\"a b.toml; rm x\"").contains("simctl run 'a b.toml; rm x' --seed 7 --record")
        );
        assert_eq!(
            recovered("scenario = \"a.toml\"\nseed = \"7; x\"\n"),
            "0 choices could be read"
        );
    }

    #[test]
    fn a_line_with_escapes_that_does_not_read_is_shown_as_a_whole() {
        let text = file().text();
        let damaged = text.replace("choices = [\n", "choices = [\n  \"\\tü bad\",\n");
        let damaged: String = damaged
            .lines()
            .filter(|line| !line.starts_with("digest"))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_ne!(damaged, text);
        let opened = ChoiceFile::parse(Path::new("c.toml"), damaged).unwrap();
        let said = opened.decisions(&Words::default()).unwrap_err().to_string();
        assert!(said.contains("is no choice of this scenario"), "{said}");
    }

    #[test]
    fn lines_that_contradict_each_other_are_refused_and_the_same_line_twice_is_not() {
        let opened = |second: &str| {
            let mut file = file();
            file.choices = vec!["send n0->n1 #3 latency = 2ms".to_owned(), second.to_owned()];
            ChoiceFile::parse(Path::new("c.toml"), file.text()).unwrap()
        };
        let words = Words::default();
        assert!(opened("send n0->n1 #3 latency = 2ms").decisions(&words).is_ok());
        assert!(opened("send n0->n1 #3 lost").decisions(&words).is_ok());
        let error = opened("send n0->n1 #3 latency = 3ms").decisions(&words).expect_err("which?");
        assert_eq!(error.diagnostics[0].code, Code::Contradiction);
        assert!(error.to_string().contains("contradicts another choice"), "{error}");
    }

    #[test]
    fn of_many_mistakes_some_are_told_and_the_others_counted() {
        let mut file = file();
        file.choices = (0..100).map(|index| format!("send n0->n1 #{index} los")).collect();
        let opened = ChoiceFile::parse(Path::new("c.toml"), file.text()).unwrap();
        let error = opened.decisions(&Words::default()).expect_err("none reads");
        assert_eq!(error.diagnostics.len(), MISTAKES_MAX);
        let help = error.diagnostics.last().and_then(|last| last.help.as_deref());
        assert_eq!(help, Some("and 80 more; 0 of 100 choices could be read"));
    }

    #[test]
    fn a_choice_that_does_not_read_has_its_place_in_the_file() {
        let mut file = file();
        file.choices[0] = "send n0->n1 #3 los".to_owned();
        let opened = ChoiceFile::parse(Path::new("c.toml"), file.text()).unwrap();
        let words = Words { kinds: vec!["add".to_owned()] };
        let error = opened.decisions(&words).expect_err("it does not read");
        let diagnostic = &error.diagnostics[0];
        assert_eq!(&error.text[diagnostic.at.clone().unwrap()], "los");
        assert_eq!(diagnostic.help.as_deref(), Some("1 of 2 choices could be read"));
    }
}
