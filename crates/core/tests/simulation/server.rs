//! The server: the law, the push connections, and the memory of request ids.

use super::*;

impl World {
    /// The server.
    pub(super) fn serve(&mut self, i: usize, request: &Request) -> Reply {
        match &*request.body {
            Body::Set(body) => {
                let id = request.request_id.clone().expect("a write has a request id");
                let user = self.peers[i].user;
                let remembered = self.answers.entry(user).or_default().iter().find(|(other, _)| *other == id);
                if let Some((_, reply)) = remembered {
                    return reply.clone();
                }
                if self.forgotten.contains(&id) {
                    // Tabs can write more than a server remembers answers, and doubles may come when all is over: then
                    // the Seq alone decides.
                    self.too_late.extend(body.extension_list.iter().flatten().map(|item| item.value.clone()));
                }
                let reply = self.write(user, body.clone());
                let answers = self.answers.entry(user).or_default();
                answers.push_back((id, reply.clone()));
                if answers.len() > 8 {
                    self.forgotten.extend(answers.pop_front().map(|(id, _)| id));
                }
                reply
            }
            Body::Pull(body) => Reply::Pull(self.message.pull(body.start_seq.unwrap_or(0)).into_reply(false)),
            _ => Reply::Probe,
        }
    }

    fn write(&mut self, user: usize, request: SetRequest) -> Reply {
        let operation = Operation::parse(request, false, &Limits::DEFAULT).unwrap();
        let count = self.message.entries.get("count").and_then(|e| e.value.clone());
        let (writer, terms) = (format!("u{user}"), Terms::new(&Limits::DEFAULT, self.now));
        let decision = self.message.decide(&operation, Writer::new(&writer), terms).unwrap();
        if let Some(change) = &decision.change {
            if self.forks {
                self.past.push((self.message.clone(), self.answers.clone()));
            }
            self.message.absorb(change);
            if let ChangeKind::Set(items) = &change.kind {
                self.history.extend(items.iter().cloned());
                for (_, value) in items.iter().filter(|(key, _)| key != "count") {
                    *self.accepted.entry(value.clone()).or_default() += 1;
                    self.written.insert(value.clone(), change.seq);
                }
            }
            if let Some(now) = written(change, "count").filter(|_| !self.is_forked) {
                assert_eq!(now, plus_one(count.as_deref()), "a mutation that overwrites another");
            }
            for other in 0..self.peers.len() {
                if self.peers[other].is_connected {
                    let events = vec![change.to_event(name(), Some("foreign".into()))];
                    self.frame(
                        other,
                        ServerFrame {
                            r#type: ServerFrame::PUSH.into(),
                            events: Some(events),
                            ..ServerFrame::default()
                        },
                    );
                }
            }
        }
        Reply::Set(decision.into_reply())
    }

    /// The last changes are lost with all that is remembered of them, as by a failover to a replica that had not got them; those
    /// that come take their Seqs.
    pub(super) fn fail_over(&mut self) {
        for _ in 0..self.rng.u8(1..=5) {
            let Some((message, answers)) = self.past.pop() else { break };
            self.is_forked = true;
            self.message = message;
            self.answers = answers;
        }
        self.restart();
    }

    /// Every connection ends.
    pub(super) fn restart(&mut self) {
        for i in 0..self.peers.len() {
            let (at, socket) = (self.now + self.delay(), self.peers[i].socket);
            self.peers[i].is_connected = false;
            self.later(at, Arrival::Closed(i, socket));
        }
    }

    /// What has changed since `known`, a frame a page.
    pub(super) fn resume(&mut self, i: usize, named: (u64, Option<u32>)) {
        let state = self.message.clone();
        let mut start = named.0 + 1;
        let mut more = !is_as_named(named, (state.latest_seq, Some(state.digest())));
        while more {
            let page = state.pull(start).into_reply(true);
            more = page.complete_flag == 0;
            start = page.extension_list.last().map_or(start, |last| last.seq + 1);
            let part = MessageState {
                complete_flag: Some(page.complete_flag),
                latest_seq: Some(page.latest_seq),
                clear_seq: Some(page.clear_seq),
                digest: page.digest,
                extension_list: Some(page.extension_list),
                ..MessageState::default()
            };
            self.resumed(i, Some(vec![part.addressed_to(name())]), None);
        }
        self.resumed(i, None, Some(1));
    }

    fn resumed(&mut self, i: usize, messages: Option<Vec<MessageState>>, complete: Option<u32>) {
        let kind = ServerFrame::RESUMED.into();
        self.frame(i, ServerFrame { r#type: kind, messages, complete, ..ServerFrame::default() });
    }

    pub(super) fn frame(&mut self, i: usize, frame: ServerFrame) {
        let at = self.peers[i].last_frame.max(self.now + self.delay());
        self.peers[i].last_frame = at;
        let socket = self.peers[i].socket;
        self.later(at, Arrival::Frame(i, socket, frame));
    }
}
