//! The reference of the API in `docs/api.md`, generated from the package's types by a script, which needs the compiler that the tests have. One of them
//! holds the reference against the types.

use anyhow::Result;

use crate::repo::Repo;
use crate::setup::{self, Purpose};

const SCRIPT: &str = "crates/xtask/js/api-reference.mjs";

/// Writes the reference.
pub(crate) fn write_docs(repo: &Repo) -> Result<()> {
    let ready = setup::run(repo, Purpose::Test)?;
    ready.cmd(repo, "node").arg(SCRIPT).run()
}
