//! Which servers, as the operator names them.

use std::fmt;
use std::time::Duration;

use redis::{ConnectionAddr, IntoConnectionInfo};

/// What a name without a port means.
const PORT: u16 = 6379;

/// Which servers, and how careful. However it is printed, user and password are not shown.
#[derive(Clone)]
pub struct Servers {
    /// `redis://` or `rediss://` URLs with user and password if need be; of a cluster any of its servers.
    pub urls: Vec<String>,
    /// What all keys begin with, so that several can share the servers; without braces.
    pub prefix: String,
    /// How many replicas must have a write before it counts; `None`: 1 in a cluster, none of a single server.
    pub replicas: Option<usize>,
    /// How long they have for it.
    pub replica_timeout: Duration,
}

impl Servers {
    /// The prefix of keys when none is chosen.
    pub const PREFIX: &str = "me:";
    /// How long replicas have when nothing is chosen.
    pub const REPLICA_TIMEOUT: Duration = Duration::from_secs(1);
    /// More would be longer than a call may take.
    pub const LONGEST_REPLICA_TIMEOUT: Duration = Duration::from_secs(3);

    /// Reads `redis://[user:password@]host:port[,host:port…]`, or `rediss://` for TLS.
    ///
    /// # Errors
    /// What it must be; not what it is, which may hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        const EXPECTED: &str =
            "must be redis://[user:password@]host:port[,host:port…], or the same with rediss:// for TLS";
        let (scheme, rest) = text.split_once("://").ok_or(EXPECTED)?;
        if !["redis", "rediss"].contains(&scheme) {
            return Err(EXPECTED.into());
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, hosts) =
            rest.rsplit_once('@').map_or(("", rest), |(user, hosts)| (&rest[..=user.len()], hosts));
        if hosts.contains(['/', '?', '#']) {
            return Err(format!("{EXPECTED}, and nothing after it"));
        }
        let urls = hosts.split(',').map(|host| {
            let host = host.trim();
            if host.is_empty() {
                return Err(EXPECTED.into());
            }
            let (name, port) = name_and_port(host).ok_or(EXPECTED)?;
            let url = format!("{scheme}://{user}{host}");
            let info = url.as_str().into_connection_info().ok();
            let is_meant = info.is_some_and(|info| match info.addr() {
                ConnectionAddr::Tcp(host, its) | ConnectionAddr::TcpTls { host, port: its, .. } => {
                    (host.trim_matches(['[', ']']), *its) == (name, port)
                }
                _ => false,
            });
            let why = "has a user or password of which some characters must be written as %XX";
            if is_meant {
                Ok(url)
            } else if user.is_empty() {
                Err(EXPECTED.into())
            } else {
                Err(why.into())
            }
        });
        Ok(Self {
            urls: urls.collect::<Result<_, String>>()?,
            prefix: Self::PREFIX.into(),
            replicas: None,
            replica_timeout: Self::REPLICA_TIMEOUT,
        })
    }

    /// Whether nothing of it is left out where it is shown.
    #[must_use]
    pub fn is_shown_whole(&self) -> bool {
        !self.urls.iter().any(|url| url.contains('@'))
    }
}

fn name_and_port(host: &str) -> Option<(&str, u16)> {
    // An IPv6 address stands in brackets.
    let (name, rest) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = match rest {
        "" => PORT,
        port => port.strip_prefix(':')?.parse().ok()?,
    };
    (!name.is_empty()).then_some((name, port))
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, url) in self.urls.iter().enumerate() {
            let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            if n == 0 { write!(f, "{scheme}://{host}")? } else { write!(f, ",{host}")? }
        }
        Ok(())
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_share_scheme_user_and_password() {
        let servers = Servers::parse("rediss://u:p%40,w@a.example:7000,b.example,[::1]:7002").unwrap();
        let urls = [
            "rediss://u:p%40,w@a.example:7000",
            "rediss://u:p%40,w@b.example",
            "rediss://u:p%40,w@[::1]:7002",
        ];
        assert_eq!(servers.urls, urls);
        assert!(!servers.is_shown_whole());
        assert_eq!(
            format!("{servers} {servers:?}").matches("rediss://a.example:7000,b.example,[::1]:7002").count(),
            2
        );
        assert!(Servers::parse("redis://127.0.0.1:1/").unwrap().is_shown_whole());
    }

    #[test]
    fn what_is_none_is_refused_without_being_quoted() {
        for text in [
            "redis",
            "http://marked:1",
            "redis://",
            "redis://marked:",
            "redis://marked:x",
            "redis://marked:70000",
            "redis://a:1,,b:2",
            "redis://:marked@",
            "redis://a:1/3?marked=1",
            "redis://u:mar/ked@a:1",
            "redis://u:mar%zzked@",
        ] {
            let why = Servers::parse(text).unwrap_err();
            assert!(!why.contains("marked") && !why.contains("ked@"), "{text}: {why}");
        }
    }
}
