//! `cargo ci`: everything a merge must pass beside the tests, and the benchmarks.

mod bench;
mod determinism;
mod engines;
mod fuzz;
mod step;
mod sweep;
mod tidy;

use std::process::ExitCode;

use step::{Step, cargo};

/// The steps of `cargo ci`, in order: the cheap ones first.
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "formatting is rustfmt's", run: fmt },
    Step { name: "tidy", about: "what STYLE.md asks and a machine can check", run: tidy::run },
    Step { name: "clippy", about: "no warning, no banned type or method", run: clippy },
    Step {
        name: "allocation",
        about: "the kernel allocates nothing per delivered message",
        run: bench::allocation,
    },
    Step { name: "docs", about: "the documentation builds without a warning", run: docs },
    Step {
        name: "determinism",
        about: "same seed, same run: twice, debug and release, 1 thread and N, and as it was",
        run: determinism::run,
    },
    Step {
        name: "templates",
        about: "the templates of users' CI fit their schemas, and their commands do what they say",
        run: engines::templates,
    },
];

/// Steps that are asked for by name and never part of a plain `cargo ci`.
const EXTRA: &[Step] = &[
    Step {
        name: "engines",
        about: "shards on HyperQueue and Slurm, killed, retried, twice at once: the bytes of a serial sweep",
        run: engines::run,
    },
    Step {
        name: "bless",
        about: "write the golden fingerprints of today into scenarios/fingerprints.txt",
        run: determinism::bless,
    },
    Step {
        name: "sweep",
        about: "every scenario with seeds from the commit, for 75 s",
        run: sweep::run,
    },
    Step {
        name: "kill",
        about: "a sweep killed at 50 random moments and resumed: the bytes of an undisturbed one",
        run: engines::kill,
    },
    Step { name: "fuzz", about: "every fuzz target for FUZZ_SECONDS, 20 if unset", run: fuzz::run },
    Step {
        name: "bench",
        about: "the benchmark tables: kernel and peers, full stack",
        run: bench::run,
    },
];

/// Ours, and those that keep what they depend on out of it.
const WORKSPACES: [&str; 3] = ["Cargo.toml", "bench/Cargo.toml", "fuzz/Cargo.toml"];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.iter().any(|name| name == "--help" || name == "-h" || name == "help") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let chosen: Result<Vec<&Step>, &String> = names
        .iter()
        .map(|name| STEPS.iter().chain(EXTRA).find(|step| step.name == name).ok_or(name))
        .collect();
    let chosen = match chosen {
        Ok(chosen) if chosen.is_empty() => STEPS.iter().collect(),
        Ok(chosen) => chosen,
        Err(unknown) => {
            eprint!("no step `{unknown}`\n\n{}", help());
            return ExitCode::from(2);
        }
    };
    for step in chosen {
        eprintln!("ci: {} ({})", step.name, step.about);
        if let Err(failure) = (step.run)() {
            eprintln!("ci: {} failed: {failure}", step.name);
            return ExitCode::FAILURE;
        }
    }
    eprintln!("ci: all passed");
    ExitCode::SUCCESS
}

fn help() -> String {
    let mut text =
        String::from("cargo ci [STEP ...]\n\nWithout a step, the first group, in order.\n");
    for (title, steps) in [("Steps", STEPS), ("By name only", EXTRA)] {
        text += &format!("\n{title}:\n");
        for step in steps {
            text += &format!("  {:<12} {}\n", step.name, step.about);
        }
    }
    text
}

fn fmt() -> step::Outcome {
    for manifest in WORKSPACES {
        cargo(&["fmt", "--all", "--check", "--manifest-path", manifest])?;
    }
    Ok(())
}

fn clippy() -> step::Outcome {
    cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn docs() -> step::Outcome {
    step::cargo_with(
        &["doc", "--workspace", "--no-deps", "--document-private-items"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )
}
