//! Folders with a package.json whose dependencies npm brings, exactly as their lock file says.

use std::path::PathBuf;

use anyhow::Result;

use super::Step;
use super::system::System;
use crate::repo::{Repo, read, write};
use crate::run::Cmd;

/// Beside the installed packages: the lock file that they were installed by.
const STAMP: &str = "node_modules/.installed-by";

pub(super) struct NpmFolder {
    what: &'static str,
    folder: PathBuf,
}

impl NpmFolder {
    /// wasm-opt, esbuild and terser.
    pub(super) fn build_tools(repo: &Repo) -> Self {
        Self { what: "wasm-opt, esbuild and terser", folder: repo.path("crates/xtask/js") }
    }

    /// What the JavaScript tests import.
    pub(super) fn tests(repo: &Repo) -> Self {
        Self { what: "the packages of the JavaScript tests", folder: repo.path("tests") }
    }

    /// The bundlers and frameworks that only the soak builds with.
    pub(super) fn packaging(repo: &Repo) -> Self {
        Self { what: "webpack, esbuild and Next.js", folder: repo.path("tests/packaging") }
    }

    /// The peers that the benchmarks measure.
    pub(super) fn bench(repo: &Repo) -> Self {
        Self { what: "the peers of the benchmarks", folder: repo.path("bench") }
    }

    /// The folder of their programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.folder.join("node_modules/.bin")
    }
}

impl Step for NpmFolder {
    fn name(&self) -> String {
        format!("{} (npm)", self.what)
    }

    fn is_there(&self) -> bool {
        let lock = read(&self.folder.join("package-lock.json"));
        lock.is_ok_and(|lock| read(&self.folder.join(STAMP)).is_ok_and(|stamp| stamp == lock))
    }

    fn changes(&self) -> String {
        format!("npm installs into {}", self.folder.join("node_modules").display())
    }

    fn install(&self, _: &System) -> Result<()> {
        let lock = read(&self.folder.join("package-lock.json"))?;
        Cmd::new("npm")
            .dir(&self.folder)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .run()?;
        write(&self.folder.join(STAMP), lock)
    }

    fn help(&self) -> String {
        format!(
            "run `npm ci` in {} and see what it says; it needs a registry that it can reach",
            self.folder.display()
        )
    }
}
