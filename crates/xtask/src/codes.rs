//! What is generated from the one list of error codes: the types of the package and the table in the docs.

use anyhow::{Context, Result, bail};
use message_extensions_core::code::{CODES, CodeInfo, Scope};

use crate::repo::{Repo, read, write};

const DOCS: &str = "docs/protocol.md";
const MARKER: &str = "<!-- codes -->\n";

/// `codes.d.ts`: a union of the codes that a promise rejects with, and one of those that an item answers with.
pub(crate) fn typescript() -> String {
    let member = |info: &CodeInfo| format!("  /** {} */\n  | {}\n", without_sources(info.text), info.code);
    let union =
        |of: fn(&CodeInfo) -> bool| CODES.iter().filter(|info| of(info)).map(member).collect::<String>();
    format!(
        "// Generated from the list of codes; do not edit.\n\n\
         /** Why a call was refused: `code` of the error that its promise rejects with. */\n\
         export type MessageExtensionErrorCode =\n{};\n\n\
         /** What became of one item of a call that resolved: `code` of the item. */\n\
         export type MessageExtensionItemCode =\n  /** The item was accepted. */\n  | 0\n{};\n",
        union(|info| info.scope != Scope::Item).trim_end(),
        union(|info| info.scope == Scope::Item).trim_end()
    )
}

/// Without "(seed 002)": a user of the package does not have the specification at hand.
fn without_sources(text: &str) -> String {
    match text.split_once(" (seed") {
        Some((before, after)) => before.to_owned() + after.split_once(')').map_or("", |(_, after)| after),
        None => text.to_owned(),
    }
}

fn table() -> String {
    let mut table = "\n| code | name | given | again? | meaning |\n|---|---|---|---|---|\n".to_owned();
    for CodeInfo { code, name, scope, retryable, text } in CODES {
        let scope = match scope {
            Scope::Request => "by the server, for the request",
            Scope::Item => "by the server, for an item",
            Scope::Client => "by the SDK",
        };
        let again = if *retryable { "may succeed" } else { "" };
        let text = text.replace('|', "\\|");
        table.push_str(&format!("| {code} | `{name}` | {scope} | {again} | {text} |\n"));
    }
    table
}

/// The document with a fresh table after the marker; what follows the old table stays.
fn with_table(document: &str) -> Result<String> {
    let (before, after) =
        document.split_once(MARKER).with_context(|| format!("{DOCS} has no line {}", MARKER.trim()))?;
    let is_of_table = |line: &&str| line.starts_with('|') || line.trim().is_empty();
    let rest: String = after.split_inclusive('\n').skip_while(is_of_table).collect();
    let gap = if rest.is_empty() { "" } else { "\n" };
    Ok(format!("{before}{MARKER}{}{gap}{rest}", table()))
}

/// Writes the table into the document.
pub(crate) fn write_docs(repo: &Repo) -> Result<()> {
    let path = repo.path(DOCS);
    write(&path, with_table(&read(&path)?)?)
}

/// Fails when the document's table is not of this list.
pub(crate) fn check_docs(repo: &Repo) -> Result<()> {
    let document = read(&repo.path(DOCS))?;
    if document != with_table(&document)? {
        bail!("the table of codes in {DOCS} is stale: run `cargo xtask docs` and commit it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_is_around_its_table() {
        let first = with_table("# A\n\n<!-- codes -->\n\n| old |\n|---|\n\n## B\ntext\n").unwrap();
        assert!(first.starts_with("# A\n\n<!-- codes -->\n\n| code |"), "{first}");
        assert!(first.ends_with(" |\n\n## B\ntext\n"), "{first}");
        assert_eq!(with_table(&first).unwrap(), first);
        let last = with_table("<!-- codes -->\n").unwrap();
        assert_eq!(with_table(&last).unwrap(), last);
        assert!(with_table("no marker").is_err());
    }

    #[test]
    fn types_do_not_name_the_specification() {
        assert_eq!(without_sources("No (seeds 002 to 004). Try (again)."), "No. Try (again).");
        assert!(!typescript().contains("seed"));
    }

    #[test]
    fn each_code_is_in_exactly_one_union() {
        let types = typescript();
        for info in CODES {
            assert_eq!(
                types.matches(&format!("  | {}\n", info.code)).count()
                    + types.matches(&format!("  | {};\n", info.code)).count(),
                1,
                "{info:?}"
            );
        }
    }
}
