import { describe, expect, test } from '@jest/globals';
import type { AccountId } from '../../src/domain/account.ts';
import type { Tag } from '../../src/domain/image.ts';
import {
  digestOfBuild,
  nextRevision,
  planJson,
  planLines,
  planMarkdown,
  planOf,
  type Plan,
  type PlannedDeployment,
  type PlannedImage,
  type PlanPart,
} from '../../src/domain/plan.ts';

const repository = '111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web';
const arn = 'arn:aws:ecr:eu-west-1:111111111111:repository/shop/web';
const running = 'arn:aws:ecs:eu-west-1:222222222222:task-definition/web:1';
const put = { service: 'ecr', action: 'PutImage', resource: arn };
const set = { service: 'ecr', action: 'SetRepositoryPolicy', resource: arn };

const image: PlannedImage = {
  uri: `${repository}@${digestOfBuild}`,
  source: 'build',
  exists: false,
  tags: [
    { tag: 'v1' as Tag, change: 'set' },
    { tag: 'main' as Tag, change: 'move' },
    { tag: 'old' as Tag, change: 'keep' },
  ],
};
const deployment: PlannedDeployment = {
  cluster: 'dev',
  service: 'web',
  place: 'deployment group D of A',
  images: [{ container: 'web', uri: `${repository}@sha256:1` }],
  outcome: 'deploy',
  before: 'd-1 is under way (InProgress), and would be waited for',
  taskDefinition: {
    running,
    planned: nextRevision({ running, family: 'web' }),
    differences: ['~ containers.web.environment.KEY: changed'],
  },
  changes: ['platform version: LATEST → 1.4.0'],
  appSpec: 'version: 0.0\nResources: []\n',
};

test('the parts become one plan, their writes in order', () => {
  expect(planOf('release', [{ writes: [put], images: [image] }, { writes: [set] }])).toEqual({
    mode: 'release',
    writes: [put, set],
    images: [image],
  });
});

test('the next revision stands beside the running one, also in a new family', () => {
  expect(nextRevision({ running, family: 'shop' })).toBe('arn:aws:ecs:eu-west-1:222222222222:task-definition/shop:<new revision>');
});

test('as an output a plan that is too long is without diffs and documents', () => {
  const policies = [{ repository, changed: true, diff: ['+ a long line'] }];
  const plan = planOf('release', [{ writes: [put], images: [image], policies, deployment }]);
  const whole = planJson(plan, 10_000);
  expect(JSON.parse(whole)).toEqual(plan);
  expect(planJson(plan, whole.length)).toBe(whole);
  const { appSpec: _, ...withoutAppSpec } = deployment;
  expect(JSON.parse(planJson(plan, whole.length - 1))).toEqual({
    ...plan,
    truncated: true,
    policies: [{ repository, changed: true, diff: [] }],
    deployment: { ...withoutAppSpec, taskDefinition: { ...deployment.taskDefinition, differences: [] } },
  });
});

const cases: readonly (readonly [name: string, part: PlanPart, lines: readonly string[]])[] = [
  ['nothing to do', { writes: [] }, ['Calls that would write: none']],
  [
    'a login',
    { writes: [], login: { registries: ['host'] } },
    ['Login: Docker would be logged in to host', 'Calls that would write: none'],
  ],
  [
    'an image to build',
    { writes: [put], images: [image] },
    [
      `Image: ${repository}@<digest of the build> would be built and pushed`,
      '    + v1',
      '    ~ main (names another image now)',
      '      old',
      'Calls that would write: 1',
      `    ecr:PutImage on ${arn}`,
    ],
  ],
  [
    'an image that is there',
    { writes: [], images: [{ ...image, uri: 'u', source: 'layout', exists: true, tags: [] }] },
    ['Image: u is there already', 'Calls that would write: none'],
  ],
  [
    'a policy that lacks something',
    { writes: [set], policies: [{ repository, changed: true, diff: ['+ Ours', '+     Allow'] }] },
    [
      `Repository policy: of ${repository} would be changed`,
      '    + Ours',
      '    +     Allow',
      'Calls that would write: 1',
      `    ecr:SetRepositoryPolicy on ${arn}`,
    ],
  ],
  [
    'a deployment',
    { writes: [], deployment },
    [
      'Deployment: web of cluster dev would be deployed, by deployment group D of A; d-1 is under way (InProgress), and would be waited for; platform version: LATEST → 1.4.0',
      `    web: ${repository}@sha256:1`,
      'Task definition: web:1 → web:<new revision>',
      '    ~ containers.web.environment.KEY: changed',
      'AppSpec: as it would be sent',
      '    version: 0.0',
      '    Resources: []',
      'Calls that would write: none',
    ],
  ],
];

describe('in the log', () => {
  test.each(cases)('%s', (_, part, lines) => {
    expect(planLines(planOf('some', [part]))).toEqual([
      'Dry run of some: nothing was written, built, pushed or logged in to. The plan:',
      ...lines,
    ]);
  });
});

test('in the job summary nothing that others wrote becomes markup', () => {
  const part: PlanPart = {
    writes: [],
    images: [{ ...image, tags: [] }],
    deployment: { ...deployment, before: '<img src=x> [x](javascript:1)', appSpec: '```\n# a comment' },
  };
  const text = planMarkdown(planOf('release', [part]));
  expect(text).toContain('&lt;digest of the build>');
  expect(text).toContain('&lt;img src=x> \\[x\\]\\(javascript:1\\)');
  expect(text).toContain('````\n```\n# a comment\n````');
});

describe('of a fan-out', () => {
  const members = [
    { account: '222222222222' as AccountId, name: 'dev-a', deployment },
    { account: '333333333333' as AccountId, name: '', deployment: { ...deployment, outcome: 'unchanged' as const, appSpec: 'x' } },
  ];
  const [first, ...others] = members;

  test('each wave is told with its accounts', () =>
    expect(planLines(planOf('deploy', [{ writes: [], waves: [first ? [first] : [], others] }]))).toMatchInlineSnapshot(`
      [
        "Dry run of deploy: nothing was written, built, pushed or logged in to. The plan:",
        "Wave 1 of 2: 1 account",
        "    dev-a 222222222222: web of cluster dev would be deployed, by deployment group D of A",
        "      d-1 is under way (InProgress), and would be waited for",
        "      web: 111111111111.dkr.ecr.eu-west-1.amazonaws.com/shop/web@sha256:1",
        "      web:1 → web:<new revision>",
        "      ~ containers.web.environment.KEY: changed",
        "      platform version: LATEST → 1.4.0",
        "Wave 2 of 2: 1 account",
        "    333333333333: web of cluster dev runs exactly this already, by deployment group D of A",
        "      d-1 is under way (InProgress), and would be waited for",
        "      web:1 → web:<new revision>",
        "      ~ containers.web.environment.KEY: changed",
        "      platform version: LATEST → 1.4.0",
        "Calls that would write: none",
      ]
    `));

  test('a long one leaves out diffs and documents', () => {
    const plan = planOf('deploy', [{ writes: [], waves: [others] }]);
    const { truncated, waves } = JSON.parse(planJson(plan, 10)) as Plan;
    expect(truncated).toBe(true);
    expect(waves?.[0]?.[0]).toMatchObject({ account: '333333333333', deployment: { taskDefinition: { differences: [] } } });
    expect(waves?.[0]?.[0]?.deployment).not.toHaveProperty('appSpec');
  });
});
