//! REST requests by `fetch`.

use gloo_net::http;
use message_extensions_core::client::{Body, Client, Failure, Reply, Request};
use message_extensions_core::text::{decimal, join};
use message_extensions_core::wire::{Read, Status};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::host::encode_uri_component;
use crate::record::{Record, parsed, to_json};

/// Where a request goes.
pub(crate) fn url(endpoint: &str, client: &Client, request: &Request) -> String {
    let (service, command) = request.path;
    if matches!(*request.body, Body::Probe) {
        return join(&[endpoint, "/v4/", service]);
    }
    let (user, sig) = client.identity();
    let (user, sig) = (encode_uri_component(user), encode_uri_component(sig));
    let (app, random) = (decimal(client.sdk_app_id()), decimal(request.random.into()));
    let mut url = join(&[
        endpoint,
        "/v4/",
        service,
        "/",
        command,
        "?sdkappid=",
        &app,
        "&identifier=",
        &user,
        "&usersig=",
        &sig,
        "&random=",
        &random,
        "&contenttype=json",
    ]);
    if let Some(id) = &request.request_id {
        url.push_str("&requestid=");
        url.push_str(id);
    }
    url
}

/// What goes out: the URL, and the body as JSON.
pub(crate) fn request(url: &str, body: &Body, signal: Option<&AbortSignal>) -> Option<web_sys::Request> {
    let json = match body {
        Body::Probe => None,
        Body::Set(request) => Some(to_json(request)),
        Body::Pull(request) => Some(to_json(request)),
        Body::Send(request) => Some(to_json(request)),
        Body::List(request) => Some(to_json(request)),
    };
    let options = Record::new();
    if let Some(json) = json {
        options.set_text("method", "POST");
        // A string is posted as text/plain, for which a browser asks no leave of another origin.
        options.set("body", &json);
    }
    if let Some(signal) = signal {
        options.set("signal", signal);
    }
    web_sys::Request::new_with_str_and_init(url, options.unchecked_ref()).ok()
}

/// Sends a request; the text that comes back, if the server is reached. It is not brought in here before it has been parsed.
pub(crate) async fn send(request: Option<web_sys::Request>) -> Option<JsValue> {
    let answer = http::Request::from(request?).send().await.ok()?;
    let text = web_sys::Response::from(answer).text().ok()?;
    JsFuture::from(text).await.ok()
}

/// The reply that the body expects.
pub(crate) fn reply(body: &Body, answer: Option<JsValue>) -> Result<(Status, Reply), Failure> {
    let text = &answer.ok_or(Failure::Network)?;
    if let Body::Probe = body {
        return Ok((Status::ok(), Reply::Probe));
    }
    let source = &parsed(text).ok_or(Failure::Unusable)?;
    let reply = match body {
        Body::Set(_) => Reply::Set(Read::read(source)),
        Body::Pull(_) => Reply::Pull(Read::read(source)),
        Body::Send(_) => Reply::Send(Read::read(source)),
        Body::List(_) | Body::Probe => Reply::List(Read::read(source)),
    };
    Ok((Status::read(source), reply))
}
