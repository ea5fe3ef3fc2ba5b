//! Seeds that once failed: `<name>.seeds` beside a scenario, one a line, each with a comment.

use std::{
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use results::{
    Failure,
    store::{StoreError, durable},
};

use super::Trouble;

/// More seeds than these are no list that people keep.
const SEEDS_MAX: usize = 10_000;
/// Nor is a longer file.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What stands above the seeds of a new file.
const HEAD: &str =
    "# Seeds that once failed, run before any others. One a line; # begins a comment.\n";

/// The file beside the scenario `path`.
pub fn file(path: &Path) -> PathBuf {
    path.with_extension("seeds")
}

/// The seeds beside the scenario `path`; none where there is no such file.
///
/// Errors: a line is no seed.
pub fn read(path: &Path) -> Result<Vec<u64>, Trouble> {
    let file = file(path);
    let unreadable = |source| StoreError::Io { path: file.clone(), doing: "read", source };
    let text = match crate::file::read(&file, FILE_BYTES_MAX) {
        Ok(bytes) => {
            String::from_utf8(bytes).map_err(|_| unreadable(io::ErrorKind::InvalidData.into()))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(unreadable(source).into()),
    };
    parse(&text).map_err(|(line, why)| Trouble::Usage(format!("{}:{line}: {why}", file.display())))
}

/// The seeds that `text` lists, in its order.
///
/// Errors: the number of a line, from 1, and why it is no seed of the list.
pub fn parse(text: &str) -> Result<Vec<u64>, (usize, String)> {
    let mut seeds = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let seed = line.split('#').next().unwrap_or_default().trim();
        if seed.is_empty() {
            continue;
        }
        let Ok(number) = seed.parse() else {
            let why = format!("`{seed}` is no seed; expected a number, then `# why`");
            return Err((index + 1, why));
        };
        if seeds.len() == SEEDS_MAX {
            return Err((index + 1, format!("expected at most {SEEDS_MAX} seeds, found more")));
        }
        seeds.push(number);
    }
    Ok(seeds)
}

/// Adds the seeds of `failures` that are not there yet to the file beside the scenario `path`. Returns how
/// many were added.
pub fn save<'f>(
    path: &Path,
    failures: impl IntoIterator<Item = &'f Failure>,
) -> Result<usize, Trouble> {
    let mut known = read(path)?;
    let file = file(path);
    let mut text = match fs::read_to_string(&file) {
        Ok(text) if text.ends_with('\n') || text.is_empty() => text,
        Ok(text) => text + "\n",
        Err(_) => HEAD.to_owned(),
    };
    let before = known.len();
    for failure in failures {
        if known.contains(&failure.seed) {
            continue;
        }
        known.push(failure.seed);
        let Failure { seed, invariant, message, cell, .. } = failure;
        let message: String =
            message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let what = [invariant, cell, &message].into_iter().filter(|part| !part.is_empty());
        let what: Vec<&str> = what.map(|part| part.as_str()).collect();
        writeln!(text, "{seed} # {}", what.join(": ")).expect("a string takes everything");
    }
    let added = known.len() - before;
    if added > 0 {
        durable::write(&file, text.as_bytes())?;
    }
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_stand_one_a_line_with_comments() {
        assert_eq!(parse("# head\n7 # S6 broke\n\n  12\n"), Ok(vec![7, 12]));
        let (line, why) = parse("7\nseven # S6\n").unwrap_err();
        assert_eq!((line, &*why), (2, "`seven` is no seed; expected a number, then `# why`"));
        let (line, why) = parse(&"7\n".repeat(10_001)).unwrap_err();
        assert_eq!((line, &*why), (10_001, "expected at most 10000 seeds, found more"));
    }

    #[test]
    fn a_failure_is_saved_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("major-bump.toml");
        let failure = |seed| Failure {
            seed,
            invariant: "S6".into(),
            message: "n1 saw\na message".into(),
            ..Failure::default()
        };
        assert_eq!(save(&path, &[failure(3), failure(9), failure(3)]).unwrap(), 2);
        assert_eq!(save(&path, &[failure(9)]).unwrap(), 0);
        assert_eq!(read(&path).unwrap(), [3, 9]);
        let text = fs::read_to_string(file(&path)).unwrap();
        assert!(text.ends_with("\n3 # S6: n1 saw a message\n9 # S6: n1 saw a message\n"), "{text}");
    }

    #[test]
    fn a_line_that_is_no_seed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        fs::write(file(&path), "1\n-2 # no\n").unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!(
            said.ends_with("a.seeds:2: `-2` is no seed; expected a number, then `# why`"),
            "{said}"
        );
    }
}
