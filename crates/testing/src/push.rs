//! Push connections (`docs/protocol.md`, "The push connection"). A connection that is silent is not closed, and none is too slow.

use message_extensions_core::code::{Error, NO_SUCH_MESSAGE};
use message_extensions_core::serve::body::read_frame;
use message_extensions_core::serve::frames::{self, Frame};
use message_extensions_core::wire::{ClientFrame, MessageState, RESUMED_MESSAGES, ServerFrame, close};

use crate::calls::authenticate;
use crate::fault::{Effect, Kind};
use crate::io::Output;
use crate::server::{Caller, Server};

impl Server {
    pub(crate) fn frame(&mut self, connection: u32, text: &str, output: &mut Output) {
        let Some(state) = self.connections.get(&connection).cloned() else { return };
        let Some(frame) = read_frame(text) else { return self.close(connection, close::BAD_FRAME, output) };
        match (state, frame.r#type.as_str()) {
            (None, ClientFrame::LOGIN) => match self.login(&frame) {
                Ok(caller) => {
                    self.connections.insert(connection, Some(caller));
                    output.frames.push((connection, frames::plain(ServerFrame::READY)));
                }
                Err(error) => {
                    output.frames.push((connection, frames::refused(&error)));
                    self.close(connection, close::REFUSED, output);
                }
            },
            (Some(_), ClientFrame::PING) => {
                output.frames.push((connection, frames::plain(ServerFrame::PONG)));
            }
            (Some(caller), ClientFrame::RESUME) => {
                let messages = frame.messages.filter(|messages| messages.len() <= RESUMED_MESSAGES);
                let Some(messages) = messages else {
                    return self.close(connection, close::BAD_FRAME, output);
                };
                self.resume(connection, &caller, messages, output);
            }
            _ => self.close(connection, close::BAD_FRAME, output),
        }
    }

    fn login(&mut self, frame: &ClientFrame) -> Result<Caller, Error> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let caller = authenticate(&text(&frame.identifier), &text(&frame.user_sig))?;
        match self.faults.strike(Kind::Login, &caller.identifier) {
            Some(Effect::Refuse(error)) => Err(error),
            _ => Ok(caller),
        }
    }

    fn resume(&mut self, connection: u32, caller: &Caller, named: Vec<MessageState>, output: &mut Output) {
        let mut frame = Frame::new();
        for state in named {
            for part in self.parts(caller, state) {
                let Ok(json) = serde_json::to_string(&part) else { continue };
                if !frame.add(&json) {
                    let full = std::mem::take(&mut frame);
                    output.frames.extend(full.unfinished().map(|text| (connection, text)));
                    frame.add(&json);
                }
            }
        }
        output.frames.push((connection, frame.last()));
    }

    /// What is to be said of one message; nothing if it has not changed.
    fn parts(&mut self, caller: &Caller, mut state: MessageState) -> Vec<MessageState> {
        let known = state.latest_seq.unwrap_or(0);
        let named = (known, state.digest);
        let address = state.take_address();
        let held = address.clone().message().and_then(|named| self.find(caller, &named));
        let Some(held) = held else { return vec![frames::no_state(address, NO_SUCH_MESSAGE)] };
        let extensions = &held.extensions;
        let is_known = frames::is_as_named(named, (extensions.latest_seq, Some(extensions.digest())));
        if !held.extensible || is_known {
            return Vec::new();
        }
        let mut parts = Vec::new();
        let mut next = Some(known.saturating_add(1));
        while let Some(start_seq) = next {
            let part;
            (part, next) = frames::part(address.clone(), &held.message_id, &held.extensions, start_seq);
            parts.push(part);
        }
        parts
    }

    fn close(&mut self, connection: u32, code: u16, output: &mut Output) {
        self.connections.remove(&connection);
        output.closed.push((connection, code));
    }
}
