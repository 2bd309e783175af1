//! Clock and timer of whatever runs us: a page, a worker, Node.

use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
    #[wasm_bindgen(js_name = setTimeout)]
    pub(crate) fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    pub(crate) fn clear_timeout(timer: &JsValue);
    #[wasm_bindgen(js_name = encodeURIComponent)]
    pub(crate) fn encode_uri_component(text: &str) -> String;
}

/// Milliseconds of a clock that does not go back.
#[inline(never)]
pub(crate) fn now() -> u64 {
    performance_now() as u64
}
