//! A connection that comes back: one request names every cached message with the Seq up to which it is known, and the
//! answer's parts are the pages of as many pulls. Changes that are pushed meanwhile wait in each message's cache until its
//! part has come.

use alloc::vec::Vec;

use super::messages::Tracked;
use super::pages::Page;
use super::{Client, Output};
use crate::code::Error;
use crate::list::gather;
use crate::message::MessageRef;
use crate::wire::{ClientFrame, MessageState, RESUMED_MESSAGES, ServerFrame};

/// Silence after which the answer to a resume is given up and its messages are pulled, milliseconds.
const PATIENCE: u64 = 10_000;

impl Client {
    /// The push connection is lost: what waited for its push is told now, and those who wait for its pages pull.
    pub(super) fn connection_lost(&mut self, now: u64) {
        let mut told = Vec::new();
        for tracked in self.messages.all() {
            let mut notices = Vec::new();
            tracked.cached.connection_lost(&mut notices);
            told.push((tracked.id.clone(), notices));
            tracked.pull_at = None;
            tracked.is_polled = false;
            tracked.poll_later(true, &mut self.rng, now);
        }
        for (id, notices) in told {
            self.notify(&id, notices);
        }
        self.end_resume(now);
    }

    /// The endpoint answers, or the push connection is live: every message may have missed something.
    pub(super) fn sync_again(&mut self, now: u64) {
        let live = self.connection.live();
        let mut named = Vec::new();
        let is_due = |t: &&mut Tracked| {
            // By polling only what somebody looks at.
            if live == 0 { t.is_looked_at() } else { t.is_wanted() && !t.cached.is_current(live) }
        };
        for tracked in self.messages.all().iter_mut().filter(is_due) {
            tracked.pull_at = Some(now);
            let mut pages = tracked.cached.begin_pull(live);
            pages.is_resumed = true;
            if live == 0 || tracked.pull.is_some() || pages.start == 0 || named.len() == RESUMED_MESSAGES {
                continue;
            }
            let (latest_seq, digest) = (Some(pages.start - 1), Some(pages.own));
            tracked.pull_at = None;
            tracked.pull = Some(pages);
            let known = MessageState { latest_seq, digest, ..MessageState::default() };
            named.push(known.addressed_to(tracked.message.clone()));
        }
        if !named.is_empty() {
            self.messages.resume_until = Some(now + PATIENCE);
            self.outputs.push(Output::Frame(ClientFrame {
                r#type: ClientFrame::RESUME.into(),
                messages: Some(named),
                ..ClientFrame::default()
            }));
        }
        self.sync_more(now);
    }

    /// A part of the answer has come.
    pub(super) fn resumed(&mut self, frame: &ServerFrame, now: u64) {
        if self.messages.resume_until.is_none() {
            return;
        }
        self.messages.resume_until = Some(now + PATIENCE);
        for state in frame.messages.iter().flatten() {
            let Some(message) = state.address().message() else { continue };
            if !self.is_resumed(&message) {
                continue;
            }
            match state.error_code {
                Some(code) => {
                    self.pull_failed(
                        &message,
                        &Error::new(code, "the message cannot be brought up to date"),
                        now,
                    );
                }
                None => self.pulled(&message, &Page::from(state), now),
            }
        }
        if frame.complete == Some(1) {
            for (message, latest) in self.resuming() {
                // It was named and did not come, so it has not changed.
                let page = Page { is_last: true, latest_seq: latest, ..Page::default() };
                self.pulled(&message, &page, now);
            }
            self.messages.resume_until = None;
        }
    }

    pub(super) fn resume_timeout(&mut self, now: u64) {
        if self.messages.resume_until.is_some_and(|until| until <= now) {
            self.end_resume(now);
        }
    }

    /// No more of the answer will come: what is missing is pulled.
    fn end_resume(&mut self, now: u64) {
        self.messages.resume_until = None;
        for (message, _) in self.resuming() {
            let Some(tracked) = self.messages.find(&message) else { continue };
            tracked.pull = None;
            if !tracked.waiters.is_empty() {
                self.pull(&message, now);
            } else if self.connection.live() != 0 {
                tracked.pull_at = Some(now);
            }
        }
    }

    fn is_resumed(&self, message: &MessageRef) -> bool {
        self.messages.find_ref(message).and_then(|t| t.pull.as_ref()).is_some_and(|pages| pages.is_resumed)
    }

    /// The messages whose part has not come, and the Seq up to which they are known.
    fn resuming(&mut self) -> Vec<(MessageRef, u64)> {
        let resuming = self.messages.all().iter().filter_map(|tracked| {
            let pages = tracked.pull.as_ref().filter(|pages| pages.is_resumed)?;
            Some((tracked.message.clone(), pages.start - 1))
        });
        gather(resuming)
    }
}
