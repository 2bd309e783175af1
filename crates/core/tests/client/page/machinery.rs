//! The owner and the network: what a client asks for is done.

use super::*;

impl Page {
    /// Does what the client wants until it wants nothing more.
    pub(crate) fn run(&mut self) {
        let mut turns = 0;
        loop {
            while let Some(output) = self.client.poll_output() {
                self.output(output);
            }
            if self.work.is_empty() {
                return;
            }
            turns += 1;
            assert!(turns < MOST_TURNS, "it never comes to rest");
            let work = self.work.remove(0);
            self.work(work);
        }
    }

    pub(super) fn output(&mut self, output: Output) {
        match output {
            Output::Request(request) => {
                self.requests.push(request.clone());
                if self.holds {
                    self.held.push(request);
                } else if self.network != Network::Silent {
                    let reply = self.answer(&request);
                    self.work.push(Work::Reply(request.id, reply));
                }
            }
            Output::Abort(id) => {
                self.held.retain(|request| request.id != id);
                self.aborts.push(id);
            }
            Output::OpenSocket => {
                self.is_open = self.network == Network::Whole;
                self.is_live = false;
                match self.network {
                    Network::Whole => self.work.push(Work::SocketOpen),
                    Network::Silent => {}
                    _ => self.work.push(Work::Closed),
                }
            }
            Output::CloseSocket => {
                (self.is_open, self.is_live) = (false, false);
                let is_of_socket =
                    |work: &Work| matches!(work, Work::SocketOpen | Work::Closed | Work::Frame(_));
                self.work.retain(|work| !is_of_socket(work));
            }
            Output::Frame(frame) => {
                self.frames.push(frame.clone());
                if self.is_open && self.network == Network::Whole {
                    self.framed(frame);
                }
            }
            Output::Settle(call, result) => {
                let before = self.settled.insert(call, result);
                assert!(before.is_none(), "call {call} is settled twice");
            }
            Output::Compute(call, value) => self.computes.push((call, value)),
            Output::Emit(event) => {
                self.events.push(event.clone());
                self.emitted(event);
            }
        }
    }

    pub(super) fn framed(&mut self, frame: ClientFrame) {
        match frame.r#type.as_str() {
            ClientFrame::LOGIN => {
                self.is_live = true;
                self.work.push(Work::Frame(self::frame(ServerFrame::READY)));
            }
            ClientFrame::RESUME if !self.holds_resume => {
                let mut parts = Vec::new();
                for mut state in frame.messages.unwrap() {
                    let n = state.msg_seq.unwrap();
                    let message = state.take_address().group().unwrap();
                    let mut start = state.latest_seq.unwrap() + 1;
                    if self.hidden.contains(&message) {
                        parts.push(refused_part(n, NO_SUCH_MESSAGE));
                        continue;
                    }
                    let message = self.messages.entry(message).or_default();
                    let named = (state.latest_seq.unwrap(), state.digest);
                    let mut more = !is_as_named(named, (message.latest_seq, Some(message.digest())));
                    while more {
                        let part = part(n, message, start);
                        more = part.complete_flag == Some(0);
                        let last = part.extension_list.iter().flatten().last();
                        start = last.map_or(start, |last| last.seq + 1);
                        parts.push(part);
                    }
                }
                // A frame a part, as long messages come.
                for part in parts {
                    self.work.push(Work::Frame(resumed(vec![part], false)));
                }
                self.work.push(Work::Frame(resumed(Vec::new(), true)));
            }
            ClientFrame::PING => self.work.push(Work::Frame(self::frame(ServerFrame::PONG))),
            _ => {}
        }
    }

    pub(super) fn emitted(&mut self, event: Event) {
        match event {
            Event::View(view) => {
                for watch in view.watches {
                    let (shown, synced) = self.views.entry(watch).or_default();
                    *synced = view.synced;
                    shown.extend(view.changed.iter().map(|entry| (entry.key.clone(), entry.clone())));
                    shown.retain(|key, _| !view.removed.contains(key));
                }
            }
            Event::Keep(states) => {
                for mut state in states {
                    let message = state.clone().take_address().group().unwrap();
                    if state.extension_list.is_none() {
                        self.kept.remove(&message);
                    } else if self.kept.get(&message).is_none_or(|k| k.latest_seq <= state.latest_seq) {
                        state.complete_flag = None;
                        self.kept.insert(message, state);
                    }
                }
            }
            Event::Unqueue(order) => self.queued.retain(|write| write.order != Some(order)),
            Event::Load(_) if self.owns => self.work.push(Work::Load),
            Event::Queue(call, write) if self.owns => self.work.push(Work::Queue(call, write)),
            Event::Drain if self.owns => self.work.push(Work::Drain),
            _ => {}
        }
    }

    pub(super) fn work(&mut self, work: Work) {
        match work {
            Work::Reply(id, reply) => self.client.handle_reply(id, reply.map(Reply::with_status), self.now),
            Work::SocketOpen => self.client.handle_socket_open(self.now),
            Work::Closed => self.client.handle_socket_closed(1006, self.now),
            Work::Frame(frame) => self.client.handle_frame(Some(frame), self.now),
            Work::Load => self.load(),
            Work::Queue(call, write) => {
                self.record(write);
                self.client.handle_queued(call);
            }
            Work::Drain => {
                self.drain();
            }
        }
    }

    /// Hands in what was kept.
    pub(crate) fn load(&mut self) {
        let states = self.kept.values().cloned().collect();
        self.client.handle_loaded(states, self.queued.clone(), self.now);
    }

    pub(crate) fn record(&mut self, mut write: QueuedWrite) {
        self.orders += 1;
        write.order = Some(self.orders);
        self.queued.push(write);
    }

    /// This page may drain; the call.
    pub(crate) fn drain(&mut self) -> CallId {
        let records = self.queued.clone();
        self.last_call += 1;
        self.client.handle_drain(self.last_call, records, self.now);
        self.last_call
    }
}
