//! Where things are: buckets, numbers, names of keys.
//!
//! A conversation, its members and all of its messages are in one bucket, and a bucket's keys share a hash tag, so one
//! slot of the cluster. There are [`BUCKETS`] of them for good: that many masters could share the work.

/// Fewer than slots, so that all of them can be looked through.
pub(super) const BUCKETS: u16 = 4096;

/// Numbers of messages and groups: the bucket, then a counter of its own.
const COUNTER_BITS: u32 = 40;

/// A part of the keys that is always on one master.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Bucket(u16);

impl Bucket {
    /// Of a group and everything in it.
    pub(super) fn of_group(group_id: &str) -> Self {
        Self::of(&format!("g{group_id}"))
    }

    /// Of what two users have sent each other.
    pub(super) fn of_pair(a: &str, b: &str) -> Self {
        Self::of(&format!("c{}", pair(a, b)))
    }

    /// Of what says who has sent something to this user.
    pub(super) fn of_recipient(user: &str) -> Self {
        Self::of(&format!("u{user}"))
    }

    /// Of a message or group by its number; any other number is in a bucket that does not know it.
    pub(super) fn of_no(no: i64) -> Self {
        Self(u16::try_from((no >> COUNTER_BITS) & i64::from(BUCKETS - 1)).unwrap_or_default())
    }

    fn of(name: &str) -> Self {
        Self(crc16(name.as_bytes()) % BUCKETS)
    }

    /// Every bucket from this one on.
    pub(super) fn and_later(self) -> impl Iterator<Item = Self> {
        (self.0..BUCKETS).map(Self)
    }

    /// Every bucket.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        Self(0).and_later()
    }

    /// The number of the first thing that is numbered in it, less one.
    pub(super) fn first_no(self) -> i64 {
        i64::from(self.0) << COUNTER_BITS
    }

    /// The cluster's slot.
    pub(super) fn slot(self) -> u16 {
        crc16(self.0.to_string().as_bytes()) % 16_384
    }

    /// A key in it, without what all of ours begin with.
    pub(super) fn key(self, kind: &str, name: impl std::fmt::Display) -> String {
        format!("{{{}}}{kind}:{name}", self.0)
    }
}

/// Two users in the order that does not depend on who is named first. No UserID has a control character.
pub(super) fn pair(a: &str, b: &str) -> String {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    format!("{first}\n{second}")
}

/// The CRC of Redis Cluster (XMODEM).
fn crc16(bytes: &[u8]) -> u16 {
    let bit = |crc: u16| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| bit(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
    }

    #[test]
    fn a_number_says_in_which_bucket_it_is() {
        for bucket in [Bucket(0), Bucket(1), Bucket(BUCKETS - 1)] {
            assert_eq!(Bucket::of_no(bucket.first_no() + 1), bucket);
        }
    }

    #[test]
    fn both_users_find_the_same_conversation() {
        assert_eq!(Bucket::of_pair("alice", "bob"), Bucket::of_pair("bob", "alice"));
        assert_eq!(pair("b", "a"), "a\nb");
    }

    #[test]
    fn buckets_are_spread_over_the_slots() {
        let mut slots: Vec<_> = Bucket::all().map(Bucket::slot).collect();
        slots.sort_unstable();
        // A hundred masters: each gets its share.
        for master in slots.chunk_by(|a, b| a / 164 == b / 164) {
            assert!((15..80).contains(&master.len()), "{}", master.len());
        }
    }
}
