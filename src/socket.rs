//! The push connection's WebSocket.

use message_extensions_core::client::Client;
use message_extensions_core::text::join;
use message_extensions_core::wire::{ClientFrame, Read};
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use crate::pump::WeakPump;
use crate::record::{parsed, to_json};

/// An open or opening socket. Dropping it closes it, and nothing that it does afterwards is heard.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// `None` if the host refuses to open one.
    pub(crate) fn open(endpoint: &str, pump: WeakPump) -> Option<Self> {
        // http becomes ws, https becomes wss.
        let url = join(&["ws", endpoint.strip_prefix("http")?, "/v4/push"]);
        let socket = WebSocket::new(&url).ok()?;

        let weak = pump.clone();
        let on_open = Closure::<dyn FnMut()>::new(move || {
            if let Some(pump) = weak.upgrade() {
                pump.turn(Client::handle_socket_open);
            }
        });
        let weak = pump.clone();
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(pump) = weak.upgrade() {
                let frame = parsed(&event.data()).as_ref().map(Read::read);
                pump.turn(|client, now| client.handle_frame(frame, now));
            }
        });
        let on_close = Closure::<dyn FnMut(CloseEvent)>::new(move |event: CloseEvent| {
            if let Some(pump) = pump.upgrade() {
                pump.turn(|client, now| client.handle_socket_closed(event.code(), now));
            }
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a frame; one that cannot be sent is lost with the connection, which is noticed by itself.
    pub(crate) fn send(&self, frame: &ClientFrame) {
        let _ = self.socket.send_with_str(&to_json(frame).as_string().unwrap_or_default());
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}
