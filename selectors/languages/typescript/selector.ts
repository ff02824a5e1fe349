// The reference selector in TypeScript. The key `op` selects its operation. See ../README.md.

import { Fail, Json, type Context, type Value } from './spanmux.js';

type Answer = (context: Context, tracers: string[]) => string;

const answers: Record<string, Answer> = {
  tracers: (_, tracers) => tracers.join('\n'),
  get: (context) => rendered(context.get(text(context, 'key'))),
  has: (context) => yes(context.has(text(context, 'key'))),
  keys: (context) => context.keys().join('\n'),
  bucket,
  same: (context) => yes(text(context, 'left') === text(context, 'right')),
  world: () => `${Date.now()} ${Math.random()}`,
  mistake: () => (null as unknown as { mistake: string }).mistake,
  trap: (context, tracers) => answers['trap'](context, tracers) + 1,
};

export function select(context: Context, tracers: string[]): string | null {
  const op = context.text('op');
  switch (op) {
    case undefined:
      return byEnvironment(context);
    case 'choose':
      return text(context, 'name');
    case 'fail':
      throw new Fail(text(context, 'message'));
    case 'last':
      return tracers.at(-1) ?? null;
    case 'throw':
      throw 'thrown';
  }
  if (op in answers) throw new Fail(answers[op](context, tracers));
  return null;
}

function byEnvironment(context: Context): string | null {
  const tracers: Record<string, string> = { production: 'langfuse', development: 'console' };
  return tracers[context.text('environment') ?? ''] ?? null;
}

function text(context: Context, key: string): string {
  return context.text(key) ?? '';
}

function bucket(context: Context): string {
  const buckets = context.integer('buckets') ?? 0;
  const share = context.bucket(text(context, 'key'), text(context, 'salt'), buckets);
  return share === undefined ? 'absent' : `${share}`;
}

function rendered(value: Value | undefined): string {
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
    default:
      return `text ${value}`;
  }
}

function bits(number: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

function yes(condition: boolean): string {
  return condition ? 'yes' : 'no';
}
