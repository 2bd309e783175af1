//! What several tests need.
#![allow(dead_code, reason = "each test uses a part")]

use std::cell::RefCell;

use message_extensions_core::wire::{Sink, Source, Write};
use serde_json::{Map, Value};

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

    fn json(&self) -> String {
        self.0.to_string()
    }
}

/// JSON as the SDK builds it in a browser.
pub(crate) struct Built(RefCell<Map<String, Value>>);

impl Built {
    pub(crate) fn json(self) -> Value {
        Value::Object(self.0.into_inner())
    }

    fn put(&self, name: &'static str, value: Value) {
        assert!(self.0.borrow_mut().insert(name.into(), value).is_none(), "{name} is written twice");
    }
}

impl Sink for Built {
    fn empty() -> Self {
        Self(RefCell::default())
    }

    fn parsed(json: &str) -> Self {
        Self(RefCell::new(serde_json::from_str(json).unwrap_or_default()))
    }

    fn put_text(&self, name: &'static str, value: &str) {
        self.put(name, value.into());
    }

    fn put_number(&self, name: &'static str, value: f64) {
        self.put(name, (value as u64).into());
    }

    fn put_object(&self, name: &'static str, value: Self) {
        self.put(name, value.json());
    }

    fn put_list<T: Write>(&self, name: &'static str, values: &[T]) {
        self.put(name, values.iter().map(|value| value.write::<Self>().json()).collect());
    }
}
