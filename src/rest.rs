//! REST requests by `fetch`.

use gloo_net::http;
use message_extensions_core::client::{Body, Client, Failure, Reply, Request};
use message_extensions_core::text::{decimal, join};
use web_sys::AbortSignal;

use crate::host::encode_uri_component;
use crate::record::{from_json, to_json};

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

/// Sends a request and reads the reply that its body expects.
pub(crate) async fn send(url: &str, body: &Body, signal: Option<&AbortSignal>) -> Result<Reply, Failure> {
    let json = match body {
        Body::Probe => {
            let answer = http::Request::get(url).abort_signal(signal).send().await;
            return answer.map(|_| Reply::Probe).map_err(|_| Failure::Network);
        }
        Body::Set(request) => to_json(request),
        Body::Pull(request) => to_json(request),
        Body::Send(request) => to_json(request),
        Body::List(request) => to_json(request),
    };
    // A string is posted as text/plain, for which a browser asks no leave of another origin.
    let request = http::Request::post(url).abort_signal(signal).body(json).map_err(|_| Failure::Unusable)?;
    let answer = request.send().await.map_err(|_| Failure::Network)?;
    let text = answer.text().await.map_err(|_| Failure::Network)?;
    let reply = match body {
        Body::Probe => None,
        Body::Set(_) => from_json(&text).map(Reply::Set),
        Body::Pull(_) => from_json(&text).map(Reply::Pull),
        Body::Send(_) => from_json(&text).map(Reply::Send),
        Body::List(_) => from_json(&text).map(Reply::List),
    };
    reply.ok_or(Failure::Unusable)
}
