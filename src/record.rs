//! Objects of the page, field by field: what a server's JSON says, and what JavaScript or a server is told.

use std::cell::Cell;

use js_sys::{Array, Object};
use message_extensions_core::list::gather;
use message_extensions_core::wire::{Read, Sink, Source, Write};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// An object, or whatever JavaScript has handed in in its place.
    #[derive(Debug, Clone)]
    pub type Record;
    #[wasm_bindgen(catch, method, structural, indexing_getter)]
    fn get(this: &Record, name: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, indexing_setter)]
    fn put(this: &Record, name: &JsValue, value: &JsValue);

    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn stringify(record: &Record) -> Result<JsValue, JsValue>;
}

/// A literal of this program as JavaScript's string, which is made when it is needed first, and stays: to make one takes longer
/// than what is done with it.
#[inline(never)]
pub(crate) fn literal(text: &'static str) -> &'static JsValue {
    thread_local! {
        /// By the text's address, or in the next free place after it. There are twice as many as there are literals.
        static LITERALS: [Cell<Option<(&'static str, &'static JsValue)>>; 256] = const { [const { Cell::new(None) }; 256] };
    }
    LITERALS.with(|literals| {
        let (before, after) = literals.split_at(text.as_ptr() as usize % literals.len());
        let is_it = |(other, _): (&'static str, _)| core::ptr::eq(other, text);
        let cell = after.iter().chain(before).find(|cell| cell.get().is_none_or(is_it));
        if let Some((_, value)) = cell.and_then(Cell::get) {
            return value;
        }
        let value: &'static JsValue = Box::leak(Box::new(text.into()));
        if let Some(cell) = cell {
            cell.set(Some((text, value)));
        }
        value
    })
}

impl Record {
    pub(crate) fn new() -> Self {
        Object::new().unchecked_into()
    }

    /// The same in another spelling of its names, and of those of the objects in it; what is in these is left as it is.
    pub(crate) fn respelt(&self, spell: fn(&mut str)) -> Self {
        self.respelt_to(1, spell)
    }

    fn respelt_to(&self, depth: u32, spell: fn(&mut str)) -> Self {
        let respelt = Self::new();
        for name in Object::keys(self.unchecked_ref::<Object>()).iter() {
            let Ok(mut value) = self.get(&name) else { continue };
            let mut name = name.as_string().unwrap_or_default();
            if depth > 0 && value.is_object() && !value.is_array() {
                value = value.unchecked_into::<Self>().respelt_to(depth - 1, spell).into();
            }
            spell(&mut name);
            respelt.put(&name.into(), &value);
        }
        respelt
    }

    /// A property; `None` if there is none, or no object, or a getter throws.
    #[inline(never)]
    pub(crate) fn property(&self, name: &'static str) -> Option<JsValue> {
        self.get(literal(name)).ok()
    }

    #[inline(never)]
    pub(crate) fn set(&self, name: &'static str, value: &JsValue) {
        self.put(literal(name), value);
    }

    #[inline(never)]
    pub(crate) fn set_text(&self, name: &'static str, value: &str) {
        self.set(name, &value.into());
    }

    #[inline(never)]
    pub(crate) fn set_number(&self, name: &'static str, value: f64) {
        self.set(name, &value.into());
    }
}

impl Source for Record {
    fn text(&self, name: &'static str) -> Option<String> {
        self.property(name)?.as_string()
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        self.property(name)?.as_f64()
    }

    fn object(&self, name: &'static str) -> Option<Self> {
        self.property(name).filter(JsValue::is_object).map(JsCast::unchecked_into)
    }

    fn list(&self, name: &'static str) -> Option<Vec<Self>> {
        list(&self.property(name)?)
    }

    fn json(&self) -> String {
        // What cannot be JSON, such as a cycle, becomes what no server takes.
        stringify(self).ok().and_then(|json| json.as_string()).unwrap_or_else(|| "[]".into())
    }
}

impl Sink for Record {
    fn empty() -> Self {
        Self::new()
    }

    fn parsed(json: &str) -> Self {
        parse(&json.into()).map_or_else(|_| Self::new(), JsCast::unchecked_into)
    }

    fn put_text(&self, name: &'static str, value: &str) {
        self.set_text(name, value);
    }

    fn put_number(&self, name: &'static str, value: f64) {
        self.set_number(name, value);
    }

    fn put_object(&self, name: &'static str, value: Self) {
        self.set(name, &value);
    }

    fn put_list<T: Write>(&self, name: &'static str, values: &[T]) {
        self.set(name, &to_list(values));
    }
}

/// The objects of an array; `None` if it is none.
pub(crate) fn list(value: &JsValue) -> Option<Vec<Record>> {
    Some(gather(value.dyn_ref::<Array>()?.iter().map(JsCast::unchecked_into)))
}

/// What an array of objects says.
pub(crate) fn read_list<T: Read>(value: &JsValue) -> Vec<T> {
    gather(list(value).unwrap_or_default().iter().map(T::read))
}

/// The object that the text is.
pub(crate) fn parsed(text: &JsValue) -> Option<Record> {
    Some(parse(text).ok().filter(JsValue::is_object)?.unchecked_into())
}

/// What JSON says of it: without getters, nor anything else of the page's. `None` for what is no object there.
pub(crate) fn copied(record: &Record) -> Option<Record> {
    parsed(&stringify(record).ok()?).filter(|copy| !copy.is_array())
}

/// As JSON text, which stays outside.
pub(crate) fn to_json(value: &impl Write) -> JsValue {
    stringify(&value.write::<Record>()).unwrap_or_default()
}

/// As an array of objects.
pub(crate) fn to_list<T: Write>(values: &[T]) -> Array {
    let array = Array::new();
    for value in values {
        array.push(&value.write::<Record>());
    }
    array
}
