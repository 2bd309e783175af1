//! That `docs/operating.md` says what the program does.

use clap::Arg;

use super::{command, file, is_setting};

const PAGE: &str = include_str!("../../../../docs/operating.md");

/// What stands between two marks.
fn between<'a>(begin: &str, end: &str) -> &'a str {
    let (_, rest) = PAGE.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0.trim()
}

fn row(arg: &Arg) -> String {
    let name = arg.get_long().unwrap();
    let default: Vec<_> = arg.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    let default = if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let values = if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
    let group = arg.get_help_heading().map(|heading| format!("{heading}: ")).unwrap_or_default();
    format!("| `{name}` | {default} | {group}{}{values} |", arg.get_help().unwrap())
}

#[test]
fn the_page_has_the_settings_that_there_are() {
    let command = command();
    let rows: Vec<_> = command.get_arguments().filter(|arg| is_setting(arg)).map(row).collect();
    let table = format!("| setting | default | what |\n|---|---|---|\n{}", rows.join("\n"));
    let on_the_page = between("<!-- settings -->", "<!-- /settings -->");
    assert!(table == on_the_page, "docs/operating.md must have this table:\n{table}");
}

#[test]
fn the_pages_settings_file_is_one() {
    let text = between("<!-- settings file -->\n```toml\n", "```");
    assert!(file::parse(text).is_ok());
}
