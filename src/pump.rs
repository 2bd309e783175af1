//! Hands inputs to the client machine and carries out what it asks for.
//!
//! User code (listeners, what follows a promise) runs only when the machine's turn is over and nothing is borrowed; what
//! it calls back into us is queued behind what is being delivered, so that everybody hears of things in one order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use js_sys::Function;
use message_extensions_core::client::{CallId, Client, Config, Output, Request, RequestId};
use wasm_bindgen::prelude::*;
use web_sys::AbortController;

use crate::socket::Socket;
use crate::{convert, host, rest};

/// The two ends of a call's promise.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) resolve: Function,
    pub(crate) reject: Function,
    /// A mutation's `compute(call, value)`, which leads to `computed` of [`Edge::tell`](crate::Edge::tell).
    pub(crate) compute: Option<Function>,
}

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
    emit: Function,
    calls: Vec<(CallId, Call)>,
    last_call: CallId,
    requests: Vec<(RequestId, AbortController)>,
    socket: Option<Socket>,
    /// Calls [`Pump::turn`] with a timeout; made once.
    on_timer: Option<Closure<dyn FnMut()>>,
    timer: Option<(u64, JsValue)>,
    /// What user code has not been told yet.
    deliveries: VecDeque<Delivery>,
    is_delivering: bool,
}

#[derive(Debug)]
enum Delivery {
    Resolve(Function, JsValue),
    Reject(Function, u32, String),
    Emit(&'static str, JsValue),
    Compute(Function, CallId, JsValue),
}

impl WeakPump {
    /// The client, if it still exists.
    pub(crate) fn upgrade(&self) -> Option<Pump> {
        self.0.upgrade().map(Pump)
    }
}

impl Pump {
    pub(crate) fn new(config: Config, endpoint: String, emit: Function) -> Self {
        let pump = Self(Rc::new(RefCell::new(Inner {
            client: Client::new(config),
            endpoint,
            emit,
            calls: Vec::new(),
            last_call: 0,
            requests: Vec::new(),
            socket: None,
            on_timer: None,
            timer: None,
            deliveries: VecDeque::new(),
            is_delivering: false,
        })));
        let weak = pump.downgrade();
        pump.0.borrow_mut().on_timer = Some(Closure::new(move || {
            if let Some(pump) = weak.upgrade() {
                pump.0.borrow_mut().timer = None;
                pump.turn(Client::handle_timeout);
            }
        }));
        pump
    }

    fn downgrade(&self) -> WeakPump {
        WeakPump(Rc::downgrade(&self.0))
    }

    /// Remembers a call; the name under which its answer will come.
    pub(crate) fn begin(&self, call: Call) -> CallId {
        let mut inner = self.0.borrow_mut();
        inner.last_call += 1;
        let id = inner.last_call;
        inner.calls.push((id, call));
        id
    }

    /// Hands something to the machine; [`end_turn`](Self::end_turn) must follow.
    pub(crate) fn input(&self, input: impl FnOnce(&mut Client, u64)) {
        input(&mut self.0.borrow_mut().client, host::now());
    }

    /// Hands something to the machine, and carries out what it asks for.
    pub(crate) fn turn(&self, what: impl FnOnce(&mut Client, u64)) {
        self.input(what);
        self.end_turn();
    }

    /// Carries out what the machine asks for.
    pub(crate) fn end_turn(&self) {
        self.carry_out_all();
        self.deliver();
    }

    fn carry_out_all(&self) {
        let mut inner = self.0.borrow_mut();
        while let Some(output) = inner.client.poll_output() {
            self.carry_out(&mut inner, output);
        }
        inner.set_timer();
    }

    fn carry_out(&self, inner: &mut Inner, output: Output) {
        match output {
            Output::Request(request) => self.send(inner, request),
            Output::Abort(id) => {
                if let Some(controller) = inner.take_request(id) {
                    controller.abort();
                }
            }
            Output::OpenSocket => {
                inner.socket = Socket::open(&inner.endpoint, self.downgrade());
                if inner.socket.is_none() {
                    // A blocked socket counts as one that closed, once this turn is over.
                    let pump = self.downgrade();
                    wasm_bindgen_futures::spawn_local(async move {
                        if let Some(pump) = pump.upgrade() {
                            pump.turn(|client, now| client.handle_socket_closed(0, now));
                        }
                    });
                }
            }
            Output::Frame(frame) => {
                if let Some(socket) = &inner.socket {
                    socket.send(&frame);
                }
            }
            Output::CloseSocket => inner.socket = None,
            Output::Settle(id, result) => {
                let Some(i) = inner.calls.iter().position(|(call, _)| *call == id) else { return };
                let (_, call) = inner.calls.swap_remove(i);
                inner.deliveries.push_back(match result {
                    Ok(answer) => Delivery::Resolve(call.resolve, convert::answer(answer)),
                    Err(error) => Delivery::Reject(call.reject, error.code, error.message.into_owned()),
                });
            }
            Output::Compute(id, value) => {
                let call = inner.calls.iter().find(|(call, _)| *call == id);
                if let Some(compute) = call.and_then(|(_, call)| call.compute.clone()) {
                    inner.deliveries.push_back(Delivery::Compute(compute, id, value.into()));
                }
            }
            Output::Emit(event) => {
                let (name, data) = convert::event(event);
                inner.deliveries.push_back(Delivery::Emit(name, data));
            }
        }
    }

    fn send(&self, inner: &mut Inner, request: Request) {
        let url = rest::url(&inner.endpoint, &inner.client, &request);
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        if let Some(controller) = controller {
            inner.requests.push((request.id, controller));
        }
        let sent = rest::send(rest::request(&url, &request.body, signal.as_ref()));
        let pump = self.downgrade();
        wasm_bindgen_futures::spawn_local(async move {
            let answer = sent.await;
            if let Some(pump) = pump.upgrade() {
                pump.0.borrow_mut().take_request(request.id);
                let reply = rest::reply(&request.body, answer);
                pump.turn(|client, now| client.handle_reply(request.id, reply, now));
            }
        });
    }

    fn deliver(&self) {
        if core::mem::replace(&mut self.0.borrow_mut().is_delivering, true) {
            return;
        }
        loop {
            let (delivery, emit) = {
                let mut inner = self.0.borrow_mut();
                let Some(delivery) = inner.deliveries.pop_front() else {
                    inner.is_delivering = false;
                    return;
                };
                (delivery, inner.emit.clone())
            };
            // These are the entry's functions; a listener that throws is caught and reported there.
            let _ = match delivery {
                Delivery::Resolve(resolve, data) => resolve.call1(&JsValue::UNDEFINED, &data),
                Delivery::Reject(reject, code, message) => {
                    reject.call2(&JsValue::UNDEFINED, &code.into(), &message.into())
                }
                Delivery::Compute(compute, call, value) => {
                    compute.call2(&JsValue::UNDEFINED, &call.into(), &value)
                }
                Delivery::Emit(name, data) => emit.call2(&JsValue::UNDEFINED, &name.into(), &data),
            };
        }
    }
}

impl Inner {
    fn take_request(&mut self, id: RequestId) -> Option<AbortController> {
        let i = self.requests.iter().position(|(request, _)| *request == id)?;
        Some(self.requests.swap_remove(i).1)
    }

    /// One timer, at the machine's next deadline.
    fn set_timer(&mut self) {
        let at = self.client.poll_timeout();
        if self.timer.as_ref().map(|(at, _)| *at) == at {
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
