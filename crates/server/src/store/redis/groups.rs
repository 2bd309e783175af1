//! Groups and who is in them.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use redis::Value;

use super::keys::Bucket;
use super::script::{CREATE_GROUP, Call, DESTROY_GROUP, GROUP, MEMBERS};
use super::{RedisStore, digits, whole};
use crate::store::{Group, NewGroup, SeenGroup, StoreError};

/// Of a group: itself, its members.
pub(super) fn keys(group_id: &str) -> Vec<String> {
    let bucket = Bucket::of_group(group_id);
    vec![bucket.key("group", group_id), bucket.key("members", group_id)]
}

/// What a script is to compare: the group's key, its number and version as they stand there.
pub(super) fn comparison(seen: Option<&SeenGroup>) -> (Option<String>, String, String) {
    let Some(SeenGroup { group_id, no, version }) = seen else { return Default::default() };
    (Some(Bucket::of_group(group_id).key("group", group_id)), digits(*no), version.to_string())
}

/// Makes a group under this number.
pub(super) fn creation(no: i64, group: &NewGroup) -> Call {
    Call::new(&CREATE_GROUP, keys(&group.group_id))
        .arg(digits(no))
        .arg(&group.group_type)
        .arg(&group.name)
        .args(&group.members)
}

pub(super) async fn create(store: &RedisStore, group: NewGroup) -> Result<bool, StoreError> {
    let bucket = Bucket::of_group(&group.group_id);
    let no = store.number(bucket).await?;
    name_in(store, &group.members, &group.group_id).await?;
    store.engine.write(bucket, creation(no, &group)).await
}

/// The groups in which a user may be a member.
pub(super) fn of_user_key(user: &str) -> String {
    Bucket::of_recipient(user).key("groups", user)
}

/// Before users become members, so that whoever asks for their groups finds this one. It stays when they leave: they may come
/// back at the same time.
pub(super) async fn name_in(store: &RedisStore, users: &[String], group_id: &str) -> Result<(), StoreError> {
    let add = |user: &String| {
        let call = Call::command("SADD", of_user_key(user)).arg(group_id);
        store.engine.write::<Value>(Bucket::of_recipient(user), call)
    };
    try_join_all(users.iter().map(add)).await.map(drop)
}

pub(super) async fn destroy(
    store: &RedisStore,
    group_id: &str,
) -> Result<Option<HashSet<String>>, StoreError> {
    let bucket = Bucket::of_group(group_id);
    let before = read(store, group_id).await?.map(|(group, _)| (group.no, group.members));
    let call = Call::new(&DESTROY_GROUP, keys(group_id));
    let (mut gone, is_repeated): (Option<(i64, HashSet<String>)>, _) =
        store.engine.write_noting_repeats(bucket, call).await?;
    if is_repeated {
        // The first time, of which the answer was lost, removed it.
        gone = gone.or(before);
    }
    let Some((no, members)) = gone else { return Ok(None) };
    // Nobody finds them any more, nor adds to them: what stays takes room, and that the group is gone is to be told.
    if let Err(error) = whole::remove_all_of_group(store, group_id, no).await {
        tracing::error!(%error, "messages of a group that is gone could not be removed");
    }
    Ok(Some(members))
}

pub(super) async fn add_members(
    store: &RedisStore,
    group_id: &str,
    users: Vec<String>,
) -> Result<Option<Vec<bool>>, StoreError> {
    name_in(store, &users, group_id).await?;
    change_members(store, "SADD", group_id, &users).await
}

pub(super) async fn change_members(
    store: &RedisStore,
    command: &str,
    group_id: &str,
    users: &[String],
) -> Result<Option<Vec<bool>>, StoreError> {
    // Random, not counted: what was lost in a failover may have been counted, and be in some node's memory.
    let version = fastrand::u64(1..);
    let call = Call::new(&MEMBERS, keys(group_id)).arg(command).number(version).args(users);
    let (changed, is_repeated): (Option<Vec<bool>>, _) =
        store.engine.write_noting_repeats(Bucket::of_group(group_id), call).await?;
    // The first time, of which the answer was lost, may have removed them, and they are still to be told.
    let is_removed = is_repeated && command == "SREM";
    Ok(changed.map(|changed| changed.into_iter().map(|is| is || is_removed).collect()))
}

/// A group and its name.
pub(super) async fn read(store: &RedisStore, group_id: &str) -> Result<Option<(Group, String)>, StoreError> {
    type Row = (i64, String, String, u64, HashSet<String>);
    let bucket = Bucket::of_group(group_id);
    let row: Option<Row> = store.engine.read(bucket, Call::new(&GROUP, keys(group_id))).await?;
    Ok(row.map(|(no, group_type, name, version, members)| (Group { no, group_type, members, version }, name)))
}

pub(super) async fn version(store: &RedisStore, group_id: &str) -> Result<Option<(i64, u64)>, StoreError> {
    let bucket = Bucket::of_group(group_id);
    let call = Call::command("HMGET", bucket.key("group", group_id)).arg("no").arg("version");
    let (no, version): (Option<i64>, Option<u64>) = store.engine.read(bucket, call).await?;
    Ok(no.zip(version))
}
