/** The service `dev/web` with its deployment group behind an emulator, and our ports on it: what the tests of ECS and CodeDeploy start from. */
import { CodeDeployState, codedeployService, type CodeDeployOptions, type GroupSeed } from '../../emulator/codedeploy.ts';
import { EcsState, ecsService, type ServiceSeed } from '../../emulator/ecs.ts';
import { startEmulator, type Emulator } from '../../emulator/emulator.ts';
import { World } from '../../emulator/world.ts';
import type { Region } from '../../src/domain/account.ts';
import { awsCodedeploy, type Codedeploy } from '../../src/ports/codedeploy.ts';
import { awsEcs, type Ecs } from '../../src/ports/ecs.ts';

export const here = { account: '222222222222', region: 'eu-west-1' } as const;
export const group = { application: 'AppECS-dev-web', group: 'DgpECS-dev-web' } as const;

export const definition = {
  family: 'web',
  networkMode: 'awsvpc',
  requiresCompatibilities: ['FARGATE'],
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::222222222222:role/execution',
  containerDefinitions: [{ name: 'web', image: 'registry.example/web@sha256:1', portMappings: [{ containerPort: 80 }] }],
};

export const appSpec = (revision: number): string =>
  `version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: arn:aws:ecs:eu-west-1:222222222222:task-definition/web:${revision}\n        LoadBalancerInfo: { ContainerName: web, ContainerPort: 80 }\n`;

export interface DeploymentWorld {
  readonly emulator: Emulator;
  readonly ecs: Ecs;
  readonly codedeploy: Codedeploy;
  readonly states: { readonly ecs: EcsState; readonly codedeploy: CodeDeployState };
}

export async function startWorld(
  given: { options?: CodeDeployOptions; group?: Partial<GroupSeed>; service?: Partial<ServiceSeed>; speed?: number } = {},
): Promise<DeploymentWorld> {
  const states = { ecs: new EcsState(), codedeploy: new CodeDeployState(given.options ?? {}) };
  states.ecs.service({
    ...here,
    cluster: 'dev',
    name: 'web',
    controller: 'CODE_DEPLOY',
    taskDefinition: definition,
    desiredCount: 2,
    networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'], securityGroups: ['sg-1'], assignPublicIp: 'DISABLED' } },
    loadBalancers: [
      {
        targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:targetgroup/web-1/0123456789abcdef',
        containerName: 'web',
        containerPort: 80,
      },
    ],
    ...given.service,
  });
  states.codedeploy.group({
    ...here,
    application: group.application,
    name: group.group,
    cluster: 'dev',
    service: 'web',
    targetGroups: ['web-1', 'web-2'],
    listenerArn: 'arn:aws:elasticloadbalancing:eu-west-1:222222222222:listener/app/web/1/2',
    ...given.group,
  });
  const world = new World();
  const emulator = await startEmulator({
    world,
    services: [ecsService(states.ecs), codedeployService(states.codedeploy, states.ecs)],
    ...(given.speed !== undefined && { speed: given.speed }),
  });
  const key = world.user(here.account, 'tester');
  process.env['AWS_ENDPOINT_URL'] = emulator.url;
  const access = {
    region: here.region as Region,
    credentials: async () => ({ accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey }),
  };
  return { emulator, ecs: awsEcs(access), codedeploy: awsCodedeploy(access), states };
}
