//! What has become of it.

use super::*;

impl Page {
    /// What a call came to, if it has.
    pub(crate) fn settled(&self, call: CallId) -> Option<&Result<Answer, Error>> {
        self.settled.get(&call)
    }

    #[track_caller]
    pub(crate) fn answered(&self, call: CallId) -> &Answer {
        self.settled(call).expect("the call is pending").as_ref().unwrap()
    }

    #[track_caller]
    pub(crate) fn code(&self, call: CallId) -> u32 {
        self.settled(call).expect("the call is pending").as_ref().unwrap_err().code
    }

    #[track_caller]
    pub(crate) fn read(&self, call: CallId) -> Map {
        match self.answered(call) {
            Answer::Extensions(listing) => listing.pairs().into_iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn pulls(&self) -> Vec<&PullRequest> {
        let mut pulls = Vec::new();
        for request in &self.requests {
            if let Body::Pull(pull) = &*request.body {
                pulls.push(pull);
            }
        }
        pulls
    }

    /// The writes that were sent: key, value and Seq of their first item, and the request id.
    pub(crate) fn sets(&self) -> Vec<(String, String, u64, String)> {
        let set = |request: &Request| match &*request.body {
            Body::Set(set) => {
                let item = set.extension_list.iter().flatten().next().cloned().unwrap_or_default();
                Some((item.key, item.value, item.seq.unwrap_or(0), request.request_id.clone()?))
            }
            _ => None,
        };
        self.requests.iter().filter_map(set).collect()
    }

    /// What each resume has named: the message's number, and the Seq.
    pub(crate) fn resumes(&self) -> Vec<Vec<(u64, u64)>> {
        let named = |state: &MessageState| (state.msg_seq.unwrap(), state.latest_seq.unwrap());
        let frames = self.frames.iter().filter(|frame| frame.r#type == ClientFrame::RESUME);
        frames.map(|frame| frame.messages.iter().flatten().map(named).collect()).collect()
    }

    /// What the listeners of MESSAGE_EXTENSIONS events were told.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let notice = |event: &Event| match event {
            Event::Extensions(_, notice) => Some(notice.clone()),
            _ => None,
        };
        self.events.iter().filter_map(notice).collect()
    }

    pub(crate) fn errors(&self) -> Vec<u32> {
        let code = |event: &Event| match event {
            Event::Error(error) => Some(error.code),
            _ => None,
        };
        self.events.iter().filter_map(code).collect()
    }

    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let conflicts = |event: &Event| match event {
            Event::Conflict(_, conflicts) => conflicts.clone(),
            _ => Vec::new(),
        };
        self.events.iter().flat_map(conflicts).collect()
    }

    pub(crate) fn count(&self, is_it: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is_it(event)).count()
    }

    /// What a watch shows.
    pub(crate) fn shown(&self, watch: WatchId) -> Map {
        self.views[&watch].0.iter().map(|(key, entry)| (key.clone(), entry.value.clone())).collect()
    }

    pub(crate) fn is_synced(&self, watch: WatchId) -> bool {
        self.views[&watch].1
    }

    pub(crate) fn status(&self, watch: WatchId, key: &str) -> EntryStatus {
        self.views[&watch].0[key].status
    }
}
