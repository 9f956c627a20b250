/**
 * The inputs, in the groups that modes share. A new input is one row here (or in its only mode); `npm run docs` carries it to
 * `action.yml` and the README. Where a peer action has an input for the same thing, ours has the peer's name.
 */
import { parseAccountId, parseCluster, parseRegion, parseRoleArn } from '../domain/account.ts';
import { parseDeploymentId } from '../domain/deployment.ts';
import { fanOutDefaults, parseDeployAccounts, parseWaves } from '../domain/fan-out.ts';
import { parseRepositoryName } from '../domain/image.ts';
import { parseImageSource } from '../domain/image-source.ts';
import { parseImageWishes } from '../domain/image-wish.ts';
import { parseOrganizationId, parseOuTarget } from '../domain/organization.ts';
import { parseReplicaPlace } from '../domain/replica.ts';
import { pullActions } from '../domain/policy/grant.ts';
import { defaultPolicySid, parsePolicySid } from '../domain/policy/sid.ts';
import { bad, matching, ok, type Parser } from '../domain/parsed.ts';
import { severityGates } from '../domain/scan.ts';
import { checkSessionTags, parseSessionTag, type SessionTag } from '../domain/session-tags.ts';
import {
  atLeastOne,
  boolean,
  csvLines,
  fromRunner,
  integer,
  lines,
  list,
  listOf,
  oneOf,
  optional,
  required,
  template,
  text,
  untrimmedCsvLines,
  withDefault,
} from '../inputs.ts';
import { roleChainings } from '../ports/credentials.ts';
import { registryTypes } from '../steps/sessions.ts';

const sessionName = matching(/^[\w+=,.@-]{2,64}$/, 'a role session name (2 to 64 letters, digits or any of _+=,.@-)');
const externalId = matching(/^[\w+=,.@:/-]{2,1224}$/, 'an external ID (2 to 1224 letters, digits or any of _+=,.@:/-)');
const codedeployName = matching(/^[A-Za-z0-9+=,.@_-]{1,100}$/, 'a CodeDeploy name (1 to 100 letters, digits or any of +=,.@_-)');
const ecsName = matching(/^[A-Za-z0-9_-]{1,255}$/, 'an ECS name (1 to 255 letters, digits, "-" or "_")');

const sessionTags: Parser<readonly SessionTag[]> = (value) => {
  const tags = lines(parseSessionTag)(value);
  return tags.ok ? checkSessionTags(tags.value) : tags;
};
const builderName = matching(/^[A-Za-z0-9][\w.-]*$/, 'a name of a buildx builder');

/** `NAME=value`, as in build-args, labels and environment-variables; the value may be empty and may hold further "=". */
const assignment: Parser<readonly [name: string, value: string]> = (line) => {
  const at = line.indexOf('=');
  return at > 0
    ? ok([line.slice(0, at), line.slice(at + 1)] as const)
    : bad('a line is not NAME=value; it is not shown, since it may be a part of a secret value');
};

/** A container's variable; a blank in its name is an author's slip (`A = b`). */
const variable: Parser<readonly [name: string, value: string]> = (line) => {
  const parsed = assignment(line);
  if (!parsed.ok || !/[\s\p{Cc}]/u.test(parsed.value[0])) return parsed;
  return bad('a name holds a blank: write NAME=value; the line is not shown, since it may be a part of a secret value');
};

/** What `toJSON(strategy)` says of the matrix; a job without one is a matrix of one. */
const strategy: Parser<{ readonly jobTotal: number; readonly failFast: boolean }> = (json) => {
  try {
    const context = JSON.parse(json) as Readonly<Record<string, unknown>> | null;
    const jobTotal = context?.['job-total'];
    return ok({ jobTotal: typeof jobTotal === 'number' ? jobTotal : 1, failFast: context?.['fail-fast'] === true });
  } catch {
    return bad('is set by the runner and not to be given');
  }
};

const pullAction: Parser<string> = matching(/^ecr:[A-Za-z]{3,64}$/, 'an ECR action such as ecr:BatchGetImage');

/** `id=…`; what comes after it may be secret. */
const secret: Parser<readonly [id: string, value: string]> = (line) => {
  const [, id, value = ''] = /^([\w.-]+)=([^]+)$/.exec(line) ?? [];
  return id === undefined
    ? bad('a line is not id=value (an id has letters, digits, ".", "_" and "-"); it is not shown, since it may be a part of a secret value')
    : ok([id, value] as const);
};

export const common = {
  'dry-run': withDefault(
    boolean,
    'false',
    'Check everything, print the plan (log, job summary and the output `plan`), and stop before the first effect: no build, push, login or write.',
  ),
  'aws-region': required(
    parseRegion,
    'The Region of the registry, and of the service unless `deploy-region` says otherwise. Without it: AWS_REGION, then AWS_DEFAULT_REGION.',
  ),
  audience: withDefault(text, 'sts.amazonaws.com', 'The audience of the OIDC token.'),
  'role-session-name': optional(
    sessionName,
    'The name of the role sessions. Default: it tells the run, `ecr-org-deploy-<run id>-<attempt>`.',
  ),
  'role-chaining': withDefault(
    oneOf(roleChainings),
    'auto',
    'How roles are assumed: `true` from the credentials at hand, `false` by OIDC, `auto` from keys in the environment, else by OIDC, else from the default chain.',
  ),
  'role-duration-seconds': optional(
    integer({ least: 900, most: 43_200, unit: 'seconds' }),
    'How long a role session lasts; it is renewed by itself. Default: 3600.',
  ),
  strategy: fromRunner(
    strategy,
    '${{ toJSON(strategy) }}',
    { jobTotal: 1, failFast: false },
    'The job’s strategy context; set by the runner.',
  ),
  'github-token': fromRunner<string | undefined>(
    text,
    '${{ github.token }}',
    undefined,
    'The job’s token; set by the runner. With it a build fetches `{{defaultContext}}` of a private repository.',
  ),
  'role-external-id': optional(externalId, 'The external ID that the role trust policies ask for (sts:AssumeRole only).'),
  'role-session-tags': listOf(
    sessionTags,
    'Tags of the role sessions, one `key=value` a line (sts:AssumeRole only; the role’s trust must allow sts:TagSession). Default: none.',
  ),
} as const;

export const registrySide = {
  'registry-id': optional(parseAccountId, 'The account that owns the shared registry. Default: the account of the registry credentials.'),
  'registry-role': optional(parseRoleArn, 'The role to assume for everything in the shared account. Default: the job’s own credentials.'),
} as const;

export const registryKind = {
  'registry-type': withDefault(
    oneOf(registryTypes),
    'private',
    'Whose images these are: those of the `private` registry, or of the account’s `public` one (Amazon ECR Public), which everybody may pull.',
  ),
} as const;

export const repositories = {
  repository: required(
    atLeastOne(lines(parseRepositoryName)),
    'The repositories in the shared registry, one a line: each gets the same image and the same grants; the first is the one that is deployed.',
  ),
} as const;

export const creating = {
  'create-repository': withDefault(boolean, 'false', 'Create a repository that does not exist yet, after every other check.'),
  'image-tag-mutability': withDefault(
    oneOf(['MUTABLE', 'IMMUTABLE']),
    'MUTABLE',
    'Whether tags may move in a repository that is created; one that exists keeps its own setting.',
  ),
} as const;

/** For publish and release. */
export const checking = {
  'fail-on-severity': withDefault(
    oneOf(severityGates),
    'none',
    'Waits for the image scan after the push, and fails where it found something as severe (`critical`, `high`, `medium`, `low`) or more; the tags stay pushed, and nothing is shared or deployed. `none` asks for no scan.',
  ),
  'wait-for-replication': listOf(
    list(parseReplicaPlace),
    'Where the image must have been copied to before the step goes on: Regions and/or `account/region`. The registry’s replication rule must be there before the push; each copy is waited for and compared.',
  ),
} as const;

/** For share. */
export const replicating = {
  'wait-for-replication': listOf(
    list(parseReplicaPlace),
    'The replicas to share too, since they do not inherit the policy: those in Regions of the registry’s own account, where the replica exists. Other accounts are only mentioned, and no image is waited for.',
  ),
} as const;

export const publishing = {
  context: withDefault(
    text,
    '.',
    'The build context: a path, or a remote one (a Git URL, an archive, `{{defaultContext}}` for this repository at this commit), which the builder fetches itself.',
  ),
  file: optional(text, 'The Dockerfile. Default: `Dockerfile` in the context.'),
  target: optional(text, 'The build stage to build.'),
  platforms: listOf(list(text), 'The platforms to build for, e.g. `linux/amd64,linux/arm64`.'),
  'build-args': listOf(csvLines(assignment), 'Build arguments, one `NAME=value` a line.'),
  'build-contexts': listOf(csvLines(assignment), 'Further build contexts, one `name=path` (or URL, or `docker-image://…`) a line.'),
  secrets: listOf(
    untrimmedCsvLines(secret),
    'Secrets of the build, one `id=value` a line; they reach it as files, never as arguments. Quoted, a value may have several lines: `"id=…"`.',
  ),
  'secret-envs': listOf(list(secret), 'Secrets of the build that are in the step’s environment: `id=VARIABLE`.'),
  'secret-files': listOf(csvLines(secret), 'Secrets of the build that are files, one `id=path` a line.'),
  ssh: listOf(list(text), 'SSH agent sockets or keys for the build: `default`, or `id=path`.'),
  labels: listOf(
    csvLines(assignment),
    'Image labels, one `name=value` a line. The standard ones (`org.opencontainers.image.…`) are set from the event; these win.',
  ),
  annotations: listOf(csvLines(text), 'Annotations of the manifest, one `[type:]name=value` a line.'),
  'cache-from': listOf(csvLines(text), 'Where the build may take its cache from, e.g. `type=gha` or `type=registry,ref=…`, one a line.'),
  'cache-to': listOf(csvLines(text), 'Where the build’s cache is kept, e.g. `type=gha,mode=max` or `type=registry,ref=…`, one a line.'),
  'no-cache': withDefault(boolean, 'false', 'Build without any cache.'),
  pull: withDefault(boolean, 'false', 'Look for newer base images, although some are at hand.'),
  provenance: optional(text, 'The provenance attestation: `true`, `false`, or attributes such as `mode=max`. Default: as buildx decides.'),
  sbom: optional(text, 'The SBOM attestation: `true`, `false`, or attributes such as `generator=IMAGE`. Default: none.'),
  builder: optional(
    builderName,
    'The buildx builder. Default: the one in force; where it is the engine’s own and the build needs more, one is made for the step.',
  ),
  tags: listOf(
    lines(text),
    'Tags, one a line: plain ones, full references (`host/repository:tag`, only for that repository), rules of docker/metadata-action (`type=raw|ref|sha|semver`), or `type=tree`, which stays the same as long as the context does. Default: what suits the event (`pr-<number>` and `pr-<number>-<head sha 12>`; branch and `sha-<12>`; the parts of a version tag).',
  ),
  'on-existing-tag': withDefault(
    oneOf(['reuse', 'fail']),
    'reuse',
    'What to do where a tag that names the commit (12 of its digits or more) or the tree exists already: `reuse` its image and build nothing, or `fail`.',
  ),
} as const;

export const imageToPublish = {
  image: optional(
    parseImageSource,
    'An image that exists already, published instead of a build: `oci:PATH` (an OCI layout, a folder or a tar archive; no Docker needed), a registry’s (its name begins with a host, or it is `repository@sha256:…` of the shared registry; copied or re-tagged without Docker), else one of the Docker engine (`docker:REFERENCE` where its name has a host).',
  ),
} as const;

export const sharing = {
  'organization-id': optional(parseOrganizationId, 'The organization of the OUs. Default: asked of Organizations.'),
  'organization-role': optional(
    parseRoleArn,
    'The role to assume to read the organization’s tree (management account or delegated administrator); needed only for OU names. Default: the registry’s credentials.',
  ),
  'target-ous': listOf(
    list(parseOuTarget),
    'The OUs whose accounts may pull, now and later: IDs (`ou-…`), full paths (`o-…/r-…/ou-…/`), names from the root down (`Workloads/Development`), or `r-…`/`o-…` for the whole organization.',
  ),
  'target-accounts': listOf(list(parseAccountId), 'Accounts that may pull; with `target-services` those whose services may.'),
  'target-roles': listOf(lines(parseRoleArn), 'Roles that may pull, as ARNs.'),
  'target-services': listOf(
    list(oneOf(['lambda', 'codebuild'])),
    'AWS services that may pull for the `target-accounts`: `lambda`, `codebuild`.',
  ),
  'share-actions': withDefault(list(pullAction), pullActions.join(','), 'What they may do.'),
  'policy-sid': withDefault(
    parsePolicySid,
    defaultPolicySid,
    'The prefix of the Sids by which the action knows its own policy statements.',
  ),
  'policy-mode': withDefault(
    oneOf(['merge', 'verify', 'reconcile']),
    'merge',
    '`merge` adds what is missing; `verify` only reads, and fails with the statement to add; `reconcile` (with a `policy-sid` of its own) also removes from our own statements what is no longer listed.',
  ),
} as const;

export const imageToDeploy = {
  image: required(
    parseImageWishes,
    'The image to deploy: a URI, or registry-less `repository@sha256:…` / `repository:tag`. For several containers a line `container=image` each; lines may name different repositories, registries and Regions.',
  ),
} as const;

export const deploying = {
  'deploy-role': optional(
    template(parseRoleArn),
    'The role to assume in the account that is deployed to. Default: the job’s own credentials.',
  ),
  'deploy-account-id': optional(parseAccountId, 'The account that is deployed to; any other is refused before the first effect.'),
  'deploy-region': optional(parseRegion, 'The Region of the service. Default: `aws-region`.'),
  cluster: required(
    template(parseCluster),
    'The ECS cluster: its name, or its ARN, whose account and Region must be those that are deployed to.',
  ),
  service: required(
    template(ecsName),
    'The ECS service: one that CodeDeploy deploys, or that ECS itself deploys (`BLUE_GREEN`, `LINEAR` or `CANARY`).',
  ),
  'task-definition': optional(template(text), 'The task definition, a JSON or YAML file. Default: the one that the service runs.'),
  'container-name': optional(
    text,
    'The container that gets the image. Default: the one that runs this repository already, else the only essential one. Where `image` has lines `container=image`: the one that gets the environment variables, by default the first.',
  ),
  'environment-variables': listOf(
    lines(variable),
    'Environment of the container that gets the image, one `NAME=value` a line, merged by name.',
  ),
  'codedeploy-application': optional(template(codedeployName), 'The CodeDeploy application. Default: `AppECS-<cluster>-<service>`.'),
  'codedeploy-deployment-group': optional(template(codedeployName), 'The deployment group. Default: `DgpECS-<cluster>-<service>`.'),
  'codedeploy-appspec': optional(
    template(text),
    'The AppSpec, a YAML or JSON file, in which only TaskDefinition is changed. Default: made from the live service. Refused where ECS itself deploys.',
  ),
  'codedeploy-deployment-config': optional(
    codedeployName,
    'How traffic shifts, e.g. `CodeDeployDefault.ECSCanary10Percent5Minutes`. Default: the group’s own.',
  ),
  'codedeploy-deployment-description': optional(text, 'Text for the deployment’s description; the action adds the run that made it.'),
  'auto-rollback': withDefault(
    oneOf(['group', 'failure', 'alarm', 'none']),
    'group',
    'When CodeDeploy rolls back by itself: as the `group` says, on `failure`, on `failure` or `alarm`, or never (`none`). Where ECS itself deploys, the service decides, and anything but `group` is refused.',
  ),
  'wait-until': withDefault(
    oneOf(['started', 'ready', 'traffic-shifted', 'succeeded']),
    'succeeded',
    'How far to follow the deployment before the step ends well: `started` (it has an ID; `deploy` and `release` only), `ready` (it waits for `mode: continue`; not in `continue`), `traffic-shifted` (the new tasks have the whole traffic) or `succeeded` (the old tasks have ended too).',
  ),
  'wait-for-minutes': optional(
    integer({ least: 1, most: 2880, unit: 'minutes' }),
    'How long to wait. Default: computed from the deployment’s own waits.',
  ),
  'on-active-deployment': withDefault(
    oneOf(['wait', 'stop', 'fail']),
    'wait',
    'What to do about a deployment of the service that is under way: `wait` for its end, `stop` it, or `fail`.',
  ),
  'on-cancel': withDefault(
    oneOf(['rollback', 'leave']),
    'rollback',
    'What to do when the run is cancelled: `rollback` the deployment (unless its traffic has shifted whole), or `leave` it running.',
  ),
  'on-timeout': withDefault(
    oneOf(['leave', 'rollback']),
    'leave',
    'What to do when the time is over (`wait-for-minutes`): `leave` the deployment running, or `rollback` (unless its traffic has shifted whole) and follow that. The step fails either way.',
  ),
  'force-new-deployment': withDefault(boolean, 'false', 'Deploy although the service runs exactly this already.'),
} as const;

/** Many accounts in one step. */
export const manyAccounts = {
  'deploy-accounts': optional(
    parseDeployAccounts,
    'The accounts to deploy to in this one step: their IDs, or `discover` for the active accounts of `target-ous`. `deploy-role`, `cluster`, `service`, the CodeDeploy names, and `task-definition` and `codedeploy-appspec` – their paths and what is in them – may hold `{account-id}`, `{region}` and (with `discover`) `{account-name}`. Default: the one account of `deploy-role`.',
  ),
  'exclude-accounts': listOf(list(parseAccountId), 'Accounts to leave out.'),
} as const;

/** What `deploy-accounts: discover` asks of Organizations, in modes that do not share. */
export const discovering = {
  'organization-id': sharing['organization-id'],
  'organization-role': optional(
    parseRoleArn,
    'The role to assume to read the organization’s tree (management account or delegated administrator). Default: the job’s own credentials.',
  ),
  'target-ous': listOf(
    list(parseOuTarget),
    'The OUs that `deploy-accounts: discover` means, all levels down: IDs, full paths, names, or `r-…`/`o-…` for all.',
  ),
} as const;

/** The order in which many accounts are deployed to. */
export const waves = {
  waves: withDefault(
    parseWaves,
    fanOutDefaults.waves,
    'The waves in which `deploy-accounts` are deployed to, counted from the first account on: `1, 10%, 100%`. The next wave starts when all of the one before have come to `wait-until`.',
  ),
  'max-parallel': withDefault(
    integer({ least: 1, most: 100, unit: 'accounts' }),
    fanOutDefaults['max-parallel'],
    'How many of the `deploy-accounts` are deployed to at once.',
  ),
  'max-failures': withDefault(
    integer({ least: 0, most: 100_000, unit: 'accounts' }),
    fanOutDefaults['max-failures'],
    'How many of the `deploy-accounts` may fail. With one more nothing new is started, what is under way ends, and the step fails.',
  ),
} as const;

/** What leads to a deployment that is there. */
export const existingDeployment = {
  'deploy-role': optional(parseRoleArn, deploying['deploy-role'].description),
  'deploy-account-id': deploying['deploy-account-id'],
  'deploy-region': deploying['deploy-region'],
  'deployment-id': optional(
    parseDeploymentId,
    'The deployment: CodeDeploy’s `d-…`, or ECS’s own (its ARN, or its ID with `cluster` and `service`). Default: the one that is under way for the service.',
  ),
  cluster: optional(parseCluster, 'Needed with `service` where neither `deployment-id` nor the CodeDeploy names say what is meant.'),
  service: optional(ecsName, 'As `cluster`; with `deployment-id` the deployment must be of it.'),
  'codedeploy-application': optional(codedeployName, deploying['codedeploy-application'].description),
  'codedeploy-deployment-group': optional(codedeployName, deploying['codedeploy-deployment-group'].description),
  'wait-for-minutes': deploying['wait-for-minutes'],
} as const;

/** As in `deploy`, but what was not started here is not undone here unasked (RULES 6.6). */
export const leaving = {
  'on-cancel': withDefault(deploying['on-cancel'].parse, 'leave', deploying['on-cancel'].description),
  'on-timeout': deploying['on-timeout'],
} as const;

export function waitUntil<const Choice extends string>(choices: readonly Choice[]) {
  return { 'wait-until': withDefault(oneOf(choices), 'succeeded', deploying['wait-until'].description) } as const;
}
