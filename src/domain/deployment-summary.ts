/** A deployment in the job summary. Statuses, events and reasons are AWS's words, and reasons may hold anybody's: all is escaped. */
import { durationOf } from './deployment-progress.ts';
import type { LifecycleEvent } from './deployment.ts';
import { shortName } from './live-service.ts';
import { code, codeBlock, escapeMarkdown, table } from './markdown.ts';

export interface DeploymentSummary {
  /** Default: `Deployment`. */
  readonly title?: string | undefined;
  readonly service: string;
  readonly cluster: string;
  /** What each container gets: `host/repository@sha256:…`; none where only the task definition says it. */
  readonly images: readonly { readonly container: string; readonly uri: string }[];
  /** Undefined where it is not known. */
  readonly taskDefinition: string | undefined;
  readonly previousTaskDefinition: string | undefined;
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
  const { title = 'Deployment', service, cluster, images, taskDefinition, previousTaskDefinition } = summary;
  const { deployment, outcome, events, failure, advice, rollback } = summary;
  const definitions = [...new Set([previousTaskDefinition, taskDefinition].filter((arn) => arn !== undefined))];
  const rows = [
    ['Service', `${code(service)} in cluster ${code(cluster)}`],
    ...images.map(({ container, uri }) => [images.length > 1 ? `Image of ${code(container)}` : 'Image', code(uri)]),
    ...(definitions.length === 0 ? [] : [['Task definition', definitions.map((arn) => code(shortName(arn))).join(' → ')]]),
    ...(deployment ? [['Deployment', link(deployment)]] : []),
    ['Outcome', escapeMarkdown(outcome)],
    ...(rollback ? [['Rollback', `${link(rollback)}: ${escapeMarkdown(rollback.status)}`]] : []),
  ];
  const steps = events.filter(({ status }) => status !== 'Pending');
  return [
    `### ${escapeMarkdown(title)}`,
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
