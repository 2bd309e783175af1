//! Everything that is random comes from the seed, what the standard library asks the system for too: with it the order of every
//! `HashMap`, and which branch of a `select!` is looked at first. A process has one world, since tokio counts the runtimes that
//! it has made, and goes by it.
#![allow(unsafe_code, reason = "the standard library leaves this to whoever defines the symbol")]

use std::sync::atomic::{AtomicU64, Ordering};

static STATE: AtomicU64 = AtomicU64::new(0);

/// From here on this is the system's randomness; threads that have used some already keep it.
pub(crate) fn seed(seed: u64) {
    STATE.store(seed, Ordering::SeqCst);
    fastrand::seed(seed);
}

/// What the standard library calls where there is one (`sys/random/linux.rs`).
///
/// # Safety
/// `buffer` has room for `length` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut u8, length: usize, _flags: u32) -> isize {
    for i in 0..length {
        // SAFETY: the caller's promise.
        unsafe { buffer.add(i).write(next()) };
    }
    length.try_into().unwrap()
}

/// A byte of SplitMix64.
fn next() -> u8 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = STATE.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 56) as u8
}
