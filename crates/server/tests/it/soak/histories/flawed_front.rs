//! The real server behind a front that now and then does something wrong, the one that it is told to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use fastrand::Rng;
use message_extensions_core::law::{Entry, Message};
use message_extensions_server::in_process::Service;
use message_extensions_server::store::MemoryStore;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use super::super::replay::{Done, Replay, is_accepted, parse};
use crate::client::{ADMIN, GROUP_GET, GROUP_SEND, GROUP_SET, config, query, with};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Of two writes of a key with the same Seq both are done.
    LostUpdate,
    /// A write is answered and not done.
    Vanished,
    /// A write has the Seq of the one before it.
    ReusedSeq,
    /// 23001 with what the key held earlier, all else being right.
    StaleItem,
    /// A refusal out of a state that is over, right in itself.
    StaleRefusal,
    /// A pull out of a state that is over.
    StalePull,
    /// A pull that leaves out a key.
    TornPull,
    /// A retry is decided anew.
    ForgottenRetry,
}

pub(super) const FLAWS: [Flaw; 8] = [
    Flaw::LostUpdate,
    Flaw::Vanished,
    Flaw::ReusedSeq,
    Flaw::StaleItem,
    Flaw::StaleRefusal,
    Flaw::StalePull,
    Flaw::TornPull,
    Flaw::ForgottenRetry,
];

pub(super) struct Front {
    server: Service,
    flaw: Option<Flaw>,
    chance: Mutex<Rng>,
    /// So that what is wrong is wrong each time that it is asked for again.
    answers: Mutex<HashMap<String, Arc<OnceCell<String>>>>,
    /// Of the message of each group.
    rules: Mutex<HashMap<String, Value>>,
    /// What keys of messages held, before what they hold.
    held: Mutex<HashMap<(String, String), [Value; 2]>>,
    /// Whole states, of a while ago.
    old: Mutex<HashMap<String, Replay>>,
}

impl Front {
    pub(super) async fn serve(flaw: Option<Flaw>, chance: Rng) -> SocketAddr {
        let server = Service::new(config(), Arc::new(MemoryStore::new()));
        let (answers, rules, held, old) = Default::default();
        let front = Arc::new(Self { server, flaw, chance: Mutex::new(chance), answers, rules, held, old });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = |State(front): State<Arc<Self>>, uri: Uri, body: Bytes| async move {
            ([(CONTENT_TYPE, "application/json")], front.remembered(&uri.to_string(), &body).await)
        };
        let router = Router::new().fallback(answer).with_state(front);
        // It ends with the test's runtime.
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn remembered(&self, url: &str, body: &[u8]) -> String {
        let Some((_, request_id)) =
            url.split_once("&requestid=").filter(|_| self.flaw != Some(Flaw::ForgottenRetry))
        else {
            return self.answer(url, body).await;
        };
        let answer = Arc::clone(self.answers.lock().unwrap().entry(request_id.to_owned()).or_default());
        answer.get_or_init(|| self.answer(url, body)).await.clone()
    }

    async fn answer(&self, url: &str, body: &[u8]) -> String {
        let asked: Value = serde_json::from_slice(body).unwrap();
        if url.contains(GROUP_SEND) {
            let group = asked["GroupId"].as_str().unwrap().to_owned();
            self.rules.lock().unwrap().insert(group, asked["ExtensionRules"].clone());
        }
        let (is_write, is_pull) = (url.contains(GROUP_SET), url.contains(GROUP_GET));
        let Some(flaw) = self.flaw.filter(|_| is_write || is_pull) else { return self.post(url, body).await };
        let acts = self.chance.lock().unwrap().u8(0..16) == 0;
        match flaw {
            Flaw::Vanished | Flaw::StaleRefusal if is_write && acts => {
                if let Some(answer) = self.decide_apart(url, &asked, flaw).await {
                    return answer;
                }
            }
            Flaw::ForgottenRetry if is_write => {
                let url: Vec<_> = url.split('&').filter(|part| !part.starts_with("requestid")).collect();
                return self.post(&url.join("&"), body).await;
            }
            _ => {}
        }
        let answer = self.post(url, body).await;
        let mut reply: Value = serde_json::from_str(&answer).unwrap();
        let is_conflict = |item: &Value| item["ErrorCode"] == 23001;
        let items = reply["ExtensionList"].as_array().cloned().unwrap_or_default();
        let has_conflict = items.iter().any(is_conflict);
        match flaw {
            Flaw::LostUpdate if acts && has_conflict => {
                let mut forced = asked;
                for item in forced["ExtensionList"].as_array_mut().unwrap() {
                    item.as_object_mut().unwrap().remove("Seq");
                }
                let url = format!("/v4/{GROUP_SET}?{}", query(ADMIN));
                self.post(&url, forced.to_string().as_bytes()).await
            }
            Flaw::ReusedSeq if acts && is_write && is_accepted(&parse(&asked, true), &reply) => {
                let seq = reply["Seq"].as_u64().unwrap_or(0);
                answer.replace(&format!("\"Seq\":{seq}"), &format!("\"Seq\":{}", seq.saturating_sub(1)))
            }
            Flaw::StaleItem if is_write => {
                if self.hold(&asked, &mut reply, acts) {
                    reply.to_string()
                } else {
                    answer
                }
            }
            Flaw::StalePull if acts && is_pull => {
                let old = self.old(&asked).await;
                let start = asked["StartSeq"].as_u64().unwrap();
                let page = old.message.pull(start).into_reply(asked["WithAuthor"] == 1);
                serde_json::to_string(&page).unwrap()
            }
            Flaw::TornPull if acts && is_pull => {
                reply["ExtensionList"].as_array_mut().unwrap().pop();
                reply.to_string()
            }
            _ => answer,
        }
    }

    async fn post(&self, url: &str, body: &[u8]) -> String {
        let (_, answer) = self.server.post(url, body).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// What the law says on a state, the present or an old one, of which the server is not told.
    async fn decide_apart(&self, url: &str, asked: &Value, flaw: Flaw) -> Option<String> {
        let mut replay = if flaw == Flaw::Vanished { self.state(asked).await } else { self.old(asked).await };
        let operation = json!({"OperateType": asked["OperateType"], "ExtensionList": asked["ExtensionList"]});
        let (_, user) = url.split_once("identifier=").unwrap();
        let (user, _) = user.split_once('&').unwrap();
        let before = replay.message.latest_seq;
        let answer = replay.answer(&Done::write(&operation, user, user == ADMIN, Value::Null));
        let is_done = replay.message.latest_seq > before;
        (is_done == (flaw == Flaw::Vanished)).then(|| answer.to_string())
    }

    /// What the message is.
    async fn state(&self, asked: &Value) -> Replay {
        let (mut start, mut entries) = (1, Vec::new());
        let named = json!({"GroupId": asked["GroupId"], "MsgSeq": asked["MsgSeq"]});
        let url = format!("/v4/{GROUP_GET}?{}", query(ADMIN));
        loop {
            let body = with(&named, json!({"StartSeq": start, "WithAuthor": 1})).to_string();
            let page: Value = serde_json::from_str(&self.post(&url, body.as_bytes()).await).unwrap();
            for item in page["ExtensionList"].as_array().unwrap() {
                let text = |name: &str| item[name].as_str().unwrap().to_owned();
                let seq = item["Seq"].as_u64().unwrap();
                let value = Some(text("Value")).filter(|value| !value.is_empty());
                entries.push((text("Key"), Entry { value, seq, author: text("Author"), time: 0 }));
                start = seq + 1;
            }
            if page["CompleteFlag"] == 1 {
                let (latest, cleared) = (page["LatestSeq"].as_u64(), page["ClearSeq"].as_u64());
                let message =
                    Message::restore(latest.unwrap(), cleared.unwrap(), entries.into_iter().collect());
                let rules = self.rules.lock().unwrap()[asked["GroupId"].as_str().unwrap()].clone();
                return Replay { message, ..Replay::with_rules(&rules) };
            }
        }
    }

    /// What the message was a while ago; the next one to ask gets the present.
    async fn old(&self, asked: &Value) -> Replay {
        let now = self.state(asked).await;
        let of = format!("{}{}", asked["GroupId"], asked["MsgSeq"]);
        self.old.lock().unwrap().insert(of, now.clone()).unwrap_or(now)
    }

    /// Remembers what keys hold. True: of a conflict it now says what the key held before that.
    fn hold(&self, asked: &Value, reply: &mut Value, acts: bool) -> bool {
        let mut held = self.held.lock().unwrap();
        let mut is_changed = false;
        for item in reply["ExtensionList"].as_array_mut().into_iter().flatten() {
            let of = (
                format!("{}{}", asked["GroupId"], asked["MsgSeq"]),
                item["Extension"]["Key"].as_str().unwrap().to_owned(),
            );
            let known = held.entry(of).or_default();
            if known[1] != item["Extension"] {
                known.swap(0, 1);
                known[1] = item["Extension"].clone();
            }
            if acts && item["ErrorCode"] == 23001 && !known[0].is_null() {
                item["Extension"] = known[0].clone();
                is_changed = true;
            }
        }
        is_changed
    }
}
