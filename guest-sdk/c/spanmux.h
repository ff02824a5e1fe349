/* Write a Spanmux selector in C: one function that queries the runtime context.
 *
 *     #include "spanmux.h"
 *
 *     spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers) {
 *       const char *environment = spanmux_get_text(context, "environment");
 *       if (environment && strcmp(environment, "production") == 0)
 *         return spanmux_choose("langfuse");
 *       return spanmux_abstain();
 *     }
 *
 * Compile it together with spanmux.c. All strings are UTF-8, end with a zero byte that is
 * not part of their length, and are valid until the decision is made. */

#ifndef SPANMUX_H
#define SPANMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The runtime context: key/value data about the run to be traced. */
typedef struct spanmux_context spanmux_context;

typedef struct {
  const char *bytes;
  size_t length;
} spanmux_string;

/* The names of the available tracers, in registration order. */
typedef struct {
  const spanmux_string *names;
  size_t count;
} spanmux_tracers;

typedef enum {
  SPANMUX_NULL,
  SPANMUX_BOOLEAN,
  SPANMUX_INTEGER, /* from -(2^53 - 1) to 2^53 - 1 */
  SPANMUX_FLOAT,
  SPANMUX_TEXT,
  SPANMUX_JSON, /* an array, an object or a larger integer, as canonical JSON text */
} spanmux_kind;

typedef struct {
  spanmux_kind kind;
  union {
    bool boolean;
    int64_t integer;
    double number;       /* of SPANMUX_FLOAT */
    spanmux_string text; /* of SPANMUX_TEXT and SPANMUX_JSON */
  } as;
} spanmux_value;

typedef struct {
  enum { SPANMUX_ABSTAINED, SPANMUX_CHOSEN, SPANMUX_FAILED } answer;
  spanmux_string text; /* the name of the tracer, or the reason */
} spanmux_decision;

/* The selector. Define this function. */
spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers);

/* Sends the trace to the tracer with this name, or to the fallback tracer if it does not
 * exist. */
spanmux_decision spanmux_choose(const char *tracer);
spanmux_decision spanmux_choose_string(spanmux_string tracer);
/* Leaves the decision to the next selector. If all selectors abstain, the trace goes to the
 * default tracer. */
spanmux_decision spanmux_abstain(void);
/* Sends the trace to the fallback tracer and records the reason. */
spanmux_decision spanmux_fail(const char *reason);
spanmux_decision spanmux_fail_string(spanmux_string reason);

/* Writes the value of a key to `value`. Returns false and writes nothing if the key does not
 * exist. */
bool spanmux_get(const spanmux_context *context, const char *key, spanmux_value *value);
/* Typed getters. They return NULL or false if the key does not exist or its value has another
 * type. spanmux_get_float also accepts an integer. */
const char *spanmux_get_text(const spanmux_context *context, const char *key);
const char *spanmux_get_json(const spanmux_context *context, const char *key);
bool spanmux_get_boolean(const spanmux_context *context, const char *key, bool *value);
bool spanmux_get_integer(const spanmux_context *context, const char *key, int64_t *value);
bool spanmux_get_float(const spanmux_context *context, const char *key, double *value);
/* Returns true if the key exists, even if its value is null. */
bool spanmux_has(const spanmux_context *context, const char *key);
/* Returns every key once, sorted. This is the most expensive question. */
spanmux_tracers spanmux_keys(const spanmux_context *context);
/* Writes the bucket of the value of a key, from 0 to `buckets` - 1, to `share`. Returns false
 * if the key does not exist. */
bool spanmux_bucket(const spanmux_context *context, const char *key, const char *salt,
                    uint32_t buckets, uint32_t *share);

/* Returns true if a tracer has this name. */
bool spanmux_is_available(spanmux_tracers tracers, const char *name);
/* Allocates memory that is valid until the decision is made. If the host refuses to grow the
 * memory, the decision ends with a trap. */
void *spanmux_allocate(size_t bytes);

#ifndef __wasm__
/* For native tests: a context is a list of entries. Lookup compares complete keys. */
typedef struct {
  const char *key;
  spanmux_value value;
  uint32_t share; /* the result of spanmux_bucket, modulo the number of buckets */
} spanmux_entry;

struct spanmux_context {
  const spanmux_entry *entries;
  size_t count;
};

#define SPANMUX_TEXT_OF(string) {SPANMUX_TEXT, {.text = {string, sizeof(string) - 1}}}
#endif

#ifdef __cplusplus
}
#endif
#endif
