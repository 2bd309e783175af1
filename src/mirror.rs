//! What was read last, as JavaScript has it: to bring the strings over takes longer than everything else that a read from the
//! cache does.

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
    /// A listing as `told` makes it of its text; not for users, who may change what they get.
    pub(crate) fn pairs(&mut self, listing: &Listing, told: &Function) -> JsValue {
        let pairs = match take(&mut self.0, |(other, _)| other.is(listing)) {
            Some((_, pairs)) => pairs,
            None => {
                let nothing = &JsValue::UNDEFINED;
                let text = &listing.text().into();
                told.call3(nothing, literal("listing"), text, nothing).unwrap_or_default()
            }
        };
        if listing.may_come_again() {
            if self.0.len() == MOST {
                self.0.remove(0);
            }
            self.0.push((listing.clone(), pairs.clone()));
        }
        pairs
    }
}
