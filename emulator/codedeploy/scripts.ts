/** What a test or the demo says beforehand of deployments to come. */
import type { Group } from './group.ts';
import type { Durations } from '../life/durations.ts';
import type { Outcome } from '../life/outcome.ts';

/** How the next deployment goes; without `group` and the like it is the next of any group. */
export interface DeploymentScript {
  readonly outcome?: Outcome;
  /** Whether a rollback that follows succeeds. Default: it does. */
  readonly rollback?: 'succeed' | 'fail';
  readonly durations?: Partial<Durations>;
  readonly account?: string;
  readonly region?: string;
  readonly application?: string;
  readonly group?: string;
}

/** Scripts are used up in the order they came, each by the first deployment that it fits. */
export class DeploymentScripts {
  readonly #scripts: DeploymentScript[] = [];

  add(script: DeploymentScript): void {
    this.#scripts.push(script);
  }

  take(group: Group): DeploymentScript {
    const index = this.#scripts.findIndex(
      (script) =>
        (script.account ?? group.account) === group.account &&
        (script.region ?? group.region) === group.region &&
        (script.application ?? group.application.name) === group.application.name &&
        (script.group ?? group.name) === group.name,
    );
    return index < 0 ? {} : (this.#scripts.splice(index, 1)[0] ?? {});
  }
}
