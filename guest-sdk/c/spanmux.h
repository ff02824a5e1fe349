/* Write a Spanmux selector in C: one function, and questions to the context.
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
 * Compile it together with spanmux.c. All text is UTF-8, ends with a zero byte that its
 * length does not count, and lives until the decision is made. */

#ifndef SPANMUX_H
#define SPANMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the application knows about the run that is about to be traced. */
typedef struct spanmux_context spanmux_context;

typedef struct {
  const char *bytes;
  size_t length;
} spanmux_string;

/* The names of the available tracers in the order of their registration. */
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
  spanmux_string text; /* the tracer's name, or the reason */
} spanmux_decision;

/* The selector: yours to define. */
spanmux_decision spanmux_select(const spanmux_context *context, spanmux_tracers tracers);

/* The trace goes to the tracer of this name; to the fallback if there is none. */
spanmux_decision spanmux_choose(const char *tracer);
spanmux_decision spanmux_choose_string(spanmux_string tracer);
/* The next selector decides; after the last one, the default tracer. */
spanmux_decision spanmux_abstain(void);
/* The trace goes to the fallback, and the reason is recorded. */
spanmux_decision spanmux_fail(const char *reason);
spanmux_decision spanmux_fail_string(spanmux_string reason);

/* The value of a key. False, and nothing is written, if there is no such key. */
bool spanmux_get(const spanmux_context *context, const char *key, spanmux_value *value);
/* The value if it is of this kind: NULL or false if it is of another or not there. A
 * float may be asked for where there is an integer. */
const char *spanmux_get_text(const spanmux_context *context, const char *key);
const char *spanmux_get_json(const spanmux_context *context, const char *key);
bool spanmux_get_boolean(const spanmux_context *context, const char *key, bool *value);
bool spanmux_get_integer(const spanmux_context *context, const char *key, int64_t *value);
bool spanmux_get_float(const spanmux_context *context, const char *key, double *value);
/* Whether there is such a key, with a null value too. */
bool spanmux_has(const spanmux_context *context, const char *key);
/* Each key once, sorted. The costliest question. */
spanmux_tracers spanmux_keys(const spanmux_context *context);
/* In which of `buckets` equal shares the value of a key falls, counted from 0. */
bool spanmux_bucket(const spanmux_context *context, const char *key, const char *salt,
                    uint32_t buckets, uint32_t *share);

/* Whether there is a tracer of this name. */
bool spanmux_is_available(spanmux_tracers tracers, const char *name);
/* Memory that lives until the decision is made. A full arena ends it with a trap. */
void *spanmux_allocate(size_t bytes);

#ifndef __wasm__
/* For native tests: a context is a list of entries, and its look-up is by whole keys. */
typedef struct {
  const char *key;
  spanmux_value value;
  uint32_t share; /* what spanmux_bucket answers */
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
