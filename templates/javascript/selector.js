// Sends production to Langfuse and development to the console. Abstains otherwise.

export function select(context, tracers) {
  switch (context.text('environment')) {
    case 'production':
      return 'langfuse';
    case 'development':
      return 'console';
    default:
      return null;
  }
}
