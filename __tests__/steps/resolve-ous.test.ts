import { describe, expect, test } from '@jest/globals';
import { parseOuTarget, type OrganizationId, type OuTarget } from '../../src/domain/organization.ts';
import { foreignPaths, resolveOus } from '../../src/steps/resolve-ous.ts';
import { FakeOrganizations } from '../fakes/organizations.ts';

const tree = {
  id: 'r-ab12',
  name: 'Root',
  children: [
    { id: 'ou-ab12-00000000', name: 'Services' },
    {
      id: 'ou-ab12-aaaaaaaa',
      name: 'Workloads',
      children: [
        { id: 'ou-ab12-11111111', name: 'Development' },
        { id: 'ou-ab12-22222222', name: 'Twin' },
        { id: 'ou-ab12-33333333', name: 'Twin' },
      ],
    },
  ],
};

const target = (text: string): OuTarget => {
  const parsed = parseOuTarget(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};
const resolve = async (texts: readonly string[], organizations = new FakeOrganizations(tree), organizationId?: string) =>
  resolveOus({ targets: texts.map(target), organizationId: organizationId as OrganizationId | undefined, organizations });

const organization = 'o-a1b2c3d4e5';

describe('resolveOus', () => {
  test('asks nothing where the inputs say it all', async () => {
    const organizations = new FakeOrganizations(tree);
    expect(await resolve(['ou-ab12-11111111', 'r-ab12', 'o-zzzzzzzzzz/r-zz99/ou-zz99-11111111/'], organizations, organization)).toEqual([
      { kind: 'ou', organization, ou: 'ou-ab12-11111111' },
      { kind: 'root', organization, root: 'r-ab12' },
      { kind: 'path', path: 'o-zzzzzzzzzz/r-zz99/ou-zz99-11111111/' },
    ]);
    expect(organizations.journal).toEqual([]);
  });

  test('asks for the organization once, where it is not given', async () => {
    const organizations = new FakeOrganizations(tree);
    expect(await resolve(['ou-ab12-11111111', 'ou-ab12-22222222'], organizations)).toHaveLength(2);
    expect(organizations.journal).toEqual(['organization']);
  });

  test('a path needs no organization', async () => {
    const organizations = new FakeOrganizations(tree);
    await resolve(['o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/'], organizations);
    expect(organizations.journal).toEqual([]);
  });

  test('finds OUs by their names, and reads each node once', async () => {
    const organizations = new FakeOrganizations(tree);
    expect(await resolve(['Workloads/Development', 'Workloads', 'Services'], organizations, organization)).toEqual([
      { kind: 'ou', organization, ou: 'ou-ab12-11111111' },
      { kind: 'ou', organization, ou: 'ou-ab12-aaaaaaaa' },
      { kind: 'ou', organization, ou: 'ou-ab12-00000000' },
    ]);
    expect(organizations.journal).toEqual(['root', 'children r-ab12', 'children ou-ab12-aaaaaaaa']);
  });

  test.each([
    [
      'Workloads/Developmnt',
      'target-ous: "Workloads/Developmnt": below Workloads (ou-ab12-aaaaaaaa) there is no OU "Developmnt" (did you mean "Development"?); there are: Development, Twin, Twin',
    ],
    ['Nowhere', 'target-ous: "Nowhere": below Root (r-ab12) there is no OU "Nowhere"; there are: Services, Workloads'],
    [
      'Workloads/Twin',
      'target-ous: "Workloads/Twin": below Workloads (ou-ab12-aaaaaaaa) there is more than one OU "Twin": name one by its ID, ou-ab12-22222222, ou-ab12-33333333',
    ],
    ['Services/Inner', 'target-ous: "Services/Inner": below Services (ou-ab12-00000000) there is no OU "Inner"; there are: none'],
  ])('%s is refused, with the candidates', async (name, message) => {
    await expect(resolve([name], new FakeOrganizations(tree), organization)).rejects.toThrow(message);
  });
});

test('a path or organization of another organization contradicts organization-id', () => {
  const targets = ['o-zzzzzzzzzz/r-zz99/', 'o-yyyyyyyyyy', 'ou-ab12-11111111', 'Workloads'].map(target);
  expect(foreignPaths({ targets, organizationId: organization as OrganizationId })).toEqual([
    'o-zzzzzzzzzz is not the organization-id o-a1b2c3d4e5',
    'o-yyyyyyyyyy is not the organization-id o-a1b2c3d4e5',
  ]);
  expect(foreignPaths({ targets, organizationId: undefined })).toEqual([]);
});
