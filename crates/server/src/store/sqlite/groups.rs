//! Groups and their members in SQL.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{Group, NewGroup};

pub(super) fn create(db: &Connection, group: &NewGroup) -> rusqlite::Result<bool> {
    let mut insert = db.prepare_cached(
        "INSERT INTO groups (group_id, type, name) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?;
    if insert.execute(params![group.group_id, group.group_type, group.name])? == 0 {
        return Ok(false);
    }
    insert_members(db, db.last_insert_rowid(), &group.members)?;
    Ok(true)
}

pub(super) fn destroy(db: &Connection, group_id: &str) -> rusqlite::Result<Option<HashSet<String>>> {
    let Some(no) = number(db, group_id)? else { return Ok(None) };
    let members = members(db, no)?;
    db.prepare_cached("DELETE FROM groups WHERE no = ?1")?.execute([no])?;
    Ok(Some(members))
}

pub(super) fn add_members(
    db: &Connection,
    group_id: &str,
    users: &[String],
) -> rusqlite::Result<Option<Vec<bool>>> {
    number(db, group_id)?.map(|no| insert_members(db, no, users)).transpose()
}

pub(super) fn remove_members(
    db: &Connection,
    group_id: &str,
    users: &[String],
) -> rusqlite::Result<Option<Vec<bool>>> {
    let Some(no) = number(db, group_id)? else { return Ok(None) };
    let mut delete = db.prepare_cached("DELETE FROM members WHERE group_no = ?1 AND user = ?2")?;
    users.iter().map(|user| Ok(delete.execute(params![no, user])? > 0)).collect::<Result<_, _>>().map(Some)
}

pub(super) fn load(db: &Connection, group_id: &str) -> rusqlite::Result<Option<Group>> {
    let found = db
        .prepare_cached("SELECT no, type FROM groups WHERE group_id = ?1")?
        .query_row([group_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((no, group_type)) = found else { return Ok(None) };
    Ok(Some(Group { no, group_type, members: members(db, no)?, version: 0 }))
}

fn members(db: &Connection, no: i64) -> rusqlite::Result<HashSet<String>> {
    let mut members = db.prepare_cached("SELECT user FROM members WHERE group_no = ?1")?;
    members.query_map([no], |row| row.get(0))?.collect()
}

fn number(db: &Connection, group_id: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT no FROM groups WHERE group_id = ?1")?
        .query_row([group_id], |row| row.get(0))
        .optional()
}

fn insert_members(db: &Connection, no: i64, users: &[String]) -> rusqlite::Result<Vec<bool>> {
    let mut insert =
        db.prepare_cached("INSERT INTO members (group_no, user) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    users.iter().map(|user| Ok(insert.execute(params![no, user])? > 0)).collect()
}
