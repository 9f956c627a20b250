import { expect, test } from '@jest/globals';
import { inputs, onStage } from './stage.ts';

const deploy = { mode: 'deploy', ...inputs.common, ...inputs.deploying, image: 'shop/web:v1', 'registry-id': '111111111111' };

/** Name → inputs → what the error says, whole. Nothing may have been called. */
const cases: readonly (readonly [name: string, given: Record<string, string>, message: string, files?: Record<string, string>])[] = [
  [
    'an unknown mode',
    { mode: 'deplyo' },
    'Error: mode: "deplyo" is not one of release, login, publish, share, deploy, check, follow, continue, rollback, discover (did you mean "deploy"?)',
  ],
  [
    'missing and malformed inputs, all at once',
    {
      mode: 'deploy',
      'aws-region': 'europe',
      image: 'Shop/Web',
      'deploy-role': 'web-deploy',
      'registry-id': '123',
      'wait-until': 'done',
      service: 'web',
    },
    [
      'Error: 6 inputs need attention:',
      '  - aws-region: "europe" is not an AWS Region such as eu-west-1',
      '  - registry-id: "123" is not an AWS account ID (12 digits; quote it in YAML, or a leading zero is lost)',
      '  - deploy-role: "web-deploy" is not an IAM role ARN such as arn:aws:iam::111111111111:role/deploy',
      '  - cluster: is required',
      '  - wait-until: "done" is not one of started, ready, traffic-shifted, succeeded',
      '  - image: "Shop/Web" is not an image reference: "Shop/Web" is not a repository name such as shop/web (lower-case letters, digits, and single . _ - / between them)',
    ].join('\n'),
  ],
  [
    'a malformed OU',
    { mode: 'share', ...inputs.common, ...inputs.repository, 'target-ous': 'ou-1\nou-ab12-11111111' },
    'Error: target-ous: "ou-1" is not an OU ID such as ou-ab12-11111111 ("ou-", the suffix of the root, "-" and 8 to 32 lower-case letters and digits)',
  ],
  [
    'an OU of another organization',
    {
      mode: 'share',
      ...inputs.common,
      ...inputs.repository,
      'organization-id': 'o-a1b2c3d4e5',
      'target-ous': 'o-zzzzzzzzzz/r-zz99/ou-zz99-11111111/',
    },
    'Error: target-ous: o-zzzzzzzzzz is not the organization-id o-a1b2c3d4e5',
  ],
  [
    'a malformed tag',
    { mode: 'publish', ...inputs.common, ...inputs.repository, image: 'oci:image', tags: '-bad' },
    'Error: tags: "-bad" is not a tag: a letter, digit or "_", then at most 127 letters, digits, ".", "_" or "-"',
  ],
  [
    'a missing Dockerfile',
    { mode: 'publish', ...inputs.common, ...inputs.repository, context: '.' },
    'Error: file: there is no Dockerfile ./Dockerfile',
  ],
  [
    'a missing context',
    { mode: 'publish', ...inputs.common, ...inputs.repository, context: 'app' },
    'Error: context: there is no folder app; check out the repository first',
  ],
  [
    'a missing task definition',
    { ...deploy, 'task-definition': 'task.json' },
    'Error: task.json: is not there (looked at <workspace>/task.json)',
  ],
  [
    'broken documents, both at once, with line and column',
    { ...deploy, 'task-definition': 'task.json', 'codedeploy-appspec': 'appspec.yaml' },
    [
      'Error: task.json:1:12: is not JSON: Flow map must end with a }',
      'appspec.yaml:3:1: is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ].join('\n'),
    { 'task.json': '{"family": ', 'appspec.yaml': 'version: 0.0\nResources: [\n' },
  ],
  [
    'an AppSpec without TargetService',
    { ...deploy, 'codedeploy-appspec': 'appspec.yaml' },
    'Error: appspec.yaml:2:12: $.Resources is empty: it must hold one TargetService',
    { 'appspec.yaml': 'version: 0.0\nResources: []\n' },
  ],
  [
    'a CloudFormation tag in a document',
    { ...deploy, 'task-definition': 'task.yaml' },
    'Error: task.yaml:2:19: has the tag !Ref, which means nothing here: write the value itself, or let the tool that knows the tag render the file in a step before',
    { 'task.yaml': 'family: web\nexecutionRoleArn: !Ref Role\n' },
  ],
  [
    'types that ECS does not take, all at once, with their places',
    { ...deploy, 'task-definition': 'task.yaml' },
    [
      'Error: task.yaml:4:16: $.containerDefinitions[0].essential must be true or false, without quotes',
      'task.yaml:5:18: $.containerDefinitions[0].environment must be a list of objects with name and value',
    ].join('\n'),
    { 'task.yaml': "family: web\ncontainerDefinitions:\n  - name: web\n    essential: 'yes'\n    environment: { STAGE: dev }\n" },
  ],
  [
    'several images, everything wrong with them',
    { ...deploy, image: 'web=shop/web:v1\nweb=shop/web:v2\nshop/proxy:v1' },
    'Error: image: "shop/proxy:v1" names no container, and there are several lines: write <container>=shop/proxy:v1; the container web has several lines',
  ],
  [
    'names of variables; no value is shown',
    { ...deploy, 'environment-variables': 'A B=hush\n=hush' },
    'Error: environment-variables: a name holds a blank: write NAME=value; the line is not shown, since it may be a part of a secret value; a line is not NAME=value; it is not shown, since it may be a part of a secret value',
  ],
  [
    'a folder where a file is meant',
    { ...deploy, 'task-definition': '.' },
    "Error: .: can't be read: EISDIR: illegal operation on a directory, read",
  ],
  [
    'an alias that names nothing',
    { ...deploy, 'codedeploy-appspec': 'appspec.yaml' },
    "Error: appspec.yaml: has an alias that can't be followed: Unresolved alias (the anchor must be set before the alias): x",
    { 'appspec.yaml': 'version: 0.0\nResources: *x\n' },
  ],
];

test.each(cases)('%s: one clear error, exit code 1, nothing called', async (_, given, message, files = {}) => {
  await onStage({}, async (stage) => {
    for (const [path, text] of Object.entries(files)) stage.job.write(path, text);
    const result = await stage.step({ with: given });
    expect({
      log: stage.plain(result.log.join('\n')),
      exitCode: result.exitCode,
      outputs: result.outputs,
      requests: stage.requests(),
    }).toEqual({
      log: message,
      exitCode: 1,
      outputs: {},
      requests: [],
    });
  });
});

test('an ignored and an unknown input are one warning each', async () => {
  await onStage({}, async (stage) => {
    const result = await stage.step({ with: { mode: 'share', ...inputs.common, ...inputs.repository, cluster: 'dev', 'target-ou': 'x' } });
    expect(result.exitCode).toBe(1);
    expect(result.log).toEqual([
      'Error: target-ous: is required, or one of target-accounts and target-roles: there is nobody to share with',
    ]);
  });
});
