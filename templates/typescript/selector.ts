// Sends production to Langfuse and development to the console. Abstains otherwise.

import type { Context } from './spanmux.js';

export function select(context: Context, tracers: string[]): string | null {
  switch (context.text('environment')) {
    case 'production':
      return 'langfuse';
    case 'development':
      return 'console';
    default:
      return null;
  }
}
