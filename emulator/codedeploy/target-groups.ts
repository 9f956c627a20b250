/**
 * Target groups by name or ARN. CodeDeploy names them only; an ARN that was seen once stands for its name from then on.
 * https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_TargetGroupInfo.html
 */
import { records, text } from '../coral.ts';
import { sha256 } from '../ecs/ids.ts';
import { partitionOf, within } from '../ecs/scope.ts';
import type { Scope } from '../ecs/scope.ts';
import type { Json } from '../service.ts';

export const targetGroupName = (nameOrArn: string): string => /:targetgroup\/([^/]+)\//.exec(nameOrArn)?.[1] ?? nameOrArn;

const targetGroupArn = (scope: Scope, nameOrArn: string): string =>
  nameOrArn.startsWith('arn:')
    ? nameOrArn
    : `arn:${partitionOf(scope.region)}:elasticloadbalancing:${scope.region}:${scope.account}:targetgroup/${nameOrArn}/${sha256(nameOrArn).slice(0, 16)}`;

export class TargetGroups {
  readonly #arns = new Map<string, string>();

  learn(scope: Scope, arn: string): void {
    this.#arns.set(`${within(scope)}/${targetGroupName(arn)}`, arn);
  }

  /** The two target groups of a deployment group. */
  pairOf(group: Scope & { readonly loadBalancerInfo: Json }): { name: string; arn: string }[] {
    const [pair] = records(group.loadBalancerInfo, 'targetGroupPairInfoList') ?? [];
    return (pair ? (records(pair, 'targetGroups') ?? []) : []).map((each) => {
      const name = text(each, 'name') ?? '';
      return { name, arn: this.#arns.get(`${within(group)}/${name}`) ?? targetGroupArn(group, name) };
    });
  }
}
