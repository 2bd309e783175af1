//! The JavaScript tests, on the package as npm would install it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::package;
use crate::repo::{Repo, read};
use crate::report::{Counts, Outcome};
use crate::setup::{Browsers, Ready};

/// Which tests, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those of `tests/`.
    All,
    /// Those of a folder in it.
    In(&'static str),
    /// Those that call a server, which then is two of them on one Redis cluster.
    OnNodes,
    /// Those on bad networks: rounds in Node alone, and with both browsers, from a seed on.
    Network { seed: u32, rounds: u64, in_browsers: u64 },
}

/// The files of [`Which::OnNodes`], as their names begin.
const CALL_A_SERVER: [&str; 6] = ["api-", "rest", "samples", "tab-", "testing-parity", "docs-pages"];

/// Packs and installs what `build` has left, and runs tests.
pub(crate) fn run(repo: &Repo, ready: &Ready, browsers: &Browsers, which: Which) -> Result<Outcome> {
    let tests = repo.path("tests");
    let tarball = package::pack(repo, ready, &repo.target().join("npm"))?;
    package::install(repo, ready, &tarball, &tests)?;
    let counted = repo.target().join("vitest.json");
    let _ = std::fs::remove_file(&counted);
    let mut npm = ready.cmd(repo, "npm");
    match which {
        Which::All | Which::In(_) => {}
        Which::OnNodes => npm = npm.env("TEST_STORE", "nodes"),
        Which::Network { seed, rounds, in_browsers } => {
            npm = npm
                .env("FAULT_SEED", seed.to_string())
                .env("SOAK_NETWORK_ROUNDS", rounds.to_string())
                .env("SOAK_NETWORK_BROWSER_ROUNDS", in_browsers.to_string());
        }
    }
    let result = npm
        .dir(&tests)
        .env("MESSAGE_EXTENSIONS_SERVER", repo.server())
        .env("MESSAGE_EXTENSIONS_TARBALL", &tarball)
        .env("CHROME", &browsers.chrome)
        .env("CHROMEDRIVER", &browsers.chromedriver)
        .env("FIREFOX", &browsers.firefox)
        .env("GECKODRIVER", &browsers.geckodriver)
        .env("XTASK", std::env::current_exe()?)
        .args(["test", "--", "--reporter=default", "--reporter=json"])
        .arg(format!("--outputFile.json={}", counted.display()))
        .args(match which {
            Which::All => Vec::new(),
            Which::In(folder) => vec![format!("--dir={folder}")],
            Which::OnNodes => CALL_A_SERVER.map(str::to_owned).to_vec(),
            Which::Network { .. } => vec!["network-faults".to_owned()],
        })
        .run();
    let counts = match (vitest_counts(&counted), &result) {
        (Err(error), Ok(())) => return Err(error),
        (counts, _) => counts.unwrap_or_default(),
    };
    Ok(Outcome { counts, result })
}

fn vitest_counts(path: &Path) -> Result<Counts> {
    let report: Value = serde_json::from_str(&read(path)?).context("vitest's report is not JSON")?;
    let number = |name: &str| report.get(name).and_then(Value::as_u64);
    match (number("numPassedTests"), number("numFailedTests")) {
        (Some(passed), Some(failed)) => Ok(Counts { passed, failed }),
        _ => bail!("vitest's report has no counts"),
    }
}
