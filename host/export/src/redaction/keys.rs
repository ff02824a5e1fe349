//! Recognizes keys that usually hold secrets.
//!
//! A key is split into words: `userPassword`, `USER_PASSWORD` and `user.password` consist
//! of the same two words. So `x-api-key` matches and `keyboard` does not, and
//! `input_tokens`, a count, is not a secret `token`.

use super::key_words::{
    ABOUT, GLUED, KEYS, NOT_PASS, NOT_PIN, PAIRS, PIECES_AFTER, PIECES_BEFORE, SECRETS, TOKENS,
};
use super::steps;

/// Returns `true` if the value of this key is usually a secret.
pub(super) fn is_sensitive(key: &str) -> bool {
    any_of_three(key, says_secret)
}

/// Returns `true` if the value of this URL parameter is a secret, although a key of this
/// name usually is not: the signature of a URL grants access.
pub(super) fn is_signature(parameter: &str) -> bool {
    any_of_three(parameter, |before, word, after| {
        let is_alone = before.as_str().is_empty() && after.as_str().is_empty();
        let is_about = after.is_in(ABOUT);
        (matches!(word.as_str(), "sig" | "signature" | "hmac") && !is_about)
            || (word.as_str() == "sign" && is_alone)
            || (before.as_str(), word.as_str(), after.as_str()) == ("key", "pair", "id")
    })
}

/// Returns `true` if `of` accepts a word together with its neighbours.
fn any_of_three(key: &str, of: impl Fn(&Word<'_>, &Word<'_>, &Word<'_>) -> bool) -> bool {
    steps::count(key.len());
    let none = || Word::new("");
    let mut words = words(key).map(Word::new);
    let (mut before, mut word) = (none(), words.next());
    while let Some(this) = word {
        let after = words.next();
        let is_last = after.is_none();
        let next = after.unwrap_or_else(none);
        if of(&before, &this, &next) {
            return true;
        }
        before = this;
        word = (!is_last).then_some(next);
    }
    false
}

fn says_secret(before: &Word<'_>, word: &Word<'_>, after: &Word<'_>) -> bool {
    let is_last = after.as_str().is_empty();
    let is_alone = is_last && before.as_str().is_empty();
    let secret = match word.as_str() {
        "token" => !before.is_in(PIECES_AFTER) && !after.is_in(PIECES_BEFORE),
        "tokens" => before.is_in(TOKENS),
        "key" | "keys" => before.is_in(KEYS),
        "pass" => is_last && !before.is_in(NOT_PASS),
        "pin" => is_last && !before.is_in(NOT_PIN),
        "auth" | "csrf" | "xsrf" => is_last,
        "refresh" => is_alone,
        _ => word.is_in(SECRETS) || word.ends_like_a_secret(),
    };
    let pair = || {
        PAIRS
            .binary_search(&(before.as_str(), word.as_str()))
            .is_ok()
    };
    (secret || pair()) && !after.is_in(ABOUT)
}

/// A word in lowercase. Words that are longer than every word of the tables are not
/// copied: of them, only the end is compared.
struct Word<'a> {
    text: &'a str,
    low: [u8; MAX_WORD],
}

const MAX_WORD: usize = 20;

impl<'a> Word<'a> {
    fn new(text: &'a str) -> Self {
        let mut low = [0; MAX_WORD];
        let tail = text.len().saturating_sub(MAX_WORD);
        for (low, byte) in low.iter_mut().zip(&text.as_bytes()[tail..]) {
            *low = byte.to_ascii_lowercase();
        }
        Self { text, low }
    }

    /// Returns the word in lowercase, or an empty text if it is too long.
    fn as_str(&self) -> &str {
        let low = self.low.get(..self.text.len());
        low.and_then(|low| std::str::from_utf8(low).ok())
            .unwrap_or_default()
    }

    /// Looks the word up in a sorted list.
    fn is_in(&self, list: &[&str]) -> bool {
        let word = self.as_str();
        !word.is_empty() && list.binary_search(&word).is_ok()
    }

    /// Returns `true` if the word ends in one of [`GLUED`].
    fn ends_like_a_secret(&self) -> bool {
        let word = &self.low[..self.text.len().min(MAX_WORD)];
        let [.., before, last] = word else {
            return false;
        };
        let letter = |byte: &u8| byte.is_ascii_lowercase().then(|| byte - b'a');
        let (Some(before), Some(last)) = (letter(before), letter(last)) else {
            return false;
        };
        // Few words end in the same two letters, so the list is rarely searched.
        ENDS[usize::from(last)] >> before & 1 == 1
            && GLUED.iter().any(|end| word.ends_with(end.as_bytes()))
    }
}

/// For each last letter of [`GLUED`], the set of the letters before it.
const ENDS: [u32; 26] = {
    let mut ends = [0; 26];
    let mut row = 0;
    while row < GLUED.len() {
        let word = GLUED[row].as_bytes();
        let last = word[word.len() - 1] - b'a';
        let before = word[word.len() - 2] - b'a';
        ends[last as usize] |= 1 << before;
        row += 1;
    }
    ends
};

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
            "DB_PASS",
            "db.pass",
            "smtp.pass",
            "pass",
            "passWord",
            "user.PassWord",
            "PASS_WORD",
            "passPhrase",
            "dsn",
            "SENTRY_DSN",
            "pin",
            "user.pin",
            "pinCode",
            "cvv",
            "cvv2",
            "otp",
            "creds",
            "x-auth-header",
            "secret_key",
            "SECRET_KEY_BASE",
            "app-secret",
            "appSecret",
            "connection_string",
            "CONN_STR",
            "sqlConnectionString",
            "DD-APPLICATION-KEY",
            "x-honeycomb-team",
            "MISTRAL_API_KEY",
            "CO_API_KEY",
            "openai_key",
            "together.key",
            "SharedAccessSignature",
            "AccountKey",
            "x-amz-signature",
            "stripe-webhook-secret",
            "csrf",
            "passwort",
            "contraseña",
            "密码",
            "seed_phrase",
            "mySuperLongPrefixWithoutAnyEndpassword",
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
            "pinned",
            "pin_count",
            "gpio.pin",
            "pinecone.index",
            "passenger",
            "passes",
            "pass_rate",
            "test.pass",
            "eval_pass",
            "passage",
            "compass",
            "bypass",
            "signature",
            "function.signature",
            "sign",
            "adsn",
            "otpauth",
            "key.pair",
            "team",
            "phrase",
            "country.code",
            "error.code",
            "http.response.status_code",
        ] {
            assert!(!is_sensitive(key), "{key}");
        }
    }

    #[test]
    fn is_signature_accepts_parameters_of_signed_urls() {
        for parameter in [
            "sig",
            "Signature",
            "X-Amz-Signature",
            "X-Goog-Signature",
            "Key-Pair-Id",
            "sign",
            "q-signature",
        ] {
            assert!(is_signature(parameter), "{parameter}");
        }
        for parameter in ["sign_in", "signature_version", "pair", "page", "design", ""] {
            assert!(!is_signature(parameter), "{parameter}");
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
