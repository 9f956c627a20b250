import { AwsFault } from '../../emulator/service.ts';

/** How an operation refuses: `ClusterNotFoundException: Cluster not found.`; `none` where it does not. */
export function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AwsFault) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}
