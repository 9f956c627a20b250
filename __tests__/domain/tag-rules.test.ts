/** The tables of docker/metadata-action's README, and what of it is refused by name. */
import { describe, expect, test } from '@jest/globals';
import { applyRule, parseRule } from '../../src/domain/tag-rules.ts';
import type { TagEvent } from '../../src/domain/tags.ts';
import { headSha, on, pull, sha } from './event.ts';

const branch = on('refs/heads/main');
const gitTag = (tag: string) => on(`refs/tags/${tag}`);
const tree = 'feed'.repeat(10);

/** `tag kind`, `none`, or what is wrong. */
function result(text: string, event: TagEvent): string {
  const rule = parseRule(text);
  if (!rule.ok) return `refused: ${rule.problem}`;
  const applied = applyRule(rule.value, event);
  if (!applied.ok) return `refused: ${applied.problem}`;
  const { tag, note } = applied.value;
  return tag ? `${tag.tag} ${tag.kind}` : `none${note === undefined ? '' : `: ${note}`}`;
}

describe('a rule', () => {
  test.each<[string, string, TagEvent, string]>([
    // type=ref
    ['a pull request', 'type=ref,event=pr', pull, 'pr-7 moving'],
    ['a pull request without prefix', 'type=ref,event=pr,prefix=', pull, '7 moving'],
    ['a branch', 'type=ref,event=branch', on('refs/heads/my/branch'), 'my-branch moving'],
    ['a branch with a suffix', 'type=ref,event=branch,suffix=-arm', branch, 'main-arm moving'],
    ['a Git tag', 'type=ref,event=tag', gitTag('v2.0.8-beta.67'), 'v2.0.8-beta.67 fixed'],
    ['a ref of another kind', 'type=ref,event=tag', branch, 'none'],
    ['a branch, asked of a pull request', 'type=ref,event=branch', pull, 'none'],
    // type=semver
    ['raw', 'type=semver,pattern={{raw}}', gitTag('v1.2.3'), 'v1.2.3 fixed'],
    ['version', 'type=semver,pattern={{version}}', gitTag('v1.2.3'), '1.2.3 fixed'],
    ['major.minor', 'type=semver,pattern={{major}}.{{minor}}', gitTag('v1.2.3'), '1.2 moving'],
    ['v and major', 'type=semver,pattern=v{{major}}', gitTag('v1.2.3'), 'v1 moving'],
    ['minor', 'type=semver,pattern={{minor}}', gitTag('v1.2.3'), '2 moving'],
    ['patch', 'type=semver,pattern={{ patch }}', gitTag('v1.2.3'), '3 moving'],
    ['a match', String.raw`type=semver,pattern={{version}},match=v(\d.\d.\d)$`, gitTag('p1/v1.2.3'), '1.2.3 fixed'],
    ['a match that fails', 'type=semver,pattern={{version}},match=x(.*)', gitTag('v1.2.3'), '1.2.3 fixed'],
    ['a prerelease, raw', 'type=semver,pattern={{raw}}', gitTag('v2.0.8-beta.67'), 'v2.0.8-beta.67 fixed'],
    ['a prerelease, version', 'type=semver,pattern={{version}}', gitTag('v2.0.8-beta.67'), '2.0.8-beta.67 fixed'],
    ['a prerelease, major', 'type=semver,pattern={{major}}', gitTag('v2.0.8-beta.67'), '2.0.8-beta.67 fixed'],
    ['a prerelease, major.minor', 'type=semver,pattern={{major}}.{{minor}}', gitTag('v2.0.8-beta.67'), '2.0.8-beta.67 fixed'],
    ['a value of its own', 'type=semver,pattern={{version}},value=v1.0.0', branch, '1.0.0 fixed'],
    ['an affix', 'type=semver,pattern={{version}},prefix=web-,suffix=-alpine', gitTag('v1.2.3'), 'web-1.2.3-alpine fixed'],
    [
      'no version',
      'type=semver,pattern={{version}}',
      gitTag('nightly'),
      'none: "nightly" is not a semantic version (semver.org), so {{version}} gives no tag',
    ],
    ['no Git tag', 'type=semver,pattern={{version}}', branch, 'none'],
    // type=sha
    ['short', 'type=sha', branch, 'sha-0123456 fixed'],
    ['long', 'type=sha,format=long', branch, `sha-${sha} commit`],
    ['12 digits by DOCKER_METADATA_SHORT_SHA_LENGTH', 'type=sha', on('refs/heads/main', { shortShaLength: 12 }), 'sha-0123456789ab commit'],
    ['the head by DOCKER_METADATA_PR_HEAD_SHA', 'type=sha,format=long', { ...pull, revision: headSha }, `sha-${headSha} commit`],
    ['the merge commit of a pull request', 'type=sha,format=long,prefix=', pull, `${sha} commit`],
    ['no commit', 'type=sha,prefix=', on('', { revision: '', sha: '' }), 'none'],
    // type=raw
    ['a value', 'type=raw,value=foo', branch, 'foo fixed'],
    ['a value without its name', 'type=raw,foo', branch, 'foo fixed'],
    ['a value with expressions', 'type=raw,value=mytag-{{branch}}-{{sha}}', on('refs/heads/my/branch'), 'mytag-my-branch-0123456 fixed'],
    ['an expression that is empty here', 'type=raw,value={{branch}}', gitTag('v1'), 'none'],
    ['the Git tag', 'type=raw,value={{tag}}', gitTag('v1.2.3'), 'v1.2.3 fixed'],
    ['the base of a pull request', 'type=raw,value={{base_ref}}', pull, 'main fixed'],
    ['a base of a branch', 'type=raw,value=x{{base_ref}}', on('refs/heads/y', { baseRef: 'main' }), 'x fixed'],
    ['latest on the default branch', 'type=raw,value=latest,enable={{is_default_branch}}', branch, 'latest moving'],
    ['latest elsewhere', 'type=raw,value=latest,enable={{is_default_branch}}', on('refs/heads/x'), 'none'],
    [
      'latest on a schedule',
      'type=raw,value=latest,enable={{is_default_branch}}',
      on('refs/heads/x', { eventName: 'schedule' }),
      'latest moving',
    ],
    ['the other way round', 'type=raw,value=dev,enable={{is_not_default_branch}}', on('refs/heads/x'), 'dev fixed'],
    ['a date', `type=raw,value={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}`, branch, '20261121-213456 fixed'],
    ['the commit’s date', `type=raw,value={{commit_date 'YYYYMMDD'}}`, branch, '20261120 fixed'],
    ['a quoted field', 'type=raw,"value=a,b"', branch, 'a-b fixed'],
    ['letters that a tag can’t hold', 'type=raw,value=größe', branch, 'gr-e fixed'],
    ['an unnamed type', 'foo,enable=true', branch, 'foo fixed'],
    ['the branch by its name', 'type=raw,value=main', branch, 'main moving'],
    // type=tree
    ['the tree', 'type=tree', on('refs/heads/main', { tree }), 'tree-feedfeedfeed tree'],
    ['the tree with affixes', 'type=tree,prefix=web-,suffix=-arm64', on('refs/heads/main', { tree }), 'web-feedfeedfeed-arm64 tree'],
    ['a tree that nobody looked up', 'type=tree,enable=false', branch, 'none'],
    // wrong only for this event
    [
      'a tag that is none',
      'type=raw,value=-x',
      branch,
      'refused: "type=raw,value=-x": "-x" is not a tag: a letter, digit or "_", then at most 127 letters, digits, ".", "_" or "-"',
    ],
    [
      'a switch that is none',
      'type=sha,enable={{branch}}',
      branch,
      'refused: "type=sha,enable={{branch}}": enable is "main", neither true nor false',
    ],
    [
      'no commit date',
      `type=raw,value={{commit_date 'YYYY'}}`,
      on('refs/heads/main', { commitTime: undefined }),
      `refused: "type=raw,value={{commit_date 'YYYY'}}": {{commit_date}} is not known: neither the event nor the checkout tells when ${sha} was made`,
    ],
    [
      'a match without a group',
      'type=semver,pattern={{version}},match=v1',
      gitTag('v1.2.3'),
      'refused: "type=semver,pattern={{version}},match=v1": match=v1 has no group',
    ],
    [
      'an expression of the wrong place',
      'type=raw,value={{major}}',
      branch,
      'refused: "type=raw,value={{major}}": "{{major}}" is not one of {{branch}}, {{tag}}, {{sha}}, {{base_ref}}, {{is_default_branch}}, {{is_not_default_branch}}, {{date}}, {{commit_date}}',
    ],
    [
      'a helper of Handlebars',
      'type=semver,pattern={{#if major}}x{{/if}}',
      gitTag('v1.2.3'),
      'refused: "type=semver,pattern={{#if major}}x{{/if}}": "{{#if major}}" is not one of {{raw}}, {{version}}, {{major}}, {{minor}}, {{patch}}; "{{/if}}" is not one of {{raw}}, {{version}}, {{major}}, {{minor}}, {{patch}}',
    ],
    [
      'an expression that is not closed',
      'type=raw,value=x{{sha',
      branch,
      'refused: "type=raw,value=x{{sha": "x{{sha" is not one of {{branch}}, {{tag}}, {{sha}}, {{base_ref}}, {{is_default_branch}}, {{is_not_default_branch}}, {{date}}, {{commit_date}}',
    ],
    [
      'a date without a format',
      'type=raw,value={{date}}',
      branch,
      `refused: "type=raw,value={{date}}": "{{date}}" is not {{date 'format'}} or {{date 'format' tz='zone'}}`,
    ],
    [
      'an expression with too much in it',
      'type=raw,value={{sha 7}}',
      branch,
      'refused: "type=raw,value={{sha 7}}": "{{sha 7}}" takes nothing after its name',
    ],
  ])('%s: %s', (_, rule, event, expected) => {
    expect(result(rule, event)).toBe(expected);
  });
});

describe('before any event', () => {
  test.each([
    [
      'type=edge',
      '"type=edge": type=edge is not one of raw, ref, sha, semver, tree; tags that metadata-action makes can be given as they are',
    ],
    ['type=schedule,pattern=nightly', 'type=schedule is not one of'],
    ['type=sha,len=12', '"type=sha,len=12" has no len; it takes format, enable, priority, prefix, suffix'],
    ['type=ref', '"type=ref" needs event to be one of branch, tag, pr'],
    ['type=sha,format=medium', '"type=sha,format=medium" needs format to be one of short, long'],
    ['type=semver', '"type=semver" has no pattern, such as pattern={{version}}'],
    ['type=semver,pattern={{version}},match=(', 'has a match that is no regular expression'],
    ['type=raw', '"type=raw" has no value'],
    ['type=sha,priority=high', '"type=sha,priority=high" has a priority that is no number'],
  ])('%s is refused', (rule, problem) => {
    expect(parseRule(rule)).toEqual({ ok: false, problem: expect.stringContaining(problem) });
  });
});
