import assert from 'node:assert/strict';
import { test } from 'node:test';

import { select } from './selector.js';
import { mock } from './spanmux.js';

for (const [environment, tracer] of [
  ['production', 'langfuse'],
  ['development', 'console'],
  ['staging', null],
  [7, null],
])
  test(`${environment} goes to ${tracer}`, () => {
    assert.equal(select(mock({ environment }), ['langfuse', 'console']), tracer);
  });

test('abstains without an environment', () => {
  assert.equal(select(mock({}), []), null);
});
