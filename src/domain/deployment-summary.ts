/** A deployment in the job summary. Statuses, events and reasons are AWS's words, and reasons may hold anybody's: all is escaped. */
import { durationOf } from './deployment-progress.ts';
import type { LifecycleEvent } from './deployment.ts';
import { shortName } from './live-service.ts';
import { code, codeBlock, escapeMarkdown, table } from './markdown.ts';

export interface DeploymentSummary {
  readonly service: string;
  readonly cluster: string;
  /** What each container gets: `host/repository@sha256:…`. */
  readonly images: readonly { readonly container: string; readonly uri: string }[];
  readonly taskDefinition: string;
  readonly previousTaskDefinition: string;
  /** Undefined where none was started. */
  readonly deployment: { readonly id: string; readonly url: string } | undefined;
  /** How it ended, in a few words. */
  readonly outcome: string;
  readonly events: readonly LifecycleEvent[];
  /** Why it failed. */
  readonly failure?: string | undefined;
  /** What to do next. */
  readonly advice?: string | undefined;
  /** The deployment that undoes it, if one does. */
  readonly rollback?: { readonly id: string; readonly status: string; readonly url: string } | undefined;
}

export function summariseDeployment(summary: DeploymentSummary): string {
  const { service, cluster, images, taskDefinition, previousTaskDefinition, deployment, outcome, events, failure, advice, rollback } =
    summary;
  const before = shortName(previousTaskDefinition);
  const after = shortName(taskDefinition);
  const rows = [
    ['Service', `${code(service)} in cluster ${code(cluster)}`],
    ...images.map(({ container, uri }) => [images.length > 1 ? `Image of ${code(container)}` : 'Image', code(uri)]),
    ['Task definition', before === after ? code(after) : `${code(before)} → ${code(after)}`],
    ...(deployment ? [['Deployment', link(deployment)]] : []),
    ['Outcome', escapeMarkdown(outcome)],
    ...(rollback ? [['Rollback', `${link(rollback)}: ${escapeMarkdown(rollback.status)}`]] : []),
  ];
  const steps = events.filter(({ status }) => status !== 'Pending');
  return [
    '### Deployment',
    '',
    table(['', ''], rows),
    '',
    ...(steps.length === 0 ? [] : [table(['Lifecycle event', 'Status', 'Took'], steps.map(eventRow)), '']),
    ...(failure === undefined ? [] : ['**What happened**', '', codeBlock(failure.split('\n')), '']),
    ...(advice === undefined || advice === '' ? [] : [`**What to do**: ${escapeMarkdown(advice)}`, '']),
  ].join('\n');
}

function link({ id, url }: { readonly id: string; readonly url: string }): string {
  return `[${escapeMarkdown(id)}](${url})`;
}

function eventRow(event: LifecycleEvent): string[] {
  return [escapeMarkdown(event.name), escapeMarkdown(event.status), durationOf(event) ?? ''];
}
