//! Tests for named fields in texts.

use crate::redaction::{AttributeLimits, ProcessingCounts, Redaction, SpanProcessing};

/// Text that must be hidden.
const S: &str = "hunter2";

fn redacted(text: &str) -> String {
    let processing = SpanProcessing {
        limits: AttributeLimits::new(),
        ..SpanProcessing::default()
    };
    let done = processing.redacted("text", text, &mut ProcessingCounts::default());
    done.unwrap_or_else(|| text.to_owned())
}

#[test]
fn value_is_hidden_in_every_notation() {
    for text in [
        // JSON that a parser refuses.
        r#"{"password":"hunter2","loss":NaN}"#,
        r#"{"password":"hunter2","t":"ab"#,
        r#"{"password":"hunter2"#,
        r#"{"password":"hunter2",}"#,
        r#"{"password":"hunter2","t":"\ud83d"}"#,
        "{\"password\":\"hunter2\",\"t\":\"a\tb\"}",
        "{\"password\":\"hunter2\"}\n{\"password\":\"hunter2\"}",
        "\u{feff}{\"password\":\"hunter2\"}",
        "data: {\"api_key\":\"hunter2\"}\n\n",
        "event: x\ndata: {\"a\":1,\"token\": \"hunter2\"}\n\n",
        r#"body: {"password":"hunter2"}"#,
        r#"{"password" : "hunter2" // comment
}"#,
        r#"{"pass\u0077ord":"hunter2","x":NaN}"#,
        r#"{"password":{"a":["hunter2",{"b":"hunter2"}]},"x":NaN}"#,
        r#"{"password":["a]b","hunter2"],"x":NaN}"#,
        r#"{"password":["#,
        r#"{"x":NaN,"pin":1234,"password":"hunter2"}"#,
        r#"{"x":NaN,"password":"a\"hunter2"}"#,
        r#"password": "hunter2", "x": 1}"#,
        // A name and a value.
        r#"{"name":"password","value":"hunter2"}"#,
        r#"{"key":"password","value":{"stringValue":"hunter2"}}"#,
        r#"[{"header":"Authorization","type":"text","value":"hunter2"}]"#,
        r#"{"x":NaN,"name": "password", "value": "hunter2"}"#,
        r#"{"a":"{\"name\":\"password\",\"value\":\"hunter2\"}","x":NaN}"#,
        "{'name': 'password', 'value': 'hunter2'}",
        // Percent-encoded signs.
        "/in?body=%7B%22password%22%3A%22hunter2%22%7D",
        "/in?body=%7b%22password%22%3a+%22hunter2%22%7d&x=1",
        "/in?next=%2Fa%3Fpassword%3Dhunter2",
        // Options of a command line.
        "curl -u user:hunter2 https://host",
        "curl --user 'user:hunter2' https://host",
        "['curl', '-u', 'user:hunter2']",
        r#"["mysql","--password","hunter2"]"#,
        // JSON in JSON strings.
        r#""{\"password\":\"hunter2\"}""#,
        r#"{"a":"{\"password\":\"hunter2\"}","x":NaN}"#,
        r#"{"a":"{\"b\":\"{\\\"password\\\":\\\"hunter2\\\"}\"}","x":NaN}"#,
        r#"{\"password\": \"hun\\\"hunter2\"}"#,
        // Python, Ruby, PHP, Go, Java, Rust.
        "{'password': 'hunter2'}",
        r#"{'password': "hunter2"}"#,
        "{b'password': b'hunter2'}",
        "{'password': ('hunter2', 1)}",
        r"{'password': 'it\'s hunter2'}",
        r#"{:password => "hunter2"}"#,
        "['password' => 'hunter2']",
        "map[password:hunter2 user:x]",
        "Login{user=x, password=hunter2}",
        "Login { user: \"x\", password: \"hunter2\" }",
        "connect(user='x', password='hunter2')",
        "password := \"hunter2\"",
        "password = \"\"\"hunter2\"\"\"",
        // Forms, URLs and lines of a log.
        "password=hunter2",
        "password=hunter2&user=x",
        "user=x&password=hunter2",
        "user%5Bpassword%5D=hunter2",
        "user[password]=hunter2",
        "a=b&pass%77ord=hunter2",
        "level=info msg=\"login\" password=hunter2",
        "DB_PASS=hunter2",
        "export COHERE_API_KEY=hunter2",
        "Server=db;Password=hunter2;Database=x",
        "AccountName=x;AccountKey=hunter2==;EndpointSuffix=y",
        "GET /?x=1&api_key=hunter2#top",
        "https://x.blob.core.windows.net/c?sv=1&sig=hunter2hunter2",
        "https://b.s3.amazonaws.com/o?X-Amz-Credential=hunter2&X-Amz-Signature=hunter2",
        "https://storage.googleapis.com/o?X-Goog-Signature=hunter2&x=1",
        "https://d.cloudfront.net/o?Expires=1&Signature=hunter2&Key-Pair-Id=hunter2",
        r"https://x/c?sv=1\u0026sig=hunter2\u0026y=1",
        "https://x/c?sv=1&amp;sig=hunter2",
        "sig=hunter2&sv=1",
        // Headers and command lines.
        "Authorization: Token hunter2",
        "authorization: hunter2",
        "Authorization: Digest username=\"hunter2\", response=\"hunter2\"",
        "curl -H 'X-Api-Key: hunter2' https://x",
        "curl -H \"Authorization: Basic hunter2\" https://x",
        "Cookie: a=hunter2; b=hunter2",
        "Set-Cookie: sid=hunter2; Path=/",
        "login --password hunter2 --user x",
        "login --password=hunter2",
        "['login', '--password', 'hunter2']",
        "token: Bearer hunter2",
        "api_key = Basic hunter2",
        "token: token token hunter2",
        "private_key: -----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
        "token: password: hunter2",
        "password=[REDACTED]hunter2",
        "token= --password hunter2",
        "\"token\":\nAuthorization: Token hunter2",
        r#"{"$serde_json::private::Number":"password=hunter2"}"#,
        "ALTER USER x WITH PASSWORD 'hunter2'",
        "CREATE USER x IDENTIFIED BY 'hunter2';",
        // Prose, YAML and XML.
        "my password: hunter2",
        "The API key: hunter2",
        "password : hunter2",
        "db:\n  password: hunter2\n  user: x",
        "passphrase: correct horse hunter2",
        "<login><password>hunter2</password></login>",
        "<wsse:Password>some hunter2</wsse:Password>",
        "<password><![CDATA[hunter2]]></password>",
        "<user password=\"hunter2\"/>",
        "密码: hunter2",
        "“password”: “hunter2”",
        "password=päss-hunter2",
        "password=a,hunter2",
        "password=a)hunter2",
        r"password=a\hunter2",
        "password=\"hunter2\nhunter2",
    ] {
        let left = redacted(text);
        assert!(!left.contains(S), "{text}: {left}");
        assert!(
            left.contains("[REDACTED]") || text.ends_with('['),
            "{text}: {left}"
        );
    }
}

#[test]
fn only_the_value_is_replaced() {
    for (text, expected) in [
        ("user=x&password=y&z=1", "user=x&password=[REDACTED]&z=1"),
        ("password=y, user=x", "password=[REDACTED], user=x"),
        ("password=y,user=x", "password=[REDACTED],user=x"),
        ("a (password=y) b", "a (password=[REDACTED]) b"),
        (
            "{'password': 'y', 'n': 1}",
            "{'password': '[REDACTED]', 'n': 1}",
        ),
        (
            r#"{"password":{"a":"}"},"loss":NaN}"#,
            r#"{"password":[REDACTED],"loss":NaN}"#,
        ),
        (
            r#"{"a":"{\"token\":\"y\",\"n\":1}","loss":NaN}"#,
            r#"{"a":"{\"token\":\"[REDACTED]\",\"n\":1}","loss":NaN}"#,
        ),
        (
            "GET /?access_token=y#top",
            "GET /?access_token=[REDACTED]#top",
        ),
        (
            "Authorization: Bearer y1, x",
            "Authorization: Bearer [REDACTED], x",
        ),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: [REDACTED]\nHost: x"),
        (
            "login --api-key y --user x",
            "login --api-key [REDACTED] --user x",
        ),
        ("<pin>12</pin><a>1</a>", "<pin>[REDACTED]</pin><a>1</a>"),
    ] {
        assert_eq!(redacted(text), expected);
        assert_eq!(redacted(expected), expected, "the result is stable");
    }
}

#[test]
fn similar_fields_are_left() {
    for text in [
        r#"{"token_count":5,"max_tokens":100,"loss":NaN}"#,
        "{'input_tokens': 5, 'author': 'x', 'passenger': 'y', 'pinned': True}",
        "author=x&page=2&passenger=1&signature_version=2",
        "token_count=5 pinned=yes",
        "input tokens: 500",
        "12:30:45 GET https://example.com:8080/path",
        "def f(password: str, token: Optional = None) -> bool:",
        "let token: string;",
        "password: null",
        "{'password': None, 'secret': False}",
        "password=",
        "password: ",
        "{\"password\":\"\",\"n\":NaN}",
        "std::token::Kind",
        "fn sign(signature: x) {}",
        "signature=x",
        "<password> is a placeholder",
        "input(\"Enter password \")\nuser = input(\"Enter user \")",
        "ORDER BY 'x'",
        "--token --verbose",
        "password=[REDACTED]",
        "password: ********",
        "a = b, c == d, e => f, g := h",
        "::::====>>>>----",
        r#"{"name":"password","type":"string","description":"the password","value_type":"text"}"#,
        r#"{"name":"colour","value":"red"}"#,
        "docker run -u 1000:1000 -U me image",
        "%7B%22colour%22%3A%22red%22%7D",
        r#"["--colour","red"]"#,
    ] {
        assert_eq!(redacted(text), text);
    }
}

#[test]
fn without_texts_only_quoted_names_are_fields() {
    let redaction = Redaction::default().in_texts(false);
    for (text, is_hidden) in [
        ("{'password': 'hunter2'}", true),
        ("password: hunter2", false),
        ("password=hunter2", false),
    ] {
        let left = redaction.redact("text", text);
        assert_eq!(!left.contains(S), is_hidden, "{text}");
    }
    let custom = Redaction::none().keys(["ssn"]).except(["my.ssn"]);
    assert_eq!(
        custom.redact("t", "{'a.ssn': 'x',}"),
        "{'a.ssn': '[REDACTED]',}"
    );
    assert_eq!(custom.redact("t", "{'my.ssn': 'x',}"), "{'my.ssn': 'x',}");
}
