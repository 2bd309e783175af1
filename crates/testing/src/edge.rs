//! The one class that JavaScript sees.

use message_extensions_core::code::Error;
use wasm_bindgen::prelude::*;

use crate::{Input, Output, Server};

/// A tenth of the code of the default one.
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// A server in this page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct InPageServer(Server);

#[wasm_bindgen]
impl InPageServer {
    /// `settings`: JSON of [`Settings`](crate::Settings).
    ///
    /// # Errors
    /// What is wrong with them, a sentence.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str) -> Result<Self, String> {
        Server::new(settings).map(Self).map_err(text)
    }

    /// Takes an [`Input`], gives an [`Output`], both as JSON; `now` in milliseconds since 1970.
    ///
    /// # Errors
    /// What is wrong with it, a sentence.
    pub fn handle(&mut self, input: &str, now: f64) -> Result<String, String> {
        let input: Input = serde_json::from_str(input).map_err(|error| error.to_string())?;
        let output: Output = self.0.handle(input, now as u64).map_err(text)?;
        serde_json::to_string(&output).map_err(|error| error.to_string())
    }
}

fn text(error: Error) -> String {
    error.message.into_owned()
}
