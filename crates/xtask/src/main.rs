//! Every chore of the project, one file each: `cargo xtask <chore>`. What CI runs is what a person runs.
//!
//! | file | chore |
//! |---|---|
//! | [`setup`] | brings what is missing: the wasm target, the CLI of wasm-bindgen, npm tools, browsers |
//! | [`package`], [`short_names`] | `build`: the npm package in `pkg/`, and the server |
//! | [`demo`] | the demo page on a server of its own |
//! | [`mod@test`], [`lint`], [`size`], [`packed`] | every check; the last line counts them |
//! | [`soak`], [`fuzz`], [`mutants`], [`guarantees`] | the proofs that take long, and the table of what they have shown |
//! | [`mod@bench`] | client and server beside their peers |
//! | [`codes`], [`mod@reference`] | `docs`: what is generated from the list of error codes, and from the package's types |
//!
//! [`repo`] knows where things are, [`run`] starts other programs, [`report`] counts.

mod bench;
mod codes;
mod demo;
mod fuzz;
mod guarantees;
mod lint;
mod mutants;
mod package;
mod packed;
mod reference;
mod repo;
mod report;
mod run;
mod setup;
mod short_names;
mod size;
mod soak;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use repo::Repo;
use report::Report;
use setup::Purpose;

/// The chores of message-extensions.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Bring what is missing to build; with --tests, browsers and their drivers too
    Setup {
        /// Also what only the tests need
        #[arg(long)]
        tests: bool,
    },
    /// Build the npm package into pkg/, and the server into target/release/
    Build,
    /// Build, then serve the demo on this machine until Ctrl-C
    Demo {
        /// The port on 127.0.0.1; 0 takes a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Set up, build, lint, and run every test; the last line is "N passed, M failed"
    Test,
    /// The proofs that take long: kills, stampedes, floods, simulated clients, fuzzing, other people's bundlers
    Soak {
        /// One part by its name; without it all
        part: Option<String>,
        /// Makes the choices of an earlier run again
        #[arg(long)]
        seed: Option<u32>,
    },
    /// Measure client and server beside their peers, and write docs/benchmarks.md
    Bench {
        /// One part by its name; without it all. `page` measures nothing, and only writes the page anew
        part: Option<String>,
        /// Fewer rounds and smaller sizes, for a look
        #[arg(long)]
        quick: bool,
    },
    /// Formatting, clippy, docs, the dependencies of core, and what is generated
    Lint,
    /// Bytes that a page loads for each entry, raw and compressed, against the budget and what was committed
    Size,
    /// Write what is generated: the codes in docs/errors.md, the reference of the API in docs/api.md
    Docs,
}

fn main() -> ExitCode {
    match perform(&Arguments::parse().chore) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does the chore; false when a check failed, and said so.
fn perform(chore: &Chore) -> Result<bool> {
    let repo = Repo::find();
    match *chore {
        Chore::Setup { tests } => {
            setup::run(&repo, if tests { Purpose::Test } else { Purpose::Build })?;
        }
        Chore::Build => {
            let ready = setup::run(&repo, Purpose::Build)?;
            package::build(&repo, &ready)?;
        }
        Chore::Demo { port } => {
            let ready = setup::run(&repo, Purpose::Build)?;
            package::build(&repo, &ready)?;
            demo::run(&repo, &ready, port)?;
        }
        Chore::Test => return test::run(&repo),
        Chore::Soak { ref part, seed } => return soak::run(&repo, part.as_deref(), seed),
        Chore::Bench { ref part, quick } => bench::run(&repo, part.as_deref(), quick)?,
        Chore::Lint => {
            let ready = setup::run(&repo, Purpose::Build)?;
            let mut report = Report::default();
            lint::run(&repo, &ready, &mut report);
            return Ok(report.finish());
        }
        Chore::Size => size::print(&repo)?.check()?,
        Chore::Docs => {
            codes::write_docs(&repo)?;
            reference::write_docs(&repo)?;
        }
    }
    Ok(true)
}
