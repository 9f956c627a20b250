/**
 * AWS accounts, Regions, partitions and ARNs.
 *
 *   account   = 12 digits                                                         (Organizations API: AccountId)
 *   region    = <area>-<place>-<number>, e.g. eu-west-1, us-gov-west-1, eusc-de-east-1
 *   arn       = arn:<partition>:<service>:<region>:<account>:<resource>
 *   role ARN  = arn:<partition>:iam::<account>:role/<path><name>
 *
 * A partition is never glued in by hand: it follows from the Region (https://docs.aws.amazon.com/general/latest/gr/rande.html).
 */
import { bad, matching, ok, type Branded, type Parsed } from './parsed.ts';

export type AccountId = Branded<'AccountId'>;
export type Region = Branded<'Region'>;
export type RoleArn = Branded<'RoleArn'>;

export const parseAccountId = matching<'AccountId'>(
  /^\d{12}$/,
  'an AWS account ID (12 digits; quote it in YAML, or a leading zero is lost)',
);
export const parseRegion = matching<'Region'>(/^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/, 'an AWS Region such as eu-west-1');

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Splits `arn:partition:service:region:account:resource`; the resource keeps its own colons. */
export function parseArn(text: string): Parsed<Arn> {
  const match = /^arn:([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|aws|):(.+)$/s.exec(text);
  if (!match) return bad(`"${text}" is not an ARN (arn:<partition>:<service>:<region>:<account>:<resource>)`);
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return ok({ partition, service, region, account, resource });
}

export const parseRoleArn = matching<'RoleArn'>(
  /^arn:aws(-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/,
  'an IAM role ARN such as arn:aws:iam::111111111111:role/deploy',
);

/** The name of an ECS cluster, or its ARN, which also says where it is. */
export const parseCluster = matching<'Cluster'>(
  /^([A-Za-z0-9_-]{1,255}|arn:aws(-[a-z]+)*:ecs:[a-z0-9-]+:\d{12}:cluster\/[A-Za-z0-9_-]{1,255})$/,
  'an ECS cluster: a name (1 to 255 letters, digits, "-" or "_") or an ARN',
);

/** The account that owns a role. */
export function accountOf(role: RoleArn): AccountId {
  return (role.split(':')[4] ?? '') as AccountId;
}

/** The partition that an ARN names. */
export function partitionOfArn(arn: string): string {
  return arn.split(':')[1] ?? '';
}

/** The partition of a Region: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, `aws-iso`, `aws-iso-b`, … */
export function partitionOf(region: Region): string {
  const prefixes: readonly (readonly [prefix: string, partition: string])[] = [
    ['cn-', 'aws-cn'],
    ['us-gov-', 'aws-us-gov'],
    ['eusc-', 'aws-eusc'],
    ['us-isob-', 'aws-iso-b'],
    ['us-isof-', 'aws-iso-f'],
    ['us-iso-', 'aws-iso'],
    ['eu-isoe-', 'aws-iso-e'],
  ];
  return prefixes.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';
}

/**
 * The host of the AWS console for a Region's partition.
 * Source: https://docs.aws.amazon.com/general/latest/gr/rande.html, the partitions' own console pages.
 */
export function consoleHost(region: Region): string {
  switch (partitionOf(region)) {
    case 'aws-cn':
      return 'console.amazonaws.cn';
    case 'aws-us-gov':
      return 'console.amazonaws-us-gov.com';
    case 'aws-eusc':
      return 'console.amazonaws-eusc.eu';
    default:
      return 'console.aws.amazon.com';
  }
}
