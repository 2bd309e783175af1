//! The settings in force, for people.

use std::fmt::Write;

use super::secret::SET;
use super::settings::{Settings, Source};

impl Settings {
    /// As a settings file that says where each value comes from. Secrets stand in comments.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::new();
        if let Some(file) = &self.file {
            // A path may hold a line break, a comment may not.
            let _ = writeln!(text, "# file: {}", file.display().to_string().escape_debug());
        }
        for (name, value, source) in self.shown() {
            let _ = match value {
                None => writeln!(text, "# {name} is not set"),
                Some(toml::Value::String(value)) if value.starts_with(SET) => {
                    writeln!(text, "# {name} {value} # {source}")
                }
                Some(value) => writeln!(text, "{name} = {value} # {source}"),
            };
        }
        text
    }

    /// Those that somebody gave, in one line.
    pub(crate) fn in_one_line(&self) -> String {
        let given = self.shown().filter(|(_, _, source)| *source != Source::Default);
        let given = given.filter_map(|(name, value, _)| Some(format!("{name}={}", value?)));
        given.collect::<Vec<_>>().join(" ")
    }
}
