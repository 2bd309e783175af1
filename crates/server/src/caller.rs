//! Who calls: the URL's parameters, the signature, and how often.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;
use message_extensions_core::code::{
    BAD_HTTP, BAD_IDENTITY, Error, INVALID_PARAMETER, NO_APP_ID, SIGNATURE_OF_ANOTHER_APP,
};
use message_extensions_core::law::CallRate;
use message_extensions_core::serve::command::Command;
use message_extensions_core::serve::names::check_user_id;
use message_extensions_core::serve::refusal::internal;
use message_extensions_core::usersig;
use serde::Deserialize;
use tokio::time::sleep;

use crate::clock::{now_s, steady_ms};
use crate::config::Config;

use crate::store::Store;

/// Signatures that are remembered as checked, and how long one may be, bytes: one signature can be packed in many
/// ways, and must not fill the memory so.
const CHECKED: usize = 10_000;
const CHECKED_BYTES: usize = 1024;

/// Who calls, proven by their signature.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) identifier: String,
    pub(crate) is_admin: bool,
}

/// The parameters of a URL (`docs/protocol.md`, "REST"). `random` and `contenttype` are checked and have no effect.
#[derive(Default, Deserialize)]
pub(crate) struct UrlParameters {
    sdkappid: Option<String>,
    identifier: Option<String>,
    usersig: Option<String>,
    random: Option<String>,
    contenttype: Option<String>,
    requestid: Option<String>,
}

impl UrlParameters {
    pub(crate) fn of(uri: &Uri) -> Result<Self, Error> {
        let parameters = Query::try_from_uri(uri).map(|Query(parameters)| parameters);
        parameters.map_err(|e| Error::with(BAD_HTTP, format!("the URL's parameters cannot be read: {e}")))
    }

    /// Whether the URL says who calls, so that no login frame is to be awaited.
    pub(crate) const fn has_signature(&self) -> bool {
        self.usersig.is_some()
    }

    /// Checks those that have no effect. They may be missing.
    ///
    /// # Errors
    /// 10004 when `random` is not a 32-bit unsigned integer, or `contenttype` not `json` (seeds 002 to 004).
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.random.as_ref().is_some_and(|random| number::<u32>(random).is_none()) {
            return Err(Error::new(
                INVALID_PARAMETER,
                "random in the URL must be an integer from 0 to 4294967295",
            ));
        }
        if self.contenttype.as_ref().is_some_and(|kind| kind != "json") {
            return Err(Error::new(INVALID_PARAMETER, "contenttype in the URL must be json"));
        }
        Ok(())
    }

    /// `requestid` as a number.
    ///
    /// # Errors
    /// 10004 when it is not 32 hex digits.
    pub(crate) fn request_id(&self) -> Result<Option<u128>, Error> {
        let Some(text) = &self.requestid else { return Ok(None) };
        let is_hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(id) if is_hex => Ok(Some(id)),
            _ => Err(Error::new(INVALID_PARAMETER, "requestid in the URL must be 32 hex digits")),
        }
    }
}

/// A number written in digits alone; the standard library would take a plus sign as well.
fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Knows who may call, and how often each has.
pub(crate) struct Callers {
    sdk_app_id: u64,
    secret_keys: Vec<String>,
    admins: Vec<String>,
    user_calls_per_second: usize,
    admin_calls_per_second: usize,
    /// Signatures that were checked, whose they are, and until when (seconds since 1970).
    checked: Mutex<HashMap<String, (String, u64)>>,
    /// By UserID, an admin's apart for each command.
    rates: Mutex<HashMap<(String, Option<Command>), CallRate>>,
}

impl Callers {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sdk_app_id: config.sdk_app_id,
            secret_keys: config.secret_keys().map(String::from).collect(),
            admins: config.admins.clone(),
            user_calls_per_second: config.limits.user_calls_per_second,
            admin_calls_per_second: config.limits.admin_calls_per_second,
            checked: Mutex::default(),
            rates: Mutex::default(),
        }
    }

    /// Who calls, and until when the signature is good (seconds since 1970), by the URL.
    ///
    /// # Errors
    /// 60012, 60004, and those of [`usersig::verify`].
    pub(crate) fn identify(&self, url: &UrlParameters) -> Result<(Caller, u64), Error> {
        let app = url.sdkappid.as_deref().and_then(number);
        self.authenticate(app, url.identifier.as_deref(), url.usersig.as_deref())
    }

    /// The same by the parts, as a login frame has them.
    pub(crate) fn authenticate(
        &self,
        app: Option<u64>,
        identifier: Option<&str>,
        signature: Option<&str>,
    ) -> Result<(Caller, u64), Error> {
        let app = app.ok_or(Error::new(NO_APP_ID, "sdkappid is missing or not a number"))?;
        if app != self.sdk_app_id {
            return Err(Error::with(SIGNATURE_OF_ANOTHER_APP, format!("SDKAppID {app} is not served here")));
        }
        let missing = |text| Error::new(BAD_IDENTITY, text);
        let identifier = identifier.filter(|s| !s.is_empty()).ok_or(missing("identifier is missing"))?;
        check_user_id("identifier", identifier)?;
        let signature = signature.filter(|s| !s.is_empty()).ok_or(missing("usersig is missing"))?;
        let until = self.verify(identifier, signature)?;
        let is_admin = self.admins.iter().any(|admin| admin == identifier);
        Ok((Caller { identifier: identifier.to_owned(), is_admin }, until))
    }

    fn verify(&self, identifier: &str, signature: &str) -> Result<u64, Error> {
        let now = now_s();
        if let Some((whose, until)) = self.checked().get(signature)
            && whose == identifier
            && *until > now
        {
            return Ok(*until);
        }
        let secrets: Vec<_> = self.secret_keys.iter().map(String::as_bytes).collect();
        let until = usersig::verify(self.sdk_app_id, &secrets, identifier, signature, now)?;
        if signature.len() > CHECKED_BYTES {
            return Ok(until);
        }
        let mut checked = self.checked();
        if checked.len() >= CHECKED {
            checked.clear();
        }
        checked.insert(signature.to_owned(), (identifier.to_owned(), until));
        Ok(until)
    }

    /// Counts a call, with those through other nodes.
    ///
    /// # Errors
    /// 60007 when the caller has had the calls of this second; 10002.
    pub(crate) async fn admit(
        &self,
        caller: &Caller,
        command: Command,
        store: &dyn Store,
    ) -> Result<(), Error> {
        let (command, limit) = if caller.is_admin {
            (Some(command), self.admin_calls_per_second)
        } else {
            (None, self.user_calls_per_second)
        };
        self.rates().entry((caller.identifier.clone(), command)).or_default().admit(steady_ms(), limit)?;
        if limit == 0 || !store.is_shared() {
            return Ok(());
        }
        let name = command.map(|command| format!("{command:?}")).unwrap_or_default();
        match store.count_call(&caller.identifier, &name).await {
            Ok(count) if count > limit => Err(CallRate::REFUSED),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "a call could not be counted");
                Err(internal())
            }
        }
    }

    /// Counts a call that is not refused: it waits for a second in which the caller may make it.
    pub(crate) async fn admit_in_time(&self, caller: &Caller, command: Command, store: &dyn Store) {
        while self.admit(caller, command, store).await.is_err() {
            sleep(Duration::from_millis(1000 - steady_ms() % 1000)).await;
        }
    }

    /// Drops what no longer counts.
    pub(crate) fn sweep(&self) {
        let now = steady_ms();
        self.rates().retain(|_, rate| !rate.is_idle(now));
        let now = now_s();
        self.checked().retain(|_, (_, until)| *until > now);
    }

    fn checked(&self) -> MutexGuard<'_, HashMap<String, (String, u64)>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rates(&self) -> MutexGuard<'_, HashMap<(String, Option<Command>), CallRate>> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
