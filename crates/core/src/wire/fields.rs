//! Reading what a server sends and writing what it is sent, for the SDK.
//!
//! The same types derive serde's traits, which the server and the tests use. In a browser these cost more than all the rest
//! of the client, most of it for error texts that nobody sees; there the browser parses and prints the JSON, and fields are
//! read from what it made, or put into what it will print. A field that is missing or of another type reads as its default;
//! the client judges the whole.

use alloc::string::String;
use alloc::vec::Vec;

use crate::list::gather;

/// A JSON object that somebody has parsed.
pub trait Source: Sized {
    /// A field that is a string.
    fn text(&self, name: &'static str) -> Option<String>;
    /// A field that is a number.
    fn number(&self, name: &'static str) -> Option<f64>;
    /// A field that is an object.
    fn object(&self, name: &'static str) -> Option<Self>;
    /// A field that is an array of objects.
    fn list(&self, name: &'static str) -> Option<Vec<Self>>;
    /// The object itself, as JSON.
    fn json(&self) -> String;
}

/// A JSON object that somebody will print.
pub trait Sink: Sized {
    /// One without fields.
    fn empty() -> Self;
    /// The object that the text is, or one without fields if it is none.
    fn parsed(json: &str) -> Self;
    /// Gives it a field that is a string.
    fn put_text(&self, name: &'static str, value: &str);
    /// A field that is a number.
    fn put_number(&self, name: &'static str, value: f64);
    /// A field that is an object.
    fn put_object(&self, name: &'static str, value: Self);
    /// A field that is an array of objects.
    fn put_list<T: Write>(&self, name: &'static str, values: &[T]);
}

/// A wire type that the SDK reads.
pub trait Read: Sized {
    /// What the object says.
    fn read<S: Source>(source: &S) -> Self;
}

/// A wire type that the SDK sends or keeps.
pub trait Write {
    /// As an object.
    fn write<S: Sink>(&self) -> S;
}

/// An object that the SDK hands on as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Json(pub String);

impl Read for Json {
    fn read<S: Source>(source: &S) -> Self {
        Self(source.json())
    }
}

impl Write for Json {
    fn write<S: Sink>(&self) -> S {
        S::parsed(&self.0)
    }
}

#[cfg(feature = "json")]
impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<serde_json::Value>(&self.0).map_err(serde::ser::Error::custom)?.serialize(to)
    }
}

#[cfg(feature = "json")]
impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let object = serde_json::Map::deserialize(from)?;
        Ok(Self(alloc::format!("{}", serde_json::Value::Object(object))))
    }
}

/// A type that a field may have.
pub(super) trait Field: Sized {
    fn get<S: Source>(source: &S, name: &'static str) -> Self;
    fn put<S: Sink>(&self, sink: &S, name: &'static str);
}

impl Field for Option<String> {
    fn get<S: Source>(source: &S, name: &'static str) -> Self {
        source.text(name)
    }

    fn put<S: Sink>(&self, sink: &S, name: &'static str) {
        if let Some(text) = self {
            sink.put_text(name, text);
        }
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for Option<$number> {
            fn get<S: Source>(source: &S, name: &'static str) -> Self {
                source.number(name).map(|number| number as $number)
            }

            fn put<S: Sink>(&self, sink: &S, name: &'static str) {
                if let Some(number) = self {
                    sink.put_number(name, *number as f64);
                }
            }
        }
    )*};
}
numbers!(u32, u64);

impl<T: Read + Write> Field for Option<T> {
    fn get<S: Source>(source: &S, name: &'static str) -> Self {
        source.object(name).map(|object| T::read(&object))
    }

    fn put<S: Sink>(&self, sink: &S, name: &'static str) {
        if let Some(value) = self {
            sink.put_object(name, value.write());
        }
    }
}

impl<T: Read + Write> Field for Option<Vec<T>> {
    fn get<S: Source>(source: &S, name: &'static str) -> Self {
        source.list(name).map(|list| gather(list.iter().map(T::read)))
    }

    fn put<S: Sink>(&self, sink: &S, name: &'static str) {
        if let Some(values) = self {
            sink.put_list(name, values);
        }
    }
}

/// A field that the protocol always has.
macro_rules! always {
    ($($type:ty $(, $parameter:ident)? => |$sink:ident, $name:ident, $value:ident| $put:expr;)*) => {$(
        impl$(<$parameter: Read + Write>)? Field for $type {
            fn get<S: Source>(source: &S, name: &'static str) -> Self {
                Option::<$type>::get(source, name).unwrap_or_default()
            }

            fn put<S: Sink>(&self, $sink: &S, $name: &'static str) {
                let $value = self;
                $put
            }
        }
    )*};
}
always! {
    String => |sink, name, value| sink.put_text(name, value);
    u64 => |sink, name, value| sink.put_number(name, *value as f64);
    u32 => |sink, name, value| sink.put_number(name, f64::from(*value));
    Vec<T>, T => |sink, name, value| sink.put_list(name, value);
    super::MsgContent => |sink, name, value| sink.put_object(name, value.write());
}

/// A field of an object; one of the server alone costs the SDK nothing.
macro_rules! get_field {
    ($source:ident, $wire:literal) => {
        $crate::wire::fields::Field::get($source, $wire)
    };
    ($source:ident, $wire:literal, server) => {
        Default::default()
    };
}
pub(super) use get_field;

macro_rules! put_field {
    ($field:expr, $sink:ident, $wire:literal) => {
        $crate::wire::fields::Field::put(&$field, &$sink, $wire)
    };
    ($field:expr, $sink:ident, $wire:literal, server) => {};
}
pub(super) use put_field;

/// Declares types that the SDK reads or sends: each field's name on the wire, given once, serves serde, [`Read`] and
/// [`Write`]. Fields marked `[server]` are none of the SDK's: it neither sends them nor reads them.
macro_rules! wire_types {
    ($(
        $(#[$on_type:meta])*
        pub struct $name:ident $(<$($parameter:ident = $default:ty),+>)? {$(
            $(#[$on_field:meta])*
            $wire:literal => $field:ident: $type:ty $([$whose:ident])?,
        )*}
    )*) => {$(
        $(#[$on_type])*
        pub struct $name $(<$($parameter = $default),+>)? {$(
            $(#[$on_field])*
            #[serde(rename = $wire)]
            pub $field: $type,
        )*}

        impl $(<$($parameter: $crate::wire::Read + $crate::wire::Write),+>)? $crate::wire::Read for $name $(<$($parameter),+>)? {
            fn read<S: $crate::wire::Source>(source: &S) -> Self {
                Self { $($field: $crate::wire::fields::get_field!(source, $wire $(, $whose)?)),* }
            }
        }

        impl $(<$($parameter: $crate::wire::Read + $crate::wire::Write),+>)? $crate::wire::Write for $name $(<$($parameter),+>)? {
            fn write<S: $crate::wire::Sink>(&self) -> S {
                let sink = S::empty();
                $($crate::wire::fields::put_field!(self.$field, sink, $wire $(, $whose)?);)*
                sink
            }
        }
    )*};
}
pub(super) use wire_types;
