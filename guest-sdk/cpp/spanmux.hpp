// Write a Spanmux selector in C++: one function. A C++20 wrapper of the kit for C.
//
//     #include "spanmux.hpp"
//
//     spanmux::Decision select(spanmux::Context context, spanmux::Tracers tracers) {
//       if (context.text("environment") == "production") return spanmux::choose("langfuse");
//       return spanmux::abstain();
//     }
//     SPANMUX_EXPORT(select)
//
// Compile it together with spanmux.c. Strings returned by a context are valid until the
// decision is made. Strings passed to a context or a decision are copied.

#pragma once

#include "spanmux.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <variant>

namespace spanmux {

using Decision = spanmux_decision;

// Copies text to a zero-terminated C string that is valid until the decision is made.
inline spanmux_string kept(std::string_view text) {
  auto *bytes = static_cast<char *>(spanmux_allocate(text.size() + 1));
  std::memcpy(bytes, text.data(), text.size());
  bytes[text.size()] = 0;
  return {bytes, text.size()};
}
inline std::string_view view(spanmux_string text) { return {text.bytes, text.length}; }

// Sends the trace to the tracer with this name, or to the fallback tracer if it does not exist.
inline Decision choose(std::string_view tracer) { return spanmux_choose_string(kept(tracer)); }
// Leaves the decision to the next selector. If all selectors abstain, the trace goes to the
// default tracer.
inline Decision abstain() { return spanmux_abstain(); }
// Sends the trace to the fallback tracer and records the reason.
inline Decision fail(std::string_view reason) { return spanmux_fail_string(kept(reason)); }

// An array, an object, or an integer beyond 2^53 - 1, as canonical JSON text.
struct Json {
  std::string_view text;
};

using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view, Json>;

// A list of names: the available tracers, or the keys of a context.
class Tracers {
 public:
  explicit Tracers(spanmux_tracers names) : names_(names) {}
  std::size_t size() const { return names_.count; }
  std::string_view operator[](std::size_t index) const { return view(names_.names[index]); }
  bool contains(std::string_view name) const {
    for (std::size_t i = 0; i < size(); i++)
      if ((*this)[i] == name) return true;
    return false;
  }

 private:
  spanmux_tracers names_;
};

// The runtime context: key/value data about the run to be traced.
class Context {
 public:
  explicit Context(const spanmux_context *context) : context_(context) {}

  // Returns the value of a key, or nullopt if the key does not exist.
  std::optional<Value> get(std::string_view key) const {
    spanmux_value value;
    if (!spanmux_get(context_, kept(key).bytes, &value)) return std::nullopt;
    switch (value.kind) {
      case SPANMUX_BOOLEAN: return value.as.boolean;
      case SPANMUX_INTEGER: return value.as.integer;
      case SPANMUX_FLOAT: return value.as.number;
      case SPANMUX_TEXT: return view(value.as.text);
      case SPANMUX_JSON: return Json{view(value.as.text)};
      default: return nullptr;
    }
  }

  // Typed getters. They return nullopt if the key does not exist or its value has another type.
  // number() also accepts an integer.
  std::optional<std::string_view> text(std::string_view key) const { return typed<std::string_view>(key); }
  std::optional<bool> boolean(std::string_view key) const { return typed<bool>(key); }
  std::optional<std::int64_t> integer(std::string_view key) const { return typed<std::int64_t>(key); }
  std::optional<Json> json(std::string_view key) const { return typed<Json>(key); }
  std::optional<double> number(std::string_view key) const {
    if (auto whole = integer(key)) return static_cast<double>(*whole);
    return typed<double>(key);
  }

  // Returns true if the key exists, even if its value is null.
  bool has(std::string_view key) const { return spanmux_has(context_, kept(key).bytes); }
  // Returns every key once, sorted. This is the most expensive question.
  Tracers keys() const { return Tracers(spanmux_keys(context_)); }
  // Returns the bucket of the value of a key, from 0 to `buckets` - 1, or nullopt if the key does
  // not exist.
  std::optional<std::uint32_t> bucket(std::string_view key, std::string_view salt,
                                      std::uint32_t buckets) const {
    std::uint32_t share;
    if (!spanmux_bucket(context_, kept(key).bytes, kept(salt).bytes, buckets, &share))
      return std::nullopt;
    return share;
  }

 private:
  template <typename T>
  std::optional<T> typed(std::string_view key) const {
    auto value = get(key);
    auto *of = value ? std::get_if<T>(&*value) : nullptr;
    return of ? std::optional<T>(*of) : std::nullopt;
  }

  const spanmux_context *context_;
};

}  // namespace spanmux

// Exports a function as the selector of this component. Use it once, in one file.
#define SPANMUX_EXPORT(function)                                                          \
  extern "C" spanmux_decision spanmux_select(const spanmux_context *context,              \
                                             spanmux_tracers tracers) {                   \
    return function(spanmux::Context(context), spanmux::Tracers(tracers));                \
  }
