//! The wasm target and the source of the standard library, which the package is built with: rustup's, or where rustup cannot bring it, one built from the distribution's own packages.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Step;
use super::system::System;
use crate::repo::{Repo, fresh_folder, on_path, read, remove, write};
use crate::run::Cmd;

const TARGET: &str = "wasm32-unknown-unknown";
/// The name under which rustup is told of the distribution's toolchain.
const DISTRO: &str = "distro";
/// Debian's packages: a compiler, cargo, clippy, the source of the standard library, a linker.
const PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy", LINKER];
const LINKER: &str = "lld-22";
/// Where the distribution's rustc looks for targets.
const SYSROOT: &str = "/usr/lib/rustlib";
/// The source of the standard library, below either toolchain's `rustlib`.
const SOURCE: &str = "src/rust/library/std/Cargo.toml";
/// Beside the target built here: which rustc it was built by.
const STAMP: &str = "built-by";
/// Set to anything: as if rustup had no wasm target and could not bring one, to try the other way.
const WITHOUT_RUSTUP_TARGET: &str = "XTASK_WITHOUT_RUSTUP_TARGET";

/// The toolchain that compiles to wasm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wasm {
    /// The default one has the target.
    Default,
    /// The distribution's, with a standard library built here.
    Distro,
}

impl fmt::Display for Wasm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "the default toolchain",
            Self::Distro => "the distribution's toolchain",
        })
    }
}

impl Wasm {
    /// The toolchain that is ready, if one is.
    pub(crate) fn find() -> Option<Self> {
        if !pretending() && default_has_target() && default_has_source() {
            Some(Self::Default)
        } else if distro_has_target() {
            Some(Self::Distro)
        } else {
            None
        }
    }

    /// Makes `cmd`'s cargo this toolchain's.
    pub(crate) fn apply(self, cmd: Cmd) -> Cmd {
        match self {
            Self::Default => cmd,
            // The library path is what cargo set for this program, of another toolchain.
            Self::Distro => cmd.env("RUSTUP_TOOLCHAIN", DISTRO).without_env("LD_LIBRARY_PATH"),
        }
    }

    /// Its own build folder: two toolchains in one would rebuild each other's work.
    pub(crate) fn target_folder(self, repo: &Repo) -> PathBuf {
        repo.target().join(match self {
            Self::Default => "wasm-build",
            Self::Distro => "wasm-build-distro",
        })
    }
}

fn pretending() -> bool {
    std::env::var_os(WITHOUT_RUSTUP_TARGET).is_some_and(|value| !value.is_empty())
}

fn default_has_target() -> bool {
    let folder = Cmd::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).read();
    folder.is_ok_and(|folder| holds_std(Path::new(folder.trim())))
}

fn default_has_source() -> bool {
    let sysroot = Cmd::new("rustc").args(["--print", "sysroot"]).read();
    sysroot.is_ok_and(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib").join(SOURCE).exists())
}

fn holds_std(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn distro_target() -> PathBuf {
    Path::new(SYSROOT).join(TARGET).join("lib")
}

fn distro_has_target() -> bool {
    let folder = distro_target();
    let Ok(rustc) = distro_rustc() else { return false };
    holds_std(&folder)
        && read(&folder.join(STAMP)).is_ok_and(|stamp| stamp == rustc)
        && linker_link().exists()
}

/// The version of the toolchain that rustup knows as [`DISTRO`], if that is `/usr`.
fn distro_rustc() -> Result<String> {
    let sysroot = distro("rustc").args(["--print", "sysroot"]).read()?;
    if sysroot.trim() != "/usr" {
        bail!("rustup has a toolchain named {DISTRO} that is another: {}", sysroot.trim());
    }
    Ok(distro("rustc").arg("-V").read()?.trim().to_owned())
}

/// rustc asks for its linker under this name, below its own host's folder.
fn linker_link() -> PathBuf {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    Path::new(SYSROOT).join(host).join("bin/rust-lld")
}

fn distro(program: &str) -> Cmd {
    Wasm::Distro.apply(Cmd::new(program))
}

/// The step that brings one of the two.
pub(super) struct WasmTarget<'a> {
    pub(super) repo: &'a Repo,
}

impl Step for WasmTarget<'_> {
    fn name(&self) -> String {
        format!("the Rust target {TARGET} with the source of its standard library")
    }

    fn is_there(&self) -> bool {
        Wasm::find().is_some()
    }

    fn changes(&self) -> String {
        if pretending() {
            return format!("see below; rustup is not asked, since {WITHOUT_RUSTUP_TARGET} is set");
        }
        format!("rustup adds the target {TARGET} and the component rust-src to its default toolchain")
    }

    fn install(&self, system: &System) -> Result<()> {
        let rustup = match (pretending(), on_path("rustup")) {
            (true, _) => Err(anyhow::anyhow!("{WITHOUT_RUSTUP_TARGET} is set")),
            (_, None) => Err(anyhow::anyhow!("there is no rustup on PATH")),
            _ => {
                let target = Cmd::new("rustup").args(["target", "add", TARGET]).run();
                target.and_then(|()| Cmd::new("rustup").args(["component", "add", "rust-src"]).run())
            }
        };
        match rustup {
            Ok(()) => Ok(()),
            Err(why) => self.build_from_distribution(system).with_context(|| {
                format!("rustup could not add it ({why:#}), nor could it be built from Debian's packages")
            }),
        }
    }

    fn help(&self) -> String {
        format!(
            "give your toolchain the target {TARGET} and the source of std, by `rustup target add {TARGET}` and \
             `rustup component add rust-src` or by your package manager"
        )
    }
}

impl WasmTarget<'_> {
    /// Debian's compiler and the source of its standard library, compiled here for wasm.
    fn build_from_distribution(&self, system: &System) -> Result<()> {
        if on_path("rustup").is_none() {
            bail!("without rustup the two toolchains cannot live side by side");
        }
        println!(
            "  rustup cannot add it, so it is built from Debian's packages\n  will change: installs {}; links /usr as \
             rustup's toolchain `{DISTRO}`; puts the standard library for wasm into {} and a linker at {}",
            PACKAGES.join(" "),
            distro_target().display(),
            linker_link().display()
        );
        let source = Path::new(SYSROOT).join(SOURCE);
        let linker = Path::new("/usr/bin").join(LINKER);
        let programs = ["rustc", "cargo", "clippy-driver"].map(|name| Path::new("/usr/bin").join(name));
        if !programs.iter().chain([&source, &linker]).all(|path| path.exists()) {
            system.apt_install(PACKAGES)?;
        }
        if distro("rustc").arg("-V").read().is_err() {
            Cmd::new("rustup").args(["toolchain", "link", DISTRO, "/usr"]).run()?;
        }
        let rustc = distro_rustc()?;
        let built = self.build_std()?;
        let target = distro_target();
        let link = linker_link();
        let stamp = built.join(STAMP);
        write(&stamp, &rustc)?;
        system.as_root(&format!(
            "rm -rf {target} && mkdir -p {target} {bin} && cp {built}/*.rlib {stamp} {target}/ && ln -sf {linker} {link}",
            target = target.display(),
            bin = link.parent().unwrap_or(Path::new(SYSROOT)).display(),
            built = built.display(),
            stamp = stamp.display(),
            linker = linker.display(),
            link = link.display(),
        ))?;
        // What was compiled against an older standard library cannot find its crates any more.
        remove(&Wasm::Distro.target_folder(self.repo))
    }

    /// Compiles the standard library as a dependency of an empty crate; returns the folder with its `.rlib` files.
    fn build_std(&self) -> Result<PathBuf> {
        let folder = self.repo.target().join("distro-std");
        fresh_folder(&folder.join("src"))?;
        write(&folder.join("src/lib.rs"), "")?;
        write(
            &folder.join("Cargo.toml"),
            "[package]\nname = \"nothing\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [profile.release]\npanic = \"abort\"\n\n[workspace]\n",
        )?;
        // Without the bitcode a fat LTO fails. std's own crates are nightly's, hence the bootstrap.
        distro("cargo")
            .dir(&folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Cembed-bitcode=yes")
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .args(["build", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort,proc_macro,test"])
            .run()?;
        let built = folder.join("target").join(TARGET).join("release/deps");
        for entry in std::fs::read_dir(&built)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("libnothing") {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(built)
    }
}
