import assert from 'node:assert/strict';
import { test } from 'node:test';

import { select } from './selector.js';
import { mock, type Value } from './spanmux.js';

const rows: [Value, string | null][] = [
  ['production', 'langfuse'],
  ['development', 'console'],
  ['staging', null],
  [7, null],
];

for (const [environment, tracer] of rows)
  test(`${environment} goes to ${tracer}`, () => {
    assert.equal(select(mock({ environment }), ['langfuse', 'console']), tracer);
  });

test('abstains without an environment', () => {
  assert.equal(select(mock({}), []), null);
});
