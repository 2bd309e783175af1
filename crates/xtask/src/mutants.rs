//! Mutation testing: cargo-mutants breaks the law, the cache and the code that reconciles in one small way after the other,
//! and each time a test must fail. What may live is listed with its reason in `.cargo/mutants.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repo::{self, read, write};
use crate::run::Cmd;
use crate::setup::{self, Purpose, Ready};
use crate::soak::{Soak, amount};

const PACKAGE: &str = "message-extensions-core";
const ACCEPTED: &str = ".cargo/mutants.toml";

/// What is broken, and the tests that are tried first: those of its subject, since each mutant is compiled with them.
struct Subject {
    name: &'static str,
    files: &'static [&'static str],
    tests: &'static [&'static str],
}

/// Without those of the client that take longer than all its others together.
const CLIENT: [&str; 9] =
    ["--test", "client", "--test", "simulation", "--", "--skip", "memory::", "--skip", "hostile::"];

const SUBJECTS: [Subject; 3] = [
    Subject {
        name: "law",
        files: &["law/*.rs", "digest.rs"],
        tests: &["--test", "law", "--test", "rules", "--test", "golden"],
    },
    Subject { name: "cache", files: &["client/cache.rs", "client/cache/*.rs"], tests: &CLIENT },
    Subject {
        name: "reconcile",
        files: &["client/sync.rs", "client/pages.rs", "client/resume.rs", "client/window.rs"],
        tests: &CLIENT,
    },
];

/// Breaks all of it; says what became of how many. `SOAK_MUTANTS_REST=1` tries only those that no test has found so far.
pub(crate) fn run(soak: &Soak<'_>) -> Result<String> {
    let ready = setup::run(soak.repo, Purpose::Mutants)?;
    let (mut said, mut lived) = (Vec::new(), Vec::new());
    for subject in &SUBJECTS {
        let mut verdicts = Verdicts::new(soak.repo.target().join("mutants-out").join(subject.name));
        if amount("SOAK_MUTANTS_REST", 0)? == 0 || !verdicts.folder.exists() {
            repo::fresh_folder(&verdicts.folder)?;
        }
        verdicts.take()?;
        // Code that has changed has other mutants.
        let listed = mutants(soak, &ready, subject, &["--list"]).read()?;
        verdicts.of.retain(|name, _| listed.lines().any(|line| line == name));
        // To try once more what does not end takes longest, and shows nothing new.
        let rest = named("--exclude-re", verdicts.that_are("Timeout"));
        test(soak, &ready, subject, (subject.tests, 300), &rest, &mut verdicts)?;
        let again = named("--re", verdicts.lived());
        if !again.is_empty() {
            test(soak, &ready, subject, (&["--tests"], 3000), &again, &mut verdicts)?;
        }
        said.push(format!("{}: {}", subject.name, verdicts.said()));
        lived.extend(verdicts.lived().map(String::from));
    }
    if !lived.is_empty() {
        bail!("no test finds these, nor are they accepted in {ACCEPTED}:\n  {}", lived.join("\n  "));
    }
    Ok(said.join("; "))
}

/// Options that name these mutants. A dot is any character, also one that means something else in a pattern.
fn named<'a>(option: &str, mutants: impl Iterator<Item = &'a str>) -> Vec<String> {
    let literal = |c: char| if c.is_ascii_alphanumeric() { c } else { '.' };
    mutants.flat_map(|name| [option.to_owned(), name.chars().map(literal).collect()]).collect()
}

/// cargo-mutants, on a subject.
fn mutants(soak: &Soak<'_>, ready: &Ready, subject: &Subject, how: &[&str]) -> Cmd {
    ready
        .cmd(soak.repo, "cargo")
        .args(["mutants", "--package", PACKAGE, "--colors", "never"])
        .args(how)
        .args(subject.files.iter().flat_map(|file| ["--file".into(), format!("crates/core/src/{file}")]))
}

/// Tests the mutants that no test has found so far and the options leave, by these tests with so many worlds.
fn test(
    soak: &Soak<'_>,
    ready: &Ready,
    subject: &Subject,
    (tests, worlds): (&[&str], u64),
    options: &[String],
    verdicts: &mut Verdicts,
) -> Result<()> {
    let ended = mutants(soak, ready, subject, &["--no-shuffle", "--iterate"])
        // What is not broken is compiled once.
        .env("CARGO_TARGET_DIR", soak.repo.target().join("mutants-build"))
        .env("SIMULATION_SEEDS", worlds.to_string())
        // What a mutant fails is neither made smaller nor remembered.
        .env("PROPTEST_MAX_SHRINK_ITERS", "0")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
        .env("PROPTEST_RNG_SEED", soak.seed.to_string())
        .args(options)
        .arg("--output")
        .arg(&verdicts.folder)
        .arg("--")
        .args(tests)
        .run();
    // It fails for each that lives, too.
    if verdicts.take()? || ended.is_ok() { Ok(()) } else { ended }
}

/// What became of each mutant of a subject, over all runs: in the words of cargo-mutants, by its name.
struct Verdicts {
    folder: PathBuf,
    of: BTreeMap<String, String>,
}

impl Verdicts {
    fn new(folder: PathBuf) -> Self {
        Self { folder, of: BTreeMap::new() }
    }

    /// Takes what earlier runs have shown, and what the last one has; false when it has shown nothing.
    fn take(&mut self) -> Result<bool> {
        let (all, last) = (self.folder.join("verdicts.json"), self.folder.join("mutants.out/outcomes.json"));
        if self.of.is_empty() && all.exists() {
            self.of = serde_json::from_str(&read(&all)?)?;
        }
        let is_shown = last.exists() && self.add(&read_json(&last)?).is_some();
        write(&all, serde_json::to_string_pretty(&self.of)?)?;
        Ok(is_shown)
    }

    /// Adds what cargo-mutants writes. `None`: the tests fail without a mutant, too, or it was cut off before.
    fn add(&mut self, json: &Value) -> Option<()> {
        for outcome in json.get("outcomes")?.as_array()? {
            let summary = outcome.get("summary")?.as_str()?;
            match outcome.get("scenario")?.get("Mutant") {
                Some(mutant) => self.of.insert(mutant.get("name")?.as_str()?.into(), summary.into()),
                None if summary == "Success" => None,
                None => return None,
            };
        }
        Some(())
    }

    fn count(&self, summary: &str) -> usize {
        self.that_are(summary).count()
    }

    fn that_are<'a>(&'a self, summary: &'a str) -> impl Iterator<Item = &'a str> {
        self.of.iter().filter(move |(_, of)| *of == summary).map(|(name, _)| name.as_str())
    }

    fn lived(&self) -> impl Iterator<Item = &str> {
        self.that_are("MissedMutant")
    }

    fn said(&self) -> String {
        format!(
            "{} mutants, {} found by a test, {} by one that did not end, {} by the compiler",
            self.of.len(),
            self.count("CaughtMutant"),
            self.count("Timeout"),
            self.count("Unviable"),
        )
    }
}

fn read_json(path: &Path) -> Result<Value> {
    serde_json::from_str(&read(path)?).with_context(|| format!("{} is no JSON", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(name: &str, summary: &str) -> Value {
        json!({ "scenario": { "Mutant": { "name": name } }, "summary": summary })
    }

    fn baseline(summary: &str) -> Value {
        json!({ "scenario": "Baseline", "summary": summary })
    }

    #[test]
    fn the_last_run_decides_what_became_of_a_mutant_and_those_that_live_are_named() {
        let mut verdicts = Verdicts::new(PathBuf::new());
        let first = [
            baseline("Success"),
            outcome("a", "CaughtMutant"),
            outcome("b", "MissedMutant"),
            outcome("c", "MissedMutant"),
            outcome("d", "Unviable"),
            outcome("e", "Timeout"),
        ];
        assert!(verdicts.add(&json!({ "outcomes": first })).is_some());
        assert_eq!(verdicts.lived().collect::<Vec<_>>(), ["b", "c"]);
        let second = [baseline("Success"), outcome("b", "CaughtMutant"), outcome("c", "MissedMutant")];
        assert!(verdicts.add(&json!({ "outcomes": second })).is_some());
        assert_eq!(verdicts.lived().collect::<Vec<_>>(), ["c"]);
        let said = "5 mutants, 2 found by a test, 1 by one that did not end, 1 by the compiler";
        assert_eq!(verdicts.said(), said);
    }

    #[test]
    fn tests_that_fail_without_a_mutant_show_nothing() {
        let mut verdicts = Verdicts::new(PathBuf::new());
        assert!(verdicts.add(&json!({ "outcomes": [baseline("Failure")] })).is_none());
    }
}
