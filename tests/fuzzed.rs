//! What fuzzers try, tried without one: what honest code writes, and the inputs that were worth keeping.
//!
//! `docs/fuzzing.md` says how inputs are found; here each comes again, on any toolchain.

use std::{
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

#[expect(unreachable_pub, reason = "it is a library of its own, in `fuzz/`")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use fuzz::{TARGETS, Target};

/// A corpus is read at every build: inputs are short, and few.
const INPUT_BYTES_MAX: usize = 1024;
const CORPUS_BYTES_MAX: usize = 1_000_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus")
}

/// The files of a folder by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The program of the target `name`: what needs libFuzzer is this and no more, for nothing else looks at it.
fn program(name: &str) -> String {
    format!(
        "#![no_main]\n\nlibfuzzer_sys::fuzz_target!(\n    \
         init: fuzz::begin(\"{name}\", std::env::var_os(\"FUZZ_BEGIN\")),\n    \
         |bytes: &[u8]| fuzz::{name}(bytes)\n);\n"
    )
}

/// The inputs of `target` that it does not stand.
fn failed(target: &Target) -> Vec<String> {
    let seeds = fuzz::seeds(target.name).into_iter().enumerate();
    let seeds = seeds.map(|(at, seed)| (format!("seed {at}"), seed));
    let inputs = files(&corpus().join(target.name)).into_iter().chain(seeds);
    let fails = |(name, bytes): (String, Vec<u8>)| {
        let stood = catch_unwind(|| (target.run)(&bytes)).is_ok();
        (!stood).then(|| format!("{}: {name}", target.name))
    };
    inputs.filter_map(fails).collect()
}

#[test]
fn every_target_stands_its_seeds_and_its_corpus() {
    let failed: Vec<String> = TARGETS.par_iter().flat_map(failed).collect();
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn a_fuzzer_finds_inputs_and_words_to_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    fuzz::begin("files_choices", Some(folder.path().into()));
    let written = files(&folder.path().join("seeds"));
    let written: Vec<&[u8]> = written.iter().map(|(_, bytes)| &**bytes).collect();
    let seeds = fuzz::seeds("files_choices");
    assert!(!seeds.is_empty() && seeds.iter().all(|seed| written.contains(&&**seed)));
    let words = fs::read_to_string(folder.path().join("words")).unwrap();
    assert!(words.contains("\"send\"\n") && words.contains("\"n1->n4\"\n"), "{words}");
    fuzz::begin("causal_wire", Some(folder.path().into()));
    assert_eq!(fs::read_to_string(folder.path().join("words")).unwrap(), "# Words.\n");
}

#[test]
fn every_target_has_a_small_corpus_and_a_program() {
    let folders = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut folders: Vec<String> =
        folders.map(|name| name.to_string_lossy().into_owned()).collect();
    let mut names: Vec<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    folders.sort();
    names.sort();
    assert_eq!(folders, names);
    let manifest = fs::read_to_string(corpus().join("../Cargo.toml")).unwrap();
    let mut total = 0;
    for name in names {
        // What needs the harness is left out where none of it is asked for.
        let needs =
            if name.starts_with("files_") { "required-features = [\"files\"]\n" } else { "" };
        let program_of = format!("path = \"fuzz_targets/{name}.rs\"\n{needs}test = false\n");
        assert!(manifest.contains(&program_of), "{name}");
        let file = corpus().join(format!("../fuzz_targets/{name}.rs"));
        assert_eq!(fs::read_to_string(&file).unwrap(), program(&name), "{}", file.display());
        let files = files(&corpus().join(&name));
        assert!(files.len() >= 8, "{name} has {} inputs", files.len());
        for (file, bytes) in files {
            assert!(bytes.len() <= INPUT_BYTES_MAX, "{name}/{file} takes {} bytes", bytes.len());
            total += bytes.len();
        }
    }
    assert!(total <= CORPUS_BYTES_MAX, "{total} bytes");
}
