// One key decides, as in selectors/one-key.
import { get } from 'spanmux:selector/runtime-context';

export const selection = {
  select() {
    const environment = get('environment');
    switch (environment?.val) {
      case 'production':
        return 'langfuse';
      case 'staging':
        return 'datadog';
      default:
        return 'console';
    }
  },
};
