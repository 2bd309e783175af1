//! What several tests need.
#![allow(dead_code, reason = "each test uses a part")]

use message_extensions_core::wire::Source;
use serde_json::Value;

/// JSON as the SDK's reader sees it in a browser.
pub(crate) struct Parsed(pub(crate) Value);

impl Source for Parsed {
    fn text(&self, name: &'static str) -> Option<String> {
        self.0.get(name)?.as_str().map(String::from)
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        self.0.get(name)?.as_f64()
    }

    fn object(&self, name: &'static str) -> Option<Self> {
        self.0.get(name).filter(|v| v.is_object()).cloned().map(Self)
    }

    fn list(&self, name: &'static str) -> Option<Vec<Self>> {
        Some(self.0.get(name)?.as_array()?.iter().cloned().map(Self).collect())
    }
}
