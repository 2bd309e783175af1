//! Brings what is missing, and only that: each step knows whether it is there, says what it will change before it
//! changes it, and when it cannot, says why and what a person can do.

mod browsers;
mod npm;
mod system;
mod target;
mod tools;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::repo::Repo;
use crate::run::{self, Cmd};
pub(crate) use browsers::Browsers;
use system::System;
pub(crate) use target::Wasm;

/// What the set-up is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `build`, `demo`, `lint`.
    Build,
    /// `test`: browsers and their drivers too, and redis-server.
    Test,
    /// `soak`: redis-server and a C++ compiler too.
    Soak,
    /// A part of `soak`: what `test` needs, and the bundlers of `tests/packaging`.
    Packaging,
    /// A part of `soak`: cargo-mutants.
    Mutants,
    /// `bench`: Chromium, redis-server and the peers of npm; Debian's peers too, where they can be had.
    Bench,
}

/// Something that must be there.
trait Step {
    /// What it is, in a few words.
    fn name(&self) -> String;
    /// Whether it is there; quick.
    fn is_there(&self) -> bool;
    /// What [`Step::install`] will change on this machine.
    fn changes(&self) -> String;
    /// Brings it.
    fn install(&self, system: &System) -> Result<()>;
    /// What a person can do when it cannot be brought.
    fn help(&self) -> String;
}

/// A machine that is ready: how to call what the set-up brought.
pub(crate) struct Ready {
    /// The toolchain for wasm.
    pub(crate) wasm: Wasm,
    path: OsString,
}

impl Ready {
    /// The browsers and their drivers; after a set-up for [`Purpose::Test`] they are all there.
    pub(crate) fn browsers(&self) -> Result<Browsers> {
        Browsers::find(&self.path)
    }

    /// Chromium; after a set-up for [`Purpose::Bench`] it is there.
    pub(crate) fn chrome(&self) -> Result<PathBuf> {
        browsers::chrome(&self.path)
    }

    /// A program that finds the right tools on its PATH, and builds native code in the checkout's own folder.
    pub(crate) fn cmd(&self, repo: &Repo, program: &str) -> Cmd {
        Cmd::new(program).dir(repo.root()).env("PATH", &self.path).env("CARGO_TARGET_DIR", repo.target())
    }

    /// The same with the toolchain for wasm and its own folder.
    pub(crate) fn wasm_cmd(&self, repo: &Repo, program: &str) -> Cmd {
        self.wasm.apply(self.cmd(repo, program)).env("CARGO_TARGET_DIR", self.wasm.target_folder(repo))
    }
}

/// Brings everything that `purpose` needs.
pub(crate) fn run(repo: &Repo, purpose: Purpose) -> Result<Ready> {
    let started = Instant::now();
    let bindgen = tools::CargoTool::wasm_bindgen(repo)?;
    let wasm_pack = tools::CargoTool::wasm_pack();
    let geckodriver = tools::CargoTool::geckodriver();
    let mutants = tools::CargoTool::cargo_mutants();
    let build_tools = npm::NpmFolder::build_tools(repo);

    let mut steps: Vec<Box<dyn Step + '_>> = vec![
        Box::new(tools::CCompiler),
        Box::new(tools::Node),
        Box::new(target::WasmTarget { repo }),
        Box::new(&bindgen),
        Box::new(&build_tools),
    ];
    if matches!(purpose, Purpose::Test | Purpose::Packaging) {
        steps.push(Box::new(&wasm_pack));
        steps.push(Box::new(browsers::CHROMIUM));
        steps.push(Box::new(browsers::FIREFOX));
        if !browsers::geckodriver_is_given() {
            steps.push(Box::new(&geckodriver));
        }
        steps.push(Box::new(npm::NpmFolder::tests(repo)));
    }
    if purpose == Purpose::Packaging {
        steps.push(Box::new(npm::NpmFolder::packaging(repo)));
    }
    if purpose == Purpose::Mutants {
        steps.push(Box::new(&mutants));
    }
    if purpose == Purpose::Bench {
        steps.push(Box::new(browsers::CHROMIUM));
        steps.push(Box::new(npm::NpmFolder::bench(repo)));
    }
    if matches!(purpose, Purpose::Test | Purpose::Soak | Purpose::Bench) {
        steps.push(Box::new(tools::RedisServer));
    }
    if purpose == Purpose::Soak {
        steps.push(Box::new(tools::CxxCompiler));
    }
    let mut brought = bring(&steps)?;
    drop(steps);
    if purpose == Purpose::Bench {
        for peer in &tools::PEERS {
            // It is left out by name then.
            brought |= bring(&[Box::new(peer)]).unwrap_or_else(|error| {
                println!("{error:#}\n  the benchmarks go on without it");
                false
            });
        }
    }

    let tools = [&bindgen, &wasm_pack, &geckodriver, &mutants].map(tools::CargoTool::folder);
    let folders = tools.into_iter().flatten().chain([build_tools.programs()]);
    let path = run::path_with(folders.collect())?;
    let wasm = Wasm::find().context("the wasm target was there a moment ago, and is gone")?;
    let (took, what) =
        (started.elapsed().as_secs_f64(), if brought { "done" } else { "everything is there" });
    println!("setup: {what} ({took:.1} s; wasm by {wasm})");
    Ok(Ready { wasm, path })
}

/// Brings what is missing; true when something was.
fn bring(steps: &[Box<dyn Step + '_>]) -> Result<bool> {
    let system = System::default();
    let mut brought = false;
    for step in steps {
        if step.is_there() {
            continue;
        }
        brought = true;
        let name = step.name();
        println!("setup: {name} is missing\n  will change: {}", step.changes());
        let started = Instant::now();
        let installed = run::with_heartbeat(&name, || step.install(&system));
        if let Err(error) = installed {
            bail!("setup stopped at `{name}`: {error:#}\n  what you can do: {}", step.help());
        }
        if !step.is_there() {
            bail!(
                "setup stopped at `{name}`: everything seemed to work, and yet it is not there\n  what you can do: {}",
                step.help()
            );
        }
        println!("setup: {name}: there now, {:.0} s", started.elapsed().as_secs_f64());
    }
    Ok(brought)
}

impl<S: Step + ?Sized> Step for &S {
    fn name(&self) -> String {
        (**self).name()
    }
    fn is_there(&self) -> bool {
        (**self).is_there()
    }
    fn changes(&self) -> String {
        (**self).changes()
    }
    fn install(&self, system: &System) -> Result<()> {
        (**self).install(system)
    }
    fn help(&self) -> String {
        (**self).help()
    }
}
