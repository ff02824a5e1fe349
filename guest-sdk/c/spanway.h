/* Write a Spanway selector in C: one function, and questions to the context.
 *
 *     #include "spanway.h"
 *
 *     spanway_decision spanway_select(const spanway_context *context, spanway_tracers tracers) {
 *       const char *environment = spanway_get_text(context, "environment");
 *       if (environment && strcmp(environment, "production") == 0)
 *         return spanway_choose("langfuse");
 *       return spanway_abstain();
 *     }
 *
 * Compile it together with spanway.c. All text is UTF-8, ends with a zero byte that its
 * length does not count, and lives until the decision is made. */

#ifndef SPANWAY_H
#define SPANWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the application knows about the run that is about to be traced. */
typedef struct spanway_context spanway_context;

typedef struct {
  const char *bytes;
  size_t length;
} spanway_string;

/* The names of the available tracers in the order of their registration. */
typedef struct {
  const spanway_string *names;
  size_t count;
} spanway_tracers;

typedef enum {
  SPANWAY_NULL,
  SPANWAY_BOOLEAN,
  SPANWAY_INTEGER, /* from -(2^53 - 1) to 2^53 - 1 */
  SPANWAY_FLOAT,
  SPANWAY_TEXT,
  SPANWAY_JSON, /* an array, an object or a larger integer, as canonical JSON text */
} spanway_kind;

typedef struct {
  spanway_kind kind;
  union {
    bool boolean;
    int64_t integer;
    double number;       /* of SPANWAY_FLOAT */
    spanway_string text; /* of SPANWAY_TEXT and SPANWAY_JSON */
  } as;
} spanway_value;

typedef struct {
  enum { SPANWAY_ABSTAINED, SPANWAY_CHOSEN, SPANWAY_FAILED } answer;
  spanway_string text; /* the tracer's name, or the reason */
} spanway_decision;

/* The selector: yours to define. */
spanway_decision spanway_select(const spanway_context *context, spanway_tracers tracers);

/* The trace goes to the tracer of this name; to the fallback if there is none. */
spanway_decision spanway_choose(const char *tracer);
spanway_decision spanway_choose_string(spanway_string tracer);
/* The next selector decides; after the last one, the default tracer. */
spanway_decision spanway_abstain(void);
/* The trace goes to the fallback, and the reason is recorded. */
spanway_decision spanway_fail(const char *reason);
spanway_decision spanway_fail_string(spanway_string reason);

/* The value of a key. False, and nothing is written, if there is no such key. */
bool spanway_get(const spanway_context *context, const char *key, spanway_value *value);
/* The value if it is of this kind: NULL or false if it is of another or not there. A
 * float may be asked for where there is an integer. */
const char *spanway_get_text(const spanway_context *context, const char *key);
const char *spanway_get_json(const spanway_context *context, const char *key);
bool spanway_get_boolean(const spanway_context *context, const char *key, bool *value);
bool spanway_get_integer(const spanway_context *context, const char *key, int64_t *value);
bool spanway_get_float(const spanway_context *context, const char *key, double *value);
/* Whether there is such a key, with a null value too. */
bool spanway_has(const spanway_context *context, const char *key);
/* Each key once, sorted. The costliest question. */
spanway_tracers spanway_keys(const spanway_context *context);
/* In which of `buckets` equal shares the value of a key falls, counted from 0. */
bool spanway_bucket(const spanway_context *context, const char *key, const char *salt,
                    uint32_t buckets, uint32_t *share);

/* Whether there is a tracer of this name. */
bool spanway_is_available(spanway_tracers tracers, const char *name);
/* Memory that lives until the decision is made. A full arena ends it with a trap. */
void *spanway_allocate(size_t bytes);

#ifndef __wasm__
/* For native tests: a context is a list of entries, and its look-up is by whole keys. */
typedef struct {
  const char *key;
  spanway_value value;
  uint32_t share; /* what spanway_bucket answers */
} spanway_entry;

struct spanway_context {
  const spanway_entry *entries;
  size_t count;
};

#define SPANWAY_TEXT_OF(string) {SPANWAY_TEXT, {.text = {string, sizeof(string) - 1}}}
#endif

#ifdef __cplusplus
}
#endif
#endif
