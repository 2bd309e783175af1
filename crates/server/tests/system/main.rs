//! Whole systems on virtual time and a simulated network: the server as it is, one or several on a store, and pages with the client
//! machine as it is. Servers are killed, lose power and come back, and with them what they have not written; the store is slow, fails,
//! and loses answers; servers on a shared store do not hear each other; pages are closed, frozen, and sleep; networks lose,
//! hold back and delay. Each world is made from its seed alone, in a process of its own: `SYSTEM_SEED=n` runs one, `SYSTEM_SEEDS=n`
//! the first n. With `SYSTEM_TRACE` a world says what happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod bus;
mod chance;
mod claims;
mod disk;
mod history;
mod kept;
mod network;
mod page;
mod user;
mod world;

use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a run of the tests has of it.
const WORLDS: u64 = 20;

static HAS_PANICKED: AtomicBool = AtomicBool::new(false);

/// Whatever panics ends the world, also where a server would go on.
fn fail_if_panicked() {
    assert!(!HAS_PANICKED.load(Ordering::SeqCst), "something has panicked, see above");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|n| n.parse().ok())
}

/// One world, in this process.
#[test]
#[ignore = "run by the others, each in a process of its own"]
fn a_world() {
    let seed = number("SYSTEM_SEED").unwrap_or_default();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        HAS_PANICKED.store(true, Ordering::SeqCst);
        hook(panic);
    }));
    let world = std::thread::spawn(move || {
        chance::seed(seed);
        world::run(seed)
    });
    println!("hash: {:016x}", world.join().unwrap());
}

/// Runs a world; what it has printed.
fn world(seed: u64) -> Output {
    let mut run = Command::new(std::env::current_exe().unwrap());
    run.args(["--exact", "a_world", "--ignored", "--nocapture"]).env("SYSTEM_SEED", seed.to_string());
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "failed with SYSTEM_SEED={seed}\n{said}");
    output
}

#[test]
fn every_page_ends_with_what_the_store_has_whatever_befalls_servers_and_network() {
    let seeds = match number("SYSTEM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SYSTEM_SEEDS").unwrap_or(WORLDS),
    };
    let seeds = Mutex::new(seeds);
    let next = || seeds.lock().unwrap().next();
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(seed) = next() {
                    world(seed);
                }
            });
        }
    });
}

#[test]
fn a_seed_is_one_world() {
    let hash = |output: Output| {
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().find_map(|line| line.split_once("hash: ")).map(|(_, hash)| hash.to_owned()).unwrap()
    };
    for seed in 0..3 {
        assert_eq!(hash(world(seed)), hash(world(seed)), "SYSTEM_SEED={seed}");
    }
}
