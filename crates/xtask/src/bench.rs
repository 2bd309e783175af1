//! `bench`: client and server beside their peers, by the scripts of `bench/`, which write `docs/benchmarks.md`.

use anyhow::Result;

use crate::package;
use crate::repo::Repo;
use crate::run::Cmd;
use crate::setup::{self, Purpose};

/// What the load of the server parts is, in `bench/load`.
const LOAD: &str = "message-extensions-load";

/// In a part's place: only writes the page anew, of what was measured before.
const PAGE: &str = "page";

/// Builds what is measured, brings what it is measured beside, and measures all parts or one.
pub(crate) fn run(repo: &Repo, part: Option<&str>, is_quick: bool) -> Result<()> {
    if part == Some(PAGE) {
        return Cmd::new("node").arg(repo.path("bench/run.mjs")).arg(PAGE).run();
    }
    let ready = setup::run(repo, Purpose::Bench)?;
    package::build(repo, &ready)?;
    ready.cmd(repo, "cargo").args(["build", "--release", "-p", LOAD]).run()?;
    // As the scripts import it, the package is where npm would put it.
    let tarball = package::pack(repo, &ready, &repo.target().join("npm"))?;
    package::install(repo, &ready, &tarball, &repo.path("bench"))?;
    ready
        .cmd(repo, "node")
        .env("CHROME", ready.chrome()?)
        .arg(repo.path("bench/run.mjs"))
        .args(part)
        .args(is_quick.then_some("--quick"))
        .run()
}
