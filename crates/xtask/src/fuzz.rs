//! Fuzzing: libFuzzer looks for inputs that break what the targets of `crates/fuzz` hold. On a stable compiler, so the
//! instrumentation is asked for by hand; only these programs have it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repo::Repo;
use crate::soak::{PROFILE, Soak};

/// Counters for each edge, where they are in the code, and what was compared.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing";

/// One input may take so long, seconds, and so much memory, MB.
const SLOWEST: u32 = 10;
const LARGEST: u32 = 2048;
/// Longest input, bytes: what is found should be small enough to be understood.
const LONGEST: u32 = 4096;

/// Runs each target for its share of `seconds`; says what each has done.
pub(crate) fn run(soak: &Soak<'_>, seconds: u64) -> Result<String> {
    let targets = targets(soak.repo)?;
    let programs = build(soak)?;
    let share = (seconds / targets.len() as u64).max(1);
    let mut lines = Vec::new();
    for target in &targets {
        let line = fuzz(soak, &programs, target, share)?;
        println!("{line}");
        lines.push(line);
    }
    Ok(format!("{} s each, seed {}: {}", share, soak.seed, lines.join("; ")))
}

fn corpus(repo: &Repo) -> PathBuf {
    repo.path("crates/fuzz/corpus")
}

/// Each target has a corpus.
fn targets(repo: &Repo) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(corpus(repo)).context("crates/fuzz/corpus cannot be read")? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The folder of the programs.
fn build(soak: &Soak<'_>) -> Result<PathBuf> {
    let rustc = soak.ready.cmd(soak.repo, "rustc").arg("-vV").read()?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let folder = soak.repo.target().join("fuzz-build");
    // With a target named, build scripts and macros are not instrumented; they could not be linked.
    soak.ready
        .cmd(soak.repo, "cargo")
        .env("CARGO_TARGET_DIR", &folder)
        .env("RUSTFLAGS", COVERAGE)
        .args(["build", "--profile", PROFILE, "-p", "message-extensions-fuzz", "--features", "libfuzzer"])
        .args(["--bins", "--target", host])
        .run()?;
    Ok(folder.join(host).join(PROFILE))
}

fn fuzz(soak: &Soak<'_>, programs: &Path, target: &str, seconds: u64) -> Result<String> {
    let work = soak.repo.target().join("fuzz").join(target);
    // What was found in earlier runs is where this one begins.
    let gathered = work.join("corpus");
    fs::create_dir_all(&gathered)
        .with_context(|| format!("cannot make the folder {}", gathered.display()))?;
    let log = work.join("log");
    let result = soak
        .ready
        .cmd(soak.repo, &programs.join(format!("fuzz-{target}")).to_string_lossy())
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-seed={}", soak.seed))
        .arg(format!("-timeout={SLOWEST}"))
        .arg(format!("-rss_limit_mb={LARGEST}"))
        .arg(format!("-max_len={LONGEST}"))
        .arg(format!("-dict={}", soak.repo.path("crates/fuzz/words.dict").display()))
        .arg(format!("-artifact_prefix={}/", work.display()))
        .arg("-print_final_stats=1")
        .args([gathered, corpus(soak.repo).join(target)])
        .log_to(&log);
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if let Err(error) = result {
        println!("{}", end_of(&text));
        bail!("{target}: {error:#}\n{}", advice(target, &text, &log));
    }
    let run = Run::of(&text).with_context(|| format!("{} does not say what was done", log.display()))?;
    Ok(format!("{target} {run}"))
}

/// What is broken, without what went before.
fn end_of(log: &str) -> String {
    let lines: Vec<_> = log.lines().filter(|line| !line.starts_with('#')).collect();
    lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n")
}

fn advice(target: &str, log: &str, path: &Path) -> String {
    let Some((_, input)) = log.split_once("Test unit written to ") else {
        return format!("  what it said is in {}", path.display());
    };
    let input = input.lines().next().unwrap_or_default();
    format!(
        "  the input is {input}\n  copied into crates/fuzz/corpus/{target}/ it is a test: cargo test -p message-extensions-fuzz"
    )
}

/// What libFuzzer says of a run.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    executions: u64,
    /// Edges that the corpus covers, and those that were covered at the end.
    covered: (u64, u64),
}

impl Run {
    fn of(log: &str) -> Option<Self> {
        let number = |line: &str, name: &str| -> Option<u64> {
            line.split_once(name)?.1.split_whitespace().next()?.parse().ok()
        };
        let covered = |line: &str| number(line, " cov: ");
        let executions = log.lines().find_map(|line| number(line, "stat::number_of_executed_units:"))?;
        let first = log.lines().find(|line| line.contains("INITED")).and_then(covered)?;
        let last = log.lines().rev().find_map(covered)?;
        Some(Self { executions, covered: (first, last) })
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = self.covered;
        write!(f, "{} executions, {last} edges ({} new)", self.executions, last.saturating_sub(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Seed: 7\n#12\tINITED cov: 100 ft: 200 corp: 9/1b exec/s: 0 rss: 27Mb\n\
        #99\tNEW    cov: 120 ft: 230 corp: 10/1b\n#500\tDONE   cov: 121 ft: 1 corp: 2/2b\n\
        stat::number_of_executed_units: 500\nstat::average_exec_per_sec:     50\n";

    #[test]
    fn a_run_is_read_from_its_log() {
        assert_eq!(Run::of(LOG), Some(Run { executions: 500, covered: (100, 121) }));
        assert_eq!(Run::of(LOG).unwrap().to_string(), "500 executions, 121 edges (21 new)");
        assert_eq!(Run::of("Killed"), None);
    }

    #[test]
    fn the_input_that_broke_it_is_named() {
        let log = format!("{LOG}Test unit written to /x/crash-1\nBase64: aa\n");
        assert!(advice("law", &log, Path::new("log")).contains("/x/crash-1\n"));
        assert!(advice("law", LOG, Path::new("a/log")).contains("a/log"));
    }
}
