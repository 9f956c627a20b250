/** What the tests of `follow`, `continue` and `rollback` start from: d-2 upon d-1, web:42 upon web:41. */
import type { DeploymentId } from '../../src/domain/deployment.ts';
import type { Ecr } from '../../src/ports/ecr.ts';
import { findDeployment, type FoundDeployment } from '../../src/steps/find-deployment.ts';
import type { ResumeInputs } from '../../src/steps/resume-deployment.ts';
import { FakeEcr } from '../fakes/ecr.ts';
import { someDefinition } from '../fakes/ecs.ts';
import { image, Setting, someInputs } from './deployment-setting.ts';

export const wish: ResumeInputs = { ...someInputs, 'deployment-id': undefined, 'on-cancel': 'leave' };
export const byId = (id: string): Partial<ResumeInputs> => ({
  'deployment-id': id as DeploymentId,
  cluster: undefined,
  service: undefined,
});

export const arn = (revision: number): string => `arn:aws:ecs:eu-west-1:222222222222:task-definition/web:${revision}`;
export const appSpec = (revision: number): string =>
  `# ours\nversion: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: ${arn(revision)}\n        LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}\n`;

export class ExistingSetting extends Setting {
  readonly ecr = new FakeEcr();

  constructor() {
    super();
    this.ecr.hold({ digest: image.digest });
    this.codedeploy.revisions.set('r1', appSpec(41)).set('r2', appSpec(42));
    this.ecs.definitions.set('web:41', {
      ...someDefinition,
      taskDefinitionArn: arn(41),
      revision: 41,
      containerDefinitions: [
        {
          name: 'web',
          image: `${image.host}/${image.repository}@${image.digest}`,
          essential: true,
          portMappings: [{ containerPort: 80, hostPort: 80, protocol: 'tcp' }],
          environment: [{ name: 'STAGE', value: 's3cret' }],
        },
      ],
    });
  }

  override get ports() {
    return { ...super.ports, ecr: (): Ecr => this.ecr };
  }

  async find(inputs: Partial<ResumeInputs> = {}): Promise<FoundDeployment> {
    return findDeployment({ inputs: { ...wish, ...inputs }, side: this.side, ports: this.ports });
  }

  get output() {
    return (name: string, value: string): void => void this.outputs.set(name, value);
  }
}
