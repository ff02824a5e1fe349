//! Recognizes keys that usually hold secrets.
//!
//! A key is split into words: `userPassword`, `USER_PASSWORD` and `user.password` consist
//! of the same two words. So `x-api-key` matches and `keyboard` does not, and
//! `input_tokens`, a count, is not a secret `token`.

/// Words that mark a secret on their own.
const SECRETS: &[&str] = &[
    "apikey",
    "apikeys",
    "authorisation",
    "authorization",
    "bearer",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "pwd",
    "secret",
    "secrets",
    "ssn",
];

/// Compound words written without a separator.
const GLUED: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "authkey",
    "authtoken",
    "bearertoken",
    "clientsecret",
    "idtoken",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "refreshtoken",
    "secretkey",
    "sessionkey",
    "sessiontoken",
    "setcookie",
];

/// Words before `key` that make it a secret.
const KEYS: &[&str] = &[
    "access",
    "account",
    "api",
    "auth",
    "encryption",
    "master",
    "private",
    "session",
    "shared",
    "signing",
    "ssh",
    "subscription",
];

/// Words before `tokens` that make them secrets.
const TOKENS: &[&str] = &[
    "access", "api", "auth", "bearer", "id", "refresh", "session",
];

/// After these words, `token` means a piece of text.
const PIECES_AFTER: &[&str] = &[
    "bos",
    "cached",
    "completion",
    "eos",
    "first",
    "input",
    "last",
    "max",
    "min",
    "n",
    "new",
    "next",
    "num",
    "output",
    "pad",
    "per",
    "prompt",
    "reasoning",
    "special",
    "stop",
    "thinking",
    "total",
    "unk",
];

/// Before these words, `token` means a piece of text or its number.
const PIECES_BEFORE: &[&str] = &[
    "cost", "details", "id", "ids", "index", "logprob", "logprobs", "position", "price", "time",
    "times",
];

/// Words after a secret that make it metadata.
const ABOUT: &[&str] = &[
    "age",
    "alg",
    "algorithm",
    "arn",
    "budget",
    "count",
    "counts",
    "enabled",
    "endpoint",
    "expiration",
    "expired",
    "expires",
    "expiry",
    "len",
    "length",
    "lifetime",
    "limit",
    "limits",
    "manager",
    "name",
    "policy",
    "present",
    "provider",
    "rate",
    "ratio",
    "required",
    "rotation",
    "size",
    "status",
    "ttl",
    "type",
    "types",
    "uri",
    "url",
    "usage",
    "valid",
    "version",
];

/// Returns `true` if the value of this key is usually a secret.
pub(super) fn is_sensitive(key: &str) -> bool {
    let mut before = "";
    let mut words = words(key).peekable();
    while let Some(word) = words.next() {
        let after = words.peek().copied().unwrap_or_default();
        if says_secret(before, word, after) {
            return true;
        }
        before = word;
    }
    false
}

fn says_secret(before: &str, word: &str, after: &str) -> bool {
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    let secret = is_in(word, SECRETS)
        || GLUED.iter().any(|glued| ends_with(word, glued))
        || is("token") && !is_in(before, PIECES_AFTER) && !is_in(after, PIECES_BEFORE)
        || is("tokens") && is_in(before, TOKENS)
        || (is("key") || is("keys")) && is_in(before, KEYS)
        || is("string") && before.eq_ignore_ascii_case("connection")
        || is("auth") && after.is_empty()
        || is("refresh") && before.is_empty() && after.is_empty();
    secret && !is_in(after, ABOUT)
}

fn is_in(word: &str, list: &[&str]) -> bool {
    list.iter().any(|other| word.eq_ignore_ascii_case(other))
}

fn ends_with(word: &str, end: &str) -> bool {
    let start = word.len().checked_sub(end.len());
    let tail = start.and_then(|start| word.get(start..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// The words of a custom key, which must be consecutive in a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Returns `None` if the key contains no word.
    pub(super) fn new(key: &str) -> Option<Self> {
        let words: Vec<String> = words(key).map(str::to_owned).collect();
        (!words.is_empty()).then_some(Self(words))
    }

    pub(super) fn are_in(&self, key: &str) -> bool {
        let mut rest = words(key);
        loop {
            let mut here = rest.clone();
            let same = |own: &String| here.next().is_some_and(|it| it.eq_ignore_ascii_case(own));
            if self.0.iter().all(same) {
                return true;
            }
            if rest.next().is_none() {
                return false;
            }
        }
    }
}

/// Splits a key into words: at characters that are neither letters nor digits, between
/// letters and digits, and before an uppercase letter that follows or precedes a lowercase
/// letter.
fn words(key: &str) -> impl Iterator<Item = &str> + Clone {
    let mut rest = key;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
        let end = word_end(rest);
        let (word, others) = rest.split_at_checked(end)?;
        rest = others;
        (!word.is_empty()).then_some(word)
    })
}

fn word_end(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let mut before: Option<char> = None;
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|(_, after)| *after);
        if !c.is_alphanumeric() || before.is_some_and(|before| divides(before, c, after)) {
            return at;
        }
        before = Some(c);
    }
    text.len()
}

fn divides(before: char, c: char, after: Option<char>) -> bool {
    let begins_small = after.is_some_and(char::is_lowercase);
    before.is_numeric() != c.is_numeric()
        || (c.is_uppercase() && (before.is_lowercase() || begins_small))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sensitive_accepts_keys_of_secrets() {
        for key in [
            "password",
            "Password",
            "userPassword",
            "USER_PASSWORD",
            "user.password.hash",
            "password2",
            "mypassword",
            "db-passwd",
            "pwd",
            "passphrase",
            "token",
            "access_token",
            "accessToken",
            "accesstoken",
            "refresh-token",
            "refresh_tokens",
            "csrfToken",
            "X-Amz-Security-Token",
            "secret",
            "client_secret",
            "clientSecret",
            "clientsecret",
            "aws.secret_access_key",
            "vault.secret_id",
            "authorization",
            "http.request.header.authorization",
            "Proxy-Authorization",
            "authorization_code",
            "API-Key",
            "api_key",
            "apiKey",
            "APIKey",
            "APIKEY",
            "apikey",
            "x-api-key",
            "openai.api.key",
            "xGoogApiKey",
            "Ocp-Apim-Subscription-Key",
            "private_key",
            "privateKey",
            "sshKey",
            "signing.key",
            "bearer",
            "jwt",
            "user.jwt",
            "credential",
            "credentials",
            "awsCredentials",
            "cookie",
            "set-cookie",
            "http.response.header.set-cookie",
            "session_cookie",
            "connectionString",
            "auth",
            "user.auth",
            "basic_auth",
            "refresh",
            "ssn",
        ] {
            assert!(is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn is_sensitive_rejects_similar_keys() {
        for key in [
            "",
            ".",
            "key",
            "keyboard",
            "cache.key",
            "primary_key",
            "foreignKey",
            "monkey",
            "input_tokens",
            "max_tokens",
            "maxTokens",
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.request.max_tokens",
            "llm.token_count.prompt",
            "llm.token_count.completion_details.reasoning",
            "tokenCount",
            "token_type",
            "token_usage",
            "token_ids",
            "token_expires_at",
            "tokens",
            "total_tokens",
            "time_to_first_token",
            "time_per_output_token",
            "eos_token",
            "stop_token",
            "tokenizer",
            "tokenization",
            "detokenize",
            "secretary",
            "secret_version",
            "secret_name",
            "aws.secretsmanager.region",
            "password_policy",
            "passwordless",
            "password_length",
            "author",
            "authorized",
            "authority",
            "auth.method",
            "authorization_endpoint",
            "cookie_count",
            "credential_type",
            "encompass",
            "refresh_rate",
            "cache.refresh",
            "session.id",
            "user.id",
            "gen_ai.conversation.id",
            "http.request.header.accept",
            "connection.state",
            "string",
            "service.name",
        ] {
            assert!(!is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn words_splits_a_key() {
        for (key, expected) in [
            ("", &[][..]),
            ("--", &[]),
            ("userPassword", &["user", "Password"]),
            ("APIKey", &["API", "Key"]),
            ("x-api-key", &["x", "api", "key"]),
            ("HTTPServer2Go", &["HTTP", "Server", "2", "Go"]),
            ("größeÄnderung", &["größe", "Änderung"]),
            ("密码_token", &["密码", "token"]),
        ] {
            assert_eq!(words(key).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn custom_words_must_be_consecutive() {
        let card = Words::new("card_number").unwrap();
        for key in ["cardNumber", "user.card-number", "CARD_NUMBER_2"] {
            assert!(card.are_in(key), "{key}");
        }
        for key in ["card", "number", "card.a.number", "discard_number", ""] {
            assert!(!card.are_in(key), "{key}");
        }
        assert_eq!(Words::new("..."), None);
    }
}
