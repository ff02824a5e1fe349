// The reference selector in AssemblyScript. The key `op` selects its operation. See ../README.md.

import { Context, Decision, Kind } from "./spanmux";

export function decide(context: Context, tracers: string[]): Decision {
  const op = context.text("op");
  if (!op) return byEnvironment(context);
  if (op == "choose") return Decision.choose(text(context, "name"));
  if (op == "fail") return Decision.fail(text(context, "message"));
  if (op == "last") return tracers.length ? Decision.choose(tracers[tracers.length - 1]) : Decision.abstain();
  if (op == "tracers") return Decision.fail(tracers.join("\n"));
  if (op == "get") return Decision.fail(rendered(context, text(context, "key")));
  if (op == "has") return yes(context.has(text(context, "key")));
  if (op == "keys") return Decision.fail(context.keys().join("\n"));
  if (op == "bucket") return bucket(context);
  if (op == "same") return yes(text(context, "left") == text(context, "right"));
  if (op == "world") return Decision.fail("none");
  if (op == "mistake" || op == "trap") unreachable();
  return Decision.abstain();
}

function byEnvironment(context: Context): Decision {
  const environment = context.text("environment");
  if (environment == "production") return Decision.choose("langfuse");
  if (environment == "development") return Decision.choose("console");
  return Decision.abstain();
}

function text(context: Context, key: string): string {
  const text = context.text(key);
  return text ? text : "";
}

function yes(condition: bool): Decision {
  return Decision.fail(condition ? "yes" : "no");
}

function bucket(context: Context): Decision {
  const buckets = <u32>context.integer("buckets", 0);
  const share = context.bucket(text(context, "key"), text(context, "salt"), buckets);
  return Decision.fail(share < 0 ? "absent" : share.toString());
}

function rendered(context: Context, key: string): string {
  const value = context.get(key);
  if (!value) return "absent";
  switch (value.kind) {
    case Kind.Null:
      return "null";
    case Kind.Boolean:
      return "boolean " + (value.boolean ? "true" : "false");
    case Kind.Integer:
      return "integer " + value.integer.toString();
    case Kind.Float:
      return "float " + bits(value.float);
    case Kind.Text:
      return "text " + value.text;
    default:
      return "json " + value.text;
  }
}

function bits(float: f64): string {
  const digits = reinterpret<u64>(float).toString(16);
  return "0".repeat(16 - digits.length) + digits;
}
