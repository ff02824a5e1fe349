//! The prefixes by which issuers mark their keys.
//!
//! The shapes were compared with the public rules of gitleaks
//! (<https://github.com/gitleaks/gitleaks/blob/master/config/gitleaks.toml>) and with the
//! documentation of the issuers. The minimum lengths are below the real ones, so that a key
//! that was cut is recognized too. Keys without a prefix (Cohere, Mistral, Datadog, AWS
//! secret access keys) are recognized by the name of their field.

use std::ops::Range;

use super::steps;

/// The characters after a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// Hexadecimal digits.
    Hex,
    /// Uppercase letters and digits.
    Upper,
    /// Letters and digits.
    Alnum,
    /// Letters, digits, `_`.
    Word,
    /// Letters, digits, `_`, `-`.
    Id,
    /// The same, with a digit, because words may follow the prefix: `sk-learn`.
    IdWithDigit,
    /// Letters, digits, `_`, `-`, `.`.
    Dotted,
    /// Letters, digits, `+`, `/`, `=`.
    Base64,
    /// The path of a URL, of which the prefix is not secret.
    Path,
}

use Body::{Alnum, Base64, Dotted, Hex, Id, IdWithDigit, Path, Upper, Word};

impl Body {
    fn has(self, byte: u8) -> bool {
        match self {
            Hex => byte.is_ascii_hexdigit(),
            Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Alnum => byte.is_ascii_alphanumeric(),
            Word => is_word(byte),
            Id | IdWithDigit => is_id(byte),
            Dotted => is_id(byte) || byte == b'.',
            Base64 => is_id(byte) || b"+/=".contains(&byte),
            Path => is_id(byte) || b"/.:%~".contains(&byte),
        }
    }
}

/// The issuer, the prefix, the characters after it and their minimum number. A row comes
/// before the rows whose prefix is shorter.
const SHAPES: &[(&str, &str, Body, usize)] = &[
    // Models.
    ("Anthropic", "sk-ant-", Id, 12),
    ("OpenAI project", "sk-proj-", Id, 12),
    ("OpenAI service account", "sk-svcacct-", Id, 12),
    ("OpenAI administrator", "sk-admin-", Id, 12),
    ("OpenRouter", "sk-or-", IdWithDigit, 12),
    ("Langfuse secret", "sk-lf-", Id, 12),
    ("Langfuse public", "pk-lf-", Id, 12),
    ("OpenAI, DeepSeek, Braintrust", "sk-", IdWithDigit, 16),
    ("Google API", "AIza", Id, 30),
    ("Google Gemini", "AQ.", IdWithDigit, 20),
    ("Google OAuth access", "ya29.", Dotted, 20),
    ("Google OAuth client", "GOCSPX-", Id, 16),
    ("Groq", "gsk_", Alnum, 20),
    ("xAI", "xai-", Id, 20),
    ("Hugging Face", "hf_", Alnum, 20),
    ("Hugging Face organization", "api_org_", Alnum, 20),
    ("Replicate", "r8_", Alnum, 20),
    ("Perplexity", "pplx-", Id, 20),
    ("NVIDIA", "nvapi-", Id, 20),
    ("Fireworks", "fw_", Alnum, 16),
    ("Together", "tgp_v1_", Id, 16),
    ("Cerebras", "csk-", Alnum, 20),
    ("Anyscale", "esecret_", Alnum, 16),
    ("Voyage", "pa-", IdWithDigit, 36),
    ("Jina", "jina_", Alnum, 20),
    ("LlamaCloud", "llx-", Alnum, 20),
    ("ElevenLabs", "sk_", Hex, 32),
    ("AWS Bedrock", "ABSK", Base64, 40),
    ("AWS Bedrock session", "bedrock-api-key-", Base64, 20),
    // Tools, stores and backends for AI.
    ("LangSmith", "lsv2_", Word, 20),
    ("LangSmith", "ls__", Alnum, 20),
    ("Pinecone", "pcsk_", Word, 20),
    ("Tavily", "tvly-", IdWithDigit, 12),
    ("Firecrawl", "fc-", Hex, 32),
    ("E2B", "e2b_", Hex, 32),
    ("Apify", "apify_api_", Alnum, 20),
    ("Mem0", "m0-", Alnum, 36),
    ("Weights & Biases", "wandb_v1_", Word, 20),
    ("Honeycomb", "hcaik_", Alnum, 20),
    ("Honeycomb", "hcxik_", Alnum, 20),
    ("Grafana service account", "glsa_", Word, 20),
    ("Grafana Cloud", "glc_", Base64, 20),
    ("New Relic user", "NRAK-", Alnum, 20),
    ("New Relic ingest", "NRII-", Id, 20),
    ("Dynatrace", "dt0c01.", Dotted, 20),
    ("Sentry", "sntrys_", Base64, 20),
    ("Sentry user", "sntryu_", Hex, 32),
    ("Databricks", "dapi", Hex, 32),
    // Source code and packages.
    ("GitHub", "github_pat_", Word, 20),
    ("GitHub", "ghp_", Word, 20),
    ("GitHub", "gho_", Word, 20),
    ("GitHub", "ghu_", Word, 20),
    ("GitHub", "ghs_", Word, 20),
    ("GitHub", "ghr_", Word, 20),
    ("GitLab", "glpat-", Dotted, 16),
    ("GitLab deployment", "gldt-", Id, 16),
    ("GitLab runner", "glrt-", Dotted, 16),
    ("GitLab job", "glcbt-", Id, 16),
    ("GitLab trigger", "glptt-", Id, 16),
    ("GitLab application", "gloas-", Id, 16),
    ("npm", "npm_", Alnum, 20),
    ("PyPI", "pypi-", Id, 20),
    ("RubyGems", "rubygems_", Alnum, 20),
    ("Docker", "dckr_pat_", Id, 20),
    ("Docker organization", "dckr_oat_", Id, 20),
    ("Artifactory", "AKCp", Alnum, 40),
    // Clouds and hosts.
    ("AWS", "AKIA", Upper, 16),
    ("AWS session", "ASIA", Upper, 16),
    ("AWS bearer", "ABIA", Upper, 16),
    ("AWS context", "ACCA", Upper, 16),
    ("Alibaba", "LTAI", Alnum, 16),
    ("DigitalOcean", "dop_v1_", Hex, 32),
    ("DigitalOcean OAuth", "doo_v1_", Hex, 32),
    ("Heroku", "HRKU-", Id, 20),
    ("Supabase", "sbp_", Alnum, 20),
    ("Supabase", "sb_secret_", Id, 16),
    ("Vercel AI gateway", "vck_", Alnum, 20),
    ("Vercel", "vcp_", Alnum, 20),
    ("Netlify", "nfp_", Alnum, 20),
    ("Doppler", "dp.pt.", Alnum, 20),
    ("HashiCorp Vault", "hvs.", Id, 20),
    ("HashiCorp Vault batch", "hvb.", Id, 20),
    ("PlanetScale", "pscale_tkn_", Dotted, 20),
    ("PlanetScale password", "pscale_pw_", Dotted, 20),
    ("Pulumi", "pul-", Hex, 32),
    ("1Password", "ops_eyJ", Base64, 20),
    ("age", "AGE-SECRET-KEY-1", Upper, 20),
    // Messages, payment and products.
    ("Slack", "xoxb-", Id, 10),
    ("Slack", "xoxp-", Id, 10),
    ("Slack", "xoxa-", Id, 10),
    ("Slack", "xoxs-", Id, 10),
    ("Slack", "xoxr-", Id, 10),
    ("Slack", "xoxc-", Id, 10),
    ("Slack", "xoxd-", Base64, 10),
    ("Slack", "xoxe-", Id, 10),
    ("Slack", "xoxe.", Dotted, 10),
    ("Slack", "xapp-", Id, 10),
    ("Slack webhook", "hooks.slack.com/services/", Path, 8),
    ("Slack webhook", "hooks.slack.com/workflows/", Path, 8),
    ("Discord webhook", "discord.com/api/webhooks/", Path, 8),
    ("Discord webhook", "discordapp.com/api/webhooks/", Path, 8),
    ("Telegram", "api.telegram.org/bot", Path, 8),
    ("Stripe", "sk_live_", Word, 10),
    ("Stripe", "sk_test_", Word, 10),
    ("Stripe restricted", "rk_live_", Word, 10),
    ("Stripe restricted", "rk_test_", Word, 10),
    ("Stripe webhook", "whsec_", Base64, 16),
    ("Square", "sq0atp-", Id, 16),
    ("Square", "sq0csp-", Id, 16),
    ("Shopify", "shpat_", Hex, 32),
    ("Shopify", "shpss_", Hex, 32),
    ("SendGrid", "SG.", Dotted, 30),
    ("Brevo", "xkeysib-", Id, 20),
    ("Mailgun", "key-", Hex, 32),
    ("Twilio", "SK", Hex, 32),
    ("Postman", "PMAK-", Id, 20),
    ("Linear", "lin_api_", Alnum, 20),
    ("Notion", "ntn_", Alnum, 20),
    ("Notion", "secret_", Alnum, 40),
    ("Atlassian", "ATATT3", Base64, 20),
    ("Airtable", "pat", Dotted, 70),
    ("Figma", "figd_", Id, 20),
    ("Typeform", "tfp_", Dotted, 20),
    ("Contentful", "CFPAT-", Id, 20),
];

/// For each first byte of a prefix, the set of the second bytes. Few words of a text begin
/// with two such bytes, so the rows are rarely searched.
const BEGINNINGS: [u128; 128] = {
    let mut beginnings = [0; 128];
    let mut row = 0;
    while row < SHAPES.len() {
        let prefix = SHAPES[row].1.as_bytes();
        beginnings[prefix[0] as usize] |= 1 << prefix[1];
        row += 1;
    }
    beginnings
};

/// For each first byte, the first row of [`SHAPES`] and the row after the last one.
const ROWS: [(usize, usize); 128] = {
    let mut rows = [(0, 0); 128];
    let mut row = 0;
    while row < SHAPES.len() {
        let first = SHAPES[row].1.as_bytes()[0] as usize;
        if rows[first].1 == 0 {
            rows[first].0 = row;
        }
        rows[first].1 = row + 1;
        row += 1;
    }
    rows
};

/// The number of bytes in which a digit is searched, so that a key that does not match
/// costs the same for any text after it.
const DIGIT_WITHIN: usize = 64;

/// Returns `true` if a prefix begins with these bytes.
pub(super) fn may_begin(first: u8, second: u8) -> bool {
    let seconds = BEGINNINGS.get(usize::from(first)).copied().unwrap_or(0);
    second.is_ascii() && seconds >> second & 1 == 1
}

/// Returns the range of a key that begins with the first byte.
pub(super) fn issued(bytes: &[u8]) -> Option<Range<usize>> {
    let [first, second, ..] = *bytes else {
        return None;
    };
    if !may_begin(first, second) {
        return None;
    }
    let (from, to) = ROWS[usize::from(first)];
    let begins = |prefix: &str| bytes.starts_with(prefix.as_bytes());
    let mut shapes = SHAPES[from..to]
        .iter()
        .filter(|(_, prefix, ..)| begins(prefix));
    shapes.find_map(|(_, prefix, body, least)| {
        let rest = &bytes[prefix.len()..];
        matches(rest, *body, *least).then(|| {
            let end = prefix.len() + run(rest, |byte| is_id(byte) || body.has(byte));
            let start = if *body == Path { prefix.len() } else { 0 };
            start..end
        })
    })
}

fn matches(rest: &[u8], body: Body, least: usize) -> bool {
    let Some(first) = rest.get(..least) else {
        return false;
    };
    let near = &rest[..rest.len().min(DIGIT_WITHIN)];
    steps::count(least + near.len());
    first.iter().all(|byte| body.has(*byte))
        && (body != IdWithDigit || near[..run(near, is_id)].iter().any(u8::is_ascii_digit))
}

/// Returns the number of leading bytes that satisfy `of`.
pub(super) fn run(bytes: &[u8], of: impl Fn(u8) -> bool) -> usize {
    let end = bytes.iter().position(|byte| !of(*byte));
    let end = end.unwrap_or(bytes.len());
    steps::count(end + 1);
    end
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

pub(super) fn is_id(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a made-up key for each shape. It is assembled here, so that no text of the
    /// repository looks like a key.
    pub(crate) fn examples() -> Vec<(&'static str, &'static str, String)> {
        let example =
            |(issuer, prefix, body, least): &(&'static str, &'static str, Body, usize)| {
                let letters = match body {
                    Hex => "0a1b2c3d4e5f",
                    Upper => "Q7W2E5R4T6",
                    _ => "q7W2e5Rt4Z",
                };
                let tail: String = letters.chars().cycle().take(*least).collect();
                (*issuer, *prefix, tail)
            };
        SHAPES.iter().map(example).collect()
    }

    #[test]
    fn every_shape_is_recognized_and_shorter_text_is_not() {
        for (issuer, prefix, tail) in examples() {
            let key = format!("{prefix}{tail}");
            let found = issued(key.as_bytes());
            assert_eq!(found.map(|found| found.end), Some(key.len()), "{issuer}");
            let other = format!("{prefix} {tail}");
            assert_eq!(issued(other.as_bytes()), None, "{issuer}");
        }
    }

    #[test]
    fn more_specific_shapes_come_first() {
        for (place, (_, prefix, ..)) in SHAPES.iter().enumerate() {
            let later = &SHAPES[place + 1..];
            let hidden = later
                .iter()
                .find(|(_, other, ..)| other.starts_with(prefix));
            let only_stricter = matches!(*prefix, "sk-" | "sk_" | "pat");
            assert!(
                hidden.is_none() || only_stricter,
                "{prefix} before {hidden:?}"
            );
        }
    }
}
