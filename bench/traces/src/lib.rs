//! Editing traces of real documents, and whom they are replayed on.
//!
//! The traces are those of github.com/josephg/editing-traces, as they are. They are not part of this
//! repository: a folder is named on the command line, or by [`FOLDER`].

pub mod history;
pub mod replay;
pub mod subjects;

use std::{fmt, fs::File, io::BufReader, path::Path, path::PathBuf};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use smol_str::SmolStr;

/// The environment variable that names the folder of the traces, where no flag does.
pub const FOLDER: &str = "EDITING_TRACES";

/// The traces of one author that every table has.
pub const NAMES: [&str; 4] = ["automerge-paper", "rustcode", "sveltecomponent", "seph-blog1"];

/// One change: at which character, how many characters go, and what comes.
///
/// A short text stands in the patch itself. Were it elsewhere, more time would be spent on waiting for memory that
/// is the trace's than on the edit, by whoever is fast.
#[derive(Clone, Debug, Deserialize)]
pub struct Patch(pub usize, pub usize, pub SmolStr);

#[derive(Deserialize)]
struct Transaction {
    patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    start_content: String,
    end_content: String,
    txns: Vec<Transaction>,
}

/// A document from its beginning to its end.
pub struct Trace {
    /// Its name.
    pub name: String,
    /// What was done, in order.
    pub patches: Vec<Patch>,
    /// What must come of it.
    pub end: String,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} patches", self.name, self.patches.len())
    }
}

impl Trace {
    /// The trace `name` of the folder `folder`, in ASCII where there is such a copy.
    ///
    /// Errors: a fragment that says which file is not there, or is none.
    pub fn read(folder: &Path, name: &str) -> Result<Self, String> {
        let file = format!("{name}.json.gz");
        let paths = [folder.join("ascii_only").join(&file), folder.join("sequential").join(&file)];
        let path = paths.iter().find(|path| path.exists()).unwrap_or(&paths[1]);
        let written: Written = read_json(path)?;
        if !written.start_content.is_empty() {
            return Err(format!("{}: expected a trace that begins empty", path.display()));
        }
        let patches = written.txns.into_iter().flat_map(|txn| txn.patches).collect();
        Ok(Self { name: name.to_owned(), patches, end: written.end_content })
    }
}

/// What stands in a file of JSON, packed by gzip. Errors: a fragment that names the file.
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, String> {
    let told = |why: String| format!("{}: {why}", path.display());
    let opened = File::open(path).map_err(|why| told(why.to_string()))?;
    let unpacked = BufReader::new(GzDecoder::new(BufReader::new(opened)));
    serde_json::from_reader(unpacked).map_err(|why| told(why.to_string()))
}

/// `folder`, where the traces are in it.
///
/// Errors: what was expected. For [`clap`] to say, which names the flag.
pub fn folder(folder: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(folder);
    if folder.join("sequential").is_dir() {
        return Ok(folder);
    }
    Err("expected a folder of github.com/josephg/editing-traces, with sequential/*.json.gz in it"
        .to_owned())
}
