//! Login, logout, and the push connection's life.

use alloc::string::String;
use alloc::vec::Vec;

use super::argument::invalid;
use super::calls::Purpose;
use super::connection::Step;
use super::{Answer, Body, CallId, Client, Event, Output, TIME_LIMIT, timeout};
use crate::code::{
    DESTROYED, Error, LOGGED_OUT, NOT_LOGGED_IN, NOT_READY, SIGNATURE_EXPIRED, SIGNATURE_REFUSED,
};
use crate::wire::{ClientFrame, MessageState, QueuedWrite, ServerFrame, close};

/// Who is logged in.
#[derive(Debug, Default)]
pub(super) struct Session {
    stage: Stage,
    pub(super) user_id: String,
    pub(super) user_sig: String,
    /// Something was kept for the user: they have been logged in here before, and may be without the network too.
    is_known: bool,
    /// The server has answered the last request.
    pub(super) is_reachable: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    New,
    /// A login waits for the push connection, or for the answer whether there is one.
    LoggingIn {
        call: CallId,
        until: u64,
    },
    Ready,
    LoggedOut,
    Destroyed,
}

impl Session {
    pub(super) const fn deadline(&self) -> Option<u64> {
        if let Stage::LoggingIn { until, .. } = self.stage { Some(until) } else { None }
    }
}

impl Client {
    /// Who is logged in, or logging in: UserID and UserSig. Empty when nobody is.
    #[must_use]
    pub fn identity(&self) -> (&str, &str) {
        (&self.session.user_id, &self.session.user_sig)
    }

    /// The app.
    #[must_use]
    pub const fn sdk_app_id(&self) -> u64 {
        self.config.sdk_app_id
    }

    /// `login({userID, userSig})`. Settles when the server has accepted the signature, or, at an endpoint without push,
    /// when it has answered at all.
    pub fn handle_login(
        &mut self,
        call: CallId,
        user_id: Option<String>,
        user_sig: Option<String>,
        now: u64,
    ) {
        let Some(user_id) = user_id.filter(|id| !id.is_empty()) else {
            return self.settle(call, Err(invalid("userID must be a string that is not empty")));
        };
        let Some(user_sig) = user_sig.filter(|sig| !sig.is_empty()) else {
            return self.settle(call, Err(invalid("userSig must be a UserSig, a string that is not empty")));
        };
        match self.session.stage {
            Stage::Destroyed => return self.settle(call, Err(destroyed())),
            Stage::Ready if self.session.user_id == user_id => {
                self.session.user_sig = user_sig;
                return self.settle(call, Ok(Answer::Done));
            }
            Stage::Ready | Stage::LoggingIn { .. } => {
                self.end(Stage::LoggedOut, &Error::new(LOGGED_OUT, "another login has replaced this one"));
            }
            Stage::New | Stage::LoggedOut => {}
        }
        let stage = Stage::LoggingIn { call, until: now + TIME_LIMIT };
        self.session = Session { stage, user_id, user_sig, ..Session::default() };
        if self.config.persists || self.config.offline {
            self.emit(Event::Load(self.session.user_id.clone()));
        } else {
            self.begin(now);
        }
    }

    /// What was kept for the user who logs in.
    pub fn handle_loaded(&mut self, states: Vec<MessageState>, queued: Vec<QueuedWrite>, now: u64) {
        if !matches!(self.session.stage, Stage::LoggingIn { .. }) || !self.connection.is_off() {
            return;
        }
        self.session.is_known = !states.is_empty() || !queued.is_empty();
        self.messages.restore(states);
        self.restore_outbox(queued, now);
        self.begin(now);
    }

    /// Messages may be watched from here on, and the server is asked for the rest.
    fn begin(&mut self, now: u64) {
        self.emit(Event::Begin);
        self.connection.open(now);
        self.outputs.push(Output::OpenSocket);
    }

    /// What is to be kept and is not: told as [`Event::Keep`].
    pub fn handle_keep(&mut self) {
        let states = self.messages.take_stale();
        if self.config.persists && !states.is_empty() {
            self.emit(Event::Keep(states));
        }
    }

    /// `logout()`: every open call rejects, nothing that was cached stays in memory.
    pub fn handle_logout(&mut self, call: CallId) {
        if self.session.stage == Stage::Destroyed {
            return self.settle(call, Err(destroyed()));
        }
        if matches!(self.session.stage, Stage::Ready | Stage::LoggingIn { .. }) {
            self.end(Stage::LoggedOut, &Error::new(LOGGED_OUT, "the user has logged out"));
        }
        self.settle(call, Ok(Answer::Done));
    }

    /// `destroy()`: as logout, for good.
    pub fn handle_destroy(&mut self, call: CallId) {
        self.end(Stage::Destroyed, &destroyed());
        self.settle(call, Ok(Answer::Done));
    }

    /// Why a message cannot be watched now; it can as soon as what was kept is there.
    pub(super) const fn admit_watch(&self) -> Result<(), Error> {
        match self.session.stage {
            Stage::LoggingIn { .. } if !self.connection.is_off() => Ok(()),
            _ => self.admit(),
        }
    }

    /// Whether a write that is sent now has a chance.
    pub(super) const fn is_online(&self) -> bool {
        self.connection.live() != 0 || self.session.is_reachable
    }

    /// Why a call that needs a login cannot be made now.
    pub(super) const fn admit(&self) -> Result<(), Error> {
        match self.session.stage {
            Stage::Ready => Ok(()),
            Stage::New => Err(Error::new(NOT_LOGGED_IN, "call login first")),
            Stage::LoggingIn { .. } => {
                Err(Error::new(NOT_READY, "the login has not finished: wait for SDK_READY"))
            }
            Stage::LoggedOut => Err(Error::new(LOGGED_OUT, "the user is logged out: call login first")),
            Stage::Destroyed => Err(destroyed()),
        }
    }

    /// The host says that the network is back, or that the page is looked at again: no time to wait for a back-off.
    pub fn handle_wake(&mut self, now: u64) {
        self.connection.wake(now);
        self.outbox.wake(now);
        self.handle_timeout(now);
    }

    /// The socket is open.
    pub fn handle_socket_open(&mut self, now: u64) {
        if self.connection.is_off() {
            return;
        }
        self.connection.opened(now);
        self.outputs.push(Output::Frame(ClientFrame {
            r#type: ClientFrame::LOGIN.into(),
            sdk_app_id: Some(self.config.sdk_app_id),
            identifier: Some(self.session.user_id.clone()),
            user_sig: Some(self.session.user_sig.clone()),
            messages: None,
        }));
    }

    /// A frame came on the socket; `None` if it cannot be read.
    pub fn handle_frame(&mut self, frame: Option<ServerFrame>, now: u64) {
        if self.connection.is_off() {
            return;
        }
        let Some(frame) = frame else {
            self.outputs.push(Output::CloseSocket);
            return self.handle_socket_closed(close::BAD_FRAME, now);
        };
        self.connection.heard(now);
        match frame.r#type.as_str() {
            ServerFrame::READY => {
                self.connection.ready(now);
                self.became_ready(now);
            }
            ServerFrame::REFUSED => {
                let text = frame.error_info.clone().unwrap_or_default();
                self.refused(Error::with(frame.error_code.unwrap_or(SIGNATURE_EXPIRED), text));
            }
            ServerFrame::RESUMED => self.resumed(&frame, now),
            ServerFrame::PUSH => self.pushed(frame.events.as_deref().unwrap_or_default(), now),
            _ => {}
        }
    }

    /// The socket is closed, or could not be opened.
    pub fn handle_socket_closed(&mut self, code: u16, now: u64) {
        if self.connection.is_off() {
            return;
        }
        match code {
            close::REFUSED => {
                return self.refused(Error::new(SIGNATURE_REFUSED, "the server has refused the login"));
            }
            close::EXPIRED => return self.refused(Error::new(SIGNATURE_EXPIRED, "the UserSig has expired")),
            _ => {}
        }
        let was_live = self.connection.live() != 0;
        self.connection.closed(now, &mut self.rng);
        if was_live {
            self.session.is_reachable = false;
            self.connection_lost(now);
        }
        if matches!(self.session.stage, Stage::LoggingIn { .. }) {
            let is_asked = self.requests.iter().any(|r| matches!(r.purpose, Purpose::Probe));
            if !is_asked {
                self.request(("push", ""), Body::Probe, Purpose::Probe, now);
            }
        }
    }

    /// The endpoint answers, though without a push connection so far.
    pub(super) fn probed(&mut self, now: u64) {
        // The push connection may have been faster.
        if matches!(self.session.stage, Stage::LoggingIn { .. }) {
            self.became_ready(now);
        }
    }

    /// The endpoint does not answer.
    pub(super) fn probe_failed(&mut self, error: Error, now: u64) {
        if !matches!(self.session.stage, Stage::LoggingIn { .. }) {
            return;
        }
        if self.session.is_known {
            self.became_ready(now);
        } else {
            self.refused(error);
        }
    }

    pub(super) fn session_timeout(&mut self, now: u64) {
        if self.session.deadline().is_some_and(|until| until <= now) {
            self.probe_failed(timeout(), now);
        }
        match self.connection.tick(now) {
            Step::Nothing => {}
            Step::Open => self.outputs.push(Output::OpenSocket),
            Step::Ping => {
                let ping = ClientFrame { r#type: ClientFrame::PING.into(), ..ClientFrame::default() };
                self.outputs.push(Output::Frame(ping));
            }
            Step::GiveUp => {
                self.outputs.push(Output::CloseSocket);
                self.handle_socket_closed(0, now);
            }
        }
    }

    /// The server, or what was kept, can answer: brings everything up to date.
    fn became_ready(&mut self, now: u64) {
        if let Stage::LoggingIn { call, .. } = self.session.stage {
            self.session.stage = Stage::Ready;
            self.settle(call, Ok(Answer::Done));
            self.emit(Event::Ready);
        }
        self.sync_again(now);
        self.drain_soon(now);
    }

    /// The session ends, and the user must log in again.
    pub(super) fn refused(&mut self, error: Error) {
        let was_ready = self.session.stage == Stage::Ready;
        self.end(Stage::LoggedOut, &error);
        if was_ready {
            self.emit(Event::Error(error));
        }
    }

    /// Ends the session: open calls reject with `error`, the connection closes, what was cached goes.
    fn end(&mut self, stage: Stage, error: &Error) {
        self.handle_keep();
        let was = core::mem::replace(&mut self.session, Session { stage, ..Session::default() }).stage;
        if !self.connection.is_off() {
            self.connection.off();
            self.outputs.push(Output::CloseSocket);
        }
        if let Stage::LoggingIn { call, .. } = was {
            self.settle(call, Err(error.clone()));
        }
        for request in &core::mem::take(&mut self.requests) {
            self.outputs.push(Output::Abort(request.request.id));
            if let Some(call) = request.purpose.call() {
                self.settle(call, Err(error.clone()));
            }
        }
        self.tell_unsynced();
        self.settle_queued();
        let mut calls = Vec::new();
        self.messages.drop_all(&mut calls);
        self.outbox.drop_all(&mut calls);
        for call in calls {
            self.settle(call, Err(error.clone()));
        }
        // Those that neither read nor write.
        while let Some(mutation) = self.mutations.last() {
            self.settle(mutation.call, Err(error.clone()));
        }
        self.known.clear();
        if was == Stage::Ready {
            self.emit(Event::NotReady);
        }
    }
}

const fn destroyed() -> Error {
    Error::new(DESTROYED, "this instance was destroyed: create another")
}
