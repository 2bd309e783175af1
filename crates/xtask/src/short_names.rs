//! Short names for what the glue and the wasm call each other. wasm-bindgen's names carry hashes, which do not compress,
//! and each stands in both files.

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The module under whose name the glue hands its functions in, and what wasm-opt makes of it.
const MODULE: &str = "\"./message_extensions_bg.js\": import0";
const SHORT_MODULE: &str = "\"a\": import0";

/// The glue with the names that wasm-opt's `--minify-imports-and-exports-and-modules` has given, by the table it printed.
pub(crate) fn apply(glue: &str, table: &str) -> Result<String> {
    let table: Value = serde_json::from_str(table).context("wasm-opt's table of names is not JSON")?;
    let mut glue = replace_once(glue, MODULE, SHORT_MODULE)?;
    for row in rows(&table, "imports")? {
        let [_, name, short] = row.as_slice() else {
            bail!("an import of wasm-opt's table has not three names")
        };
        glue = replace_once(&glue, &format!("\n        {name}: "), &format!("\n        {short:?}: "))?;
    }
    for row in rows(&table, "exports")? {
        let [name, short] = row.as_slice() else { bail!("an export of wasm-opt's table has not two names") };
        glue = replace_word(&glue, &format!("wasm.{name}"), &format!("wasm[{short:?}]"));
    }
    Ok(glue)
}

fn rows(table: &Value, part: &str) -> Result<Vec<Vec<String>>> {
    let rows = table.get(part).cloned().context("wasm-opt's table of names lacks a part")?;
    serde_json::from_value(rows).context("wasm-opt's table of names is not made of names")
}

/// An error where `from` does not stand exactly once: wasm-bindgen writes it in another way by now.
fn replace_once(text: &str, from: &str, to: &str) -> Result<String> {
    match text.matches(from).count() {
        1 => Ok(text.replacen(from, to, 1)),
        n => bail!("{from:?} stands {n} times in the glue, not once"),
    }
}

/// Replaces `from` where no longer name begins with it.
fn replace_word(text: &str, from: &str, to: &str) -> String {
    let mut parts = text.split(from);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$');
        replaced.push_str(if goes_on { from } else { to });
        replaced.push_str(part);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "const import0 = {\n        __wbg_get_12: function(a) { return wasm.edge_get(a) + wasm.edge_get_all(a); },\n};\n\
        return { \"./message_extensions_bg.js\": import0 };";

    #[test]
    fn both_sides_of_the_glue_get_the_names_of_the_table() {
        let table =
            r#"{"imports":[["./message_extensions_bg.js","__wbg_get_12","$"]],"exports":[["edge_get","b"]]}"#;
        let expected = "const import0 = {\n        \"$\": function(a) { return wasm[\"b\"](a) + wasm.edge_get_all(a); },\n};\n\
            return { \"a\": import0 };";
        assert_eq!(apply(GLUE, table).unwrap(), expected);
    }

    #[test]
    fn an_import_that_the_glue_lacks_is_an_error() {
        let table = r#"{"imports":[["./message_extensions_bg.js","__wbg_set_13","$"]],"exports":[]}"#;
        assert!(apply(GLUE, table).is_err());
    }
}
