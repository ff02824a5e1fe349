#include "spanway.h"

#include <stdio.h>
#include <string.h>

static int failures;

static void expect(const char *what, spanway_context context, spanway_decision expected) {
  spanway_decision got = spanway_select(&context, (spanway_tracers){0});
  int same = got.answer == expected.answer && strcmp(got.text.bytes, expected.text.bytes) == 0;
  printf("%s %s\n", same ? "ok  " : "FAIL", what);
  failures += !same;
}

static spanway_context environment(spanway_entry *entry, const char *name) {
  *entry = (spanway_entry){"environment", {SPANWAY_TEXT, {.text = {name, strlen(name)}}}, 0};
  return (spanway_context){entry, 1};
}

int main(void) {
  spanway_entry entry;
  expect("production goes to langfuse", environment(&entry, "production"), spanway_choose("langfuse"));
  expect("development goes to console", environment(&entry, "development"), spanway_choose("console"));
  expect("staging is left to others", environment(&entry, "staging"), spanway_abstain());
  expect("so is a run without one", (spanway_context){0}, spanway_abstain());
  spanway_entry seven = {"environment", {SPANWAY_INTEGER, {.integer = 7}}, 0};
  expect("so is a number", (spanway_context){&seven, 1}, spanway_abstain());
  return failures != 0;
}
