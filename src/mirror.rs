//! The strings of what was read last, as JavaScript has them: to bring them over takes longer than everything else that a read
//! from the cache does.

use js_sys::Function;
use message_extensions_core::client::Listing;
use message_extensions_core::list::take;
use wasm_bindgen::JsValue;

use crate::record::literal;

/// As many are remembered.
const MOST: usize = 16;

/// Of the listings that may come once more, those that came last, ascending by when they did.
#[derive(Debug, Default)]
pub(crate) struct Mirror(Vec<(Listing, JsValue)>);

impl Mirror {
    /// A listing's keys and values in turn as an array, which `told` makes of its text; not for users, who may change what they
    /// get.
    pub(crate) fn parts(&mut self, listing: &Listing, told: &Function) -> JsValue {
        let known = take(&mut self.0, |(other, _)| other.is(listing));
        let is_new = known.is_none();
        let parts = known.map_or_else(|| {
            told.call2(&JsValue::UNDEFINED, literal("parts"), &listing.text().into()).unwrap_or_default()
        }, |(_, parts)| parts);
        if listing.may_come_again() {
            if is_new && self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push((listing.clone(), parts.clone()));
        }
        parts
    }
}
