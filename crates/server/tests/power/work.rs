//! What is written before the power goes, and whether it is there afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use message_extensions_core::law::{Change, ChangeKind, Message};
use message_extensions_server::store::{
    AnswerId, Commit, Conversation, Head, NewMessage, REMEMBERED_ANSWERS, SqliteStore, Store, Webhook,
};

use crate::recorder::{Event, Recording};

const KEYS: usize = 20;
const TIME: u64 = 1_700_000_000_000;
const CALLER: &str = "alice";

/// Everything that becomes of one message.
#[derive(Clone)]
pub(crate) struct Plan {
    no: i64,
    commits: Vec<Commit>,
    /// The message after each commit, by its Seq; what is between is nobody's to see.
    states: BTreeMap<u64, Message>,
}

fn change(rng: &mut Rng, seq: u64) -> Change {
    let mut keys: Vec<_> = (0..KEYS).map(|n| format!("key {n}")).collect();
    rng.shuffle(&mut keys);
    keys.truncate(rng.usize(1..=KEYS));
    let kind = match rng.u8(0..50) {
        0 => ChangeKind::Clear,
        1..=9 => ChangeKind::Delete(keys),
        _ => {
            let value = |rng: &mut Rng| rng.char('a'..='z').to_string().repeat(rng.usize(1..1000));
            ChangeKind::Set(keys.into_iter().map(|key| (key, value(rng))).collect())
        }
    };
    Change { seq, kind, author: CALLER.into(), time: TIME + seq }
}

fn answer(seq: u64, turn: u64) -> (AnswerId, String) {
    (AnswerId { caller: CALLER.into(), turn, request_id: u128::from(seq) }, format!("the answer {seq}"))
}

impl Plan {
    /// So many commits, of one change or several.
    fn new(rng: &mut Rng, no: i64, commits: usize) -> Self {
        let mut message = Message::default();
        let mut plan = Self { no, commits: Vec::new(), states: BTreeMap::from([(0, message.clone())]) };
        for turn in 1..=commits as u64 {
            let expected_seq = message.latest_seq;
            let mut commit = Commit { message_no: no, id: turn, expected_seq, ..Commit::default() };
            for _ in 0..[1, 1, 1, 3][rng.usize(0..4)] {
                let change = change(rng, message.latest_seq + 1);
                message.absorb(&change);
                let body = Arc::from(format!("{{\"Seq\":{}}}", change.seq));
                commit.webhooks.push(Webhook { seq: change.seq, time: change.time, body });
                commit.changes.push(change);
            }
            commit.digest = message.digest();
            commit.answers.push(answer(message.latest_seq, turn));
            plan.states.insert(message.latest_seq, message.clone());
            plan.commits.push(commit);
        }
        plan
    }

    /// Does a part of it, one commit after the other, and notes each when it is acknowledged.
    async fn carry_out(
        self,
        part: std::ops::Range<usize>,
        store: Arc<SqliteStore>,
        of: usize,
        notes: Arc<Recording>,
    ) {
        for commit in &self.commits[part] {
            store.commit(commit.clone()).await.unwrap();
            let seq = commit.changes.last().unwrap().seq;
            notes.note(Event::Acknowledged { message: of, seq });
        }
    }

    /// Whether the message is as it was after a commit, and that not before `acknowledged`.
    async fn check(&self, store: &SqliteStore, acknowledged: u64) -> Result<(), String> {
        let loaded = store.load(self.no).await.map_err(|e| e.to_string())?.ok_or("a message is gone")?;
        let seq = loaded.message.latest_seq;
        if seq < acknowledged {
            return Err(format!("the Seq {acknowledged} was acknowledged, and the last one is {seq}"));
        }
        let state =
            self.states.get(&seq).ok_or_else(|| format!("half a commit is there, up to the Seq {seq}"))?;
        if loaded.message != *state {
            return Err(format!("at the Seq {seq} the message is {:?}, not {state:?}", loaded.message));
        }
        // Before the first commit there is no digest.
        let head = Head { digest: (seq > 0).then_some(state.digest()), ..Head::of(state) };
        if store.head(self.no).await.map_err(|e| e.to_string())? != Some(head) {
            return Err(format!("the head is not that of the Seq {seq}"));
        }
        let told = store.webhooks(self.no, usize::MAX >> 32).await.map_err(|e| e.to_string())?;
        if !told.iter().map(|webhook| webhook.seq).eq(1..=seq) {
            return Err(format!("the webhooks are not those of the Seqs up to {seq}"));
        }
        let done = self.commits.iter().filter(|commit| commit.expected_seq < seq).count();
        for (n, commit) in self.commits.iter().enumerate() {
            let (id, text) = &commit.answers[0];
            let found = store.answer(self.no, CALLER, id.request_id).await.map_err(|e| e.to_string())?;
            let is_remembered = n < done && n as u64 + REMEMBERED_ANSWERS >= done as u64;
            if found.as_ref() != is_remembered.then_some(text) {
                return Err(format!("at the Seq {seq} the answer to the commit {n} is {found:?}"));
            }
        }
        Ok(())
    }
}

/// The store is opened, written to by many and closed, a few times, and once it is not closed.
pub(crate) async fn carry_out(dir: &Path, notes: &Arc<Recording>, rng: &mut Rng) -> Vec<Plan> {
    const MESSAGES: usize = 4;
    const SESSIONS: usize = 3;
    const COMMITS: usize = 40;
    let mut plans: Vec<Plan> = Vec::new();
    for session in 0..SESSIONS {
        let store = Arc::new(SqliteStore::open(dir).unwrap());
        for of in plans.len()..MESSAGES {
            let inserted = store.insert_message(message(of)).await.unwrap().unwrap();
            notes.note(Event::Acknowledged { message: of, seq: 0 });
            plans.push(Plan::new(rng, inserted.stored.no, SESSIONS * COMMITS));
        }
        let part = session * COMMITS..(session + 1) * COMMITS;
        let writing = plans.iter().enumerate().map(|(of, plan)| {
            tokio::spawn(plan.clone().carry_out(part.clone(), Arc::clone(&store), of, Arc::clone(notes)))
        });
        for written in writing.collect::<Vec<_>>() {
            written.await.unwrap();
        }
        if session + 1 < SESSIONS {
            store.close().await;
        }
    }
    plans
}

fn message(of: usize) -> NewMessage {
    NewMessage {
        sender: CALLER.into(),
        conversation: Conversation::C2c { to: "bob".into() },
        sequence: u32::try_from(of).unwrap(),
        random: 1,
        time: TIME / 1000,
        extensible: true,
        message_id: format!("144115-{of}"),
        body: "[]".into(),
        rules: None,
    }
}

/// Whether everything that was acknowledged, by message, is in the folder, nothing is there by half, and it can be written.
pub(crate) async fn check(dir: &Path, plans: &[Plan], acknowledged: &[Option<u64>]) -> Result<(), String> {
    let store = SqliteStore::open(dir)?;
    for (plan, acknowledged) in plans.iter().zip(acknowledged) {
        if let Some(seq) = acknowledged {
            plan.check(&store, *seq).await?;
        }
    }
    let inserted = store.insert_message(message(plans.len())).await.map_err(|e| e.to_string())?;
    let commit =
        Commit { message_no: inserted.ok_or("no message")?.stored.no, ..plans[0].commits[0].clone() };
    store.commit(commit).await.map_err(|e| e.to_string())?;
    store.close().await;
    Ok(())
}
