//! Two users write the same key as fast as they are answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{amount, done, events_up_to};
use crate::client::{Api, GET, SET, set};
use crate::process::serve;
use crate::socket::Socket;

/// What a writer was told.
#[derive(Default)]
struct Told {
    /// The Seq that each accepted write took, and its value.
    won: Vec<(u64, String)>,
    /// The Seq with which a write went out, and the Seq and value that its refusal told.
    lost: Vec<(u64, u64, String)>,
}

/// Writes for so long, and until somebody has lost, however slow the machine is.
async fn write(api: Api, user: &str, message: Value, time: Duration, losses: Arc<AtomicUsize>) -> Told {
    let (mut told, mut seq, began) = (Told::default(), 0, Instant::now());
    for n in 0.. {
        if began.elapsed() >= time && losses.load(Ordering::Relaxed) > 0 {
            break;
        }
        let value = format!("{user} {n}");
        let reply = api.ok(user, SET, &set(&message, &[("k", &value, seq)])).await;
        let item = &reply["ExtensionList"][0];
        let held = (item["Extension"]["Seq"].as_u64().unwrap(), item["Extension"]["Value"].as_str().unwrap());
        match item["ErrorCode"].as_u64() {
            Some(0) => {
                // Nobody overwrites what they have not seen: nobody else wrote between.
                assert_eq!(held, (seq + 1, value.as_str()));
                assert_eq!(reply["Seq"], held.0);
                told.won.push((held.0, value));
            }
            Some(23001) => {
                told.lost.push((seq, held.0, held.1.to_owned()));
                losses.fetch_add(1, Ordering::Relaxed);
            }
            _ => panic!("{reply}"),
        }
        seq = held.0;
    }
    told
}

#[tokio::test]
async fn of_two_writers_of_one_key_each_seq_has_one_winner_and_who_loses_is_told_the_winner() {
    let time = Duration::from_secs(amount("SOAK_WRITERS_SECONDS", 1));
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve(dir.path()).await;
    let message = api.c2c_message().await;
    let mut socket = Socket::login(api.address, "bob").await;
    let losses = Arc::<AtomicUsize>::default();
    let writers = ["alice", "bob"]
        .map(|user| write(Api::new(api.address), user, message.clone(), time, Arc::clone(&losses)));
    let [alice, bob] = writers;
    let (alice, bob) = tokio::join!(tokio::spawn(alice), tokio::spawn(bob));
    let (alice, bob) = (alice.unwrap(), bob.unwrap());

    let mut winners = BTreeMap::new();
    for (seq, value) in alice.won.iter().chain(&bob.won) {
        assert_eq!(winners.insert(*seq, value), None, "the Seq {seq} has two winners");
    }
    let latest = winners.len() as u64;
    assert_eq!(winners.last_key_value().unwrap().0, &latest, "Seq is dense");
    let losses: Vec<_> = alice.lost.iter().chain(&bob.lost).collect();
    for (given, seq, value) in &losses {
        assert!(seq > given);
        assert_eq!(winners[seq], value, "told with the Seq {seq}");
    }
    let reply = api.ok("bob", GET, &message).await;
    assert_eq!(reply["LatestSeq"], latest);
    assert_eq!(reply["ExtensionList"], json!([{"Key": "k", "Value": winners[&latest], "Seq": latest}]));
    for (event, (seq, value)) in events_up_to(&mut socket, latest).await.iter().zip(&winners) {
        assert_eq!((&event["Seq"], &event["ExtensionList"][0]["Value"]), (&json!(seq), &json!(value)));
    }
    done(format_args!(
        "{} s, won {} and {}, lost {}",
        time.as_secs(),
        alice.won.len(),
        bob.won.len(),
        losses.len()
    ));
}
