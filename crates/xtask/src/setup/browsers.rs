//! Chromium, Firefox and their drivers, for the tests only.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Step;
use super::system::System;
use crate::repo::{on_path, search};

/// A program that the tests call, the variable that may name it, and the names it goes by.
struct Program {
    variable: &'static str,
    names: &'static [&'static str],
}

const CHROME: Program =
    Program { variable: "CHROME", names: &["chromium", "chromium-browser", "google-chrome", "chrome"] };
const CHROMEDRIVER: Program = Program { variable: "CHROMEDRIVER", names: &["chromedriver"] };
const FIREFOX_ESR: Program = Program { variable: "FIREFOX", names: &["firefox-esr", "firefox"] };
const GECKODRIVER: Program = Program { variable: "GECKODRIVER", names: &["geckodriver"] };

impl Program {
    fn given(&self) -> Option<PathBuf> {
        env::var_os(self.variable).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    fn find(&self) -> Option<PathBuf> {
        self.given().or_else(|| self.names.iter().find_map(|name| on_path(name)))
    }

    fn get(&self, path: &OsStr) -> Result<PathBuf> {
        let found = self.given().or_else(|| self.names.iter().find_map(|name| search(path, name)));
        found.with_context(|| format!("there is no {} on PATH", self.names.join(", no ")))
    }
}

/// A browser, with its driver where the distribution has one.
pub(super) struct Browser {
    name: &'static str,
    programs: &'static [Program],
    packages: &'static [&'static str],
}

pub(super) const CHROMIUM: Browser = Browser {
    name: "Chromium and chromedriver",
    programs: &[CHROME, CHROMEDRIVER],
    packages: &["chromium", "chromium-driver"],
};

/// Debian has no driver for it; see `CargoTool::geckodriver`.
pub(super) const FIREFOX: Browser =
    Browser { name: "Firefox", programs: &[FIREFOX_ESR], packages: &["firefox-esr"] };

impl Step for Browser {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn is_there(&self) -> bool {
        self.programs.iter().all(|program| program.find().is_some_and(|path| path.is_file()))
    }

    fn changes(&self) -> String {
        format!("apt-get installs {}", self.packages.join(" "))
    }

    fn install(&self, system: &System) -> Result<()> {
        system.apt_install(self.packages)
    }

    fn help(&self) -> String {
        let variables: Vec<&str> = self.programs.iter().map(|program| program.variable).collect();
        format!("install it by other means, on PATH or named in {}", variables.join(" and "))
    }
}

/// Whether the user named a geckodriver, so that none needs to be brought.
pub(super) fn geckodriver_is_given() -> bool {
    GECKODRIVER.given().is_some()
}

/// Chromium alone.
pub(super) fn chrome(path: &OsStr) -> Result<PathBuf> {
    CHROME.get(path)
}

/// The paths of them all.
pub(crate) struct Browsers {
    pub(crate) chrome: PathBuf,
    pub(crate) chromedriver: PathBuf,
    pub(crate) firefox: PathBuf,
    pub(crate) geckodriver: PathBuf,
}

impl Browsers {
    /// Those that the user named, else those on `path`.
    pub(super) fn find(path: &OsStr) -> Result<Self> {
        Ok(Self {
            chrome: CHROME.get(path)?,
            chromedriver: CHROMEDRIVER.get(path)?,
            firefox: FIREFOX_ESR.get(path)?,
            geckodriver: GECKODRIVER.get(path)?,
        })
    }
}
