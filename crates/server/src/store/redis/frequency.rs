//! How often: counted where all nodes see it. The limits and what is said to those past them are the law's.

use message_extensions_core::code::Error;
use message_extensions_core::law::Attempts;
use message_extensions_core::limits::Limits;

use super::keys::Bucket;
use super::script::{ATTEMPTS, CALL, Call};
use super::{RedisStore, digits, groups};
use crate::store::{SeenGroup, StoreError};

pub(super) async fn count_attempts(
    store: &RedisStore,
    no: i64,
    group: Option<&SeenGroup>,
    attempts: &[(&str, bool)],
    limits: &Limits,
) -> Result<Vec<Result<(), Error>>, StoreError> {
    if limits.writes_per_minute == 0 && limits.user_writes_per_minute == 0 {
        return Ok(vec![Ok(()); attempts.len()]);
    }
    let bucket = Bucket::of_no(no);
    let (group_key, group_no, group_version) = groups::comparison(group);
    let keys = [bucket.key("attempts", digits(no))].into_iter().chain(group_key).collect();
    let mut call = Call::new(&ATTEMPTS, keys)
        .number(Attempts::WINDOW)
        .number(limits.writes_per_minute)
        .number(limits.user_writes_per_minute)
        .arg(group_no)
        .arg(group_version);
    for (user, is_admin) in attempts {
        call = call.arg(user).number(u8::from(*is_admin));
    }
    let outcomes: Option<Vec<u8>> = store.engine.read(bucket, call).await?;
    let said = |outcome| match outcome {
        0 => Ok(()),
        1 => Err(Attempts::OF_MESSAGE),
        _ => Err(Attempts::OF_USER),
    };
    Ok(outcomes.ok_or(StoreError::GroupChanged)?.into_iter().map(said).collect())
}

pub(super) async fn count_call(store: &RedisStore, user: &str, name: &str) -> Result<usize, StoreError> {
    let bucket = Bucket::of_recipient(user);
    let call = Call::new(&CALL, vec![bucket.key("calls", format!("{user}\n{name}"))]);
    store.engine.read(bucket, call).await
}
