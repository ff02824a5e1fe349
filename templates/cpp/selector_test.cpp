#include "spanway.hpp"

#include <iostream>
#include <string>

spanway::Decision select(spanway::Context context, spanway::Tracers tracers);

static int failures = 0;

static void expect(const std::string &what, spanway_context context, spanway::Decision expected) {
  auto got = select(spanway::Context(&context), spanway::Tracers({}));
  bool same = got.answer == expected.answer && spanway::view(got.text) == spanway::view(expected.text);
  std::cout << (same ? "ok   " : "FAIL ") << what << '\n';
  failures += !same;
}

static spanway_entry environment(const char *name) {
  spanway_entry entry{"environment", {SPANWAY_TEXT, {}}, 0};
  entry.value.as.text = {name, std::strlen(name)};
  return entry;
}

int main() {
  auto production = environment("production"), development = environment("development"),
       staging = environment("staging");
  expect("production goes to langfuse", {&production, 1}, spanway::choose("langfuse"));
  expect("development goes to console", {&development, 1}, spanway::choose("console"));
  expect("staging is left to others", {&staging, 1}, spanway::abstain());
  expect("so is a run without one", {nullptr, 0}, spanway::abstain());
  return failures != 0;
}
