//! `size`: what a page has to load for each entry of the package, against the budget and against what was committed.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::package::{self, WASM};
use crate::repo::{Repo, read};

/// What the first entry and the wasm may weigh together, bytes after brotli 11.
const BUDGET: (&str, u64) = (".", 47_310);

/// What each entry weighed when somebody last looked, in the order of package.json's names. To be written anew when an
/// entry grows for a good reason, and when it shrinks.
const COMMITTED: [(&str, Bytes); 6] = [
    (".", Bytes { raw: 119_420, gzip: 53_997, brotli: 47_164 }),
    ("./inline", Bytes { raw: 79_963, gzip: 56_263, brotli: 53_441 }),
    ("./node", Bytes { raw: 119_472, gzip: 54_023, brotli: 47_183 }),
    ("./react", Bytes { raw: 3_105, gzip: 1_471, brotli: 1_301 }),
    ("./testing", Bytes { raw: 585_301, gzip: 241_798, brotli: 195_962 }),
    ("./vue", Bytes { raw: 3_118, gzip: 1_501, brotli: 1_340 }),
];

/// By how many percent of that an entry may have grown since.
const GROWTH: u64 = 2;

/// Bytes of one file, or of several.
#[derive(Debug, Default, Clone, Copy)]
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

    /// Whether any of the three is more than so many percent above what it was.
    fn has_outgrown(self, before: Self, percent: u64) -> bool {
        let grown = |now: u64, before: u64| now * 100 > before * (100 + percent);
        grown(self.raw, before.raw) || grown(self.gzip, before.gzip) || grown(self.brotli, before.brotli)
    }
}

/// What is wrong with the sizes, a line each.
pub(crate) struct Size {
    complaints: Vec<String>,
}

impl Size {
    /// An error when it may not be shipped.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.complaints.is_empty() {
            bail!("{}", self.complaints.join("\n"));
        }
        Ok(())
    }
}

/// Prints the table: what a page loads for each entry, files and all.
pub(crate) fn print(repo: &Repo) -> Result<Size> {
    let pkg = repo.pkg();
    let manifest =
        read(&pkg.join("package.json")).context("there is no pkg/ yet: run `cargo xtask build`")?;
    let wasm = Bytes::of(&fs::read(pkg.join(WASM))?)?;
    println!("{:<32} {:>9} {:>9} {:>9}", "bytes", "raw", "gzip -9", "brotli 11");
    let row = |name: &str, Bytes { raw, gzip, brotli }: Bytes| {
        println!("{name:<32} {raw:>9} {gzip:>9} {brotli:>9}");
    };
    row(WASM, wasm);
    let mut complaints = Vec::new();
    for (entry, script) in package::page_scripts(&manifest)? {
        let bytes = weigh(&pkg.join(&script), wasm)?;
        row(&format!("{entry} ({script})"), bytes);
        complaints.extend(complaint(&entry, bytes));
    }
    let (entry, budget) = BUDGET;
    println!("{:<32} {:>9} {:>9} {budget:>9}", format!("the budget of {entry}"), "", "");
    Ok(Size { complaints })
}

/// A script, and the wasm with it if it loads that by its URL.
fn weigh(script: &Path, wasm: Bytes) -> Result<Bytes> {
    let text = read(script)?;
    let bytes = Bytes::of(text.as_bytes())?;
    Ok(if text.contains(&format!("./{WASM}")) { bytes.plus(wasm) } else { bytes })
}

/// What is wrong with an entry's size.
fn complaint(entry: &str, bytes: Bytes) -> Option<String> {
    let (limited, budget) = BUDGET;
    if entry == limited && bytes.brotli > budget {
        return Some(format!(
            "{entry} weighs {} bytes, {} over the budget",
            bytes.brotli,
            bytes.brotli - budget
        ));
    }
    match COMMITTED.iter().find(|(name, _)| *name == entry) {
        None => Some(format!("{entry} has no figures in COMMITTED of crates/xtask/src/size.rs: {bytes:?}")),
        Some((_, before)) if bytes.has_outgrown(*before, GROWTH) => {
            Some(format!("{entry} has grown by more than {GROWTH} %, from {before:?} to {bytes:?}"))
        }
        Some(_) => None,
    }
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

    #[test]
    fn growth_past_two_percent_of_what_was_committed_is_a_complaint() {
        for (entry, committed) in COMMITTED {
            assert_eq!(complaint(entry, committed), None);
            let grown = Bytes { gzip: committed.gzip * 103 / 100, ..committed };
            assert!(complaint(entry, grown).is_some_and(|text| text.contains("grown")), "{entry}");
        }
    }

    #[test]
    fn what_is_over_the_budget_or_has_no_figures_is_a_complaint() {
        let heavy = Bytes { brotli: BUDGET.1 + 1, ..Bytes::default() };
        assert!(complaint(BUDGET.0, heavy).is_some_and(|text| text.contains("1 over the budget")));
        assert!(complaint("./unknown", Bytes::default()).is_some());
    }
}
