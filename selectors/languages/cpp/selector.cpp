// The reference selector in C++. The key `op` selects its operation. See ../README.md.

#include "spanmux.hpp"

#include <cstdlib>
#include <bit>
#include <string>

using namespace spanmux;
using namespace std::string_literals;

namespace {

std::string_view text(Context context, std::string_view key) { return context.text(key).value_or(""); }

std::string lines(Tracers names) {
  std::string lines;
  for (std::size_t i = 0; i < names.size(); i++) (lines += i ? "\n" : "") += names[i];
  return lines;
}

std::string bits(double number) {
  auto bits = std::bit_cast<std::uint64_t>(number);
  std::string digits;
  for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[bits >> shift & 15];
  return digits;
}

struct Rendered {
  std::string operator()(std::nullptr_t) { return "null"; }
  std::string operator()(bool value) { return "boolean "s + (value ? "true" : "false"); }
  std::string operator()(std::int64_t value) { return "integer " + std::to_string(value); }
  std::string operator()(double value) { return "float " + bits(value); }
  std::string operator()(std::string_view value) { return "text " + std::string(value); }
  std::string operator()(Json value) { return "json " + std::string(value.text); }
};

Decision get(Context context) {
  auto value = context.get(text(context, "key"));
  return fail(value ? std::visit(Rendered(), *value) : "absent");
}

Decision bucket(Context context) {
  auto buckets = static_cast<std::uint32_t>(context.integer("buckets").value_or(0));
  auto share = context.bucket(text(context, "key"), text(context, "salt"), buckets);
  return fail(share ? std::to_string(*share) : "absent");
}

Decision by_environment(Context context) {
  auto environment = context.text("environment");
  if (environment == "production") return choose("langfuse");
  if (environment == "development") return choose("console");
  return abstain();
}

Decision yes(bool condition) { return fail(condition ? "yes" : "no"); }

Decision select(Context context, Tracers tracers) {
  auto op = context.text("op");
  if (!op) return by_environment(context);
  if (op == "choose") return choose(text(context, "name"));
  if (op == "fail") return fail(text(context, "message"));
  if (op == "last") return tracers.size() ? choose(tracers[tracers.size() - 1]) : abstain();
  if (op == "tracers") return fail(lines(tracers));
  if (op == "get") return get(context);
  if (op == "has") return yes(context.has(text(context, "key")));
  if (op == "keys") return fail(lines(context.keys()));
  if (op == "bucket") return bucket(context);
  if (op == "same") return yes(text(context, "left") == text(context, "right"));
  if (op == "world") return fail("none");
  if (op == "mistake" || op == "trap") std::abort();
  if (op == "dangling") return spanmux_choose_string({reinterpret_cast<const char *>(0x7ffffff0), 8});
  return abstain();
}

}  // namespace

SPANMUX_EXPORT(select)
