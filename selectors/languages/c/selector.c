/* The reference selector in C. The key `op` selects its operation. See ../README.md. */

#include "spanmux.h"

#include <string.h>

/* A string builder. Its memory is valid until the decision is made. */
typedef struct {
  char *bytes;
  size_t length;
} builder;

/* The length of the longest number with its type. */
enum { SHORT = 64 };

static builder new_builder(size_t bytes) { return (builder){spanmux_allocate(bytes), 0}; }
static void add_bytes(builder *to, const char *bytes, size_t length) {
  memcpy(to->bytes + to->length, bytes, length);
  to->length += length;
}
static void add(builder *to, const char *text) { add_bytes(to, text, strlen(text)); }

static void add_unsigned(builder *to, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  add_bytes(to, digits + at, sizeof digits - at);
}
static void add_integer(builder *to, int64_t number) {
  if (number < 0) add(to, "-");
  add_unsigned(to, number < 0 ? -(uint64_t)number : (uint64_t)number);
}
static void add_bits(builder *to, double number) {
  uint64_t bits;
  memcpy(&bits, &number, sizeof bits);
  for (int shift = 60; shift >= 0; shift -= 4) add_bytes(to, &"0123456789abcdef"[bits >> shift & 15], 1);
}

static spanmux_decision answer(builder text) {
  return spanmux_fail_string((spanmux_string){text.bytes, text.length});
}
static spanmux_decision answer_names(spanmux_tracers names) {
  size_t bytes = 0;
  for (size_t i = 0; i < names.count; i++) bytes += names.names[i].length + 1;
  builder text = new_builder(bytes);
  for (size_t i = 0; i < names.count; i++) {
    if (i) add(&text, "\n");
    add_bytes(&text, names.names[i].bytes, names.names[i].length);
  }
  return answer(text);
}

static spanmux_decision get(const spanmux_context *context, const char *key) {
  spanmux_value value;
  if (!spanmux_get(context, key, &value)) return spanmux_fail("absent");
  bool has_text = value.kind == SPANMUX_TEXT || value.kind == SPANMUX_JSON;
  builder text = new_builder(SHORT + (has_text ? value.as.text.length : 0));
  switch (value.kind) {
    case SPANMUX_NULL: add(&text, "null"); break;
    case SPANMUX_BOOLEAN: add(&text, value.as.boolean ? "boolean true" : "boolean false"); break;
    case SPANMUX_INTEGER: add(&text, "integer "); add_integer(&text, value.as.integer); break;
    case SPANMUX_FLOAT: add(&text, "float "); add_bits(&text, value.as.number); break;
    case SPANMUX_TEXT:
    case SPANMUX_JSON:
      add(&text, value.kind == SPANMUX_TEXT ? "text " : "json ");
      add_bytes(&text, value.as.text.bytes, value.as.text.length);
      break;
  }
  return answer(text);
}

static spanmux_decision bucket(const spanmux_context *context, const char *key) {
  int64_t buckets = 0;
  uint32_t share;
  spanmux_get_integer(context, "buckets", &buckets);
  if (!spanmux_bucket(context, key, spanmux_get_text(context, "salt"), (uint32_t)buckets, &share))
    return spanmux_fail("absent");
  builder text = new_builder(SHORT);
  add_unsigned(&text, share);
  return answer(text);
}

static spanmux_decision by_environment(const spanmux_context *context) {
  const char *environment = spanmux_get_text(context, "environment");
  if (!environment) return spanmux_abstain();
  if (strcmp(environment, "production") == 0) return spanmux_choose("langfuse");
  if (strcmp(environment, "development") == 0) return spanmux_choose("console");
  return spanmux_abstain();
}

/* Returns the text of a key that must exist. It may contain zero bytes. */
static spanmux_string text_of(const spanmux_context *context, const char *key) {
  spanmux_value value;
  if (!spanmux_get(context, key, &value) || value.kind != SPANMUX_TEXT) __builtin_trap();
  return value.as.text;
}

spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers) {
  const char *op = spanmux_get_text(context, "op");
  if (!op) return by_environment(context);
  const char *key = spanmux_get_text(context, "key");
  if (strcmp(op, "choose") == 0) return spanmux_choose_string(text_of(context, "name"));
  if (strcmp(op, "fail") == 0) return spanmux_fail_string(text_of(context, "message"));
  if (strcmp(op, "last") == 0)
    return tracers.count ? spanmux_choose_string(tracers.names[tracers.count - 1]) : spanmux_abstain();
  if (strcmp(op, "tracers") == 0) return answer_names(tracers);
  if (strcmp(op, "get") == 0) return get(context, key);
  if (strcmp(op, "has") == 0) return spanmux_fail(spanmux_has(context, key) ? "yes" : "no");
  if (strcmp(op, "keys") == 0) return answer_names(spanmux_keys(context));
  if (strcmp(op, "bucket") == 0) return bucket(context, key);
  if (strcmp(op, "same") == 0) {
    spanmux_string left = text_of(context, "left"), right = text_of(context, "right");
    bool same = left.length == right.length && memcmp(left.bytes, right.bytes, left.length) == 0;
    return spanmux_fail(same ? "yes" : "no");
  }
  if (strcmp(op, "world") == 0) return spanmux_fail("none");
  if (strcmp(op, "mistake") == 0 || strcmp(op, "trap") == 0) __builtin_trap();
  if (strcmp(op, "dangling") == 0)
    return spanmux_choose_string((spanmux_string){(const char *)0x7ffffff0, 8});
  return spanmux_abstain();
}
