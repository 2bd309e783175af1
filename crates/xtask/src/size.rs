//! `size`: what a page has to load, against the budget.

use std::fs;
use std::io::Write;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::package::{ENTRY, WASM};
use crate::repo::Repo;

/// What the entry and the wasm may weigh together, bytes after brotli 11.
const BUDGET: u64 = 48_000;

/// Bytes of one file, or of several.
#[derive(Default, Clone, Copy)]
struct Bytes {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Bytes {
    fn of(content: &[u8]) -> Result<Self> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(content)?;
        let gzip = gzip.finish()?.len() as u64;
        let mut brotli = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
        brotli::BrotliCompress(&mut &*content, &mut brotli, &parameters)?;
        Ok(Self { raw: content.len() as u64, gzip, brotli: brotli.len() as u64 })
    }

    fn plus(self, other: Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }
}

/// What every page loads.
pub(crate) struct Size {
    brotli: u64,
}

impl Size {
    /// Whether it may be shipped.
    pub(crate) fn within_budget(&self) -> bool {
        self.brotli <= BUDGET
    }

    /// An error when it may not.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.within_budget() {
            bail!("{} bytes are {} over the budget", self.brotli, self.brotli - BUDGET);
        }
        Ok(())
    }
}

/// Prints the table: what every page loads, their sum, then the entries that a page may load besides.
pub(crate) fn print(repo: &Repo) -> Result<Size> {
    let pkg = repo.pkg();
    let mut names = Vec::new();
    for entry in fs::read_dir(&pkg).context("there is no pkg/ yet: run `cargo xtask build`")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".js") || name.ends_with(".wasm") {
            names.push(name);
        }
    }
    names.sort();
    let (loaded, besides): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name == ENTRY || name == WASM);
    println!("{:<32} {:>9} {:>9} {:>9}", "bytes", "raw", "gzip -9", "brotli 11");
    let row = |name: &str, Bytes { raw, gzip, brotli }: Bytes| {
        println!("{name:<32} {raw:>9} {gzip:>9} {brotli:>9}");
    };
    let mut sum = Bytes::default();
    for name in loaded {
        let bytes = Bytes::of(&fs::read(pkg.join(&name))?)?;
        row(&name, bytes);
        sum = sum.plus(bytes);
    }
    row("what every page loads", sum);
    println!("{:<32} {:>9} {:>9} {BUDGET:>9}", "budget", "", "");
    for name in besides {
        row(&format!("besides: {name}"), Bytes::of(&fs::read(pkg.join(&name))?)?);
    }
    Ok(Size { brotli: sum.brotli })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetition_compresses_and_sums_add_up() {
        let bytes = Bytes::of(&[7; 10_000]).unwrap();
        assert!(bytes.raw == 10_000 && bytes.gzip < 100 && bytes.brotli < bytes.gzip);
        assert_eq!(bytes.plus(bytes).raw, 20_000);
    }
}
