//! Reading what a server sends, for the SDK.
//!
//! The same types derive serde's `Deserialize`, which the server and the tests use. In a browser that costs more than all
//! the rest of the client, most of it for error texts that nobody sees; there the browser parses the JSON, and fields are
//! read from what it made. A field that is missing or of another type reads as its default; the client judges the whole.

use alloc::string::String;
use alloc::vec::Vec;

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
}

/// A wire type that the SDK reads.
pub trait Read: Sized {
    /// What the object says.
    fn read<S: Source>(source: &S) -> Self;
}

/// A type that a field may have.
pub(super) trait Field: Sized {
    fn field<S: Source>(source: &S, name: &'static str) -> Self;
}

impl Field for Option<String> {
    fn field<S: Source>(source: &S, name: &'static str) -> Self {
        source.text(name)
    }
}

impl Field for Option<u64> {
    fn field<S: Source>(source: &S, name: &'static str) -> Self {
        source.number(name).map(|number| number as u64)
    }
}

impl Field for Option<u32> {
    fn field<S: Source>(source: &S, name: &'static str) -> Self {
        source.number(name).map(|number| number as u32)
    }
}

impl<T: Read> Field for Option<T> {
    fn field<S: Source>(source: &S, name: &'static str) -> Self {
        source.object(name).map(|object| T::read(&object))
    }
}

impl<T: Read> Field for Option<Vec<T>> {
    fn field<S: Source>(source: &S, name: &'static str) -> Self {
        source.list(name).map(|list| list.iter().map(T::read).collect())
    }
}

/// A field that the protocol always has.
macro_rules! always {
    ($($type:ty $(, $parameter:ident: $bound:ident)?;)*) => {$(
        impl$(<$parameter: $bound>)? Field for $type {
            fn field<S: Source>(source: &S, name: &'static str) -> Self {
                Option::<$type>::field(source, name).unwrap_or_default()
            }
        }
    )*};
}
always!(String; u64; u32; Vec<T>, T: Read; super::MsgContent;);

/// Declares types that the SDK reads: each field's name on the wire, given once, serves serde and [`Read`].
macro_rules! incoming {
    ($(
        $(#[$on_type:meta])*
        pub struct $name:ident $(<$parameter:ident = $default:ty>)? {$(
            $(#[$on_field:meta])*
            $wire:literal => $field:ident: $type:ty,
        )*}
    )*) => {$(
        $(#[$on_type])*
        pub struct $name $(<$parameter = $default>)? {$(
            $(#[$on_field])*
            #[serde(rename = $wire)]
            pub $field: $type,
        )*}

        impl $(<$parameter: $crate::wire::Read>)? $crate::wire::Read for $name $(<$parameter>)? {
            fn read<S: $crate::wire::Source>(source: &S) -> Self {
                Self { $($field: $crate::wire::read::Field::field(source, $wire)),* }
            }
        }
    )*};
}
pub(super) use incoming;
