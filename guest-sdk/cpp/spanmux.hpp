// Write a Spanmux selector in C++: one function, on the kit for C in the words of C++20.
//
//     #include "spanmux.hpp"
//
//     spanmux::Decision select(spanmux::Context context, spanmux::Tracers tracers) {
//       if (context.text("environment") == "production") return spanmux::choose("langfuse");
//       return spanmux::abstain();
//     }
//     SPANMUX_EXPORT(select)
//
// Compile it together with spanmux.c. Text that a context gives lives until the decision is
// made; text that is given to it is copied.

#pragma once

#include "spanmux.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <variant>

namespace spanmux {

using Decision = spanmux_decision;

// Text as C has it: ended by a zero, and alive until the decision is made.
inline spanmux_string kept(std::string_view text) {
  auto *bytes = static_cast<char *>(spanmux_allocate(text.size() + 1));
  std::memcpy(bytes, text.data(), text.size());
  bytes[text.size()] = 0;
  return {bytes, text.size()};
}
inline std::string_view view(spanmux_string text) { return {text.bytes, text.length}; }

// The trace goes to the tracer of this name; to the fallback if there is none.
inline Decision choose(std::string_view tracer) { return spanmux_choose_string(kept(tracer)); }
// The next selector decides; after the last one, the default tracer.
inline Decision abstain() { return spanmux_abstain(); }
// The trace goes to the fallback, and the reason is recorded.
inline Decision fail(std::string_view reason) { return spanmux_fail_string(kept(reason)); }

// An array, an object, or an integer beyond 2^53 - 1, as canonical JSON text.
struct Json {
  std::string_view text;
};

using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view, Json>;

// Names: of the available tracers, or of the keys of a context.
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

// What the application knows about the run that is about to be traced.
class Context {
 public:
  explicit Context(const spanmux_context *context) : context_(context) {}

  // The value of a key; none if there is no such key.
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

  // The value if it is of this kind; none if it is of another or not there.
  std::optional<std::string_view> text(std::string_view key) const { return typed<std::string_view>(key); }
  std::optional<bool> boolean(std::string_view key) const { return typed<bool>(key); }
  std::optional<std::int64_t> integer(std::string_view key) const { return typed<std::int64_t>(key); }
  std::optional<Json> json(std::string_view key) const { return typed<Json>(key); }
  std::optional<double> number(std::string_view key) const {
    if (auto whole = integer(key)) return static_cast<double>(*whole);
    return typed<double>(key);
  }

  // Whether there is such a key, with a null value too.
  bool has(std::string_view key) const { return spanmux_has(context_, kept(key).bytes); }
  // Each key once, sorted. The costliest question.
  Tracers keys() const { return Tracers(spanmux_keys(context_)); }
  // In which of `buckets` equal shares the value of a key falls, counted from 0.
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

// Makes a function the selector of this component; once, in one file.
#define SPANMUX_EXPORT(function)                                                          \
  extern "C" spanmux_decision spanmux_select(const spanmux_context *context,              \
                                             spanmux_tracers tracers) {                   \
    return function(spanmux::Context(context), spanmux::Tracers(tracers));                \
  }
