//! A server in this process, and who calls it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use message_extensions_core::limits::Limits;
use message_extensions_core::usersig;
use message_extensions_server::config::Config;
use message_extensions_server::store::{MemoryStore, RedisStore, Store};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const APP: u64 = 1_400_000_000;
pub(crate) const SECRET: &str = "a secret key for tests";
pub(crate) const ADMIN: &str = "administrator";

pub(crate) const SET: &str = "openim_msg_ext_http_svc/set_key_values";
pub(crate) const GET: &str = "openim_msg_ext_http_svc/get_key_values";
pub(crate) const GROUP_SET: &str = "openim_msg_ext_http_svc/group_set_key_values";
pub(crate) const GROUP_GET: &str = "openim_msg_ext_http_svc/group_get_key_values";
pub(crate) const REGISTER: &str = "openim_msg_ext_http_svc/register_message";
pub(crate) const SEND: &str = "openim/sendmsg";
pub(crate) const LIST: &str = "openim/admin_getroammsg";
pub(crate) const CREATE: &str = "group_open_http_svc/create_group";
pub(crate) const DESTROY: &str = "group_open_http_svc/destroy_group";
pub(crate) const ADD: &str = "group_open_http_svc/add_group_member";
pub(crate) const DELETE: &str = "group_open_http_svc/delete_group_member";
pub(crate) const GROUP_SEND: &str = "group_open_http_svc/send_group_msg";
pub(crate) const GROUP_LIST: &str = "group_open_http_svc/group_msg_get_simple";

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn signature(user: &str) -> String {
    usersig::sign(APP, SECRET.as_bytes(), user, now(), 3600)
}

pub(crate) fn query(user: &str) -> String {
    format!("sdkappid={APP}&identifier={user}&usersig={}&random=99999999&contenttype=json", signature(user))
}

/// The default settings without the limits on how often, which a test that wants them sets.
pub(crate) fn config() -> Config {
    let mut config = Config::new(APP, SECRET);
    config.limits = Limits {
        writes_per_minute: 0,
        user_writes_per_minute: 0,
        admin_calls_per_second: 0,
        user_calls_per_second: 0,
        ..Limits::DEFAULT
    };
    config
}

/// Calls a server, in this process or another.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    http: Client<HttpConnector, Full<bytes::Bytes>>,
}

/// What HTTP answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

impl Api {
    pub(crate) fn new(address: SocketAddr) -> Self {
        // Of several nodes each request is to find another one.
        let idle = if std::env::var_os("TEST_STORE").is_some() { 0 } else { usize::MAX };
        Self {
            address,
            http: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(idle).build_http(),
        }
    }

    pub(crate) async fn http(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &(impl AsRef<[u8]> + ?Sized),
    ) -> Result<Answer, String> {
        let url = format!("http://{}{path}", self.address);
        let mut request = axum::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.as_ref().to_vec())).unwrap();
        let answer = self.http.request(request).await.map_err(|e| format!("{e:?}"))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        })
    }

    /// Posts to `/v4/{path}` with this query; the answer must be HTTP 200 and JSON.
    pub(crate) async fn post(&self, path: &str, query: &str, body: &str) -> Value {
        let answer = self.http("POST", &format!("/v4/{path}?{query}"), &[], body).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        answer.json()
    }

    pub(crate) async fn call(&self, user: &str, path: &str, body: &Value) -> Value {
        self.post(path, &query(user), &body.to_string()).await
    }

    pub(crate) async fn ok(&self, user: &str, path: &str, body: &Value) -> Value {
        let reply = self.call(user, path, body).await;
        assert_eq!(reply["ActionStatus"], "OK", "{path} {body}: {reply}");
        reply
    }

    /// The code of a refusal; its text must not be empty.
    pub(crate) async fn refused(&self, user: &str, path: &str, body: &Value) -> u64 {
        let reply = self.call(user, path, body).await;
        assert_eq!(reply["ActionStatus"], "FAIL", "{path} {body}: {reply}");
        assert_ne!(reply["ErrorInfo"], "");
        reply["ErrorCode"].as_u64().unwrap()
    }

    /// The request that names a new message from alice to bob.
    pub(crate) async fn c2c_message(&self) -> Value {
        let reply =
            self.ok(ADMIN, SEND, &message(json!({"From_Account": "alice", "To_Account": "bob"}))).await;
        json!({"From_Account": "alice", "To_Account": "bob", "MsgKey": reply["MsgKey"]})
    }

    /// The request that names a new message in a new group of alice, bob and carol.
    pub(crate) async fn group_message(&self, group_type: &str) -> Value {
        let members = ["bob", "carol"].map(|user| json!({"Member_Account": user}));
        let group =
            json!({"Owner_Account": "alice", "Type": group_type, "Name": "Lunch", "MemberList": members});
        let group_id = self.ok(ADMIN, CREATE, &group).await["GroupId"].clone();
        let reply = self.ok("alice", GROUP_SEND, &message(json!({"GroupId": group_id}))).await;
        json!({"GroupId": group_id, "MsgSeq": reply["MsgSeq"]})
    }
}

/// `request` as a message that may be extended.
pub(crate) fn message(request: Value) -> Value {
    let body = json!([{"MsgType": "TIMTextElem", "MsgContent": {"Text": "Who joins?"}}]);
    with(&request, json!({"SupportMessageExtension": 1, "MsgBody": body}))
}

/// `request` with more fields.
pub(crate) fn with(request: &Value, more: Value) -> Value {
    let mut request = request.clone();
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

/// A set of these keys, values and Seqs on the message named by `message`.
pub(crate) fn set(message: &Value, items: &[(&str, &str, u64)]) -> Value {
    let items: Vec<_> =
        items.iter().map(|(key, value, seq)| json!({"Key": key, "Value": value, "Seq": seq})).collect();
    with(message, json!({"OperateType": 1, "ExtensionList": items}))
}

/// A server on a port of its own; it stops when dropped. With `TEST_STORE=nodes` it is two of them on a cluster, and each
/// connection goes to another one.
pub(crate) struct Server {
    pub(crate) api: Api,
    stop: Vec<oneshot::Sender<()>>,
    serving: Vec<JoinHandle<std::io::Result<()>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        if std::env::var("TEST_STORE").is_ok_and(|store| store == "nodes") {
            return Self::nodes(config).await;
        }
        Self::on(config, Arc::new(MemoryStore::new())).await
    }

    pub(crate) async fn on(config: Config, store: Arc<dyn Store>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Api::new(listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(message_extensions_server::run(listener, config, store, shutdown));
        Self { api, stop: vec![stop], serving: vec![serving] }
    }

    async fn nodes(config: Config) -> Self {
        let servers = crate::redis_servers::cluster().servers();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            let store = RedisStore::connect(servers.clone()).await.unwrap();
            nodes.push(Self::on(config.clone(), Arc::new(store)).await);
        }
        let balancer = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Api::new(balancer.local_addr().unwrap());
        let addresses: Vec<_> = nodes.iter().map(|node| node.api.address).collect();
        tokio::spawn(async move {
            for address in addresses.into_iter().cycle() {
                let Ok((mut from, _)) = balancer.accept().await else { return };
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(address).await?;
                    tokio::io::copy_bidirectional(&mut from, &mut to).await
                });
            }
        });
        let mut both = Self { api, stop: Vec::new(), serving: Vec::new() };
        for node in nodes {
            both.stop.extend(node.stop);
            both.serving.extend(node.serving);
        }
        both
    }

    /// Stops it and waits until it has.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        for serving in self.serving {
            serving.await.unwrap().unwrap();
        }
    }
}
