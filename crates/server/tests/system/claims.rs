//! What must hold: at every moment, at every answer, and when all has come to rest.

use std::rc::Rc;

use message_extensions_core::client::*;
use message_extensions_core::code::{Error, NO_SUCH_MESSAGE, NOT_READY, SEQ_CONFLICT};
use message_extensions_core::wire::{ListReply, PullReply, SendReply, ServerFrame, SetReply};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::page::{Common, Input, Page};
use crate::world::{MESSAGE_ID, TROUBLE, now_ms};

fn is_own(entry: &EntryView) -> bool {
    matches!(entry.status, EntryStatus::Pending | EntryStatus::Queued)
}

impl Page {
    pub(crate) fn will_write(&self, id: &str, body: &Body) {
        let Body::Set(set) = body else { return };
        let values = set.extension_list.iter().flatten().map(|item| item.value.clone()).collect();
        self.common.promises().sent.insert(u128::from_str_radix(id, 16).unwrap(), values);
    }

    /// What came for a request, read as the machine wants it. `asked`: when it went out.
    pub(crate) fn reply(&self, body: &Body, text: Option<String>, asked: u64) -> Result<Reply, Failure> {
        fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
            serde_json::from_str(text).map_err(|_| Failure::Unusable)
        }
        let text = text.ok_or(Failure::Network)?;
        match body {
            Body::Probe => Ok(Reply::Probe),
            Body::Set(_) => {
                let reply: SetReply = read(&text)?;
                let known = self.common.history().message.latest_seq;
                assert!(reply.seq.unwrap_or_default() <= known, "an answer before its commit: {text}");
                Ok(Reply::Set(reply))
            }
            Body::Pull(_) => {
                let reply: PullReply = read(&text)?;
                let mut history = self.common.history();
                history.may_see(&self.name(), reply.latest_seq, Some(asked));
                let items: Vec<_> = reply.extension_list.iter().map(|item| item.seq).collect();
                history.trace(&format!("{} pulls {items:?} of {}", self.number, reply.latest_seq));
                Ok(Reply::Pull(reply))
            }
            Body::Send(_) => read::<SendReply>(&text).map(Reply::Send),
            Body::List(_) => read::<ListReply>(&text).map(Reply::List),
        }
    }

    pub(crate) fn frame(&self, text: &str) -> ServerFrame {
        let mut history = self.common.history();
        let json: Value = serde_json::from_str(text).unwrap();
        for event in json["Events"].as_array().into_iter().flatten() {
            history.told(&self.name(), event);
        }
        for state in json["Messages"].as_array().into_iter().flatten() {
            let latest = state["LatestSeq"].as_u64().unwrap_or_default();
            history.may_see(&self.name(), latest, Some(self.resumed));
        }
        let seqs = |list: &Value, name: &str| -> Vec<u64> {
            list.as_array().into_iter().flatten().filter_map(|one| one[name].as_u64()).collect()
        };
        let (events, states) = (seqs(&json["Events"], "Seq"), seqs(&json["Messages"], "LatestSeq"));
        history.trace(&format!("{} gets {} {events:?} {states:?}", self.number, json["Type"]));
        serde_json::from_str(text).unwrap()
    }

    pub(crate) fn emitted(&mut self, event: Event) {
        match event {
            Event::Extensions(id, notice) => {
                assert_eq!(id, MESSAGE_ID, "the caller's own ID for the message");
                self.common.history().trace(&format!("{} hears {notice:?}", self.number));
                if let Notice::Updated(list) = &notice {
                    self.heard(list);
                }
                let Some(view) = &mut self.view else { return };
                match notice {
                    Notice::Updated(list) => view.extend(list),
                    Notice::Deleted(keys) => view.retain(|key, _| !keys.contains(key)),
                }
            }
            Event::View(view) => self.viewed(view),
            event => self.keep(event),
        }
    }

    /// Every value is another one, but for what is counted from the beginning after a clear.
    fn heard(&mut self, list: &[(String, String)]) {
        if self.common.history().joined_after(&self.name(), self.heard_at) {
            self.heard.clear();
        }
        self.heard_at = now_ms();
        for (key, value) in list.iter().filter(|(key, _)| key != "count") {
            // What was told of a message that was never read, is not known when another connection tells it.
            let again = self.heard.insert(value.clone(), self.viewed_at > 0) == Some(true);
            // It was written so often: that of a request which nobody remembered.
            let is_once = self.common.history().accepted.get(value).is_none_or(|times| *times == 1);
            assert!(!again || !is_once, "{} is told {key} {value} twice", self.number);
        }
    }

    fn viewed(&mut self, view: View) {
        self.synced = view.synced;
        for entry in view.changed {
            self.watch.insert(entry.key.clone(), entry);
        }
        for key in view.removed {
            self.watch.remove(&key);
        }
        let history = self.common.history();
        for entry in self.watch.values().filter(|entry| !is_own(entry)) {
            assert!(history.has_had(&entry.key, &entry.value), "the server never had {entry:?}");
        }
    }

    pub(crate) fn conflicts(&self, conflicts: Vec<Conflict>) {
        for conflict in conflicts {
            let met_itself = conflict.code == SEQ_CONFLICT && conflict.value == conflict.current;
            assert!(!met_itself, "a write that has met itself: {conflict:?}");
            self.common.promises().conflicts.insert(conflict.value);
        }
    }

    pub(crate) fn settled(&mut self, call: CallId, result: Result<Answer, Error>) {
        let (now, number) = (self.now(), self.number);
        let since = self.calls.remove(&call).expect("a promise is settled once");
        let what = match &result {
            Ok(Answer::Extensions(listing)) => format!("{:?}", listing.pairs()),
            Ok(_) => "done".to_owned(),
            Err(error) => error.code.to_string(),
        };
        self.common.history().trace(&format!("{number} settles {call}: {what}"));
        // A machine that slept meanwhile is late.
        let slack = if now_ms() > TROUBLE + TIME_LIMIT { 0 } else { self.slack() };
        // Nobody waits for what was queued to be sent, and more may come meanwhile.
        let is_in_time = now - since <= TIME_LIMIT + slack || call == self.drain_call;
        assert!(is_in_time, "a promise of {number} is settled after {} ms", now - since);
        if call == self.login_call && result.is_err() {
            return self.later(std::time::Duration::from_secs(2), Input::Login);
        }
        if call == self.drain_call {
            // Its removals come first.
            let unlock = Input::Keeping(crate::kept::Keeping::Unlock);
            return self.later(std::time::Duration::from_millis(20), unlock);
        }
        if let Some(value) = self.set_values.get(&call) {
            self.written(value, &result);
        }
        if result.as_ref().is_err_and(|error| error.code == NO_SUCH_MESSAGE) {
            // It is forgotten, so what is still on its way is told as of a message that was never read.
            self.heard.values_mut().for_each(|is_known| *is_known = false);
        }
        // It came too early, or the login that it waited for has failed, or the user is none of the group.
        let is_logged_out = self.client.identity().0.is_empty();
        let is_refused = result.as_ref().is_err_and(|error| is_logged_out || error.code == NOT_READY);
        if self.watch_call == call && is_refused {
            self.is_watching = false;
        }
        if self.first_get == Some(call) {
            self.first_get = None;
            if let Ok(Answer::Extensions(listing)) = &result {
                self.view = Some(listing.pairs().into_iter().collect());
                self.viewed_at = now_ms();
            }
        }
        if self.read_call == call
            && let Ok(Answer::Extensions(listing)) = result
        {
            self.read = Some(listing.pairs().into_iter().collect());
        }
    }

    fn written(&self, value: &str, result: &Result<Answer, Error>) {
        let mut promises = self.common.promises();
        match result {
            Ok(Answer::Items(items)) => {
                let met_itself =
                    items.iter().any(|(code, _, current)| *code == SEQ_CONFLICT && current == value);
                let is_too_late = promises.are_too_late(&self.common, value);
                assert!(!met_itself || is_too_late, "a retry has met its own write");
                if items.iter().all(|(code, ..)| *code == 0) {
                    promises.done.insert(value.to_owned());
                }
            }
            Ok(Answer::Queued(_)) => {
                promises.queued.insert(value.to_owned());
            }
            _ => {}
        }
    }

    /// Why it has not come to rest.
    fn unrest(&self) -> Option<String> {
        let number = self.number;
        if !self.calls.is_empty() {
            return Some(format!("{number} waits for {:?}", self.calls));
        }
        let history = self.common.history();
        if !history.members.contains(&self.name()) {
            return None;
        }
        let truth = history.live();
        if self.view.as_ref() != Some(&truth) {
            return Some(format!("the events of {number} add up to {:?}, and there is {truth:?}", self.view));
        }
        let shown = self.watch.iter().map(|(key, entry)| (key, &entry.value));
        if !self.is_watching || !self.synced || self.watch.values().any(is_own) || !shown.eq(&truth) {
            let watch = &self.watch;
            return Some(format!(
                "{number} is shown {watch:?}, synced: {}, and there is {truth:?}",
                self.synced
            ));
        }
        if self.read.as_ref() != Some(&truth) {
            return Some(format!("{number} reads {:?} without asking, and there is {truth:?}", self.read));
        }
        None
    }
}

impl crate::page::Promises {
    fn are_too_late(&self, common: &Common, value: &str) -> bool {
        let history = common.history();
        self.sent
            .iter()
            .any(|(id, values)| history.too_late.contains(id) && values.iter().any(|v| v == value))
    }
}

/// Why the world has not come to rest.
pub(crate) fn unrest(common: &Rc<Common>, pages: usize) -> Option<String> {
    for number in 0..pages {
        let kept = common.kept(number);
        if !kept.queued.is_empty() || kept.holder.is_some() {
            return Some(format!("{} queued writes of {number}", kept.queued.len()));
        }
        drop(kept);
        let page = common.page(number);
        let Some(page) = page.as_ref() else { return Some(format!("{number} is not open")) };
        if let Some(why) = page.unrest() {
            return Some(why);
        }
    }
    None
}

/// What was promised is in the store, once.
pub(crate) fn check_promises(common: &Common) {
    let promises = common.promises();
    let accepted = common.history().accepted.clone();
    for (value, times) in &accepted {
        assert!(*times == 1 || promises.are_too_late(common, value), "{value} was written {times} times");
    }
    for value in &promises.done {
        assert!(accepted.contains_key(value), "{value} was acknowledged, and is not written");
    }
    for value in &promises.queued {
        let is_told = accepted.contains_key(value) || promises.conflicts.contains(value);
        assert!(is_told, "{value} was queued, and neither written nor told as a conflict");
    }
}
