//! Programs: those that `cargo install` brings, each in a folder of its own version, and those that must be there.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Step;
use super::system::System;
use crate::repo::{Repo, on_path, tool_folder};
use crate::run::Cmd;

/// A program from crates.io in exactly one version.
pub(super) struct CargoTool {
    package: &'static str,
    program: &'static str,
    version: String,
    /// The folder of its programs, if they were, or will be, brought by this set-up; none when PATH has that version.
    folder: Option<PathBuf>,
}

impl CargoTool {
    /// The CLI of wasm-bindgen, of the version that Cargo.lock has of the crate: the two must be equal.
    pub(super) fn wasm_bindgen(repo: &Repo) -> Result<Self> {
        Ok(Self::new("wasm-bindgen-cli", "wasm-bindgen", repo.locked_version("wasm-bindgen")?))
    }

    pub(super) fn wasm_pack() -> Self {
        Self::new("wasm-pack", "wasm-pack", "0.15.1".to_owned())
    }

    pub(super) fn geckodriver() -> Self {
        Self::new("geckodriver", "geckodriver", "0.37.1".to_owned())
    }

    pub(super) fn cargo_mutants() -> Self {
        Self::new("cargo-mutants", "cargo-mutants", "27.1.0".to_owned())
    }

    fn new(package: &'static str, program: &'static str, version: String) -> Self {
        let own = tool_folder(package, &version).map(|folder| folder.join("bin")).ok();
        let is_brought = own.as_ref().is_some_and(|folder| folder.join(program).is_file());
        let folder = own.filter(|_| is_brought || !on_path_in_version(program, &version));
        Self { package, program, version, folder }
    }

    /// What has to come on PATH, if anything.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.folder.clone()
    }
}

/// Whether PATH has it in this version: `program 1.2.3 …` is what all of them print.
fn on_path_in_version(program: &str, version: &str) -> bool {
    let Some(path) = on_path(program) else { return false };
    let printed = Cmd::new(path).arg("--version").read().unwrap_or_default();
    printed.split_whitespace().nth(1) == Some(version)
}

impl Step for CargoTool {
    fn name(&self) -> String {
        format!("{} {}", self.package, self.version)
    }

    fn is_there(&self) -> bool {
        self.folder.as_ref().is_none_or(|folder| folder.join(self.program).is_file())
    }

    fn changes(&self) -> String {
        let folder = self.folder.as_ref().and_then(|folder| folder.parent());
        format!(
            "cargo installs it into {}, some minutes",
            folder.map(|f| f.display().to_string()).unwrap_or_default()
        )
    }

    fn install(&self, _: &System) -> Result<()> {
        let root = tool_folder(self.package, &self.version)?;
        let install = || {
            Cmd::new("cargo")
                .without_env("CARGO_TARGET_DIR")
                .args(["install", self.package, "--version", &format!("={}", self.version), "--root"])
                .arg(&root)
        };
        if let Err(error) = install().arg("--locked").run() {
            // Its lock file may name a version that a mirror of the registry does not have.
            println!("  {error:#}; once more without its own lock file");
            install().run()?;
        }
        Ok(())
    }

    fn help(&self) -> String {
        format!(
            "put {} {} on PATH by other means; `{} --version` must say so",
            self.package, self.version, self.program
        )
    }
}

/// The server's SQLite is C.
pub(super) struct CCompiler;

impl Step for CCompiler {
    fn name(&self) -> String {
        "a C compiler".to_owned()
    }

    fn is_there(&self) -> bool {
        std::env::var_os("CC").is_some() || on_path("cc").is_some()
    }

    fn changes(&self) -> String {
        "nothing".to_owned()
    }

    fn install(&self, _: &System) -> Result<()> {
        bail!("there is no `cc` on PATH; the server contains SQLite, which is written in C")
    }

    fn help(&self) -> String {
        "install one (Debian: `apt-get install gcc libc6-dev`), or name yours in the variable CC".to_owned()
    }
}

/// libFuzzer is C++; its crate compiles it.
pub(super) struct CxxCompiler;

impl Step for CxxCompiler {
    fn name(&self) -> String {
        "a C++ compiler".to_owned()
    }

    fn is_there(&self) -> bool {
        std::env::var_os("CXX").is_some() || on_path("c++").is_some()
    }

    fn changes(&self) -> String {
        "installs the package g++".to_owned()
    }

    fn install(&self, system: &System) -> Result<()> {
        system.apt_install(&["g++"])
    }

    fn help(&self) -> String {
        "install one (Debian: `apt-get install g++`), or name yours in the variable CXX".to_owned()
    }
}

/// The tests start servers of their own, on loopback.
pub(super) struct RedisServer;

impl Step for RedisServer {
    fn name(&self) -> String {
        "redis-server".to_owned()
    }

    fn is_there(&self) -> bool {
        on_path("redis-server").is_some() && on_path("redis-cli").is_some()
    }

    fn changes(&self) -> String {
        "apt-get installs redis-server; where there is systemd, its service starts as well".to_owned()
    }

    fn install(&self, system: &System) -> Result<()> {
        system.apt_install(&["redis-server"])
    }

    fn help(&self) -> String {
        "install Redis 7 or newer by other means, redis-server and redis-cli on PATH".to_owned()
    }
}

/// A server of Debian's that the benchmarks measure where it can be had.
pub(super) struct Peer {
    package: &'static str,
    /// One of these says that it is there.
    paths: &'static [&'static str],
}

pub(super) const PEERS: [Peer; 2] = [
    Peer { package: "nats-server", paths: &["/usr/sbin/nats-server", "/usr/bin/nats-server"] },
    Peer { package: "postgresql", paths: &["/usr/lib/postgresql"] },
];

impl Step for Peer {
    fn name(&self) -> String {
        format!("{}, a peer of the benchmarks", self.package)
    }

    fn is_there(&self) -> bool {
        self.paths.iter().any(|path| Path::new(path).exists()) || on_path(self.package).is_some()
    }

    fn changes(&self) -> String {
        format!("apt-get installs {}; where there is systemd, its service starts as well", self.package)
    }

    fn install(&self, system: &System) -> Result<()> {
        system.apt_install(&[self.package])
    }

    fn help(&self) -> String {
        format!("install {} by other means", self.package)
    }
}

/// Runs wasm-opt and esbuild, and the JavaScript tests.
pub(super) struct Node;

impl Node {
    const OLDEST: (u32, u32) = (20, 19);
}

impl Step for Node {
    fn name(&self) -> String {
        format!("Node.js {}.{} or newer, with npm", Self::OLDEST.0, Self::OLDEST.1)
    }

    fn is_there(&self) -> bool {
        let version = Cmd::new("node").arg("--version").read().unwrap_or_default();
        on_path("npm").is_some() && parse_version(&version).is_some_and(|version| version >= Self::OLDEST)
    }

    fn changes(&self) -> String {
        "nothing".to_owned()
    }

    fn install(&self, _: &System) -> Result<()> {
        match Cmd::new("node").arg("--version").read() {
            Ok(version) if on_path("npm").is_some() => bail!("this is Node.js {}", version.trim()),
            Ok(_) => bail!("there is no npm on PATH"),
            Err(_) => bail!("there is no node on PATH"),
        }
    }

    fn help(&self) -> String {
        "install a current Node.js as you like best; this set-up does not choose one for you".to_owned()
    }
}

fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_compare_as_numbers() {
        assert_eq!(parse_version("v20.20.2\n"), Some((20, 20)));
        assert!(parse_version("v20.9.0") < Some(Node::OLDEST));
        assert_eq!(parse_version(""), None);
    }
}
