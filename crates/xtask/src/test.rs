//! `test`: everything, in the order in which a failure tells most. Goes on after a failure where that makes sense.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::lint;
use crate::package;
use crate::repo::{Repo, read, write};
use crate::report::{Counts, Outcome, Report};
use crate::setup::{self, Browsers, Purpose, Ready};
use crate::size;

/// How Chromium runs here: without a screen, as root too (it refuses its sandbox there), and without traffic of its own.
const WEBDRIVER: &str = r#"{"goog:chromeOptions":{"args":["--headless","--no-sandbox","--disable-gpu","--disable-quic",
"--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"]}}"#;

/// Runs it all; false when something failed, which the report has said.
pub(crate) fn run(repo: &Repo) -> Result<bool> {
    let ready = setup::run(repo, Purpose::Test)?;
    let browsers = ready.browsers()?;
    let mut report = Report::default();

    let is_built = report.step("build", || Outcome::uncounted(package::build(repo, &ready)));
    if is_built {
        report.step("size", || size::print(repo).and_then(|size| size.check()));
    } else {
        report.skip("size", "the build failed");
    }
    lint::run(repo, &ready, &mut report);
    report.step("tests: native", || native(repo, &ready));
    report.step("tests: wasm in Chromium", || in_browser(repo, &ready, &browsers, "chrome"));
    report.step("tests: wasm in Firefox", || in_browser(repo, &ready, &browsers, "firefox"));
    if is_built {
        report.step("tests: the packed package", || packed(repo, &ready, &browsers));
    } else {
        report.skip("tests: the packed package", "the build failed");
    }
    Ok(report.finish())
}

fn native(repo: &Repo, ready: &Ready) -> Result<Outcome> {
    ready.cmd(repo, "cargo").args(["test", "--no-fail-fast"]).tee().map(Outcome::of_tests)
}

fn in_browser(repo: &Repo, ready: &Ready, browsers: &Browsers, browser: &str) -> Result<Outcome> {
    let webdriver = repo.target().join("webdriver.json");
    write(&webdriver, WEBDRIVER)?;
    let driver = if browser == "chrome" { &browsers.chromedriver } else { &browsers.geckodriver };
    ready
        .wasm_cmd(repo, "wasm-pack")
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver)
        .args(["test", "--headless", "--mode", "no-install"])
        .arg(format!("--{browser}"))
        .arg(if browser == "chrome" { "--chromedriver" } else { "--geckodriver" })
        .arg(driver)
        .arg(repo.root())
        .args(["-p", "message-extensions"])
        .tee()
        .map(Outcome::of_tests)
}

/// The JavaScript tests, on the package as npm would install it.
fn packed(repo: &Repo, ready: &Ready, browsers: &Browsers) -> Result<Outcome> {
    let tests = repo.path("tests");
    let tarball = package::pack(repo, ready, &repo.target().join("npm"))?;
    package::install(repo, ready, &tarball, &tests)?;
    let counted = repo.target().join("vitest.json");
    let _ = std::fs::remove_file(&counted);
    let result = ready
        .cmd(repo, "npm")
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
