//! Long histories of one server: many write and pull over a network that cuts connections and doubles requests, whoever
//! has no answer asks again, and the server is killed meanwhile and comes back on its file. What everybody was answered,
//! and when, must have one order.

mod agree;
mod cutting;
mod flawed_front;
mod judge;
mod load;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::join_all;
use tokio::process::Child;
use tokio::task::{JoinHandle, spawn_blocking};

use self::cutting::Network;
use self::flawed_front::{FLAWS, Flaw, Front};
use self::judge::{Fault, Once, judge, once};
use self::load::{Common, MESSAGES, User, people};
use super::replay::Replay;
use super::{amount, done, seed};
use crate::client::Api;
use crate::process::{serve, serve_with};

const USERS: usize = 16;
/// Of each user in a round; of those on one message in a round the other checker can find an order.
const CALLS: usize = 50;
/// Of so many rounds the server is killed in one.
const ROUNDS_A_KILL: u64 = 2;

/// Lets all users call, and waits until everybody has been answered.
fn round(all: Vec<User>, common: &Arc<Common>, calls: usize) -> JoinHandle<Vec<User>> {
    let act = |mut user: User| {
        let common = Arc::clone(common);
        tokio::spawn(async move {
            user.act(&common, calls).await;
            user
        })
    };
    let acting: Vec<_> = all.into_iter().map(act).collect();
    tokio::spawn(async move { join_all(acting).await.into_iter().map(Result::unwrap).collect() })
}

/// What became of one message: what everybody did, in the order in which it was done, and what it is now.
fn judge_message(
    all: &[User],
    common: &Common,
    message: usize,
    writes_per_minute: usize,
) -> Result<(Vec<Once>, Replay), Fault> {
    let calls: Vec<_> = all.iter().flat_map(|user| &user.calls[message]).cloned().collect();
    judge(once(&calls, writes_per_minute)?, Replay::with_rules(&common.kinds[message].rules))
}

/// At the end one looks at everything.
async fn look(all: &mut [User], common: &Common) {
    for message in 0..MESSAGES {
        // The last part comes with the digest of the whole.
        for start in [0, 1, all[0].latest(message)] {
            all[0].pull(common, message, start).await;
        }
    }
}

/// Kills the server somewhere within a round.
async fn kill(child: &mut Child, common: &Common, rng: &mut Rng) {
    let enough = common.answers.load(Ordering::Relaxed) + rng.usize(1..USERS * CALLS / 2);
    while common.answers.load(Ordering::Relaxed) < enough {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_micros(rng.u64(0..10_000))).await;
    assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
    child.kill().await.unwrap();
}

/// Gives the other checker what happened from pause to pause: so many pieces. How many calls.
fn check_pieces(calls: &[Once], pauses: &[u64], pieces: usize) -> usize {
    let (mut state, mut rest) = (Replay::default(), calls);
    for pause in pauses.iter().take(pieces) {
        let (piece, later) = rest.split_at(rest.partition_point(|call| call.begun < *pause));
        assert!(agree::has_order(piece, &state), "the other checker finds no order: {piece:#?}");
        piece.iter().for_each(|call| assert_eq!(state.check(&call.done), Ok(())));
        rest = later;
    }
    calls.len() - rest.len()
}

/// What was found out about a history.
#[derive(Default)]
struct Judged {
    calls: usize,
    seqs: u64,
    taken: Duration,
    /// Calls that the other checker was given as well, and how long it took.
    compared: usize,
    comparing: Duration,
}

fn judge_all(all: &[User], common: &Common, pauses: &[u64], pieces: usize) -> Judged {
    let mut judged = Judged::default();
    for message in 0..MESSAGES {
        let begun = Instant::now();
        let found = judge_message(all, common, message, 0);
        let (order, end) = found.unwrap_or_else(|fault| panic!("{fault}"));
        judged.taken += begun.elapsed();
        judged.calls += all.iter().map(|user| user.calls[message].len()).sum::<usize>();
        judged.seqs += end.message.latest_seq;
        // It copies the state all the time, so it is given the small one.
        if message == 0 {
            let begun = Instant::now();
            judged.compared = check_pieces(&order, pauses, pieces);
            judged.comparing = begun.elapsed();
        }
    }
    judged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_are_answered_has_one_order_though_the_network_cuts_and_the_server_is_killed() {
    let (rounds, pieces) = (amount("SOAK_HISTORY_ROUNDS", 3), amount("SOAK_HISTORY_PIECES", 2));
    let pieces = usize::try_from(pieces).unwrap();
    let mut rng = Rng::with_seed(seed());
    let dir = tempfile::tempdir().unwrap();
    let (mut child, mut api) = serve(dir.path()).await;
    let network = Network::to(api.address, rng.fork()).await;
    let (common, mut all) = people(USERS, &api, network.entry, &mut rng).await;
    let (mut kills, mut pauses) = (0, Vec::new());
    for n in 0..rounds {
        let acting = round(all, &common, CALLS);
        if n % ROUNDS_A_KILL == 0 {
            kill(&mut child, &common, &mut rng).await;
            (child, api) = serve(dir.path()).await;
            network.server.send_replace(api.address);
            kills += 1;
        }
        all = acting.await.unwrap();
        pauses.push(common.now());
    }
    look(&mut all, &common).await;
    pauses.push(common.now());

    let judging = spawn_blocking({
        let common = Arc::clone(&common);
        move || judge_all(&all, &common, &pauses, pieces)
    });
    let Judged { calls, seqs, taken, compared, comparing } = judging.await.unwrap();
    let count = |counted: &std::sync::atomic::AtomicUsize| counted.load(Ordering::Relaxed);
    let (cut, doubled, again) =
        (count(&network.counts.cut), count(&network.counts.doubled), count(&common.unanswered));
    assert!(seqs > 0 && cut > 0 && doubled > 0 && again > 0);
    done(format_args!(
        "{calls} calls, {seqs} Seqs, {kills} kills, {cut} connections cut, {doubled} with everything sent twice, {again} \
         times asked again: one order, found in {} ms; of {compared} calls in {pieces} pieces the other checker finds \
         one, in {} ms",
        taken.as_millis(),
        comparing.as_millis()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_as_too_frequent_has_changed_nothing_and_many_had_written() {
    const A_MINUTE: usize = 60;
    let limit = A_MINUTE.to_string();
    let flags = [
        ["--writes-per-minute", &limit],
        ["--user-writes-per-minute", "0"],
        ["--admin-calls-per-second", "0"],
        ["--user-calls-per-second", "0"],
    ];
    let mut rng = Rng::with_seed(seed());
    let dir = tempfile::tempdir().unwrap();
    let (_child, api) = serve_with(dir.path(), &flags.concat()).await;
    let (common, all) = people(USERS, &api, api.address, &mut rng).await;
    let mut all = round(all, &common, 30).await.unwrap();
    look(&mut all, &common).await;
    for message in 0..MESSAGES {
        let found = judge_message(&all, &common, message, A_MINUTE);
        let (_, end) = found.unwrap_or_else(|fault| panic!("{fault}"));
        let refused = all
            .iter()
            .flat_map(|user| &user.calls[message])
            .filter(|call| call.answer.contains("23003"))
            .count();
        assert!(refused > 0 && end.message.latest_seq > 0);
        // Who looks closer finds a refusal that comes too early.
        let early = judge_message(&all, &common, message, 1000).err();
        assert!(matches!(early, Some(Fault::RefusedTooEarly { .. })), "{early:?}");
    }
}

/// Users of a front with this flaw, until it is found out: what was, after how many calls.
async fn find(flaw: Option<Flaw>, rng: &mut Rng, most: usize) -> (Option<Fault>, usize) {
    let front = Front::serve(flaw, rng.fork()).await;
    let (common, mut all) = people(8, &Api::new(front), front, rng).await;
    loop {
        all = round(all, &common, 10).await.unwrap();
        look(&mut all, &common).await;
        let calls = common.answers.load(Ordering::Relaxed);
        for message in 0..MESSAGES {
            if let Err(fault) = judge_message(&all, &common, message, 0) {
                return (Some(fault), calls);
            }
        }
        if calls >= most {
            return (None, calls);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_planted_fault_is_found_out_and_none_where_none_is_planted() {
    const MOST: usize = 5000;
    let mut rng = Rng::with_seed(seed());
    let (fault, _) = find(None, &mut rng, 500).await;
    assert_eq!(fault, None);
    let mut found = Vec::new();
    for flaw in FLAWS {
        let begun = Instant::now();
        let (fault, calls) = find(Some(flaw), &mut rng, MOST).await;
        let fault = fault.unwrap_or_else(|| panic!("nobody noticed {flaw:?} in {calls} calls"));
        println!("{flaw:?}: {fault}");
        let is_of_retries = matches!(fault, Fault::RetryDiffers { .. });
        assert_eq!(is_of_retries, flaw == Flaw::ForgottenRetry, "{fault}");
        found.push(format!("{flaw:?} after {calls} calls, {} ms", begun.elapsed().as_millis()));
    }
    done(format_args!("planted faults found out: {}", found.join("; ")));
}
