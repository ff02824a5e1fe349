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
pub(crate) fn is_sensitive(key: &str) -> bool {
    any_of_three(key, says_secret)
}

/// Returns `true` if the value of this URL parameter is a secret, although a key of this
/// name usually is not: the signature of a URL grants access.
pub(super) fn is_signature(parameter: &str) -> bool {
    any_of_three(parameter, |before, word, after| match word.bytes() {
        b"sig" | b"signature" | b"hmac" => !after.is_in(ABOUT),
        b"sign" => before.is_empty() && after.is_empty(),
        b"pair" => before.bytes() == b"key" && after.bytes() == b"id",
        _ => false,
    })
}

/// Returns `true` if `of` accepts a word together with its neighbours.
fn any_of_three(key: &str, of: impl Fn(&Word, &Word, &Word) -> bool) -> bool {
    steps::count(key.len());
    let mut words = words(key).map(Word::new);
    let Some(mut word) = words.next() else {
        return false;
    };
    let mut before = Word::default();
    loop {
        let after = words.next().unwrap_or_default();
        if of(&before, &word, &after) {
            return true;
        }
        if after.is_empty() {
            return false;
        }
        before = word;
        word = after;
    }
}

fn says_secret(before: &Word, word: &Word, after: &Word) -> bool {
    let secret = match word.bytes() {
        b"token" => !before.is_in(PIECES_AFTER) && !after.is_in(PIECES_BEFORE),
        b"tokens" => before.is_in(TOKENS),
        b"key" | b"keys" => before.is_in(KEYS),
        b"pass" => after.is_empty() && !before.is_in(NOT_PASS),
        b"pin" => after.is_empty() && !before.is_in(NOT_PIN),
        b"auth" | b"csrf" | b"xsrf" => after.is_empty(),
        b"refresh" => before.is_empty() && after.is_empty(),
        _ => (word.may_be_in(&SECRET_LETTERS) && word.is_in(SECRETS)) || word.ends_like_a_secret(),
    };
    (secret || is_pair(before, word)) && !after.is_in(ABOUT)
}

fn is_pair(before: &Word, word: &Word) -> bool {
    let pair = (before.bytes(), word.bytes());
    let compare = |(first, second): &(&str, &str)| (first.as_bytes(), second.as_bytes()).cmp(&pair);
    word.may_be_in(&PAIR_LETTERS) && PAIRS.binary_search_by(compare).is_ok()
}

/// The longest word of the tables.
const MAX_WORD: usize = 20;

/// A word in lowercase, or the end of a longer one.
#[derive(Clone, Copy, Default)]
struct Word {
    low: [u8; MAX_WORD],
    length: usize,
}

impl Word {
    fn new(text: &str) -> Self {
        let mut low = [0; MAX_WORD];
        let tail = &text.as_bytes()[text.len().saturating_sub(MAX_WORD)..];
        low[..tail.len()].copy_from_slice(tail);
        low.make_ascii_lowercase();
        Self {
            low,
            length: text.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Returns the word, or nothing if it is longer than those of the tables.
    fn bytes(&self) -> &[u8] {
        self.low.get(..self.length).unwrap_or_default()
    }

    /// Looks the word up in a sorted list.
    fn is_in(&self, list: &[&str]) -> bool {
        let word = self.bytes();
        !word.is_empty()
            && list
                .binary_search_by(|other| other.as_bytes().cmp(word))
                .is_ok()
    }

    /// Returns `false` if no word of a list has the first and the last letter of this one.
    fn may_be_in(&self, letters: &[u32; 26]) -> bool {
        match self.bytes() {
            [first, .., last] if first.is_ascii_lowercase() && last.is_ascii_lowercase() => {
                letters[usize::from(first - b'a')] >> (last - b'a') & 1 == 1
            }
            [] => false,
            _ => true,
        }
    }

    /// Returns `true` if the word ends in one of [`GLUED`].
    fn ends_like_a_secret(&self) -> bool {
        let word = &self.low[..self.length.min(MAX_WORD)];
        let [.., before, last] = word else {
            return false;
        };
        before.is_ascii_lowercase()
            && last.is_ascii_lowercase()
            && ENDS[usize::from(last - b'a')] >> (before - b'a') & 1 == 1
            && GLUED.iter().any(|end| word.ends_with(end.as_bytes()))
    }
}

// Most words are excluded by two of their letters, without searching a list.

/// For each last letter of [`GLUED`], the set of the letters before it.
const ENDS: [u32; 26] = {
    let mut ends = [0; 26];
    let mut row = 0;
    while row < GLUED.len() {
        let word = GLUED[row].as_bytes();
        let last = word[word.len() - 1] - b'a';
        ends[last as usize] |= 1 << (word[word.len() - 2] - b'a');
        row += 1;
    }
    ends
};

/// For each first letter of [`SECRETS`], the set of the last letters.
const SECRET_LETTERS: [u32; 26] = {
    let mut letters = [0; 26];
    let mut row = 0;
    while row < SECRETS.len() {
        letters = with_letters(letters, SECRETS[row]);
        row += 1;
    }
    letters
};

/// The same for the second words of [`PAIRS`].
const PAIR_LETTERS: [u32; 26] = {
    let mut letters = [0; 26];
    let mut row = 0;
    while row < PAIRS.len() {
        letters = with_letters(letters, PAIRS[row].1);
        row += 1;
    }
    letters
};

const fn with_letters(mut letters: [u32; 26], word: &str) -> [u32; 26] {
    let word = word.as_bytes();
    let (first, last) = (word[0], word[word.len() - 1]);
    // Words of other alphabets are always searched.
    if first.is_ascii_lowercase() && last.is_ascii_lowercase() {
        letters[(first - b'a') as usize] |= 1 << (last - b'a');
    }
    letters
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
