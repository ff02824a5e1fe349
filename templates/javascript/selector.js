// Production goes to Langfuse, development to the console; all else is left to others.

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
