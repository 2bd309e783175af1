//! The digest of a message's state, by which two sides find out that they mean different states by the same Seq
//! (`docs/protocol.md`, "Digests"). It is a sum, so that a key that changes is taken out and put in again.

use crate::text::decimal;

/// What a key with a value adds to the digest of its message: that is the sum over all of them, modulo 2^32.
#[must_use]
#[inline(never)]
pub fn of_entry(key: &str, value: &str, seq: u64) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for part in [key, "\0", value, "\0", &decimal(seq)] {
        for byte in part.bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    // The last bytes move FNV-1a by little: without this the sum is the same when two keys swap their Seqs or values.
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn two_keys_that_swap_their_seqs_or_their_values_have_another_digest() {
        let mut collisions = 0;
        for i in 0..100_u64 {
            for j in i + 1..100 {
                let (a, b) = (i.to_string(), j.to_string());
                let sum = |x: u32, y: u32| x.wrapping_add(y);
                let seqs = |x, y| sum(of_entry(&a, "1", x), of_entry(&b, "1", y));
                let values = |x, y| sum(of_entry(&a, x, 1), of_entry(&b, y, 2));
                collisions +=
                    u32::from(seqs(5, 6) == seqs(6, 5)) + u32::from(values("0", "1") == values("1", "0"));
            }
        }
        assert_eq!(collisions, 0);
    }

    #[test]
    fn key_value_and_seq_count_each() {
        let one = of_entry("k", "v", 1);
        for other in
            [of_entry("l", "v", 1), of_entry("k", "w", 1), of_entry("k", "v", 2), of_entry("kv", "", 1)]
        {
            assert_ne!(one, other);
        }
    }
}
