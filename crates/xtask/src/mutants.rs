//! Mutation testing: cargo-mutants breaks the law, the cache and the code that reconciles in one small way after the other,
//! and for each the tests of that subject must fail. What may survive is listed with its reason in `.cargo/mutants.toml`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repo::{self, read};
use crate::setup::{self, Purpose};
use crate::soak::{Soak, amount};

const PACKAGE: &str = "message-extensions-core";
const ACCEPTED: &str = ".cargo/mutants.toml";

/// What is broken, and the tests that must find it: those of its subject alone, since each mutant is compiled with them.
struct Subject {
    name: &'static str,
    files: &'static [&'static str],
    tests: &'static [&'static str],
}

const SUBJECTS: [Subject; 3] = [
    Subject { name: "law", files: &["law/*.rs", "digest.rs"], tests: &["law", "rules", "golden"] },
    Subject {
        name: "cache",
        files: &["client/cache.rs", "client/cache/*.rs"],
        tests: &["client", "simulation"],
    },
    Subject {
        name: "reconcile",
        files: &["client/sync.rs", "client/pages.rs", "client/resume.rs", "client/window.rs"],
        tests: &["client", "simulation"],
    },
];

/// What became of the mutants of a subject.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcomes {
    caught: u64,
    /// The tests did not end; caught as well.
    hung: u64,
    /// They do not compile.
    unviable: u64,
    missed: Vec<String>,
}

/// Breaks all of it; says what became of how many.
pub(crate) fn run(soak: &Soak<'_>) -> Result<String> {
    let ready = setup::run(soak.repo, Purpose::Mutants)?;
    let worlds = amount("SOAK_MUTANT_WORLDS", 300)?.to_string();
    let (mut said, mut missed) = (Vec::new(), Vec::new());
    for subject in &SUBJECTS {
        let folder = soak.repo.target().join("mutants").join(subject.name);
        repo::fresh_folder(&folder)?;
        let files =
            subject.files.iter().flat_map(|file| ["--file".into(), format!("crates/core/src/{file}")]);
        let tests = subject.tests.iter().flat_map(|test| ["--test", test]);
        let ended = ready
            .cmd(soak.repo, "cargo")
            .env("SIMULATION_SEEDS", &worlds)
            // What a mutant fails is neither made smaller nor remembered.
            .env("PROPTEST_MAX_SHRINK_ITERS", "0")
            .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
            .env("PROPTEST_RNG_SEED", soak.seed.to_string())
            .without_env("CARGO_TARGET_DIR")
            .args(["mutants", "--package", PACKAGE, "--no-shuffle", "--colors", "never", "--output"])
            .arg(&folder)
            .args(files)
            .arg("--")
            .args(tests)
            .run();
        let outcomes = folder.join("mutants.out/outcomes.json");
        // It fails for each survivor, too.
        let outcomes = match Outcomes::read(&outcomes) {
            Ok(outcomes) => outcomes,
            Err(error) => return Err(ended.err().unwrap_or(error)),
        };
        said.push(format!("{}: {}", subject.name, outcomes.said()));
        missed.extend(outcomes.missed);
    }
    if !missed.is_empty() {
        bail!("no test finds these, nor are they accepted in {ACCEPTED}:\n  {}", missed.join("\n  "));
    }
    Ok(said.join("; "))
}

impl Outcomes {
    fn read(path: &Path) -> Result<Self> {
        Self::of(&serde_json::from_str(&read(path)?)?)
            .with_context(|| format!("{} does not say what was done", path.display()))
    }

    /// Of what cargo-mutants writes; the baseline is one of the outcomes. `None`: it was not tested, or nothing was.
    fn of(json: &Value) -> Option<Self> {
        let mut outcomes = Self::default();
        let all = json.get("outcomes")?.as_array()?;
        for outcome in all {
            let name = outcome.get("scenario")?.get("Mutant").and_then(|mutant| mutant.get("name")?.as_str());
            match (name, outcome.get("summary")?.as_str()?) {
                (None, "Success") => {}
                (Some(_), "CaughtMutant") => outcomes.caught += 1,
                (Some(_), "Timeout") => outcomes.hung += 1,
                (Some(_), "Unviable") => outcomes.unviable += 1,
                (Some(name), "MissedMutant") => outcomes.missed.push(name.into()),
                _ => return None,
            }
        }
        (all.len() > 1).then_some(outcomes)
    }

    fn said(&self) -> String {
        let Self { caught, hung, unviable, missed } = self;
        let tried = caught + hung + missed.len() as u64;
        format!(
            "{tried} mutants, {caught} found by a test, {hung} by a test that did not end, {} not; {unviable} more do not compile",
            missed.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(name: &str, summary: &str) -> Value {
        json!({ "scenario": { "Mutant": { "name": name } }, "summary": summary })
    }

    #[test]
    fn what_became_of_each_is_counted_and_survivors_are_named() {
        let baseline = json!({ "scenario": "Baseline", "summary": "Success" });
        let all = json!({ "outcomes": [
            baseline, outcome("a", "CaughtMutant"), outcome("b", "MissedMutant"), outcome("c", "Timeout"),
            outcome("d", "Unviable"), outcome("e", "CaughtMutant"),
        ] });
        let expected = Outcomes { caught: 2, hung: 1, unviable: 1, missed: vec!["b".into()] };
        assert_eq!(Outcomes::of(&all), Some(expected));
    }

    #[test]
    fn tests_that_fail_without_a_mutant_show_nothing() {
        let failed = json!({ "scenario": "Baseline", "summary": "Failure" });
        assert_eq!(Outcomes::of(&json!({ "outcomes": [failed, outcome("a", "CaughtMutant")] })), None);
        assert_eq!(
            Outcomes::of(&json!({ "outcomes": [{ "scenario": "Baseline", "summary": "Success" }] })),
            None
        );
    }
}
