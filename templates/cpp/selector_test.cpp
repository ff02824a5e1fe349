#include "spanmux.hpp"

#include <iostream>
#include <string>

spanmux::Decision select(spanmux::Context context, spanmux::Tracers tracers);

static int failures = 0;

static void expect(const std::string &what, spanmux_context context, spanmux::Decision expected) {
  auto got = select(spanmux::Context(&context), spanmux::Tracers({}));
  bool same = got.answer == expected.answer && spanmux::view(got.text) == spanmux::view(expected.text);
  std::cout << (same ? "ok   " : "FAIL ") << what << '\n';
  failures += !same;
}

static spanmux_entry environment(const char *name) {
  spanmux_entry entry{"environment", {SPANMUX_TEXT, {}}, 0};
  entry.value.as.text = {name, std::strlen(name)};
  return entry;
}

int main() {
  auto production = environment("production"), development = environment("development"),
       staging = environment("staging");
  expect("production goes to langfuse", {&production, 1}, spanmux::choose("langfuse"));
  expect("development goes to console", {&development, 1}, spanmux::choose("console"));
  expect("staging abstains", {&staging, 1}, spanmux::abstain());
  expect("a run without an environment abstains", {nullptr, 0}, spanmux::abstain());
  return failures != 0;
}
