//! What must hold for as long as the server runs: loops against the real program, over real sockets. Here each runs a
//! small share; `cargo xtask soak` says by the variables `SOAK_…` how much, and runs the whole. `SOAK_SEED=n` makes the
//! choices of an earlier run again, as far as they are not the clock's.

mod crowd;
mod flood;
mod follower;
mod histories;
mod history;
mod kill;
mod linear;
mod nodes;
mod redis;
mod replay;
mod scale;
mod stampede;
mod two_writers;

use std::fmt::Display;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::client::{ADMIN, Api, CREATE, GROUP_SEND, message};
use crate::socket::Socket;

/// How much of something: the variable `name`, or a small share.
pub(crate) fn amount(name: &str, share: u64) -> u64 {
    std::env::var(name).map_or(share, |given| given.parse().unwrap())
}

/// What all choices are made from; printed, so that the run can be made again.
fn seed() -> u64 {
    let seed = amount("SOAK_SEED", fastrand::u64(..1 << 32));
    println!("SOAK_SEED={seed}");
    seed
}

/// Says what was done, in the line that `cargo xtask soak` shows.
pub(crate) fn done(what: impl Display) {
    println!("soak: {what}");
}

/// New messages with these rules in a new group of these users, as requests name them.
async fn group_messages(api: &Api, members: &[String], messages: usize, rules: &Value) -> Vec<Value> {
    let list: Vec<_> = members.iter().map(|user| json!({"Member_Account": user})).collect();
    let group = json!({"Owner_Account": members[0], "Type": "Public", "Name": "Lunch", "MemberList": list});
    let group_id = api.ok(ADMIN, CREATE, &group).await["GroupId"].clone();
    let mut named = Vec::new();
    for _ in 0..messages {
        let sent =
            api.ok(ADMIN, GROUP_SEND, &message(json!({"GroupId": group_id, "ExtensionRules": rules}))).await;
        named.push(json!({"GroupId": group_id, "MsgSeq": sent["MsgSeq"]}));
    }
    named
}

/// Somebody's next operation on up to `most` of these keys, with the Seq that they know of each; in a thousand, so many
/// are clears.
fn operation(
    rng: &mut Rng,
    mut keys: Vec<String>,
    most: usize,
    clears: u16,
    known: impl Fn(&str) -> u64,
) -> Value {
    let kind = match rng.u16(0..1000) {
        n if n < clears => 3,
        n if n < 250 => 2,
        _ => 1,
    };
    rng.shuffle(&mut keys);
    keys.truncate(if kind == 3 { 0 } else { rng.usize(1..=most) });
    let mut item = |key: String| {
        let value = if kind == 1 { format!("{:016x}", rng.u64(..)) } else { String::new() };
        json!({"Key": key, "Value": value, "Seq": known(&key)})
    };
    let list: Vec<_> = keys.into_iter().map(&mut item).collect();
    json!({"OperateType": kind, "ExtensionList": list})
}

/// Those who write: `{name}0`, `{name}1`, …
fn users(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{name}{n}")).collect()
}

/// The next events, up to the one with this Seq.
async fn events_up_to(socket: &mut Socket, seq: u64) -> Vec<Value> {
    let mut events = Vec::new();
    while events.last().and_then(|event: &Value| event["Seq"].as_u64()).unwrap_or(0) < seq {
        events.push(socket.event().await);
    }
    events
}
