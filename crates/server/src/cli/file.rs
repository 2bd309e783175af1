//! The settings file.

use std::path::Path;

use super::settings::Values;

/// Reads a settings file.
///
/// # Errors
/// A sentence that names the file and, when it is there, the line and the setting. Never what stands in the line, which
/// may be a secret.
pub(super) fn read(path: &Path) -> Result<Values, String> {
    let name = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|e| format!("cannot read the settings file {name}: {e}"))?;
    parse(&text).map_err(|(line, why)| format!("the settings file {name}, line {line}: {why}"))
}

/// # Errors
/// The line, from 1, and what is wrong there.
pub(super) fn parse(text: &str) -> Result<Values, (usize, String)> {
    let line = |error: &toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count()
    };
    let file = toml::Deserializer::parse(text).map_err(|e| (line(&e), e.message().to_owned()))?;
    serde_path_to_error::deserialize(file).map_err(|error| {
        let (setting, error) = (error.path().to_string(), error.into_inner());
        (line(&error), format!("{setting}: {}", error.message()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("listen = \"a\"\nlistn = \"b\"\n", 2, "unknown field `listn`"),
            ("\n\nkey-bytes = \"many\"\n", 3, "key-bytes: invalid type: string \"many\", expected usize"),
            ("key-bytes = -1", 1, "key-bytes: "),
            ("admin = [\n \"a\",\n 5\n]", 3, "admin[1]: "),
            ("[limits]\nkey-bytes = 5", 1, "unknown field `limits`"),
            ("log-format = \"xml\"", 1, "log-format: unknown variant `xml`"),
            ("listen = \"a\"\nlisten = \"b\"", 2, "duplicate key"),
            ("listen = ", 1, ""),
        ];
        for (text, line, why) in cases {
            let (at, said) = parse(text).err().unwrap();
            assert_eq!(at, line, "{text}: {said}");
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn an_error_never_shows_a_secret() {
        for text in [
            "secret-key = 12345",
            "secret-key = [\"12345\"]",
            "secret-key = 12345x",
            "secret-key = '12345",
            "store = [\"redis://:12345@a:1\"]",
        ] {
            let (_, said) = parse(text).err().unwrap();
            assert!(!said.contains("12345"), "{text}: {said}");
        }
    }
}
