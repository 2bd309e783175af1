//! Webhooks that wait, in memory.

use std::collections::BTreeMap;

use crate::store::{Trimmed, Webhook};

#[derive(Default)]
pub(super) struct Webhooks {
    /// By message and Seq, each with its place among those that came.
    waiting: BTreeMap<(i64, u64), (u64, Webhook)>,
    /// By place, so the oldest first.
    order: BTreeMap<u64, (i64, u64)>,
    last_place: u64,
}

impl Webhooks {
    pub(super) fn add(&mut self, message_no: i64, webhooks: Vec<Webhook>) {
        for webhook in webhooks {
            self.last_place += 1;
            let name = (message_no, webhook.seq);
            self.order.insert(self.last_place, name);
            self.waiting.insert(name, (self.last_place, webhook));
        }
    }

    pub(super) fn messages(&self, after: i64, count: usize) -> Vec<i64> {
        let mut messages: Vec<i64> = Vec::new();
        let next =
            |last: i64| self.waiting.range((last.saturating_add(1), 0)..).next().map(|(name, _)| name.0);
        while messages.len() < count
            && let Some(no) = next(messages.last().copied().unwrap_or(after))
        {
            messages.push(no);
        }
        messages
    }

    pub(super) fn of(&self, message_no: i64, count: usize) -> Vec<Webhook> {
        let own = self.waiting.range((message_no, 0)..=(message_no, u64::MAX));
        own.take(count).map(|(_, (_, webhook))| webhook.clone()).collect()
    }

    pub(super) fn remove(&mut self, received: &[(i64, u64)]) -> usize {
        let before = self.waiting.len();
        for &(message_no, seq) in received {
            let own = self.waiting.extract_if((message_no, 0)..=(message_no, seq), |_, _| true);
            for (_, (place, _)) in own {
                self.order.remove(&place);
            }
        }
        before - self.waiting.len()
    }

    pub(super) fn trim(&mut self, keep: usize, since: u64) -> Trimmed {
        let mut trimmed = Trimmed::default();
        while let Some(oldest) = self.oldest().filter(|oldest| *oldest < since || self.order.len() > keep) {
            if oldest < since {
                trimmed.too_old += 1
            } else {
                trimmed.too_many += 1
            }
            if let Some((_, name)) = self.order.pop_first() {
                self.waiting.remove(&name);
            }
        }
        Trimmed { left: self.order.len(), oldest: self.oldest(), ..trimmed }
    }

    fn oldest(&self) -> Option<u64> {
        let (_, name) = self.order.first_key_value()?;
        self.waiting.get(name).map(|(_, webhook)| webhook.time)
    }
}
