//! Two servers on one cluster, a group that votes, half of it connected to each. One server is killed meanwhile: everybody
//! ends with all votes, those who were not connected to it without a gap and without hearing anything twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::watch;

use super::follower::Follower;
use super::{amount, done, group_messages, users};
use crate::client::{Api, GROUP_GET, GROUP_SET, query, set};
use crate::redis_process::serve_on;
use crate::redis_servers::cluster;

/// One vote, asked for again under its request id, by whichever server answers.
async fn vote(apis: [Api; 2], message: Value, name: String, answered: Arc<AtomicUsize>) {
    let url = format!("/v4/{GROUP_SET}?{}&requestid={:032x}", query(&name), fastrand::u128(..));
    let body = set(&message, &[(&format!("{name}_0"), &name, 0)]).to_string();
    for api in apis.iter().cycle() {
        match api.http("POST", &url, &[], &body).await.map(|answer| answer.json()) {
            Ok(answer) if answer["ErrorCode"] != 10002 => {
                assert_eq!(answer["ActionStatus"], "OK", "{answer}");
                assert!(
                    answer["ExtensionList"][0]["ErrorCode"].as_u64().is_none_or(|code| code == 0),
                    "{answer}"
                );
                break;
            }
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    answered.fetch_add(1, Ordering::SeqCst);
}

#[tokio::test]
async fn a_server_is_killed_during_a_vote_and_everybody_ends_with_all_votes() {
    let voters = usize::try_from(amount("SOAK_NODE_VOTERS", 60)).unwrap();
    let rounds = amount("SOAK_NODE_KILLS", 1);
    // A vote is a Seq.
    let (_all, until) = watch::channel(Some(vec![voters as u64]));
    let (mut seqs, mut slowest) = (0, Duration::ZERO);
    for _ in 0..rounds {
        let prefix = format!("soak-{}:", fastrand::u64(..));
        let (one, two) = tokio::join!(serve_on(cluster(), &prefix), serve_on(cluster(), &prefix));
        let apis = [one.1, two.1];
        let names = users("voter", voters);
        let message = group_messages(&apis[0], &names, 1, &Value::Null).await.remove(0);
        let mut listening = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let (own, other) = (apis[i % 2].address, apis[0].address);
            let voter = Follower::connect(name, [own, other], std::slice::from_ref(&message)).await;
            listening.push(tokio::spawn(voter.follow(until.clone())));
        }
        let answered = Arc::<AtomicUsize>::default();
        let (until_killed, moment) = (Arc::clone(&answered), fastrand::usize(1..voters));
        let mut victim = two.0;
        let killing = tokio::spawn(async move {
            while until_killed.load(Ordering::SeqCst) < moment {
                tokio::task::yield_now().await;
            }
            victim.kill().await.unwrap();
        });
        let mut voting = Vec::new();
        for (i, name) in names.iter().enumerate() {
            let own_first = [apis[i % 2].clone(), apis[(i + 1) % 2].clone()];
            voting.push(tokio::spawn(vote(own_first, message.clone(), name.clone(), Arc::clone(&answered))));
            // A storm, not one turn of the queue.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        join_all(voting).await.into_iter().for_each(|voted| voted.unwrap());
        killing.await.unwrap();
        let held = apis[0].ok(&names[0], GROUP_GET, &message).await;
        seqs += held["LatestSeq"].as_u64().unwrap();
        for voter in tokio::time::timeout(Duration::from_secs(30), join_all(listening))
            .await
            .expect("all votes, in time")
        {
            let voter = voter.unwrap();
            let known = &voter.known[0];
            assert_eq!(known.entries.len(), voters);
            for (key, (value, _)) in &known.entries {
                assert_eq!(*key, format!("{value}_0"));
            }
            assert_eq!(held["LatestSeq"], known.latest_seq);
            slowest = slowest.max(voter.slowest);
        }
    }
    done(format!(
        "{rounds} of two servers killed while {voters} voted: {seqs} Seqs, everybody had all votes, in order; the slowest was back after {slowest:.0?}"
    ));
}
