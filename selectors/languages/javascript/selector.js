// The reference selector in JavaScript. The key `op` selects its operation. See ../README.md.

import { Fail, Json } from './spanmux.js';

const answers = {
  tracers: (_, tracers) => tracers.join('\n'),
  get: (context) => rendered(context.get(context.text('key'))),
  has: (context) => yes(context.has(context.text('key'))),
  keys: (context) => context.keys().join('\n'),
  bucket: (context) =>
    `${context.bucket(context.text('key'), context.text('salt'), context.integer('buckets')) ?? 'absent'}`,
  same: (context) => yes(context.text('left') === context.text('right')),
  world: () => `${Date.now()} ${Math.random()}`,
  mistake: () => null.mistake,
  trap: () => answers.trap() + 1,
};

export function select(context, tracers) {
  const op = context.text('op');
  switch (op) {
    case undefined:
      return byEnvironment(context);
    case 'choose':
      return context.text('name');
    case 'fail':
      throw new Fail(context.text('message'));
    case 'last':
      return tracers.at(-1);
    case 'number':
      return 42;
    case 'promise':
      return Promise.resolve('langfuse');
    case 'throw':
      throw 'thrown';
  }
  if (op in answers) throw new Fail(answers[op](context, tracers));
}

function byEnvironment(context) {
  return { production: 'langfuse', development: 'console' }[context.text('environment')];
}

function rendered(value) {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (value instanceof Json) return `json ${value.text}`;
  switch (typeof value) {
    case 'boolean':
      return `boolean ${value}`;
    case 'bigint':
      return `integer ${value}`;
    case 'number':
      return `float ${bits(value)}`;
    case 'string':
      return `text ${value}`;
  }
}

function bits(number) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

function yes(condition) {
  return condition ? 'yes' : 'no';
}
