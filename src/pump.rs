//! Hands inputs to the client machine and carries out what it asks for.
//!
//! User code (listeners, what follows a promise) runs only when the machine's turn is over and nothing is borrowed; what
//! it calls back into us is queued behind what is being delivered, so that everybody hears of things in one order.

use std::cell::{RefCell, RefMut};
use std::rc::{Rc, Weak};

use js_sys::Function;
use message_extensions_core::client::{Answer, Client, Config, Output, Request, RequestId};
use message_extensions_core::list::take;
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use crate::mirror::Mirror;
use crate::record::literal;
use crate::socket::Socket;
use crate::{convert, host, rest};

/// A client machine with its sockets, requests and timer.
#[derive(Debug, Clone)]
pub(crate) struct Pump(Rc<RefCell<Inner>>);

/// What sockets and timers hold, so that they do not keep a dropped client alive.
#[derive(Debug, Clone)]
pub(crate) struct WeakPump(Weak<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    client: Client,
    endpoint: String,
    /// The entry's, see [`Edge::new`](crate::Edge::new).
    told: Function,
    mirror: Mirror,
    requests: Vec<(RequestId, AbortController)>,
    socket: Option<Socket>,
    /// Calls [`Pump::turn`] with a timeout; made once.
    on_timer: Option<Closure<dyn FnMut()>>,
    timer: Option<(u64, JsValue)>,
    /// Outputs are being carried out.
    is_in_turn: bool,
}

impl WeakPump {
    /// The client, if it still exists.
    pub(crate) fn upgrade(&self) -> Option<Pump> {
        self.0.upgrade().map(Pump)
    }
}

impl Pump {
    pub(crate) fn new(config: Config, endpoint: String, told: Function) -> Self {
        let pump = Self(Rc::new(RefCell::new(Inner {
            client: Client::new(config),
            endpoint,
            told,
            mirror: Mirror::default(),
            requests: Vec::new(),
            socket: None,
            on_timer: None,
            timer: None,
            is_in_turn: false,
        })));
        let weak = pump.downgrade();
        pump.inner().on_timer = Some(Closure::new(move || {
            if let Some(pump) = weak.upgrade() {
                pump.inner().timer = None;
                pump.turn(Client::handle_timeout);
            }
        }));
        pump
    }

    fn downgrade(&self) -> WeakPump {
        WeakPump(Rc::downgrade(&self.0))
    }

    /// Hands something to the machine; [`end_turn`](Self::end_turn) must follow.
    pub(crate) fn input(&self, input: impl FnOnce(&mut Client, u64)) {
        input(&mut self.inner().client, host::now());
    }

    /// What is borrowed in many places is borrowed by one function.
    #[inline(never)]
    fn inner(&self) -> RefMut<'_, Inner> {
        self.0.borrow_mut()
    }

    /// Hands something to the machine, and carries out what it asks for.
    pub(crate) fn turn(&self, what: impl FnOnce(&mut Client, u64)) {
        self.input(what);
        self.end_turn();
    }

    /// Carries out what the machine asks for. User code that is called may call back in: what it leaves is carried out
    /// behind what is there already.
    pub(crate) fn end_turn(&self) {
        if core::mem::replace(&mut self.inner().is_in_turn, true) {
            return;
        }
        while let Some(output) = self.next_output() {
            if let Some((what, a, b)) = self.carry_out(&output) {
                let told = self.inner().told.clone();
                // A listener that throws is caught and reported by the entry.
                let _ = told.call3(&JsValue::UNDEFINED, literal(what), &a, &b);
            }
        }
    }

    /// `None` ends the turn.
    fn next_output(&self) -> Option<Output> {
        let mut inner = self.inner();
        let output = inner.client.poll_output();
        if output.is_none() {
            inner.is_in_turn = false;
            inner.set_timer();
        }
        output
    }

    /// What the entry is told of it.
    fn carry_out(&self, output: &Output) -> Option<(&'static str, JsValue, JsValue)> {
        let inner = &mut *self.inner();
        match output {
            Output::Request(request) => self.send(inner, request),
            Output::Abort(id) => {
                if let Some(controller) = inner.take_request(*id) {
                    controller.abort();
                }
            }
            Output::OpenSocket => {
                inner.socket = Socket::open(&inner.endpoint, self.downgrade());
                if inner.socket.is_none() {
                    // A blocked socket counts as one that closed.
                    inner.client.handle_socket_closed(0, host::now());
                }
            }
            Output::Frame(frame) => {
                if let Some(socket) = &inner.socket {
                    socket.send(frame);
                }
            }
            Output::CloseSocket => inner.socket = None,
            Output::Settle(call, result) => {
                return Some(match result {
                    Ok(Answer::Extensions(listing)) => {
                        ("read", (*call).into(), inner.mirror.pairs(listing, &inner.told))
                    }
                    Ok(answer) => ("done", (*call).into(), convert::answer(answer)),
                    Err(error) => ("failed", (*call).into(), convert::error(error)),
                });
            }
            Output::Compute(call, value) => return Some(("compute", (*call).into(), value.as_ref().into())),
            Output::Emit(event) => {
                let (name, data) = convert::event(event);
                return Some((name, data, JsValue::UNDEFINED));
            }
        }
        None
    }

    fn send(&self, inner: &mut Inner, request: &Request) {
        let url = rest::url(&inner.endpoint, &inner.client, request);
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        if let Some(controller) = controller {
            inner.requests.push((request.id, controller));
        }
        let sent = rest::send(rest::request(&url, &request.body, signal.as_ref()));
        let pump = self.downgrade();
        let (id, body) = (request.id, request.body.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let answer = sent.await;
            if let Some(pump) = pump.upgrade() {
                pump.inner().take_request(id);
                let reply = rest::reply(&body, answer);
                pump.turn(|client, now| client.handle_reply(id, reply, now));
            }
        });
    }
}

impl Inner {
    fn take_request(&mut self, id: RequestId) -> Option<AbortController> {
        Some(take(&mut self.requests, |(request, _)| *request == id)?.1)
    }

    /// One timer, at the machine's next deadline or before it: most deadlines are put off, and a timer that comes early does
    /// less than one that is set anew each time.
    fn set_timer(&mut self) {
        let at = self.client.poll_timeout();
        if self.timer.as_ref().is_some_and(|(set, _)| at.is_some_and(|at| *set <= at)) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            host::clear_timeout(&timer);
        }
        if let (Some(at), Some(callback)) = (at, &self.on_timer) {
            let wait = at.saturating_sub(host::now()) as f64;
            self.timer = Some((at, host::set_timeout(callback.as_ref().unchecked_ref(), wait)));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some((_, timer)) = self.timer.take() {
            host::clear_timeout(&timer);
        }
    }
}
