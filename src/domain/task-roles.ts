/**
 * The roles of a task definition. On Fargate the execution role pulls the image, on EC2 the container instance's
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html). Both must be of the task's own account:
 * iam:PassRole does not reach into another. Whom they trust, and what they may, only IAM could tell, which is not asked.
 */
import { accountOf, parseRoleArn, partitionOf, partitionOfArn, type AccountId, type Region, type RoleArn } from './account.ts';
import type { Fact } from './findings.ts';
import { elements } from './json.ts';
import { running, type LiveService } from './live-service.ts';
import type { TaskDefinition } from './task-definition.ts';

export interface TaskRoles {
  readonly definition: TaskDefinition;
  /** Undefined where it is not known: then the definition alone says where its tasks run. */
  readonly service: LiveService | undefined;
  readonly account: AccountId;
  readonly region: Region;
}

/** The role with which the tasks pull, where the definition names it and it is the account's own. */
export function pullingRole(roles: TaskRoles): RoleArn | undefined {
  const role = parseRoleArn(textIn(roles.definition, 'executionRoleArn') ?? '');
  return role.ok && strangeness(role.value, roles) === undefined && isOnFargate(roles) ? role.value : undefined;
}

export function roleFacts(roles: TaskRoles): readonly Fact[] {
  const execution = textIn(roles.definition, 'executionRoleArn');
  const task = textIn(roles.definition, 'taskRoleArn');
  return [executionFact(execution, roles), ...(task === undefined ? [] : [roleFact('task role', { name: task, roles })])];
}

function executionFact(name: string | undefined, roles: TaskRoles): Fact {
  const subject = 'execution role';
  if (name !== undefined) return roleFact(subject, { name, roles });
  return isOnFargate(roles)
    ? {
        severity: 'error',
        subject,
        reason: `the task definition ${roles.definition.family} has no executionRoleArn, with which Fargate pulls an image from ECR`,
        advice: 'Give it one: a role of this account with AmazonECSTaskExecutionRolePolicy that ecs-tasks.amazonaws.com may assume.',
      }
    : { severity: 'ok', subject, reason: 'there is none: the container instances pull with their own role' };
}

function roleFact(subject: 'execution role' | 'task role', { name, roles }: { name: string; roles: TaskRoles }): Fact {
  const { account, region } = roles;
  const role = parseRoleArn(name);
  const problem = role.ok ? strangeness(role.value, roles) : undefined;
  if (problem !== undefined)
    return { severity: 'error', subject, reason: `${name} ${problem}`, advice: `Name a role of ${account} in the task definition.` };
  return {
    severity: 'ok',
    subject,
    reason: `${roleName(name)} is of this account and of the partition ${partitionOf(region)}; what it may, and whom it trusts, is not read`,
  };
}

/** `arn:aws:iam::222222222222:role/web` → `web`; IAM takes a name too. */
export function roleName(role: string): string {
  return role.replace(/^arn:.*?:role\//, '');
}

function strangeness(role: RoleArn, { account, region }: Pick<TaskRoles, 'account' | 'region'>): string | undefined {
  const partition = partitionOf(region);
  if (partitionOfArn(role) !== partition) return `is in the partition ${partitionOfArn(role)}, and ${region} in ${partition}`;
  return accountOf(role) === account
    ? undefined
    : `is a role of ${accountOf(role)}, and tasks take roles of their own account only, ${account}`;
}

function isOnFargate({ definition, service }: Pick<TaskRoles, 'definition' | 'service'>): boolean {
  if (!service) return elements(definition['requiresCompatibilities']).includes('FARGATE');
  const { launchType, capacityProviders } = running(service);
  return launchType === 'FARGATE' || capacityProviders.some(({ provider }) => provider.startsWith('FARGATE'));
}

function textIn(definition: TaskDefinition, member: string): string | undefined {
  const value = definition[member];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
