//! The reference selector in Rust. The key `op` selects its operation. See ../README.md.

use spanmux_guest::{Decision, RuntimeContext, Value, abstain, choose, fail};

// The values of the conformance suite are larger than those of ordinary contexts.
spanmux_guest::export!(select, arena: 512 * 1024);

fn select(context: &dyn RuntimeContext, tracers: &[String]) -> Decision {
    let Some(op) = context.text("op") else {
        return by_environment(context);
    };
    let text = |key| context.text(key).unwrap_or_default();
    let key = &text("key");
    match &*op {
        "choose" => choose(text("name")),
        "fail" => fail(text("message")),
        "last" => tracers.last().map_or_else(abstain, choose),
        "tracers" => fail(tracers.join("\n")),
        "get" => fail(rendered(context.get(key))),
        "has" => yes(context.has(key)),
        "keys" => fail(context.keys().join("\n")),
        "bucket" => bucket(context, key, &text("salt")),
        "same" => yes(text("left") == text("right")),
        "world" => fail(world()),
        "mistake" => panic!("a mistake"),
        "trap" => std::process::abort(),
        _ => abstain(),
    }
}

fn by_environment(context: &dyn RuntimeContext) -> Decision {
    match context.text("environment").as_deref() {
        Some("production") => choose("langfuse"),
        Some("development") => choose("console"),
        _ => abstain(),
    }
}

fn yes(yes: bool) -> Decision {
    fail(if yes { "yes" } else { "no" })
}

fn rendered(value: Option<Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Boolean(boolean)) => format!("boolean {boolean}"),
        Some(Value::Integer(integer)) => format!("integer {integer}"),
        Some(Value::Float(float)) => format!("float {:016x}", float.to_bits()),
        Some(Value::Text(text)) => format!("text {text}"),
        Some(Value::Json(json)) => format!("json {json}"),
    }
}

fn bucket(context: &dyn RuntimeContext, key: &str, salt: &str) -> Decision {
    let buckets = context.integer("buckets").unwrap_or_default();
    let buckets = u32::try_from(buckets).unwrap_or_default();
    let share = context.bucket(key, salt, buckets);
    fail(share.map_or("absent".to_owned(), |share| share.to_string()))
}

/// Reports the clock, random numbers and environment of the program. Without WASI, there are none.
#[cfg(not(target_os = "wasi"))]
fn world() -> String {
    "none".to_owned()
}

#[cfg(target_os = "wasi")]
fn world() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    use std::time::SystemTime;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    println!("looking at the world");
    format!(
        "{now:?} {} {} {}",
        RandomState::new().hash_one(()),
        std::env::vars().count(),
        std::env::args().count()
    )
}
