//! The power goes, again and again, at any moment: what was not synced is there or not, in any order, and sectors are torn.
//! What a run of the store does to its files is recorded once; from that the folder is made as it is after a cut at any
//! moment, and the store is opened on it. A binary of its own: the recorder is the VFS of its whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

mod disk;
mod recorder;
mod work;

use std::time::Instant;

use fastrand::Rng;

use crate::disk::Disk;
use crate::recorder::{Event, Recording, Synchronous};

fn amount(name: &str, share: u64) -> u64 {
    std::env::var(name).map_or(share, |given| given.parse().unwrap())
}

fn seed() -> u64 {
    let seed = amount("SOAK_SEED", fastrand::u64(..1 << 32));
    println!("SOAK_SEED={seed}");
    seed
}

/// What power cuts have shown.
#[derive(Default)]
struct Shown {
    cuts: u64,
    /// Of those, after how many something was not on the disk, and how much of all of them.
    with_loss: u64,
    bytes_lost: usize,
    acknowledged: usize,
    syncs: usize,
    /// What was wrong, which ends it.
    fault: Option<String>,
}

/// Records one run of the store, and cuts the power at so many moments of it.
async fn cut(rng: &mut Rng, cuts: u64, synchronous: Synchronous, disk_lies: bool) -> Shown {
    let dir = tempfile::tempdir().unwrap();
    let notes = Recording::of(dir.path(), synchronous);
    let plans = work::carry_out(dir.path(), &notes, rng).await;
    let events = notes.end();
    let is_sync = |event: &&Event| matches!(event, Event::Synced(_));
    let is_answer = |event: &&Event| matches!(event, Event::Acknowledged { .. });
    let mut shown = Shown {
        syncs: events.iter().filter(is_sync).count(),
        acknowledged: events.iter().filter(is_answer).count(),
        ..Shown::default()
    };
    let mut moments: Vec<_> = (0..cuts).map(|_| rng.usize(0..=events.len())).collect();
    moments.sort_unstable();
    let mut disk = Disk::new(disk_lies);
    let (mut passed, mut acknowledged) = (0, vec![None; plans.len()]);
    for moment in moments {
        for event in &events[passed..moment] {
            disk.apply(event);
            if let Event::Acknowledged { message, seq } = event {
                acknowledged[*message] = Some(*seq);
            }
        }
        passed = moment;
        let after = tempfile::tempdir().unwrap();
        let lost = disk.cut_power(rng, after.path());
        shown.cuts += 1;
        shown.with_loss += u64::from(lost > 0);
        shown.bytes_lost += lost;
        if let Err(fault) = work::check(after.path(), &plans, &acknowledged).await {
            shown.fault = Some(format!("after {moment} of {} events: {fault}", events.len()));
            break;
        }
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_power_cut_at_any_moment_what_was_acknowledged_is_there_and_nothing_by_half() {
    let cuts = amount("SOAK_POWER_CUTS", 200);
    let mut rng = Rng::with_seed(seed());
    let mut all = Shown::default();
    while all.cuts < cuts {
        // A run is some thousand events: then another one.
        let of_run = (cuts - all.cuts).min(500);
        let shown = cut(&mut rng, of_run, Synchronous::AsAsked, false).await;
        assert_eq!(shown.fault, None);
        all.cuts += shown.cuts;
        all.with_loss += shown.with_loss;
        all.bytes_lost += shown.bytes_lost;
        all.acknowledged += shown.acknowledged;
        all.syncs += shown.syncs;
    }
    assert!(all.with_loss > cuts / 10, "hardly anything was lost: {} times", all.with_loss);
    let Shown { with_loss, bytes_lost, acknowledged, syncs, .. } = all;
    println!(
        "soak: {cuts} power cuts in runs with {acknowledged} answers and {syncs} syncs; after {with_loss} of them something \
         that had not been synced was lost or torn, {} KiB in all; nothing acknowledged",
        bytes_lost / 1024
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn that_less_is_synced_or_that_the_disk_lies_is_found_out() {
    let mut rng = Rng::with_seed(seed());
    let flaws = [
        ("synchronous=NORMAL", Synchronous::Normal, false),
        ("synchronous=OFF", Synchronous::Off, false),
        ("a disk that does not sync", Synchronous::AsAsked, true),
    ];
    for (name, synchronous, disk_lies) in flaws {
        let begun = Instant::now();
        let shown = cut(&mut rng, 500, synchronous, disk_lies).await;
        let fault = shown.fault.unwrap_or_else(|| panic!("{name}: nobody noticed"));
        println!("{name}: {}", fault.chars().take(200).collect::<String>());
        println!("soak: {name} found out at the cut {}, {} ms", shown.cuts, begun.elapsed().as_millis());
    }
}
