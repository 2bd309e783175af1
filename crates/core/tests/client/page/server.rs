//! The server, and the others who write to it.

use super::*;

impl Page {
    /// Another user writes.
    pub(crate) fn bob(&mut self, n: u64, request: SetRequest) {
        let (reply, change) = self.write(n, request, "bob");
        assert!(matches!(reply, Reply::Set(_)));
        self.push(n, change);
        self.run();
    }

    pub(crate) fn bob_sets(&mut self, n: u64, key: &str, value: &str) {
        let seq = self.seq(n, key);
        let item = wire::Item { key: key.into(), value: value.into(), seq: Some(seq) };
        self.bob(
            n,
            SetRequest { operate_type: Some(1), extension_list: Some(vec![item]), ..SetRequest::default() },
        );
    }

    pub(crate) fn bob_deletes(&mut self, n: u64, key: &str) {
        let seq = self.seq(n, key);
        let item = wire::Item { key: key.into(), seq: Some(seq), ..wire::Item::default() };
        self.bob(
            n,
            SetRequest { operate_type: Some(2), extension_list: Some(vec![item]), ..SetRequest::default() },
        );
    }

    pub(crate) fn bob_clears(&mut self, n: u64) {
        self.bob(n, SetRequest { operate_type: Some(3), ..SetRequest::default() });
    }

    /// Several keys, one write each.
    pub(crate) fn bob_fills(&mut self, n: u64, keys: std::ops::Range<u64>) {
        for i in keys {
            self.bob_sets(n, &format!("k{i:03}"), &format!("v{i}"));
        }
    }

    pub(super) fn seq(&self, n: u64, key: &str) -> u64 {
        self.messages.get(&name(n)).and_then(|m| m.entries.get(key)).map_or(0, |e| e.seq)
    }

    pub(crate) fn server(&self, n: u64) -> Map {
        self.messages.get(&name(n)).map(live).unwrap_or_default()
    }

    /// What the server answers.
    pub(crate) fn answer(&mut self, request: &Request) -> Result<Reply, Failure> {
        if matches!(self.network, Network::Down | Network::Silent) {
            return Err(Failure::Network);
        }
        if self.is_captive {
            return Err(Failure::Unusable);
        }
        match &*request.body {
            Body::Set(body) => {
                let id = request.request_id.clone().expect("a write has a request id");
                if let Some(answer) = self.answers.get(&id) {
                    return Ok(answer.clone());
                }
                let n = body.msg_seq.unwrap();
                if let Some(code) = self.refused(n) {
                    return Ok(Reply::Set(SetReply {
                        action_status: "FAIL".into(),
                        error_code: code,
                        error_info: "refused".into(),
                        extension_list: Vec::new(),
                        seq: None,
                    }));
                }
                let (reply, change) = self.write(n, body.clone(), "ann");
                self.answers.insert(id, reply.clone());
                self.push(n, change);
                Ok(reply)
            }
            Body::Pull(body) => {
                let n = body.msg_seq.unwrap();
                Ok(Reply::Pull(match self.refused(n) {
                    Some(code) => refused_pull(code),
                    None => {
                        let message = self.messages.entry(name(n)).or_default();
                        message.pull(body.start_seq.unwrap_or(0)).into_reply(true)
                    }
                }))
            }
            _ => Ok(Reply::Probe),
        }
    }

    pub(super) fn refused(&self, n: u64) -> Option<u32> {
        self.refuses.or(self.hidden.contains(&name(n)).then_some(NO_SUCH_MESSAGE))
    }

    pub(super) fn write(&mut self, n: u64, mut request: SetRequest, author: &str) -> (Reply, Option<Change>) {
        request.take_address();
        let operation = Operation::parse(request, false, &Limits::DEFAULT).unwrap();
        let message = self.messages.entry(name(n)).or_default();
        let decision =
            message.decide(&operation, Writer::new(author), Terms::new(&Limits::DEFAULT, self.now)).unwrap();
        if let Some(change) = &decision.change {
            message.absorb(change);
        }
        let change = decision.change.clone();
        (Reply::Set(decision.into_reply()), change)
    }

    pub(super) fn push(&mut self, n: u64, change: Option<Change>) {
        if let Some(change) = change.filter(|_| self.is_live && !self.loses_pushes) {
            self.work.push(Work::Frame(pushed(n, &change)));
        }
    }
}
