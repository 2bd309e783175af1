//! An operation, checked for everything that does not depend on the message (10004).

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::code::{Error, INVALID_PARAMETER};
use crate::limits::{Limits, exceeds};
use crate::wire::{Item, SetRequest, operate_type};

/// A well-formed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `OperateType` 1.
    Set(Vec<Item>),
    /// `OperateType` 2.
    Delete(Vec<Item>),
    /// `OperateType` 3.
    Clear,
}

impl Operation {
    /// What a request asks for. `admin`: a Seq may be missing.
    ///
    /// # Errors
    /// 10004, the text names the field and what was expected (seed 002).
    pub fn parse(request: SetRequest, admin: bool, limits: &Limits) -> Result<Self, Error> {
        let list = request.extension_list.unwrap_or_default();
        match request.operate_type {
            Some(operate_type::SET) => {
                check(&list, admin, limits, true)?;
                Ok(Self::Set(list))
            }
            Some(operate_type::DELETE) => {
                check(&list, admin, limits, false)?;
                Ok(Self::Delete(list))
            }
            Some(operate_type::CLEAR) if list.is_empty() => Ok(Self::Clear),
            Some(operate_type::CLEAR) => Err(malformed(
                "ExtensionList must be left out or empty when OperateType is 3: a clear drops every key"
                    .into(),
            )),
            Some(other) => {
                Err(malformed(format!("OperateType must be 1 (set), 2 (delete) or 3 (clear), not {other}")))
            }
            None => Err(malformed("OperateType is missing: 1 (set), 2 (delete) or 3 (clear)".into())),
        }
    }
}

fn malformed(text: String) -> Error {
    Error::with(INVALID_PARAMETER, text)
}

fn check(list: &[Item], admin: bool, limits: &Limits, is_set: bool) -> Result<(), Error> {
    if list.is_empty() {
        return Err(malformed("ExtensionList must hold at least one item when OperateType is 1 or 2".into()));
    }
    if exceeds(list.len(), limits.items) {
        return Err(malformed(format!(
            "ExtensionList holds {} items, at most {} are allowed",
            list.len(),
            limits.items
        )));
    }
    let mut keys = BTreeSet::new();
    for (i, item) in list.iter().enumerate() {
        check_item(i, item, admin, limits, is_set)?;
        if !keys.insert(&item.key) {
            return Err(malformed(format!(
                "ExtensionList[{i}].Key is in the list twice; each key may be there once"
            )));
        }
    }
    Ok(())
}

fn check_item(i: usize, item: &Item, admin: bool, limits: &Limits, is_set: bool) -> Result<(), Error> {
    if item.key.is_empty() {
        return Err(malformed(format!("ExtensionList[{i}].Key must not be empty")));
    }
    if exceeds(item.key.len(), limits.key_bytes) {
        return Err(malformed(format!(
            "ExtensionList[{i}].Key has {} bytes of UTF-8, at most {} are allowed",
            item.key.len(),
            limits.key_bytes
        )));
    }
    if is_set && item.value.is_empty() {
        return Err(malformed(format!(
            "ExtensionList[{i}].Value must not be empty; to remove the key, delete it"
        )));
    }
    if exceeds(item.value.len(), limits.value_bytes) {
        return Err(malformed(format!(
            "ExtensionList[{i}].Value has {} bytes of UTF-8, at most {} are allowed",
            item.value.len(),
            limits.value_bytes
        )));
    }
    if item.seq.is_none() && !admin {
        return Err(malformed(format!(
            "ExtensionList[{i}].Seq is missing: the key's Seq as you know it, 0 for a key never set; only an admin may omit it"
        )));
    }
    Ok(())
}
