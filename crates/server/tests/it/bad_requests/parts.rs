//! What can be wrong with each part of a request: the URL, the body, the address, the fields. `<A>` stands for the fields that
//! name the message, `<R>` for all others.

use std::sync::LazyLock;

use message_extensions_core::usersig;
use serde_json::{Value, json};

use crate::client::{APP, SECRET, now, signature};

/// One signature for all, so that equal cases are equal.
static BOBS: LazyLock<String> = LazyLock::new(|| signature("bob"));

/// The parameters of a URL.
pub(super) struct Url(Vec<(&'static str, String)>);

impl Url {
    pub(super) fn good() -> Self {
        Self(vec![
            ("sdkappid", APP.to_string()),
            ("identifier", "bob".into()),
            ("usersig", BOBS.clone()),
            ("random", "99999999".into()),
            ("contenttype", "json".into()),
            ("requestid", "0".repeat(32)),
        ])
    }

    pub(super) fn text(self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

pub(super) fn without(name: &str) -> String {
    let mut url = Url::good();
    url.0.retain(|(other, _)| *other != name);
    url.text()
}

pub(super) fn with_value(name: &str, value: &str) -> String {
    let mut url = Url::good();
    url.0.iter_mut().filter(|(other, _)| *other == name).for_each(|(_, old)| *old = value.into());
    url.text()
}

pub(super) fn bad_urls() -> Vec<(String, u64, &'static str)> {
    let sign = |app, secret: &str, user: &str, since: u64| {
        usersig::sign(app, secret.as_bytes(), user, now() - since, 3600)
    };
    let mut bad = vec![(String::new(), 60012, "sdkappid")];
    for name in ["sdkappid", "identifier", "usersig", "random", "contenttype", "requestid"] {
        let (_, value) = Url::good().0.into_iter().find(|(other, _)| *other == name).unwrap();
        bad.push((format!("{}&{name}={value}", Url::good().text()), 60002, name));
    }
    bad.extend([
        (without("sdkappid"), 60012, "sdkappid"),
        (without("identifier"), 60004, "identifier"),
        (without("usersig"), 60004, "usersig"),
    ]);
    let values: [(&str, &[&str], u64, &str); 8] = [
        (
            "sdkappid",
            &["", "x", "-1", "1.0", "%2B1400000000", "0x5", "99999999999999999999"],
            60012,
            "sdkappid",
        ),
        ("sdkappid", &["0", "1400000001", "18446744073709551615"], 70014, "SDKAppID"),
        ("identifier", &[""], 60004, "identifier"),
        ("identifier", &["alice", "BOB", "bob%20", "%ff", "administrator"], 70013, "identifier"),
        ("identifier", &["bo%00b", "bo%0Ab", &"b".repeat(256)], 10004, "identifier"),
        ("random", &["", "x", "-1", "1.5", "%2B1", "4294967296", "1e3"], 10004, "random"),
        ("contenttype", &["", "xml", "JSON"], 10004, "contenttype"),
        ("requestid", &["", "1", &"1".repeat(31), &"1".repeat(33), &"g".repeat(32)], 10004, "requestid"),
    ];
    for (name, values, code, names) in values {
        bad.extend(values.iter().map(|value| (with_value(name, value), code, names)));
    }
    let plus = format!("%2B{}", "1".repeat(31));
    bad.push((with_value("requestid", &plus), 10004, "requestid"));
    let good = BOBS.as_str();
    for (signature, code) in [
        ("", 60004),
        ("x", 70003),
        ("%00", 70003),
        (&good[..good.len() - 20], 70003),
        (&good[1..], 70003),
        (&format!("{good}{good}"), 70003),
        (&"A".repeat(20_000), 70003),
        (&sign(APP, "another key", "bob", 0), 70009),
        (&sign(APP, "", "bob", 0), 70009),
        (&sign(APP, SECRET, "bob", 3600), 70001),
        (&sign(APP, SECRET, "alice", 0), 70013),
        (&sign(APP + 1, SECRET, "bob", 0), 70014),
    ] {
        bad.push((with_value("usersig", signature), code, "usersig"));
    }
    bad
}

pub(super) fn bad_paths(path: &str) -> Vec<String> {
    let (service, command) = path.split_once('/').unwrap();
    vec![
        String::new(),
        service.into(),
        command.into(),
        format!("{path}/"),
        format!("{path}/more"),
        format!("/{path}"),
        format!("{service}//{command}"),
        format!("{service}/{}", command.to_uppercase()),
        format!("openim/{command}"),
        format!("{service}/sendmsg"),
        format!("{service}/{command}%00"),
    ]
}

/// Bodies for which it does not matter what is asked for.
pub(super) fn bad_bodies() -> Vec<(&'static str, Vec<u8>, u64, &'static str)> {
    let texts = [
        ("no body", "", "{"),
        ("only spaces", " \r\n\t ", "{"),
        ("null", "null", "{"),
        ("an array", "[]", "{"),
        ("the request in an array", "[{<A>,<R>}]", "{"),
        ("a string", r#""{}""#, "{"),
        ("a number", "5", "{"),
        ("true", "true", "{"),
        ("a form", "From_Account=alice&To_Account=bob", "{"),
        ("a byte order mark", "\u{feff}{<A>,<R>}", "byte order mark"),
        ("trailing garbage", "{<A>,<R>}x", "trailing"),
        ("a trailing brace", "{<A>,<R>}}", "trailing"),
        ("two objects", "{<A>,<R>}{<A>,<R>}", "trailing"),
        ("a trailing NUL", "{<A>,<R>}\0", "trailing"),
        ("a trailing comma", "{<A>,<R>,}", "string"),
        ("a missing comma", "{<A> <R>}", "expected"),
        ("no end", "{<A>,<R>", "EOF"),
        ("the end in a string", r#"{<A>,<R>,"x":"#, "EOF"),
        ("a comment", "{<A>,<R> /* all */}", "expected"),
        ("single quotes", "{<A>,<R>,'x':1}", "string"),
        ("no quotes", "{<A>,<R>,x:1}", "string"),
        ("NaN", r#"{<A>,<R>,"x":NaN}"#, "expected"),
        ("a leading zero", r#"{<A>,<R>,"x":01}"#, "number"),
        ("a plus sign", r#"{<A>,<R>,"x":+1}"#, "expected"),
        ("a NUL in a string", "{<A>,<R>,\"x\":\"\0\"}", "control character"),
        ("a line break in a string", "{<A>,<R>,\"x\":\"\n\"}", "control character"),
        ("an escape that is none", r#"{<A>,<R>,"x":"\x41"}"#, "escape"),
        ("half an escape", r#"{<A>,<R>,"x":"\u00"}"#, "escape"),
    ];
    let mut bad: Vec<_> =
        texts.into_iter().map(|(is, body, names)| (is, body.as_bytes().to_vec(), 60003, names)).collect();
    let nested = |open: &str, close: &str, levels: usize| {
        format!(r#"{{<A>,<R>,"x":{}{}}}"#, open.repeat(levels), close.repeat(levels)).into_bytes()
    };
    bad.extend([
        ("65 levels", nested("[", "]", 64), 60003, "64 levels"),
        ("200,000 arrays", nested("[", "]", 200_000), 60003, "64 levels"),
        ("150,000 objects, the innermost bad", nested(r#"{"x":"#, "}", 150_000), 60003, "64 levels"),
        ("arrays without end", nested("[", "", 1_000_000), 60003, "64 levels"),
        (
            "a deep list",
            format!(r#"{{<A>,"ExtensionList":{}"#, "[".repeat(500_000)).into(),
            60003,
            "64 levels",
        ),
        ("not UTF-8 in a field", b"{<A>,<R>,\"x\":\"\xff\"}".to_vec(), 60003, "UTF-8"),
        ("not UTF-8 in a name", b"{<A>,<R>,\"\xc3\x28\":1}".to_vec(), 60003, "UTF-8"),
        ("an encoded surrogate", b"{<A>,<R>,\"x\":\"\xed\xa0\x80\"}".to_vec(), 60003, "UTF-8"),
        ("Latin-1", b"{<A>,<R>} \xe9".to_vec(), 60003, "UTF-8"),
        ("UTF-16", "{<A>}".encode_utf16().flat_map(u16::to_be_bytes).collect(), 60003, "{"),
        ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec(), 60003, "UTF-8"),
        ("past 1 MiB", format!("{{<A>,<R>}}{}", " ".repeat(1 << 20)).into(), 60002, "1048576 bytes"),
        ("4 MiB", format!(r#"{{<A>,<R>,"x":"{}"}}"#, "x".repeat(4 << 20)).into(), 60002, "1048576 bytes"),
        ("the address twice", b"{<A>,<A>,<R>}".to_vec(), 10004, "duplicate field"),
        ("the rest twice", b"{<A>,<R>,<R>}".to_vec(), 10004, "duplicate field"),
        ("no fields", b"{}".to_vec(), 10004, "must be"),
        ("the rest alone", b"{<R>}".to_vec(), 10004, "must be"),
    ]);
    bad
}

pub(super) const C2C_ADDRESSES: &[(&str, u64, &str)] = &[
    (r#""From_Account":"alice","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":null,"MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":5,"MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":true,"MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":["bob"],"MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":{"bob":1},"MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"bo\u0000b","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"bo\nb","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"\ud800","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"<256>","MsgKey":"1_2_3""#, 10004, "To_Account"),
    (r#""To_Account":"bob""#, 10004, "MsgKey"),
    (r#""To_Account":"bob","MsgKey":"""#, 10004, "MsgKey"),
    (r#""To_Account":"bob","MsgKey":null"#, 10004, "MsgKey"),
    (r#""To_Account":"bob","MsgKey":44739199"#, 10004, "MsgKey"),
    (r#""To_Account":"bob","MsgKey":["1_2_3"]"#, 10004, "MsgKey"),
    (r#""From_Account":"","To_Account":"bob","MsgKey":"1_2_3""#, 10004, "From_Account"),
    (r#""From_Account":5,"To_Account":"bob","MsgKey":"1_2_3""#, 10004, "From_Account"),
    (r#""From_Account":[],"To_Account":"bob","MsgKey":"1_2_3""#, 10004, "From_Account"),
    (r#""From_Account":"<256>","To_Account":"bob","MsgKey":"1_2_3""#, 10004, "From_Account"),
    (r#""From_Account":"\u007f","To_Account":"bob","MsgKey":"1_2_3""#, 10004, "From_Account"),
    (r#""GroupId":"lunch","MsgSeq":1"#, 10004, "To_Account"),
    (r#""to_account":"bob","msgkey":"1_2_3""#, 10004, "To_Account"),
    (r#"<A>,"MsgSeq":"1""#, 10004, "MsgSeq"),
    (r#""To_Account":"bob","MsgKey":"1_2_3""#, 23004, "does not exist"),
    (r#""To_Account":"bob","MsgKey":"\u0000""#, 23004, "does not exist"),
    (r#""To_Account":"bob","MsgKey":"'; DROP TABLE messages; --""#, 23004, "does not exist"),
    (r#""From_Account":"carol","To_Account":"bob","MsgKey":"1_2_3""#, 23004, "does not exist"),
];

pub(super) const GROUP_ADDRESSES: &[(&str, u64, &str)] = &[
    (r#""MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":null,"MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":"","MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":5,"MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":["lunch"],"MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":"lu\u0000nch","MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":"\udc00","MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":"<49>","MsgSeq":1"#, 10004, "GroupId"),
    (r#""GroupId":"lunch""#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":null"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":"1""#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":1.0"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":1e0"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":1e999"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":-1"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":-0"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":18446744073709551616"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":true"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":[1]"#, 10004, "MsgSeq"),
    (r#""GroupId":"lunch","MsgSeq":{}"#, 10004, "MsgSeq"),
    (r#""To_Account":"bob","MsgKey":"1_2_3""#, 10004, "GroupId"),
    (r#"<A>,"To_Account":5"#, 10004, "To_Account"),
    (r#""GroupId":"lunch","MsgSeq":1"#, 23004, "does not exist"),
    (r#""GroupId":"@TGS#_none","MsgSeq":1"#, 23004, "does not exist"),
    (r#""GroupId":"lunch","MsgSeq":0"#, 23004, "does not exist"),
    (r#""GroupId":"lunch","MsgSeq":18446744073709551615"#, 23004, "does not exist"),
];

pub(super) const PULLS: &[(&str, &str)] = &[
    (r#""StartSeq":"2""#, "StartSeq"),
    (r#""StartSeq":2.5"#, "StartSeq"),
    (r#""StartSeq":2.0"#, "StartSeq"),
    (r#""StartSeq":1e1"#, "StartSeq"),
    (r#""StartSeq":-1"#, "StartSeq"),
    (r#""StartSeq":18446744073709551616"#, "StartSeq"),
    (r#""StartSeq":true"#, "StartSeq"),
    (r#""StartSeq":[2]"#, "StartSeq"),
    (r#""StartSeq":{}"#, "StartSeq"),
    (r#""startSeq":"2""#, "startSeq"),
    (r#""StartSeq":1,"startSeq":2"#, "StartSeq"),
    (r#""StartSeq":2,"StartSeq":2"#, "StartSeq"),
    (r#""WithAuthor":"1""#, "WithAuthor"),
    (r#""WithAuthor":true"#, "WithAuthor"),
    (r#""WithAuthor":-1"#, "WithAuthor"),
    (r#""WithAuthor":1.0"#, "WithAuthor"),
    (r#""WithAuthor":4294967296"#, "WithAuthor"),
    (r#""WithAuthor":1,"WithAuthor":1"#, "WithAuthor"),
];

pub(super) const SETS: &[(&str, &str)] = &[
    (r#""ExtensionList":[{"Key":"k","Value":"w","Seq":1}]"#, "OperateType"),
    (r#""OperateType":null"#, "OperateType"),
    (r#""OperateType":0"#, "OperateType"),
    (r#""OperateType":4"#, "OperateType"),
    (r#""OperateType":-3"#, "OperateType"),
    (r#""OperateType":3.0"#, "OperateType"),
    (r#""OperateType":3e0"#, "OperateType"),
    (r#""OperateType":"3""#, "OperateType"),
    (r#""OperateType":true"#, "OperateType"),
    (r#""OperateType":[3]"#, "OperateType"),
    (r#""OperateType":{}"#, "OperateType"),
    (r#""OperateType":4294967299"#, "OperateType"),
    (r#""OperateType":3,"OperateType":3"#, "OperateType"),
    (r#""operatetype":3"#, "OperateType"),
    (r#""OperateType":1"#, "ExtensionList"),
    (r#""OperateType":2"#, "ExtensionList"),
    (r#""OperateType":2,"ExtensionList":[]"#, "ExtensionList"),
    (r#""OperateType":3,"ExtensionList":[{"Key":"k","Value":"w","Seq":1}]"#, "ExtensionList"),
    (r#""OperateType":3,"ExtensionList":{}"#, "ExtensionList"),
    (r#""OperateType":3,"ExtensionList":"""#, "ExtensionList"),
    (r#""OperateType":3,"ExtensionList":[],"ExtensionList":[]"#, "ExtensionList"),
];

pub(super) fn bad_lists() -> Vec<(String, &'static str)> {
    let one = |item: &str| format!(r#"[{{"Key":"ok","Value":"v","Seq":0}},{{{item}}}]"#);
    let mut bad: Vec<_> = [
        ("null", "ExtensionList"),
        ("[]", "ExtensionList"),
        ("{}", "ExtensionList"),
        (r#""k""#, "ExtensionList"),
        ("5", "ExtensionList"),
        (r#"{"Key":"k","Value":"w","Seq":1}"#, "ExtensionList"),
        ("[null]", "ExtensionList[0]"),
        ("[5]", "ExtensionList[0]"),
        (r#"["k"]"#, "ExtensionList[0]"),
        (r#"[["k","w",1]]"#, "ExtensionList[0]"),
        ("[[]]", "ExtensionList[0]"),
        ("[[[[]]]]", "ExtensionList[0]"),
        (r#"[[{"Key":"k","Value":"w","Seq":1}]]"#, "ExtensionList[0]"),
        ("[{}]", "Key"),
        (r#"[{"Extension":{"Key":"k","Value":"w","Seq":1}}]"#, "Key"),
    ]
    .map(|(list, names)| (list.to_owned(), names))
    .into();
    let seq = [r#""0""#, "null", "0.0", "0e0", "-1", "18446744073709551616", "true", "[0]", "{}"];
    bad.extend(
        seq.map(|seq| (one(&format!(r#""Key":"k","Value":"w","Seq":{seq}"#)), "ExtensionList[1].Seq")),
    );
    let (long_key, long_value) = (format!("{}ab", "人".repeat(33)), format!("{}ab", "人".repeat(333)));
    let strings = |long: &str| {
        let long = format!(r#""{long}""#);
        [
            r#""""#.into(),
            "5".into(),
            "true".into(),
            r#"["k"]"#.into(),
            "{}".into(),
            r#""\ud83d""#.into(),
            long,
        ]
    };
    for key in strings(&long_key).into_iter().chain([format!(r#""{}""#, "k".repeat(101))]) {
        bad.push((one(&format!(r#""Key":{key},"Value":"w","Seq":0"#)), "ExtensionList[1].Key"));
    }
    for value in strings(&long_value).into_iter().chain([format!(r#""{}""#, "v".repeat(1001))]) {
        bad.push((one(&format!(r#""Key":"k","Value":{value},"Seq":1"#)), "ExtensionList[1].Value"));
    }
    let items =
        |n| (0..n).map(|i| json!({"Key": format!("k{i}"), "Value": "v", "Seq": 0})).collect::<Value>();
    bad.extend([
        (one(r#""Key":null,"Value":"w","Seq":0"#), "ExtensionList[1].Key"),
        (one(r#""Key":"k","Value":null,"Seq":1"#), "ExtensionList[1].Value"),
        (one(r#""Value":"w","Seq":0"#), "Key"),
        (one(r#""Key":"k","Seq":1"#), "ExtensionList[1].Value"),
        (one(r#""Key":"k","Value":"w""#), "ExtensionList[1].Seq"),
        (one(r#""key":"k","value":"w","seq":1"#), "Key"),
        (one(r#""Key":"k","Key":"k","Value":"w","Seq":1"#), "Key"),
        (one(r#""Key":"k","Value":"w","Value":"w","Seq":1"#), "Value"),
        (one(r#""Key":"k","Value":"w","Seq":1,"Seq":1"#), "Seq"),
        (one(r#""Key":"ok","Value":"v","Seq":0"#), "ExtensionList[1].Key"),
        (one(r#""Key":"\u006f\u006b","Value":"v","Seq":0"#), "ExtensionList[1].Key"),
        (one(&format!(r#""Key":{},"Value":"w","Seq":0"#, "9".repeat(400_000))), "ExtensionList[1].Key"),
        (one(&format!(r#""Key":"k","Value":"w","Seq":"{}""#, "人".repeat(100_000))), "expected u64"),
        (items(21).to_string(), "21 items"),
        (items(10_000).to_string(), "10000 items"),
    ]);
    bad
}

pub(super) fn bad_deletes() -> Vec<(String, &'static str)> {
    let k = r#"{"Key":"k","Value":"","Seq":1}"#;
    let items = |n| (0..n).map(|i| json!({"Key": format!("k{i}"), "Seq": 0})).collect::<Value>().to_string();
    vec![
        (r#"["k"]"#.into(), "ExtensionList[0]"),
        (r#"[["k","",1]]"#.into(), "ExtensionList[0]"),
        (r#"[{"Key":"k"}]"#.into(), "ExtensionList[0].Seq"),
        (r#"[{"Key":"k","Value":""}]"#.into(), "ExtensionList[0].Seq"),
        (r#"[{"Key":"k","Value":5,"Seq":1}]"#.into(), "ExtensionList[0].Value"),
        (format!(r#"[{k},{{"Key":"","Value":"","Seq":0}}]"#), "ExtensionList[1].Key"),
        (format!("[{k},{k}]"), "ExtensionList[1].Key"),
        (format!(r#"[{k},{{"Key":"{}","Seq":0}}]"#, "k".repeat(101)), "ExtensionList[1].Key"),
        (items(21), "21 items"),
    ]
}
