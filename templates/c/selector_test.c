#include "spanmux.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *what, spanmux_context context, spanmux_decision expected) {
  spanmux_decision got = spanmux_select(&context, (spanmux_tracers){0});
  int same = got.answer == expected.answer && strcmp(got.text.bytes, expected.text.bytes) == 0;
  printf("%s %s\n", same ? "ok  " : "FAIL", what);
  failures += !same;
}

static spanmux_context environment(spanmux_entry *entry, const char *name) {
  *entry = (spanmux_entry){"environment", {SPANMUX_TEXT, {.text = {name, strlen(name)}}}, 0};
  return (spanmux_context){entry, 1};
}

int main(void) {
  spanmux_entry entry;
  expect("production goes to langfuse", environment(&entry, "production"), spanmux_choose("langfuse"));
  expect("development goes to console", environment(&entry, "development"), spanmux_choose("console"));
  expect("staging abstains", environment(&entry, "staging"), spanmux_abstain());
  expect("a run without an environment abstains", (spanmux_context){0}, spanmux_abstain());
  spanmux_entry seven = {"environment", {SPANMUX_INTEGER, {.integer = 7}}, 0};
  expect("a number abstains", (spanmux_context){&seven, 1}, spanmux_abstain());
  return failures != 0;
}
