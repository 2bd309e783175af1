//! A store that is slow, fails or panics when told to, and what the server does then.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use message_extensions_core::law::{Change, ChangeKind};
use message_extensions_server::config::Config;
use message_extensions_server::store::{
    Archive, C2cPage, Commit, Group, Head, Hearers, Inserted, Loaded, MemoryStore, MessageName, NewGroup,
    NewMessage, Store, StoreError, StoredMessage, Trimmed, Webhook,
};
use serde_json::json;

use crate::client::{
    ADD, ADMIN, DELETE, GET, GROUP_SEND, GROUP_SET, SEND, SET, Server, config, message, query, set, with,
};
use crate::membership::LEFT;
use crate::socket::Socket;

/// What the next commits do.
pub(crate) const WORK: usize = 0;
pub(crate) const FAIL: usize = 1;
pub(crate) const PANIC: usize = 2;
/// They are done, and said to have failed.
const LOSE_ANSWER: usize = 3;

#[derive(Default)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    /// Milliseconds between the insertion of a message and its answer.
    insert_delay: AtomicU64,
    /// Milliseconds between the reading of a group and its answer.
    pub(crate) group_delay: AtomicU64,
    groups_fail: AtomicBool,
    /// Milliseconds before the answer what a message's counter is.
    counter_delay: AtomicU64,
    /// Milliseconds before a commit.
    commit_delay: AtomicU64,
    /// Milliseconds between the removal of old messages and its answer.
    expire_delay: AtomicU64,
    /// Milliseconds between the finding of messages and its answer.
    find_delay: AtomicU64,
    /// Whether old messages are removed, and how many were.
    expires: AtomicBool,
    expired: AtomicUsize,
    mode: AtomicUsize,
    loads_fail: AtomicBool,
    /// What the next removals of webhooks do.
    pub(crate) removals: AtomicUsize,
    commits: AtomicUsize,
}

async fn wait(delay: &AtomicU64) {
    tokio::time::sleep(Duration::from_millis(delay.load(Ordering::SeqCst))).await;
}

#[async_trait]
impl Store for FaultyStore {
    async fn create_group(&self, group: NewGroup) -> Result<bool, StoreError> {
        self.inner.create_group(group).await
    }
    async fn destroy_group(&self, group_id: &str) -> Result<Option<HashSet<String>>, StoreError> {
        self.inner.destroy_group(group_id).await
    }
    async fn add_members(&self, group_id: &str, users: Vec<String>) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.add_members(group_id, users).await
    }
    async fn remove_members(
        &self,
        group_id: &str,
        users: Vec<String>,
    ) -> Result<Option<Vec<bool>>, StoreError> {
        self.inner.remove_members(group_id, users).await
    }
    async fn group(&self, group_id: &str) -> Result<Option<Group>, StoreError> {
        if self.groups_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("as told".into()));
        }
        let group = self.inner.group(group_id).await;
        wait(&self.group_delay).await;
        group
    }
    async fn insert_message(&self, message: NewMessage) -> Result<Option<Inserted>, StoreError> {
        let inserted = self.inner.insert_message(message).await;
        wait(&self.insert_delay).await;
        inserted
    }
    async fn find_messages(&self, name: &MessageName) -> Result<Vec<StoredMessage>, StoreError> {
        let found = self.inner.find_messages(name).await;
        wait(&self.find_delay).await;
        found
    }
    async fn list_c2c(&self, page: C2cPage) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_c2c(page).await
    }
    async fn list_group(
        &self,
        group_no: i64,
        max_seq: Option<u64>,
        count: usize,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        self.inner.list_group(group_no, max_seq, count).await
    }
    async fn head(&self, message_no: i64) -> Result<Option<Head>, StoreError> {
        wait(&self.counter_delay).await;
        self.inner.head(message_no).await
    }
    async fn load(&self, message_no: i64) -> Result<Option<Loaded>, StoreError> {
        if self.loads_fail.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("the disk is on fire".into()));
        }
        self.inner.load(message_no).await
    }
    async fn commit(&self, commit: Commit) -> Result<Hearers, StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        match self.mode.load(Ordering::SeqCst) {
            FAIL => return Err(StoreError::Failed("no space left".into())),
            PANIC => panic!("as the test told it to"),
            _ => {}
        }
        wait(&self.commit_delay).await;
        let hearers = self.inner.commit(commit).await?;
        if self.mode.load(Ordering::SeqCst) == LOSE_ANSWER {
            return Err(StoreError::Failed("no answer".into()));
        }
        Ok(hearers)
    }
    async fn answer(
        &self,
        message_no: i64,
        caller: &str,
        request_id: u128,
    ) -> Result<Option<String>, StoreError> {
        self.inner.answer(message_no, caller, request_id).await
    }
    async fn webhook_messages(&self, after: i64, count: usize) -> Result<Vec<i64>, StoreError> {
        self.inner.webhook_messages(after, count).await
    }
    async fn webhooks(&self, message_no: i64, count: usize) -> Result<Vec<Webhook>, StoreError> {
        self.inner.webhooks(message_no, count).await
    }
    async fn remove_webhooks(&self, received: Vec<(i64, u64)>) -> Result<usize, StoreError> {
        match self.removals.load(Ordering::SeqCst) {
            FAIL => return Err(StoreError::Failed("no space left".into())),
            PANIC => panic!("as the test told it to"),
            _ => {}
        }
        self.inner.remove_webhooks(received).await
    }
    async fn trim_webhooks(&self, keep: usize, since: u64) -> Result<Trimmed, StoreError> {
        self.inner.trim_webhooks(keep, since).await
    }
    async fn archive(&self, message_no: i64) -> Result<Option<Archive>, StoreError> {
        self.inner.archive(message_no).await
    }
    async fn expire(&self, before_ms: u64, count: usize) -> Result<Vec<StoredMessage>, StoreError> {
        if !self.expires.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let removed = self.inner.expire(before_ms, count).await;
        self.expired.fetch_add(removed.as_ref().map_or(0, Vec::len), Ordering::SeqCst);
        wait(&self.expire_delay).await;
        removed
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

async fn server() -> (Arc<FaultyStore>, Server) {
    let store = Arc::new(FaultyStore::default());
    let server = Server::on(config(), Arc::clone(&store) as Arc<dyn Store>).await;
    (store, server)
}

#[tokio::test]
async fn a_commit_that_fails_or_panics_is_answered_10002_and_leaves_nothing() {
    let (store, server) = server().await;
    let message = server.api.c2c_message().await;
    let mut socket = Socket::login(server.api.address, "alice").await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    assert_eq!(socket.event().await["Seq"], 1);
    let url = format!("{}&requestid={}", query("bob"), "a".repeat(32));
    let write = set(&message, &[("l", "v", 0)]).to_string();
    for mode in [FAIL, PANIC] {
        store.mode.store(mode, Ordering::SeqCst);
        let calls = (0..3).map(|_| server.api.post(SET, &url, &write));
        for reply in futures_util::future::join_all(calls).await {
            assert_eq!(reply["ErrorCode"], 10002);
        }
        assert_eq!(server.api.ok("bob", GET, &message).await["LatestSeq"], 1);
    }
    socket.has_nothing().await;
    store.mode.store(WORK, Ordering::SeqCst);
    assert_eq!(server.api.post(SET, &url, &write).await["Seq"], 2);
    assert_eq!(socket.event().await["Seq"], 2);
}

#[tokio::test]
async fn operations_that_wait_on_one_message_are_one_commit_and_are_answered_after_it() {
    let (store, server) = server().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("first", "v", 0)])).await;
    store.commit_delay.store(300, Ordering::SeqCst);
    store.commits.store(0, Ordering::SeqCst);
    let started = std::time::Instant::now();
    let keys: Vec<String> = (0..30).map(|n| format!("k{n}")).collect();
    let writes = keys.iter().map(|key| {
        let (api, write) = (&server.api, set(&message, &[(key, "v", 0)]));
        async move { api.ok("bob", SET, &write).await["Seq"].as_u64().unwrap() }
    });
    let mut seqs = futures_util::future::join_all(writes).await;
    seqs.sort_unstable();
    assert_eq!(seqs, (2..=31).collect::<Vec<_>>());
    assert!(started.elapsed() >= Duration::from_millis(300));
    let commits = store.commits.load(Ordering::SeqCst);
    assert!(commits <= 4, "{commits} commits for 30 operations that waited together");
}

#[tokio::test]
async fn a_change_by_somebody_who_guessed_the_message_is_pushed_after_the_message() {
    let (store, server) = server().await;
    let group = server.api.group_message("Public").await;
    let mut socket = Socket::login(server.api.address, "bob").await;
    store.insert_delay.store(200, Ordering::SeqCst);
    let new = message(json!({"GroupId": group["GroupId"]}));
    let guessed = set(&with(&group, json!({"MsgSeq": 2})), &[("k", "v", 0)]);
    tokio::join!(server.api.ok("alice", GROUP_SEND, &new), async {
        while server.api.call("carol", GROUP_SET, &guessed).await["ErrorCode"] == 23004 {}
    });
    assert_eq!(socket.event().await["CallbackCommand"], "Group.CallbackAfterSendMsg");
    assert_eq!(socket.event().await["Seq"], 1);
}

#[tokio::test]
async fn an_event_whose_members_were_read_before_one_left_comes_before_the_farewell() {
    let (store, server) = server().await;
    let group = server.api.group_message("Public").await;
    let mut carol = Socket::login(server.api.address, "carol").await;
    server.api.ok("bob", GROUP_SET, &set(&group, &[("a", "v", 0)])).await;
    assert_eq!(carol.event().await["Seq"], 1);
    store.commit_delay.store(200, Ordering::SeqCst);
    let write = set(&group, &[("b", "v", 0)]);
    let add = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "dave"}]});
    let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["carol"]});
    tokio::join!(server.api.ok("bob", GROUP_SET, &write), async {
        // During the commit the members are forgotten, so the push reads them, slowly, while carol is removed.
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.api.ok(ADMIN, ADD, &add).await;
        store.group_delay.store(300, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.api.ok(ADMIN, DELETE, &remove).await;
    });
    assert_eq!(carol.event().await["Seq"], 2);
    assert_eq!(carol.event().await["CallbackCommand"], LEFT);
    carol.has_nothing().await;
}

#[tokio::test]
async fn a_server_whose_store_does_not_answer_is_alive_and_not_ready() {
    let (store, server) = server().await;
    let status = async |path: &str| server.api.http("GET", path, &[], "").await.unwrap().status;
    store.counter_delay.store(60_000, Ordering::SeqCst);
    assert_eq!((status("/readyz").await, status("/healthz").await), (503, 200));
    store.counter_delay.store(0, Ordering::SeqCst);
    while status("/readyz").await != 200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn one_resume_at_a_time_and_the_next_when_it_is_complete() {
    let (store, server) = server().await;
    let message = server.api.c2c_message().await;
    store.counter_delay.store(200, Ordering::SeqCst);
    let mut socket = Socket::login(server.api.address, "bob").await;
    for _ in 0..2 {
        assert!(socket.resumed(std::slice::from_ref(&message)).await.is_empty());
    }
    socket.resume(std::slice::from_ref(&message)).await;
    socket.resume(std::slice::from_ref(&message)).await;
    assert_eq!(socket.closed().await, 4002);
}

#[tokio::test]
async fn a_message_that_cannot_be_loaded_is_resumed_as_10002_and_the_others_are_not() {
    let (store, server) = server().await;
    let [good, bad] = [server.api.c2c_message().await, server.api.c2c_message().await];
    for message in [&good, &bad] {
        server.api.ok("bob", SET, &set(message, &[("k", "v", 0)])).await;
    }
    store.mode.store(FAIL, Ordering::SeqCst);
    store.loads_fail.store(true, Ordering::SeqCst);
    // Its commit fails, so it is to be loaded again.
    assert_eq!(server.api.refused("bob", SET, &set(&bad, &[("l", "v", 0)])).await, 10002);
    let mut socket = Socket::login(server.api.address, "bob").await;
    let resumed = socket.resumed(&[bad.clone(), good]).await;
    assert_eq!(resumed[0], with(&bad, json!({"ErrorCode": 10002})));
    assert_eq!(resumed[1]["LatestSeq"], 1);
    store.loads_fail.store(false, Ordering::SeqCst);
    assert_eq!(socket.resumed(std::slice::from_ref(&bad)).await[0]["LatestSeq"], 1);
}

#[tokio::test]
async fn who_leaves_a_group_during_a_resume_gets_nothing_of_it_after_the_farewell() {
    let (store, server) = server().await;
    let groups = [server.api.group_message("Public").await, server.api.group_message("Public").await];
    let slow = server.api.c2c_message().await;
    for group in &groups {
        server.api.ok("bob", GROUP_SET, &set(group, &[("k", "v", 0)])).await;
    }
    let mut bob = Socket::login(server.api.address, "bob").await;
    store.counter_delay.store(300, Ordering::SeqCst);
    let [before, after] = &groups;
    bob.resume(&[before.clone(), slow, after.clone(), before.clone()]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for group in &groups {
        let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["bob"]});
        server.api.ok(ADMIN, DELETE, &remove).await;
    }
    // What was seen as a member comes before the farewells, what had its turn later is refused.
    let first = bob.frame().await;
    assert_eq!(first["Messages"][0]["LatestSeq"], 1);
    assert_eq!((&first["Messages"][1], &first["Complete"]), (&json!(null), &json!(null)));
    for group in &groups {
        let event = bob.event().await;
        assert_eq!((&event["CallbackCommand"], &event["GroupId"]), (&json!(LEFT), &group["GroupId"]));
    }
    let rest = bob.frame().await;
    let refused = [after, before].map(|group| with(group, json!({"ErrorCode": 23004})));
    assert_eq!((&rest["Messages"], &rest["Complete"]), (&json!(refused), &json!(1)));
}

#[tokio::test]
async fn who_leaves_a_group_between_two_parts_of_a_message_gets_no_second_part() {
    let (store, server) = server().await;
    let group = server.api.group_message("Public").await;
    let no = store.inner.group(group["GroupId"].as_str().unwrap()).await.unwrap().unwrap().no;
    let found = store.inner.find_messages(&MessageName::Group { no, msg_seq: 1 }).await.unwrap();
    // Two parts, each of which needs a frame.
    let change = |seq| {
        let kind = ChangeKind::Set(vec![(format!("k{seq}"), "v".repeat(1000))]);
        Change { seq, kind, author: "alice".into(), time: 1_665_388_290_123 }
    };
    let changes = (1..=400).map(change).collect();
    let (answers, webhooks) = (Vec::new(), Vec::new());
    let commit = Commit { message_no: found[0].no, changes, answers, webhooks, ..Commit::default() };
    store.inner.commit(commit).await.unwrap();
    let mut bob = Socket::login(server.api.address, "bob").await;
    store.counter_delay.store(300, Ordering::SeqCst);
    bob.resume(std::slice::from_ref(&group)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let add = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "dave"}]});
    server.api.ok(ADMIN, ADD, &add).await;
    // For the second part the members are read, slowly, and bob is removed meanwhile.
    store.group_delay.store(400, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let remove = json!({"GroupId": group["GroupId"], "MemberToDel_Account": ["bob"]});
    server.api.ok(ADMIN, DELETE, &remove).await;
    let first = bob.frame().await;
    assert_eq!((&first["Messages"][0]["CompleteFlag"], &first["Messages"][1]), (&json!(0), &json!(null)));
    assert_eq!(bob.event().await["CallbackCommand"], LEFT);
    let rest = bob.frame().await;
    assert_eq!(rest["Messages"], json!([with(&group, json!({"ErrorCode": 23004}))]));
    assert_eq!(rest["Complete"], 1);
}

/// A server that removes every message, each few milliseconds, once the store is told to.
async fn forgetful() -> (Arc<FaultyStore>, Server) {
    let store = Arc::new(FaultyStore::default());
    let config =
        Config { retention: Some(Duration::ZERO), retention_interval: Duration::from_millis(10), ..config() };
    let server = Server::on(config, Arc::clone(&store) as Arc<dyn Store>).await;
    (store, server)
}

#[tokio::test]
async fn a_message_that_is_removed_is_gone_for_a_write_that_comes_before_the_server_knows_it_and_from_then_on()
 {
    let (store, server) = forgetful().await;
    let message = server.api.c2c_message().await;
    server.api.ok("bob", SET, &set(&message, &[("k", "v", 0)])).await;
    assert_eq!(server.api.ok("bob", GET, &message).await["LatestSeq"], 1);
    store.expire_delay.store(60_000, Ordering::SeqCst);
    store.expires.store(true, Ordering::SeqCst);
    while store.expired.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(server.api.refused("bob", SET, &set(&message, &[("k", "w", 1)])).await, 23004);
    assert_eq!(server.api.refused("bob", GET, &message).await, 23004);
    assert_eq!(server.api.refused("bob", SET, &set(&message, &[("k", "w", 1)])).await, 23004);
}

#[tokio::test]
async fn a_message_that_is_removed_while_it_is_looked_for_is_not_found() {
    let (store, server) = forgetful().await;
    // Nothing of it is loaded, so only the name could be found.
    let body = json!([{"MsgType": "T", "MsgContent": {}}]);
    let plain = json!({"From_Account": "alice", "To_Account": "bob", "MsgBody": body});
    let key = server.api.ok(ADMIN, SEND, &plain).await["MsgKey"].clone();
    let message = json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": key});
    store.find_delay.store(500, Ordering::SeqCst);
    let (code, ()) = tokio::join!(server.api.refused("bob", GET, &message), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        store.find_delay.store(0, Ordering::SeqCst);
        store.expires.store(true, Ordering::SeqCst);
    });
    assert_eq!((code, store.expired.load(Ordering::SeqCst)), (23004, 1));
    assert_eq!(server.api.refused("bob", GET, &message).await, 23004);
}

#[tokio::test]
async fn who_is_connected_comes_back_after_a_write_that_was_done_though_the_store_said_no() {
    let (store, server) = server().await;
    let group = server.api.group_message("Public").await;
    let mut bob = Socket::login(server.api.address, "bob").await;
    store.mode.store(FAIL, Ordering::SeqCst);
    assert_eq!(server.api.refused("bob", GROUP_SET, &set(&group, &[("k", "v", 0)])).await, 10002);
    bob.has_nothing().await;
    store.mode.store(LOSE_ANSWER, Ordering::SeqCst);
    assert_eq!(server.api.refused("bob", GROUP_SET, &set(&group, &[("k", "v", 0)])).await, 10002);
    assert_eq!(bob.closed().await, 4006);
    let mut bob = Socket::login(server.api.address, "bob").await;
    assert_eq!(bob.resumed(std::slice::from_ref(&group)).await[0]["LatestSeq"], 1);
}

#[tokio::test]
async fn who_is_connected_comes_back_after_a_change_of_which_nobody_knows_who_may_hear_it() {
    let (store, server) = server().await;
    let group = server.api.group_message("Public").await;
    let mut carol = Socket::login(server.api.address, "carol").await;
    store.commit_delay.store(200, Ordering::SeqCst);
    let add = json!({"GroupId": group["GroupId"], "MemberList": [{"Member_Account": "dave"}]});
    let write = set(&group, &[("k", "v", 0)]);
    tokio::join!(server.api.ok("bob", GROUP_SET, &write), async {
        // During the commit the members are forgotten, and cannot be read when it is pushed.
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.api.ok(ADMIN, ADD, &add).await;
        store.groups_fail.store(true, Ordering::SeqCst);
    });
    assert_eq!(carol.closed().await, 4006);
    store.groups_fail.store(false, Ordering::SeqCst);
    let mut carol = Socket::login(server.api.address, "carol").await;
    assert_eq!(carol.resumed(std::slice::from_ref(&group)).await[0]["LatestSeq"], 1);
}
