//! Which failed requests are sent again, and when. A lost reply says nothing about whether the server has done the work;
//! every request may be repeated: reads change nothing, writes carry a request id, messages an ID of their own.

use super::calls::Purpose;
use super::{Client, OpenRequest, Output, Request, jitter, timeout};
use crate::code::{Error, INTERNAL, NETWORK, TIMEOUT, TOO_FREQUENT, TOO_MANY_WRITES};

/// An attempt without a reply is given up after this, milliseconds.
const PATIENCE: u64 = 5_000;
/// The bound of the first wait, which doubles up to the last (full jitter), milliseconds.
const FIRST_WAIT: u64 = 400;
const LAST_WAIT: u64 = 4_000;

/// Whether the same request may succeed later.
pub(super) const fn may_succeed(code: u32) -> bool {
    matches!(code, NETWORK | TIMEOUT | INTERNAL | TOO_MANY_WRITES | TOO_FREQUENT)
}

impl Client {
    /// Sends a request, for the first time or again.
    pub(super) fn attempt(
        &mut self,
        mut request: Request,
        purpose: Purpose,
        attempts: u32,
        give_up: u64,
        now: u64,
    ) {
        self.last_request += 1;
        request.id = self.last_request;
        self.outputs.push(Output::Request(request.clone()));
        let until = give_up.min(now + PATIENCE);
        self.requests.push(OpenRequest {
            request,
            purpose,
            until,
            waiting: None,
            attempts: attempts + 1,
            give_up,
        });
    }

    /// An attempt has failed: waits for the next one, or tells who asked.
    pub(super) fn retry(&mut self, mut failed: OpenRequest, error: Error, now: u64) {
        let bound = (FIRST_WAIT << (failed.attempts - 1).min(16)).min(LAST_WAIT);
        let next = now + bound / 4 + jitter(&mut self.rng, bound - bound / 4);
        let is_last = match &failed.purpose {
            Purpose::Probe => true,
            // There is an outbox for this.
            Purpose::Set(write, _) => self.must_queue(write),
            // A poll; the next one is another attempt.
            Purpose::Pull(message) => self.connection.live() == 0 && !self.messages.is_waited_for(message),
            _ => false,
        };
        if !may_succeed(error.code) || is_last || next >= failed.give_up || self.admit().is_err() {
            return self.fail(failed.purpose, error, now);
        }
        failed.until = next;
        failed.waiting = Some(error);
        self.requests.push(failed);
    }

    pub(super) fn retry_timeout(&mut self, now: u64) {
        while let Some(i) = self.requests.iter().position(|r| r.until <= now) {
            let open = self.requests.swap_remove(i);
            if open.waiting.is_some() {
                self.attempt(open.request, open.purpose, open.attempts, open.give_up, now);
                continue;
            }
            self.outputs.push(Output::Abort(open.request.id));
            self.session.is_reachable = false;
            self.retry(open, timeout(), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{CODES, Scope};

    #[test]
    fn of_what_a_server_answers_exactly_the_retryable_codes_are_tried_again() {
        for info in CODES.iter().filter(|info| info.scope == Scope::Request) {
            assert_eq!(may_succeed(info.code), info.retryable, "{}", info.name);
        }
    }
}
