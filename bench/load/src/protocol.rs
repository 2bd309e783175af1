//! How a request looks on the wire, when an answer is whole, and which Seq is in it.

#[derive(Clone, Copy)]
pub(crate) enum Protocol {
    /// `path body`, posted; the Seq is the first one of the answer's JSON, 0 when it has none.
    Http,
    /// A command, words separated by spaces; the Seq is an integer past 0.
    Redis,
    /// A statement of SQL; the Seq is the first column of its row, past 0.
    Postgres,
}

impl Protocol {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "redis" => Some(Self::Redis),
            "postgres" => Some(Self::Postgres),
            _ => None,
        }
    }

    /// What a connection begins with.
    pub(crate) fn hello(self) -> Option<Vec<u8>> {
        let Self::Postgres = self else { return None };
        let parameters = b"user\0bench\0database\0postgres\0\0";
        let mut hello = u32::try_from(parameters.len() + 8).unwrap_or_default().to_be_bytes().to_vec();
        hello.extend(196_608_u32.to_be_bytes());
        hello.extend(parameters);
        Some(hello)
    }

    pub(crate) fn request(self, text: &str, request: &mut Vec<u8>) {
        match self {
            Self::Http => {
                let (path, body) = text.split_once(' ').unwrap_or((text, ""));
                let head =
                    format!("POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n\r\n", body.len());
                request.extend(head.bytes().chain(body.bytes()));
            }
            Self::Redis => {
                let words: Vec<_> = text.split(' ').collect();
                request.extend(format!("*{}\r\n", words.len()).bytes());
                words
                    .iter()
                    .for_each(|word| request.extend(format!("${}\r\n{word}\r\n", word.len()).bytes()));
            }
            Self::Postgres => {
                request.push(b'Q');
                request.extend(u32::try_from(text.len() + 5).unwrap_or_default().to_be_bytes());
                request.extend(text.bytes().chain([0]));
            }
        }
    }

    pub(crate) fn is_whole(self, answer: &[u8]) -> bool {
        match self {
            Self::Http => http_body(answer).is_some_and(|(length, body)| body.len() >= length),
            Self::Redis => answer.ends_with(b"\r\n"),
            Self::Postgres => postgres_messages(answer).any(|(kind, _)| kind == b'Z'),
        }
    }

    /// None when the answer is a refusal.
    pub(crate) fn seq(self, answer: &[u8]) -> Option<u64> {
        match self {
            Self::Http => {
                let body = std::str::from_utf8(http_body(answer)?.1).ok()?;
                if body.matches(r#""ErrorCode":"#).count() != body.matches(r#""ErrorCode":0"#).count() {
                    return None;
                }
                Some(body.split_once(r#""Seq":"#).map_or(0, |(_, rest)| leading_number(rest)))
            }
            Self::Redis => {
                let number = std::str::from_utf8(answer.strip_prefix(b":")?).ok()?;
                number.trim().parse().ok().filter(|seq| *seq > 0)
            }
            Self::Postgres => {
                let (_, row) = postgres_messages(answer).find(|(kind, _)| *kind == b'D')?;
                // How many columns, and how long the first is, stand before it.
                std::str::from_utf8(row.get(6..)?).ok()?.parse().ok().filter(|seq| *seq > 0)
            }
        }
    }
}

fn leading_number(text: &str) -> u64 {
    text.bytes().take_while(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// How long the body will be, and what is there of it.
fn http_body(answer: &[u8]) -> Option<(usize, &[u8])> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(end + 4)?;
    let head = std::str::from_utf8(head).ok()?.to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    Some((usize::try_from(leading_number(length)).ok()?, body))
}

/// The whole messages in it: the kind of each, and its content.
fn postgres_messages(mut answer: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, rest) = answer.split_first()?;
        let (length, _) = rest.split_first_chunk::<4>()?;
        let (message, after) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        answer = after;
        Some((*kind, message.get(4..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_over_http_is_whole_with_its_last_byte_and_has_a_seq_unless_it_refuses() {
        let body = r#"{"ErrorCode":0,"ExtensionList":[{"ErrorCode":0,"Extension":{"Seq":34}}],"Seq":35}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert!(Protocol::Http.is_whole(answer.as_bytes()));
        assert!(!Protocol::Http.is_whole(&answer.as_bytes()[..answer.len() - 1]));
        assert_eq!(Protocol::Http.seq(answer.as_bytes()), Some(34));
        let refused = answer.replacen("[{\"ErrorCode\":0", "[{\"ErrorCode\":2", 1);
        assert_eq!(Protocol::Http.seq(refused.as_bytes()), None);
    }

    #[test]
    fn integers_of_redis_and_rows_of_postgres_are_read_and_errors_are_refusals() {
        assert_eq!(Protocol::Redis.seq(b":12\r\n"), Some(12));
        assert_eq!(Protocol::Redis.seq(b"-ERR\r\n"), None);
        let row = b"D\x00\x00\x00\x0c\x00\x01\x00\x00\x00\x0242Z\x00\x00\x00\x05I";
        assert!(Protocol::Postgres.is_whole(row) && !Protocol::Postgres.is_whole(&row[..row.len() - 1]));
        assert_eq!(Protocol::Postgres.seq(row), Some(42));
        assert_eq!(Protocol::Postgres.seq(b"E\x00\x00\x00\x04Z\x00\x00\x00\x05I"), None);
    }
}
