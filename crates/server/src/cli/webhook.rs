//! The settings of webhooks.

use std::time::Duration;

use message_extensions_server::webhook::{self, Receiver};

use super::Failure;
use super::secret;
use super::settings::Settings;

impl Settings {
    /// Who is told of every change, if anybody is.
    ///
    /// # Errors
    /// When the URL is none, there is no secret, or a bound is 0.
    pub(super) fn webhook(&self) -> Result<Option<Receiver>, Failure> {
        let values = &self.values;
        let wrong = |name: &str, why: &str| Failure::Usage(format!("{name} {why}"));
        let Some(given) = &values.webhook else { return Ok(None) };
        let url = given.url().map_err(|why| wrong("webhook", &why))?;
        let read = |name: &str, given, file| -> Result<_, Failure> {
            let text = secret::get(name, given, file).map_err(Failure::Usage)?;
            let secret = text.map(|text| webhook::Secret::parse(&text));
            secret.transpose().map_err(|why| wrong(name, &why))
        };
        let own = (values.webhook_secret.as_ref(), values.webhook_secret_file.as_deref());
        let secret = read("webhook-secret", own.0, own.1)?.ok_or_else(|| {
            let text = "--webhook-secret-file (or --webhook-secret, or MESSAGE_EXTENSIONS_WEBHOOK_SECRET) is missing";
            wrong(text, "beside --webhook: without a signature anybody could tell the receiver anything")
        })?;
        let mut receiver = Receiver::new(url, secret);
        let previous =
            (values.previous_webhook_secret.as_ref(), values.previous_webhook_secret_file.as_deref());
        receiver.previous_secret = read("previous-webhook-secret", previous.0, previous.1)?;
        receiver.queue = values.webhook_queue.unwrap_or(receiver.queue);
        receiver.max_age = values.webhook_max_age.map_or(receiver.max_age, Duration::from_secs);
        let is_zero =
            [("webhook-queue", receiver.queue == 0), ("webhook-max-age", receiver.max_age.is_zero())];
        match is_zero.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((name, _)) => Err(wrong(name, "must be at least 1")),
            None => Ok(Some(receiver)),
        }
    }
}
