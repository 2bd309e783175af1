//! More users than a message has room for want a key on it at the same moment.

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::{amount, done, events_up_to, group_messages, seed, users};
use crate::client::{Api, GROUP_GET, GROUP_SET, set, with};
use crate::process::serve;
use crate::socket::Socket;

const USERS: usize = 64;
const SEATS: usize = 50;
/// How often a user tries, and perhaps gets up again, before it becomes serious.
const TRIES: usize = 4;
/// Says that there is no seat left.
const FULL: u64 = 23105;

/// Somebody who wants a seat: the key of their name.
struct User {
    name: String,
    api: Api,
    message: Value,
    rng: Rng,
    seq: u64,
    is_seated: bool,
    refused: usize,
}

impl User {
    async fn sit_down(&mut self) {
        let body = set(&self.message, &[(&self.name, "here", self.seq)]);
        let reply = self.api.ok(&self.name, GROUP_SET, &body).await;
        if reply["ExtensionList"][0]["ErrorCode"] == FULL {
            self.refused += 1;
            return;
        }
        assert_eq!(reply["ExtensionList"][0]["ErrorCode"], 0, "{reply}");
        self.seq = reply["Seq"].as_u64().unwrap();
        self.is_seated = true;
    }

    async fn get_up(&mut self) {
        let list = json!([{"Key": self.name, "Value": "", "Seq": self.seq}]);
        let body = with(&self.message, json!({"OperateType": 2, "ExtensionList": list}));
        let reply = self.api.ok(&self.name, GROUP_SET, &body).await;
        assert_eq!(reply["ExtensionList"][0]["ErrorCode"], 0, "{reply}");
        self.seq = reply["Seq"].as_u64().unwrap();
        self.is_seated = false;
    }

    async fn fight(mut self, together: Arc<Barrier>) -> Self {
        together.wait().await;
        for _ in 0..TRIES {
            if !self.is_seated {
                self.sit_down().await;
            } else if self.rng.bool() {
                self.get_up().await;
            }
        }
        // From here on nobody gets up.
        together.wait().await;
        if !self.is_seated {
            self.sit_down().await;
        }
        self
    }
}

/// At no time more were seated than there are seats.
fn check_events(events: &[Value]) {
    let mut seated = BTreeSet::new();
    for event in events {
        let key = event["ExtensionList"][0]["Key"].as_str().unwrap();
        let is_news = if event["OperateType"] == 1 { seated.insert(key) } else { seated.remove(key) };
        assert!(is_news && seated.len() <= SEATS, "{event}");
    }
}

#[tokio::test]
async fn sixty_four_users_who_want_fifty_seats_get_exactly_those_that_they_were_told() {
    let (rounds, seed) = (amount("SOAK_STAMPEDES", 1), seed());
    let mut rng = Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve(dir.path()).await;
    let (mut refused, mut seqs) = (0, 0);
    for _ in 0..rounds {
        let members = users("user", USERS);
        let message = group_messages(&api, &members, 1, &json!({"MaxKeys": SEATS})).await.remove(0);
        let mut socket = Socket::login(api.address, &members[0]).await;
        let together = Arc::new(Barrier::new(USERS));
        let fights = members.iter().map(|name| {
            let user = User {
                name: name.clone(),
                // A connection of their own.
                api: Api::new(api.address),
                message: message.clone(),
                rng: rng.fork(),
                seq: 0,
                is_seated: false,
                refused: 0,
            };
            tokio::spawn(user.fight(Arc::clone(&together)))
        });
        let users: Vec<_> = join_all(fights).await.into_iter().map(Result::unwrap).collect();
        let seated: BTreeSet<_> =
            users.iter().filter(|user| user.is_seated).map(|user| user.name.clone()).collect();

        let reply = api.ok(&members[0], GROUP_GET, &message).await;
        let items = reply["ExtensionList"].as_array().unwrap().iter();
        let keys: BTreeSet<_> = items.map(|item| item["Key"].as_str().unwrap().to_owned()).collect();
        assert_eq!(keys.len(), SEATS);
        assert_eq!(keys, seated);
        let latest = reply["LatestSeq"].as_u64().unwrap();
        check_events(&events_up_to(&mut socket, latest).await);
        refused += users.iter().map(|user| user.refused).sum::<usize>();
        seqs += latest;
    }
    assert!(refused > 0, "nobody was refused");
    done(format_args!("{rounds} stampedes of {USERS} users, {seqs} Seqs, {refused} refused, seed {seed}"));
}
