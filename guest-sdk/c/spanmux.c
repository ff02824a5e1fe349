/* Implements spanmux.h on top of the contract: the imported and exported functions of the
 * component, with arguments in the layout of the canonical ABI. */

#include "spanmux.h"

static size_t length_of(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

static spanmux_string string_of(const char *text) {
  return (spanmux_string){text, length_of(text)};
}

static bool is(spanmux_string left, const char *right) {
  for (size_t i = 0; i < left.length; i++)
    if (left.bytes[i] != right[i] || right[i] == 0) return false;
  return right[left.length] == 0;
}

spanmux_decision spanmux_choose_string(spanmux_string tracer) {
  return (spanmux_decision){SPANMUX_CHOSEN, tracer};
}
spanmux_decision spanmux_choose(const char *tracer) {
  return spanmux_choose_string(string_of(tracer));
}
spanmux_decision spanmux_abstain(void) { return (spanmux_decision){SPANMUX_ABSTAINED, {"", 0}}; }
spanmux_decision spanmux_fail_string(spanmux_string reason) {
  return (spanmux_decision){SPANMUX_FAILED, reason};
}
spanmux_decision spanmux_fail(const char *reason) { return spanmux_fail_string(string_of(reason)); }

static const char *get_string(const spanmux_context *context, const char *key, spanmux_kind kind) {
  spanmux_value value;
  return spanmux_get(context, key, &value) && value.kind == kind ? value.as.text.bytes : NULL;
}
const char *spanmux_get_text(const spanmux_context *context, const char *key) {
  return get_string(context, key, SPANMUX_TEXT);
}
const char *spanmux_get_json(const spanmux_context *context, const char *key) {
  return get_string(context, key, SPANMUX_JSON);
}
bool spanmux_get_boolean(const spanmux_context *context, const char *key, bool *boolean) {
  spanmux_value value;
  if (!spanmux_get(context, key, &value) || value.kind != SPANMUX_BOOLEAN) return false;
  *boolean = value.as.boolean;
  return true;
}
bool spanmux_get_integer(const spanmux_context *context, const char *key, int64_t *integer) {
  spanmux_value value;
  if (!spanmux_get(context, key, &value) || value.kind != SPANMUX_INTEGER) return false;
  *integer = value.as.integer;
  return true;
}
bool spanmux_get_float(const spanmux_context *context, const char *key, double *number) {
  spanmux_value value;
  if (!spanmux_get(context, key, &value)) return false;
  if (value.kind == SPANMUX_INTEGER) *number = (double)value.as.integer;
  else if (value.kind == SPANMUX_FLOAT) *number = value.as.number;
  else return false;
  return true;
}

bool spanmux_is_available(spanmux_tracers tracers, const char *name) {
  for (size_t i = 0; i < tracers.count; i++)
    if (is(tracers.names[i], name)) return true;
  return false;
}

/* A bump allocator for the blocks of one decision. Blocks that do not fit into the arena are in
 * pages that are added to the memory. Ordinary decisions add none, because growing the memory
 * costs the host more than the rest of the decision. */
#ifndef SPANMUX_ARENA_BYTES
#define SPANMUX_ARENA_BYTES (32 * 1024)
#endif
static _Alignas(16) unsigned char arena[SPANMUX_ARENA_BYTES];
static size_t taken;

#ifdef __wasm__
/* The first free byte of the added pages and their end. Zero before the first page is added. */
static uintptr_t added, added_end;
/* The start of the pages that are free again after the decision. */
static uintptr_t added_start;

/* Part of libc only if the selector uses it. */
__attribute__((weak)) void *malloc(size_t bytes);
__attribute__((weak)) void free(void *block);

static void *take_from_pages(size_t align, size_t bytes) {
  /* The allocator of libc takes all existing memory when it starts, so it starts first. */
  if (!added && malloc) {
    void *volatile block = malloc(1);  /* volatile, so that the compiler keeps the call */
    free(block);
  }
  uintptr_t start = (added + align - 1) & ~(uintptr_t)(align - 1);
  if (!added || start > added_end || bytes > added_end - start) {
    /* The alignment is at most that of a page, so that new pages need no padding. */
    size_t pages = bytes / 65536 + 1;
    size_t old = __builtin_wasm_memory_grow(0, pages);
    if (old == SIZE_MAX) __builtin_trap();
    if (!added || old * 65536 != added_end) {
      added_start = added = old * 65536;
    }
    added_end = (old + pages) * 65536;
    start = (added + align - 1) & ~(uintptr_t)(align - 1);
  }
  added = start + bytes;
  return (void *)start;
}
#endif

static void *take(size_t align, size_t bytes) {
  size_t start = (taken + align - 1) & ~(align - 1);
  if (start > sizeof arena || bytes > sizeof arena - start) {
#ifdef __wasm__
    return take_from_pages(align, bytes);
#else
    __builtin_trap();
#endif
  }
  taken = start + bytes;
  return arena + start;
}

void *spanmux_allocate(size_t bytes) { return take(16, bytes); }

#ifdef __wasm__

#define QUESTION(name) \
  __attribute__((import_module("spanmux:selector/runtime-context@0.1.0"), import_name(name)))

/* option<value>: 24 bytes. The first byte is 1 if a value is present. */
typedef struct {
  uint8_t is_some;
  struct {
    uint8_t tag;
    union {
      uint8_t boolean;
      int64_t integer;
      double number;
      spanmux_string text;
    };
  } value;
} optional_value;
_Static_assert(offsetof(optional_value, value.integer) == 16, "layout of the canonical ABI");

QUESTION("get") void host_get(const char *key, size_t key_length, optional_value *answer);
QUESTION("has") bool host_has(const char *key, size_t key_length);
QUESTION("keys") void host_keys(spanmux_tracers *answer);
typedef struct {
  uint8_t is_some;
  uint32_t share;
} optional_share;
QUESTION("bucket")
void host_bucket(const char *key, size_t key_length, const char *salt, size_t salt_length,
                 uint32_t buckets, optional_share *answer);

bool spanmux_get(const spanmux_context *context, const char *key, spanmux_value *value) {
  (void)context;
  optional_value answer;
  host_get(key, length_of(key), &answer);
  if (!answer.is_some) return false;
  value->kind = (spanmux_kind)answer.value.tag;
  switch (value->kind) {
    case SPANMUX_NULL: break;
    case SPANMUX_BOOLEAN: value->as.boolean = answer.value.boolean; break;
    case SPANMUX_INTEGER: value->as.integer = answer.value.integer; break;
    case SPANMUX_FLOAT: value->as.number = answer.value.number; break;
    case SPANMUX_TEXT:
    case SPANMUX_JSON: value->as.text = answer.value.text; break;
  }
  return true;
}
bool spanmux_has(const spanmux_context *context, const char *key) {
  (void)context;
  return host_has(key, length_of(key));
}
spanmux_tracers spanmux_keys(const spanmux_context *context) {
  (void)context;
  spanmux_tracers keys;
  host_keys(&keys);
  return keys;
}
bool spanmux_bucket(const spanmux_context *context, const char *key, const char *salt,
                    uint32_t buckets, uint32_t *share) {
  (void)context;
  optional_share answer;
  host_bucket(key, length_of(key), salt, length_of(salt), buckets, &answer);
  if (answer.is_some) *share = answer.share;
  return answer.is_some;
}

/* The host writes strings to this memory. One extra byte holds the terminating zero. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_bytes,
                                                                 size_t align, size_t bytes) {
  unsigned char *block = take(align, bytes + 1);
  for (size_t i = 0; old && i < old_bytes && i < bytes; i++) block[i] = ((unsigned char *)old)[i];
  block[bytes] = 0;
  return block;
}

/* result<option<string>, string>: ok(none), ok(some(name)) or err(reason). */
static struct {
  uint8_t is_error;
  union {
    struct {
      uint8_t is_some;
      spanmux_string name;
    } ok;
    spanmux_string reason;
  };
} result;

__attribute__((export_name("spanmux:selector/selection@0.1.0#select"))) void *host_select(
    const spanmux_string *names, size_t count) {
  spanmux_decision decision = spanmux_select(NULL, (spanmux_tracers){names, count});
  result.is_error = decision.answer == SPANMUX_FAILED;
  if (result.is_error) {
    result.reason = decision.text;
  } else {
    result.ok.is_some = decision.answer == SPANMUX_CHOSEN;
    result.ok.name = decision.text;
  }
  return &result;
}

/* Called after the host has read the result. Frees the arena for the next decision. */
__attribute__((export_name("cabi_post_spanmux:selector/selection@0.1.0#select"))) void
host_select_done(void *answer) {
  (void)answer;
  taken = 0;
  added = added_start;
}

#else

static const spanmux_entry *find(const spanmux_context *context, const char *key) {
  for (size_t i = 0; i < context->count; i++)
    if (is(string_of(context->entries[i].key), key)) return &context->entries[i];
  return NULL;
}
bool spanmux_get(const spanmux_context *context, const char *key, spanmux_value *value) {
  const spanmux_entry *entry = find(context, key);
  if (entry) *value = entry->value;
  return entry;
}
bool spanmux_has(const spanmux_context *context, const char *key) { return find(context, key); }
spanmux_tracers spanmux_keys(const spanmux_context *context) {
  spanmux_string *keys = spanmux_allocate(context->count * sizeof *keys);
  for (size_t i = 0; i < context->count; i++) keys[i] = string_of(context->entries[i].key);
  return (spanmux_tracers){keys, context->count};
}
bool spanmux_bucket(const spanmux_context *context, const char *key, const char *salt,
                    uint32_t buckets, uint32_t *share) {
  (void)salt;
  const spanmux_entry *entry = find(context, key);
  if (entry) *share = entry->share % buckets;
  return entry;
}

#endif
