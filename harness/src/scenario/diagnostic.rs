//! Mistakes in a scenario, as a user reads them: where, what, what was expected, what was meant.

use std::{fmt, ops::Range, path::PathBuf};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::{numbers::counted, visible::visible};

/// What kind of mistake it is. Its number never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A key that scenarios do not have.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A value of another type: a number where text belongs.
    WrongType,
    /// A quantity without a unit, with a wrong one, or out of its range.
    BadQuantity,
    /// A choice that is none of those there are.
    UnknownChoice,
    /// The file is not TOML.
    NotToml,
    /// The file is not UTF-8.
    NotUtf8,
    /// The file cannot be read, or is none.
    Unreadable,
    /// There is no scenario to run.
    NothingToRun,
    /// A node that the fleet does not have.
    UnknownNode,
    /// One node is named twice where each may be named once.
    DuplicateNode,
    /// Groups of a partition share a node.
    OverlappingGroups,
    /// Times in the wrong order, or after the phase they belong to.
    WrongTime,
    /// A name that is in no list: an app, an operation, an invariant, a goal, a planted bug.
    UnknownName,
    /// A release whose code no app has.
    UnknownRelease,
    /// The fleet cannot get from what it runs to a release, and the scenario does not expect that.
    MissingEdge,
    /// Keys that contradict each other.
    Contradiction,
    /// A choice that does not read.
    BadChoice,
}

impl Code {
    /// Every code, in order of its number.
    pub const ALL: [Self; 18] = [
        Self::UnknownKey,
        Self::MissingKey,
        Self::WrongType,
        Self::BadQuantity,
        Self::UnknownChoice,
        Self::NotToml,
        Self::NotUtf8,
        Self::Unreadable,
        Self::NothingToRun,
        Self::UnknownNode,
        Self::DuplicateNode,
        Self::OverlappingGroups,
        Self::WrongTime,
        Self::UnknownName,
        Self::UnknownRelease,
        Self::MissingEdge,
        Self::Contradiction,
        Self::BadChoice,
    ];

    /// What it means, in a sentence.
    pub const fn about(self) -> &'static str {
        match self {
            Self::UnknownKey => "A key that scenarios do not have at this place.",
            Self::MissingKey => "A key that must be there is not.",
            Self::WrongType => {
                "A value of another type, such as a bare number where text with a unit belongs."
            }
            Self::BadQuantity => {
                "A quantity without a unit, with a wrong one, or out of its range."
            }
            Self::UnknownChoice => "A choice that is none of those there are.",
            Self::NotToml => "The file is not TOML 1.0.",
            Self::NotUtf8 => "The file is not UTF-8 text.",
            Self::Unreadable => "The file cannot be read, is too long, or is no file.",
            Self::NothingToRun => "There is no scenario at this path.",
            Self::UnknownNode => "A node that the fleet does not have.",
            Self::DuplicateNode => "One node is named twice where each may be named once.",
            Self::OverlappingGroups => "Groups of a partition share a node; they must be disjoint.",
            Self::WrongTime => "Times in the wrong order, or after the phase they belong to.",
            Self::UnknownName => {
                "A name that is in no list: an app, an operation, an invariant, a goal, a planted bug."
            }
            Self::UnknownRelease => "A release whose code no app has.",
            Self::MissingEdge => {
                "The fleet cannot get from what it runs to a release, unexpectedly for the scenario."
            }
            Self::Contradiction => {
                "Keys that contradict each other, or a value that makes no sense beside another."
            }
            Self::BadChoice => {
                "A choice that does not read. One names its accident, to whom it happens, how many \
                 came before and what is settled: `send n1->n4 #3 latency = 12ms, lost`."
            }
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{:04}", *self as u32 + 1)
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of mistake it is.
    pub code: Code,
    /// What is wrong, in a sentence without a full stop.
    pub title: String,
    /// The bytes of the file that are wrong, where the mistake has a place in it.
    pub at: Option<Range<usize>>,
    /// What was expected there.
    pub label: String,
    /// Where that is in the scenario: `fault[0].partition.until`.
    pub path: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Mistakes of one file that are shown: whoever made more of them made few of them, many times. Each is shown by a
/// look through the whole file.
const SHOWN_MAX: usize = 20;

/// A scenario was rejected: nothing was run and nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The file.
    pub file: PathBuf,
    /// What is in it, where it could be read.
    pub text: String,
    /// Every mistake that was found, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Rejected {
    /// One mistake that concerns the file as a whole.
    pub fn whole(
        file: impl Into<PathBuf>,
        code: Code,
        title: String,
        help: Option<String>,
    ) -> Self {
        let (at, label, path) = (None, String::new(), String::new());
        let diagnostics = vec![Diagnostic { code, title, at, label, path, help }];
        Self { file: file.into(), text: String::new(), diagnostics }
    }

    /// The first diagnostics as a terminal shows them, with colours, and how many there are beside them; whoever
    /// prints strips colours where the terminal has none.
    pub fn rendered(&self) -> String {
        let renderer = Renderer::styled();
        let shown = self.diagnostics.iter().take(SHOWN_MAX).map(|one| self.render(one, &renderer));
        let mut parts: Vec<String> = shown.collect();
        if let Some(more @ 1..) = self.diagnostics.len().checked_sub(SHOWN_MAX) {
            let more = counted(more as u64, "more mistake");
            parts.push(format!("and {more} in {}\n", self.file.display()));
        }
        parts.join("\n")
    }

    fn render(&self, one: &Diagnostic, renderer: &Renderer) -> String {
        let file = self.file.display().to_string();
        let mut group = Level::ERROR.primary_title(&one.title).id(one.code.to_string()).elements(
            one.at.as_ref().map(|at| {
                let annotation = AnnotationKind::Primary.span(at.clone()).label(&one.label);
                Snippet::source(&self.text).path(&file).annotation(annotation)
            }),
        );
        if one.at.is_none() {
            group = group.element(annotate_snippets::Origin::path(&file));
        }
        if !one.path.is_empty() {
            group = group.element(Level::NOTE.message(format!("at `{}`", one.path)));
        }
        if let Some(help) = &one.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let text = renderer.render(&[group]);
        format!("{}\n", text.trim_end())
    }
}

impl fmt::Display for Rejected {
    /// Each mistake on one line: `path:line:column: S0001: title`. What the title quotes may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, one) in self.diagnostics.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{}", self.file.display())?;
            if let Some(at) = &one.at {
                let (line, column) = position(&self.text, at.start);
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": {}: {}", one.code, visible(&one.title))?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejected {}

/// The line and column of byte `at`, both from 1, columns in characters.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The candidate that `word` was probably meant to be.
pub fn meant<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Two slips of the finger, or the same beginning: beyond that a guess misleads.
    let near = |candidate: &&str| {
        let distance = strsim::damerau_levenshtein(word, candidate);
        let allowed = if word.chars().count() < 4 { 1 } else { 2 };
        distance <= allowed || strsim::jaro_winkler(word, candidate) > 0.87
    };
    let candidates = candidates.into_iter().filter(near);
    candidates.min_by_key(|candidate| strsim::damerau_levenshtein(word, candidate))
}

/// More names than this are counted and not listed: a diagnostic is read, a list is looked up.
const LISTED_MAX: usize = 12;

/// `names` as a list in a sentence: "`a`, `b` or `c`".
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    let hidden = names.len().saturating_sub(LISTED_MAX);
    if hidden > 0 {
        names.truncate(LISTED_MAX);
        let others = if hidden == 1 { "1 other" } else { &format!("{hidden} others") };
        names.push(others.to_owned());
    }
    match names.split_last() {
        None => "nothing".into(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
