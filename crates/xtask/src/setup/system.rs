//! Changes to the system itself: Debian packages, and the few commands that need root.

use std::cell::OnceCell;

use anyhow::{Result, bail};

use crate::repo::on_path;
use crate::run::Cmd;

/// The machine, and what is known of it during one set-up.
#[derive(Default)]
pub(crate) struct System {
    root: OnceCell<bool>,
    lists_are_fresh: OnceCell<()>,
}

impl System {
    /// Installs Debian packages; the lists are fetched once before the first.
    pub(crate) fn apt_install(&self, packages: &[&str]) -> Result<()> {
        if on_path("apt-get").is_none() {
            bail!("there is no apt-get here, and this set-up knows no other package manager");
        }
        let mut install = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
        if self.lists_are_fresh.get().is_none() {
            install = format!("apt-get update && {install}");
        }
        self.as_root(&install)?;
        let _ = self.lists_are_fresh.set(());
        Ok(())
    }

    /// Runs a line of shell, which needs root; without root it stops with what to type.
    pub(crate) fn as_root(&self, line: &str) -> Result<()> {
        if !*self.root.get_or_init(is_root) {
            bail!(
                "this needs root. Run\n\n      sudo sh -c '{line}'\n\n  and then the same `cargo xtask` chore again"
            );
        }
        println!("  + {line}");
        Cmd::new("sh").arg("-c").arg(line).env("DEBIAN_FRONTEND", "noninteractive").run()
    }
}

fn is_root() -> bool {
    Cmd::new("id").arg("-u").read().is_ok_and(|id| id.trim() == "0")
}
