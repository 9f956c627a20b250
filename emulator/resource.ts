/** The ARN that a service names in its AccessDenied message, worked out from a request's input. */
import type { Json } from './service.ts';

export function resourceOf({ service, input, account, region }: { service: string; input: Json; account: string; region: string }): string {
  const member = (name: string) => (typeof input[name] === 'string' ? input[name] : undefined);
  const arn = (kind: string, owner: string, resource: string) => `arn:aws:${kind}:${region}:${owner}:${resource}`;
  switch (service) {
    case 'ecr': {
      const repository = member('repositoryName');
      return repository ? arn('ecr', member('registryId') ?? account, `repository/${repository}`) : '*';
    }
    case 'sts':
      return member('RoleArn') ?? '*';
    case 'codedeploy': {
      const application = member('applicationName');
      const group = member('deploymentGroupName');
      if (!application) return '*';
      return arn('codedeploy', account, group ? `deploymentgroup:${application}/${group}` : `application:${application}`);
    }
    case 'ecs': {
      const last = (name: string) => member(name)?.split('/').at(-1);
      const cluster = last('cluster') ?? 'default';
      const one = last('service');
      const deployment = member('serviceDeploymentArn');
      if (deployment) return deployment;
      return one ? arn('ecs', account, `service/${cluster}/${one}`) : member('cluster') ? arn('ecs', account, `cluster/${cluster}`) : '*';
    }
    default:
      return '*';
  }
}
