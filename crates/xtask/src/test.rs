//! `test`: everything, in the order in which a failure tells most. Goes on after a failure where that makes sense.

use anyhow::Result;

use crate::lint;
use crate::package;
use crate::packed::{self, Which};
use crate::repo::{Repo, write};
use crate::report::{Outcome, Report};
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
        report.step("tests: the packed package", || packed::run(repo, &ready, &browsers, Which::All));
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
