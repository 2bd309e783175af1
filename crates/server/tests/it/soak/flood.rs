//! One user sends as fast as it goes; everybody else is served as if nothing happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{amount, done, group_messages};
use crate::client::{Api, GROUP_GET, GROUP_LIST, GROUP_SEND, GROUP_SET, message, query, set, with};
use crate::process::{serve, serve_with};

const CONNECTIONS: usize = 16;
/// The defaults: write attempts a minute on a message, and one user's share.
const OF_MESSAGE: usize = 200;
const OF_USER: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// What a flooder was answered.
#[derive(Default)]
struct Answers {
    accepted: AtomicUsize,
    /// 23003: the flooder's share of the message is used up.
    of_message: AtomicUsize,
    /// 60007: the flooder calls too often.
    of_user: AtomicUsize,
    /// Everything else that was refused.
    others: AtomicUsize,
}

impl Answers {
    fn count(&self, reply: &Value) {
        let counter = match reply["ErrorCode"].as_u64().unwrap() {
            0 => &self.accepted,
            23003 => &self.of_message,
            60007 => &self.of_user,
            10004 | 23004 | 60003 => &self.others,
            _ => panic!("{reply}"),
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn all(&self) -> usize {
        let all = [&self.accepted, &self.of_message, &self.of_user, &self.others];
        all.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }
}

/// Somebody who floods, over many connections.
struct Flooder {
    answers: Arc<Answers>,
    stop: Arc<AtomicBool>,
    connections: Vec<JoinHandle<()>>,
}

impl Flooder {
    /// `requests`: path and body, in turn.
    fn new(api: &Api, user: &str, requests: &[(&'static str, String)]) -> Self {
        let (answers, stop) = (Arc::<Answers>::default(), Arc::<AtomicBool>::default());
        let connect = |n: usize| {
            let (answers, stop) = (Arc::clone(&answers), Arc::clone(&stop));
            let (api, query, requests) = (Api::new(api.address), query(user), requests.to_vec());
            tokio::spawn(async move {
                for (path, body) in requests.iter().cycle().skip(n) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    answers.count(&api.post(path, &query, body).await);
                }
            })
        };
        Self { connections: (0..CONNECTIONS).map(connect).collect(), answers, stop }
    }

    async fn stop(self) -> Arc<Answers> {
        self.stop.store(true, Ordering::Relaxed);
        for connection in self.connections {
            connection.await.unwrap();
        }
        self.answers
    }
}

/// Writes until so many were accepted or the message takes no more; how many were.
async fn write(api: &Api, user: &str, message: &Value, wanted: usize) -> usize {
    let (mut accepted, mut seq) = (0, 0);
    while accepted < wanted {
        let reply = api.call(user, GROUP_SET, &set(message, &[(user, "v", seq)])).await;
        match reply["ErrorCode"].as_u64().unwrap() {
            0 => {
                assert_eq!(reply["ExtensionList"][0]["ErrorCode"], 0, "{reply}");
                seq = reply["Seq"].as_u64().unwrap();
                accepted += 1;
            }
            // Nobody may call more often than this, the well-behaved wait.
            60007 => tokio::time::sleep(Duration::from_millis(100)).await,
            23003 => break,
            _ => panic!("{reply}"),
        }
    }
    accepted
}

fn members() -> [String; 4] {
    ["alice", "bob", "carol", "dave"].map(String::from)
}

#[tokio::test]
async fn who_floods_a_message_uses_up_their_own_share_and_leaves_the_others_theirs() {
    let rounds = amount("SOAK_FLOODS", 1);
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve_with(dir.path(), &[]).await;
    let (mut flood, mut others) = (0, 0);
    for _ in 0..rounds {
        let message = group_messages(&api, &members(), 1, &Value::Null).await.remove(0);
        let began = Instant::now();
        let body = set(&message, &[("flood", "v", 0)]).to_string();
        let flooder = Flooder::new(&api, "alice", &[(GROUP_SET, body)]);
        // The flood has all of its share before anybody else comes.
        while flooder.answers.of_message.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let accepted = [
            write(&api, "bob", &message, OF_USER).await,
            write(&api, "carol", &message, OF_USER).await,
            write(&api, "dave", &message, OF_USER).await,
        ];
        let answers = flooder.stop().await;
        assert_eq!(accepted[..2], [OF_USER; 2]);
        assert!(accepted[2] >= OF_MESSAGE - 3 * OF_USER, "{accepted:?}");
        // After a minute everybody's share begins to be new.
        if began.elapsed() < MINUTE {
            assert_eq!(answers.accepted.load(Ordering::Relaxed), OF_USER);
            assert_eq!(accepted[2], OF_MESSAGE - 3 * OF_USER);
        }
        assert_eq!(answers.others.load(Ordering::Relaxed), 0);
        flood += answers.all();
        others += accepted.iter().sum::<usize>();
    }
    done(format_args!("{rounds} floods of a message, {flood} calls, {others} writes of others accepted"));
}

/// Calls by somebody who does nothing unusual, all answered as they must be; half of them within the time.
async fn usual_calls(api: &Api, user: &str, named: &Value, calls: usize) -> Duration {
    let mut times = Vec::new();
    let listing = json!({"GroupId": named["GroupId"], "ReqMsgNumber": 5});
    let mut seq = 0;
    for n in 0..calls {
        let began = Instant::now();
        match n % 3 {
            0 => {
                let reply = api.ok(user, GROUP_SET, &set(named, &[(user, "v", seq)])).await;
                assert_eq!(reply["ExtensionList"][0]["ErrorCode"], 0, "{reply}");
                seq = reply["Seq"].as_u64().unwrap();
            }
            1 => {
                let reply = api.ok(user, GROUP_GET, named).await;
                assert_eq!(reply["ExtensionList"], json!([{"Key": user, "Value": "v", "Seq": seq}]));
            }
            _ => drop(api.ok(user, GROUP_LIST, &listing).await),
        }
        times.push(began.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

#[tokio::test]
async fn while_one_floods_everything_the_calls_of_others_are_answered() {
    const CALLS: usize = 60;
    let rounds = amount("SOAK_FLOODS", 1);
    let dir = tempfile::tempdir().unwrap();
    // Without the limits on how often, all of the flood is worked on.
    let (_child, api) = serve(dir.path()).await;
    let (mut flood, mut times) = (0, [Duration::ZERO; 2]);
    for _ in 0..rounds {
        let messages = group_messages(&api, &members(), 12, &Value::Null).await;
        let (own, flooded) = messages.split_at(2);
        times[0] += usual_calls(&api, "bob", &own[0], CALLS).await;
        let mut requests = vec![
            (GROUP_SEND, message(json!({"GroupId": own[0]["GroupId"]})).to_string()),
            (GROUP_GET, json!({"GroupId": "nowhere", "MsgSeq": 1}).to_string()),
            (GROUP_SET, "{".into()),
        ];
        for named in flooded {
            requests.push((GROUP_SET, with(named, json!({"OperateType": 3})).to_string()));
            requests.push((GROUP_SET, set(named, &[("k", &"v".repeat(1000), 0)]).to_string()));
            requests.push((GROUP_GET, named.to_string()));
        }
        let flooder = Flooder::new(&api, "alice", &requests);
        while flooder.answers.all() < requests.len() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let before = flooder.answers.all();
        times[1] += usual_calls(&api, "bob", &own[1], CALLS).await;
        assert!(flooder.answers.all() > before, "the flood was over");
        flood += flooder.stop().await.all();
    }
    let [alone, beside] = times.map(|time| time.as_secs_f64() * 1000.0 / rounds as f64);
    done(format_args!(
        "{rounds} floods of everything, {flood} calls; {CALLS} calls of another all answered, half of them within \
         {beside:.1} ms, without the flood {alone:.1} ms"
    ));
}
