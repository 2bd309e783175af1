//! `lint`: everything that is checked without running the code.

use anyhow::{Result, bail};

use crate::codes;
use crate::repo::Repo;
use crate::report::Report;
use crate::setup::Ready;

/// What is compiled to wasm: the SDK, and the server that tests have in their page.
const WASM: [&str; 6] =
    ["-p", "message-extensions", "-p", "message-extensions-testing", "--target", "wasm32-unknown-unknown"];

/// What the pure crate may never depend on: other people's clocks, sockets and JavaScript.
const NOT_IN_CORE: [&str; 6] = ["tokio", "wasm-bindgen", "js-sys", "web-sys", "getrandom", "mio"];

/// Each check is a step of its own.
pub(crate) fn run(repo: &Repo, ready: &Ready, report: &mut Report) {
    let native = || ready.cmd(repo, "cargo");
    let wasm = || ready.wasm_cmd(repo, "cargo");
    report.step("lint: formatting", || native().args(["fmt", "--all", "--", "--check"]).run());
    report.step("lint: clippy, native", || {
        native().args(["clippy", "--all-targets", "--", "-D", "warnings"]).run()
    });
    report.step("lint: clippy, wasm", || {
        wasm().arg("clippy").args(WASM).args(["--all-targets", "--", "-D", "warnings"]).run()
    });
    report.step("lint: documentation, native", || {
        native().env("RUSTDOCFLAGS", "-Dwarnings").args(["doc", "--no-deps"]).run()
    });
    report.step("lint: documentation, wasm", || {
        let doc = ["doc", "--no-deps"];
        wasm().env("RUSTDOCFLAGS", "-Dwarnings").args(doc).args(WASM).run()
    });
    report.step("lint: core depends on nothing with IO", || core_is_pure(repo, ready));
    report.step("lint: the codes in the docs are fresh", || codes::check_docs(repo));
}

fn core_is_pure(repo: &Repo, ready: &Ready) -> Result<()> {
    let tree =
        ["tree", "-p", "message-extensions-core", "-e", "normal", "--all-features", "--prefix", "none"];
    let tree = ready.cmd(repo, "cargo").args(tree).args(["--format", "{lib}"]).read()?;
    let found = impure(&tree);
    if !found.is_empty() {
        bail!("core depends on {}", found.join(", "));
    }
    Ok(())
}

fn impure(tree: &str) -> Vec<&'static str> {
    let is_in = |name: &&str| tree.lines().any(|line| line.replace('_', "-").trim() == *name);
    NOT_IN_CORE.into_iter().filter(is_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_with_javascript_in_it_is_found_out() {
        assert_eq!(impure("serde\njs_sys\nmemchr\n"), ["js-sys"]);
        assert!(impure("serde\ntokio_like\n").is_empty());
    }
}
