//! What is generated from the one list of error codes: the types of the package and the tables in the docs.

use anyhow::{Context, Result, bail};
use message_extensions_core::code::{CODES, CodeInfo, Scope};

use crate::repo::{Repo, read, write};

const DOCS: &str = "docs/errors.md";
const BEGIN: &str = "<!-- codes -->\n";
const END: &str = "<!-- end of the codes -->\n";

/// `codes.d.ts`: a union of the codes that a promise rejects with, and one of those that an item answers with.
pub(crate) fn typescript() -> String {
    let member = |info: &CodeInfo| {
        format!("  /** {} {} */\n  | {}\n", without_sources(info.text), info.help, info.code)
    };
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

/// A table for each place where codes are given, in the order in which a user of the package meets them.
fn tables() -> String {
    let of = |scope: Scope, heading: &str| {
        let row = |CodeInfo { code, name, retryable, text, help, .. }: &CodeInfo| {
            let again = if *retryable { "yes" } else { "" };
            let cell = |text: &str| without_sources(text).replace('|', "\\|");
            format!("| {code} | `{name}` | {} | {again} | {} |\n", cell(text), cell(help))
        };
        let rows: String = CODES.iter().filter(|info| info.scope == scope).map(row).collect();
        format!(
            "\n## {heading}\n\n| code | name | what it means | again? | what to do |\n|---|---|---|---|---|\n{rows}"
        )
    };
    of(Scope::Item, "Of one key, in a call that resolved")
        + &of(Scope::Client, "From the SDK: the promise rejects")
        + &of(Scope::Request, "From the server: the promise rejects")
        + "\n"
}

/// The document with fresh tables between the markers; what is around them stays.
fn with_tables(document: &str) -> Result<String> {
    let parts = document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.with_context(|| format!("{DOCS} has no lines {} and {}", BEGIN.trim(), END.trim()))?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", tables()))
}

/// Writes the tables into the document.
pub(crate) fn write_docs(repo: &Repo) -> Result<()> {
    let path = repo.path(DOCS);
    write(&path, with_tables(&read(&path)?)?)
}

/// Fails when the document's tables are not of this list.
pub(crate) fn check_docs(repo: &Repo) -> Result<()> {
    let document = read(&repo.path(DOCS))?;
    if document != with_tables(&document)? {
        bail!("the codes in {DOCS} are stale: run `cargo xtask docs` and commit it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_keeps_what_is_around_its_tables() {
        let first = with_tables(&format!("# A\n\n{BEGIN}| old |\n{END}\n## B\ntext\n")).unwrap();
        assert!(first.starts_with("# A\n\n<!-- codes -->\n\n## Of one key"), "{first}");
        assert!(first.ends_with(" |\n\n<!-- end of the codes -->\n\n## B\ntext\n"), "{first}");
        assert_eq!(with_tables(&first).unwrap(), first);
        assert!(with_tables("no marker").is_err());
        assert!(with_tables(BEGIN).is_err());
    }

    #[test]
    fn each_code_is_in_exactly_one_table_with_what_to_do() {
        let tables = tables();
        for info in CODES {
            assert_eq!(
                tables.matches(&format!("\n| {} | `{}` |", info.code, info.name)).count(),
                1,
                "{info:?}"
            );
            assert!(!info.help.is_empty(), "{info:?}");
        }
        assert!(!tables.contains("seed"));
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
