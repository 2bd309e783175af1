//! `soak`: the proofs that take long, one part after the other. The same loops and inputs run in `test` too, each a small
//! share.

use std::env;

use anyhow::{Context, Result, bail};

use crate::fuzz;
use crate::guarantees::{self, Done};
use crate::mutants;
use crate::package;
use crate::packed::{self, Which};
use crate::repo::Repo;
use crate::report::{Counts, Report};
use crate::run::Cmd;
use crate::setup::{self, Purpose, Ready};

/// Fast, and with every assertion; the server is as it is released.
pub(crate) const PROFILE: &str = "soak";

/// What a part needs, and the seed of its choices.
pub(crate) struct Soak<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) ready: &'a Ready,
    pub(crate) seed: u32,
}

/// A part: what it is called, and what does it. It says in a line what was done.
struct Part {
    name: &'static str,
    run: fn(&Soak<'_>) -> Result<String>,
}

/// In the order in which they run.
const PARTS: [Part; 18] = [
    Part { name: "kill", run: |soak| soak.server("soak::kill::", &[("SOAK_KILLS", 50)]) },
    Part { name: "stampede", run: |soak| soak.server("soak::stampede::", &[("SOAK_STAMPEDES", 20)]) },
    Part {
        name: "two-writers",
        run: |soak| soak.server("soak::two_writers::", &[("SOAK_WRITERS_SECONDS", 10)]),
    },
    Part {
        name: "histories",
        run: |soak| {
            let long = [("SOAK_HISTORY_ROUNDS", 300), ("SOAK_HISTORY_PIECES", 100)];
            soak.server("soak::histories::", &[&long[..], &[("SOAK_HISTORY_SMALL", 100_000)]].concat())
        },
    },
    Part { name: "power", run: |soak| soak.tests_of_server("power", "", &[("SOAK_POWER_CUTS", 5000)]) },
    Part { name: "flood", run: |soak| soak.server("soak::flood::", &[("SOAK_FLOODS", 10)]) },
    Part {
        name: "full-disk",
        run: |soak| {
            soak.server("full_disk::a_disk_of_its_own", &[("SOAK_DISK_MIB", 64), ("SOAK_DISK_ROUNDS", 10)])
        },
    },
    Part {
        name: "crowd",
        run: |soak| soak.server("soak::crowd::", &[("SOAK_MEMBERS", 1000), ("SOAK_CONNECTIONS", 10_000)]),
    },
    Part {
        name: "redis",
        run: |soak| {
            let redis = [("SOAK_REDIS_KILLS", 10), ("SOAK_REDIS_MOVES", 5)];
            let under_load = soak.server("soak::redis::", &redis)?;
            let linear = [("SOAK_LINEAR_WINDOWS", 20), ("SOAK_LINEAR_KILLS", 3)];
            Ok(format!("{under_load}; {}", soak.server("soak::linear::", &linear)?))
        },
    },
    Part {
        name: "nodes",
        run: |soak| soak.server("soak::nodes::", &[("SOAK_NODE_VOTERS", 300), ("SOAK_NODE_KILLS", 10)]),
    },
    Part { name: "on-nodes", run: on_nodes },
    Part {
        name: "scale",
        run: |soak| {
            let speed = [("SOAK_SCALE_ROUNDS", 5), ("SOAK_SCALE_MS", 3000)];
            let memory = [("SOAK_SCALE_MESSAGES", 2000), ("SOAK_SCALE_LISTENERS", 2000)];
            soak.server("soak::scale::", &[speed, memory].concat())
        },
    },
    Part {
        name: "simulation",
        run: |soak| soak.worlds("message-extensions-core", "simulation", "SIMULATION_SEEDS", 100_000),
    },
    Part {
        name: "system",
        run: |soak| soak.worlds("message-extensions-server", "system", "SYSTEM_SEEDS", 2000),
    },
    Part { name: "network", run: network },
    Part { name: "fuzz", run: |soak| fuzz::run(soak, amount("SOAK_FUZZ_SECONDS", 600)?) },
    Part { name: "packaging", run: packaging },
    Part { name: "mutants", run: mutants::run },
];

/// Runs all parts, or the one with this name; false when something failed, which the report has said.
pub(crate) fn run(repo: &Repo, only: Option<&str>, seed: Option<u32>) -> Result<bool> {
    let parts: Vec<_> = PARTS.iter().filter(|part| only.is_none_or(|name| name == part.name)).collect();
    if parts.is_empty() {
        let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        bail!("there is no part {}: they are {}", only.unwrap_or_default(), names.join(", "));
    }
    let ready = setup::run(repo, Purpose::Soak)?;
    let seed = match seed {
        Some(seed) => seed,
        None => getrandom::u32().context("no randomness for a seed")?,
    };
    println!("soak: the seed is {seed}; repeat with: cargo xtask soak [part] --seed {seed}");
    let soak = Soak { repo, ready: &ready, seed };
    let (mut report, mut done) = (Report::default(), Vec::new());
    for part in parts {
        report.step(&format!("soak: {}", part.name), || {
            done.push(Done { part: part.name, said: (part.run)(&soak)? });
            // At once: the next part may be cut off.
            guarantees::record(repo, &PARTS.map(|part| part.name), &done, seed)
        });
    }
    println!();
    for Done { part, said } in done {
        println!("{part:<12} {said}");
    }
    Ok(report.finish())
}

/// The whole of something, unless the variable says another amount.
pub(crate) fn amount(name: &str, whole: u64) -> Result<u64> {
    match env::var(name) {
        Ok(given) => given.parse().with_context(|| format!("{name} must be a number, not {given:?}")),
        Err(_) => Ok(whole),
    }
}

impl Soak<'_> {
    /// Tests of `crates/server/tests/it/`, which have this in their names, against the release server.
    fn server(&self, tests_named: &str, amounts: &[(&str, u64)]) -> Result<String> {
        self.tests_of_server("it", tests_named, amounts)
    }

    /// The same of another folder of `crates/server/tests/`.
    fn tests_of_server(&self, folder: &str, tests_named: &str, amounts: &[(&str, u64)]) -> Result<String> {
        let mut tests = self.ready.cmd(self.repo, "cargo").env("SOAK_SEED", self.seed.to_string());
        for (name, whole) in amounts {
            tests = tests.env(name, amount(name, *whole)?.to_string());
        }
        let package = ["test", "--release", "-p", "message-extensions-server", "--test", folder];
        // One after the other: each has the machine for itself.
        said(tests.args(package).arg(tests_named).args(["--", "--nocapture", "--test-threads=1"]))
    }

    /// Many worlds of a simulation.
    fn worlds(&self, package: &str, test: &str, variable: &str, whole: u64) -> Result<String> {
        let seeds = amount(variable, whole)?;
        let tests = ["test", "--profile", PROFILE, "-p", package, "--test", test];
        said(self.ready.cmd(self.repo, "cargo").env(variable, seeds.to_string()).args(tests))?;
        Ok(format!("{seeds} worlds, the seeds 0 to {}", seeds.saturating_sub(1)))
    }
}

/// Runs tests; what they say was done, in the lines with "soak: ".
fn said(tests: Cmd) -> Result<String> {
    let (output, result) = tests.tee()?;
    result?;
    if Counts::of_test_results(&output).passed == 0 {
        bail!("no test was run");
    }
    Ok(lines_of(&output).join("; "))
}

/// The test runner may have begun the line.
fn lines_of(output: &str) -> Vec<&str> {
    output.lines().filter_map(|line| line.split_once("soak: ")).map(|(_, said)| said.trim()).collect()
}

/// The packed package on networks that go bad, against a server that is killed.
fn network(soak: &Soak<'_>) -> Result<String> {
    let ready = setup::run(soak.repo, Purpose::Test)?;
    package::build(soak.repo, &ready)?;
    let rounds = amount("SOAK_NETWORK_ROUNDS", 40)?;
    let in_browsers = amount("SOAK_NETWORK_BROWSER_ROUNDS", 10)?;
    let which = Which::Network { seed: soak.seed, rounds, in_browsers };
    let outcome = packed::run(soak.repo, &ready, &ready.browsers()?, which)?;
    outcome.result?;
    Ok(format!("{rounds} rounds in Node, {in_browsers} in Node, Chromium and Firefox"))
}

/// The packed package in apps built by the bundlers and frameworks that `test` leaves out.
fn packaging(soak: &Soak<'_>) -> Result<String> {
    let ready = setup::run(soak.repo, Purpose::Packaging)?;
    package::build(soak.repo, &ready)?;
    let outcome = packed::run(soak.repo, &ready, &ready.browsers()?, Which::In("packaging"))?;
    outcome.result?;
    Ok(format!("webpack, esbuild and Next.js: {} tests", outcome.counts.passed))
}

/// Tests that cannot be the same on several servers: of sockets with something between, of what each counts for itself, of what
/// is pushed before the answer to a ping.
const OF_ONE_SERVER: [&str; 5] = [
    "soak::",
    "full_disk::",
    "push::a_client_that_reads_too_slowly_is_closed_with_4004",
    "push::one_connection_of_a_user_too_many_is_closed_with_4007_until_another_has_gone",
    "permissions::every_caller_may_do_to_every_kind_of_message_what_the_table_says",
];

/// The tests of the server and of the package, each server being two of them on one cluster.
fn on_nodes(soak: &Soak<'_>) -> Result<String> {
    let ready = setup::run(soak.repo, Purpose::Test)?;
    package::build(soak.repo, &ready)?;
    let package = ["test", "--release", "-p", "message-extensions-server", "--test", "it", "--"];
    let skipped = OF_ONE_SERVER.iter().flat_map(|name| ["--skip", name]);
    let tests = ready.cmd(soak.repo, "cargo").env("TEST_STORE", "nodes").args(package).args(skipped);
    let (output, result) = tests.tee()?;
    result?;
    let of_server = Counts::of_test_results(&output).passed;
    let outcome = packed::run(soak.repo, &ready, &ready.browsers()?, Which::OnNodes)?;
    outcome.result?;
    Ok(format!("{of_server} tests of the server, {} of the package and REST", outcome.counts.passed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tests_say_is_found_in_what_their_runner_prints() {
        let output = "test a ... SOAK_SEED=1\nsoak: 3 kills\nok\ntest b ... soak: 2 floods\nok\n";
        assert_eq!(lines_of(output), ["3 kills", "2 floods"]);
    }
}
