//! What the proofs have shown last: a table in docs/guarantees.md, a row for each part of `soak`.

use anyhow::{Context, Result};

use crate::repo::{Repo, read, write};
use crate::run::Cmd;

const DOCS: &str = "docs/guarantees.md";
const BEGIN: &str =
    "<!-- soak -->\n| `cargo xtask soak …` | what was done and seen | seed | day |\n|---|---|---|---|\n";
const END: &str = "<!-- end of soak -->\n";

/// A part that has ended well, and what it says was done.
pub(crate) struct Done {
    pub(crate) part: &'static str,
    pub(crate) said: String,
}

/// Writes what has been done into the table. Parts that were not run keep their rows; all are in the order of `parts`.
pub(crate) fn record(repo: &Repo, parts: &[&str], done: &[Done], seed: u32) -> Result<()> {
    let day = Cmd::new("date").args(["-u", "+%F"]).read()?;
    let path = repo.path(DOCS);
    let document = read(&path)?;
    write(&path, with_rows(&document, parts, done, seed, day.trim())?)
}

fn with_rows(document: &str, parts: &[&str], done: &[Done], seed: u32, day: &str) -> Result<String> {
    let split = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (rows, after)) = split.with_context(|| format!("{DOCS} has lost the table of soak"))?;
    let mut table = String::new();
    for part in parts {
        let begin = format!("| `{part}` |");
        if let Some(Done { said, .. }) = done.iter().find(|done| done.part == *part) {
            let cell = said.replace('|', "\\|");
            table += &format!("{begin} {cell} | {seed} | {day} |\n");
        } else if let Some(row) = rows.lines().find(|row| row.starts_with(&begin)) {
            table += row;
            table.push('\n');
        }
    }
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_was_run_has_a_new_row_and_the_others_keep_theirs() {
        let page = |rows: &str| format!("# A\n{BEGIN}{rows}{END}after\n");
        let old = page("| `b` | old | 1 | 2000-01-01 |\n| `c` | kept | 1 | 2000-01-01 |\n");
        let done = ["a", "b"].map(|part| Done { part, said: "x|y".into() });
        let new = with_rows(&old, &["a", "b", "c", "d"], &done, 7, "2001-01-01").unwrap();
        let rows = "| `a` | x\\|y | 7 | 2001-01-01 |\n| `b` | x\\|y | 7 | 2001-01-01 |\n| `c` | kept | 1 | 2000-01-01 |\n";
        assert_eq!(new, page(rows));
    }
}
