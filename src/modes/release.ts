/** `release`: publish, share and deploy in one step; everything that can be checked is checked before the build starts. */
import type { TaskDefinition } from '../domain/task-definition.ts';
import { InputError } from '../errors.ts';
import { defineMode } from '../mode.ts';
import type { Ports } from '../ports/index.ts';
import { idleCreation } from '../steps/create-repository.ts';
import { afterPush, planAfterPush } from '../steps/after-push.ts';
import { checkPull, platformProblems } from '../steps/check-image.ts';
import { accountProblems, distinct, idleInputs, inputsOf, resolveAccounts } from '../steps/deploy-accounts.ts';
import { planPublishBlindly, planShareBlindly, planTargetsBlindly } from '../steps/plan-blindly.ts';
import { planPublish } from '../steps/plan-publish.ts';
import { planShare } from '../steps/plan-share.ts';
import { prepareDeployment, readDocuments } from '../steps/prepare-deployment.ts';
import type { Deployable } from '../steps/prepare-found-image.ts';
import { checkPublish, preparePublish, readWish } from '../steps/prepare-publish.ts';
import { checkRegistryType } from '../steps/public-registry.ts';
import { publishImage, type PublishedImage } from '../steps/publish-image.ts';
import { planTargets, runTargets } from '../steps/run-targets.ts';
import { openRegistry, organizationInput, registryAccount, type DeploySide } from '../steps/sessions.ts';
import { sharePublished } from '../steps/share-published.ts';
import { checkShare, hasTargets, resolveTargets } from '../steps/share-repository.ts';
import { eachTarget, openTargets } from '../steps/targets.ts';
import { tellPlan } from '../steps/tell-plan.ts';
import { together } from '../steps/together.ts';
import { checkReplication, prepareReplication } from '../steps/wait-for-replication.ts';
import { deploymentOutputs, failFastWarnings } from './deploy.ts';
import { imageOutputs, imageSummary, tellImage, tellPlannedImage } from './publish.ts';
import {
  checking,
  common,
  creating,
  deploying,
  imageToPublish,
  manyAccounts,
  publishing,
  registryKind,
  registrySide,
  repositories,
  sharing,
  waves,
} from './shared-inputs.ts';
import { policySummary } from './share.ts';

export const release = defineMode({
  name: 'release',
  summary: '`publish`, `share` and `deploy` in one step; everything that can be checked is checked before the build starts.',
  inputs: {
    ...common,
    ...registrySide,
    ...registryKind,
    ...repositories,
    ...creating,
    ...publishing,
    ...imageToPublish,
    ...checking,
    ...sharing,
    ...deploying,
    ...manyAccounts,
    ...waves,
  },
  outputs: [...imageOutputs, 'policy-changed', 'policy', ...deploymentOutputs, 'plan'],
  check: (inputs) =>
    distinct([
      ...accountProblems(inputs),
      ...checkRegistryType(inputs),
      ...checkPublish(inputs),
      ...checkReplication(inputs),
      ...checkShare(inputs),
      ...(inputs.strategy.jobTotal > 1 && inputs.image === undefined
        ? [
            {
              input: 'mode',
              problem: 'release in a matrix would build an image of its own in every job; publish once, then deploy in the matrix',
            },
          ]
        : []),
    ]),
  warn: (inputs) => [...failFastWarnings(inputs), ...idleInputs(inputs), ...idleCreation(inputs)],
  run: async ({ inputs, ports, output, memory, signal }) => {
    const { ecr, imageRegistry, session } = openRegistry({ inputs, ports });
    const accounts = await resolveAccounts({ inputs, ports, instead: session });
    const targets = openTargets({ inputsFor: (account) => inputsOf(inputs, account), accounts, ports });
    const each = { targets, 'max-parallel': inputs['max-parallel'], signal };
    const isPublic = inputs['registry-type'] === 'public';
    const [repository] = inputs.repository;
    // What this machine shows to be wrong is reported before any call.
    const images = [{ repository }];
    const registryId = registryAccount(inputs);
    const [wish, documents] = await together(
      ['context', readWish({ inputs, ports })],
      ['task-definition', eachTarget(each, async (target) => readDocuments({ ...target, images }))],
    );
    const [publishing, deployments, wanted, destinations] = await together(
      ['registry-role', preparePublish({ inputs, wish, registryId, ecr: imageRegistry, session, ports, signal })],
      [
        'deploy-role',
        eachTarget(each, async (target, index) =>
          prepareDeployment({ ...target, documents: documents[index], images, registryAccount: registryId }),
        ),
      ],
      [organizationInput(inputs), resolveTargets({ inputs, session, ports })],
      ['wait-for-replication', prepareReplication({ inputs, repositories: inputs.repository, registryId, session, ecr })],
      ['registry-role', session.identity()],
    );

    if (inputs['dry-run']) return plan();

    const image = await publishImage(publishing, { ecr: imageRegistry, creator: ecr, ports, memory, signal });
    tellImage(image, output);
    await ports.github.summarise(imageSummary(image));
    warnOfIndex(image);
    await afterPush({ inputs, destinations, image, session, ecr, ports, signal });

    const repositories = publishing.targets.map(({ repository }) => repository);
    const shared = hasTargets(inputs)
      ? await sharePublished({ inputs, wanted, session, ecr, repositories, ports, signal, onDenial: 'verify' })
      : undefined;
    if (shared === undefined && !isPublic) ports.log.notice('No target-ous, target-accounts or target-roles: sharing was skipped.');
    output('policy-changed', String(shared?.changed ?? false));
    output('policy', shared?.policyText ?? '');

    // The build took its time: what runs, and what is under way, is looked at again.
    const deployables = await checkTargets({ image, isThere: true });
    // While the deployment runs, the policy settles: nobody waits for it alone.
    const [deployed, settled] = await Promise.allSettled([
      runTargets({ inputs, targets, deployables, ports, memory, signal, output }),
      shared?.settled,
    ]);
    for (const { uri, ensured } of shared?.each ?? []) await ports.github.summarise(policySummary({ repository: uri, ...ensured }));
    if (settled.status === 'fulfilled' && settled.value) {
      output('policy-changed', String(settled.value.changed));
      output('policy', settled.value.policyText ?? '');
    }
    for (const part of [deployed, settled]) if (part.status === 'rejected') throw part.reason;

    async function plan(): Promise<void> {
      const sharing = hasTargets(inputs) ? publishing.targets : [];
      const [published, shares] = await together(
        ['registry-role', planPublish(publishing, { ecr: imageRegistry })],
        [
          'registry-role',
          Promise.all(sharing.map(async ({ repository }) => planShare({ inputs, wanted, session, ecr, repository, ports, signal }))),
        ],
      );
      const { image } = published;
      warnOfIndex(image);
      if (!hasTargets(inputs) && !isPublic) ports.log.notice('No target-ous, target-accounts or target-roles: sharing was skipped.');
      // What is not pushed or not shared yet can't be pulled yet.
      const deployables = await checkTargets({ image, isThere: published.exists && shares[0]?.policies[0].changed !== true });
      tellPlannedImage(published, output);
      output('policy-changed', String(shares.some(({ policies }) => policies[0].changed)));
      const planned = await planTargets({ inputs, targets, deployables, ports, output });
      const after = planAfterPush({ inputs, destinations, repository: publishing.targets[0].repository });
      await tellPlan('release', [published.part, after, ...shares, planned], { ports, output });
    }

    /** Lambda wants one image, and attestations make an index of it (RULES 5.12). */
    function warnOfIndex({ isIndex, uri }: PublishedImage): void {
      if (!isIndex || !inputs['target-services'].includes('lambda')) return;
      ports.log.warning(
        `Lambda can't run ${uri}: it is an index, and Lambda takes a single image only. Build with provenance: false (and sbom: false) for one platform.`,
      );
    }

    /**
     * The last check before the first write in the target accounts: the image is there, and they can pull it (from ECR Public anybody
     * can) and run it. After a push, which took its time, what runs there is looked at again.
     */
    async function checkTargets({ image, isThere }: { image: PublishedImage; isThere: boolean }): Promise<readonly Deployable[]> {
      const consequence = inputs['dry-run']
        ? 'Nothing was changed.'
        : `The image is pushed; nothing was changed in the ${accounts.length > 1 ? 'accounts that are' : 'account that is'} deployed to.`;
      return eachTarget({ ...each, consequence }, async ({ side, ports }, index) => {
        const deployment = deployments[index];
        if (!deployment) throw new Error('a target was not prepared');
        const check = checkTarget({ image, definition: deployment.definition, isThere, side, ports, consequence });
        if (inputs['dry-run']) await check;
        const [prepared] = inputs['dry-run'] ? [deployment] : await together(['deploy-role', deployment.again()], ['deploy-role', check]);
        return { prepared, images: [image] };
      });
    }

    async function checkTarget({
      image,
      definition,
      isThere,
      side: { session },
      ports,
      consequence,
    }: {
      image: PublishedImage;
      definition: TaskDefinition;
      isThere: boolean;
      side: DeploySide;
      ports: Ports;
      consequence: string;
    }): Promise<void> {
      const { repository, registryId, digest } = image;
      const answer =
        isThere && !isPublic
          ? await checkPull({ session, region: inputs['aws-region'], ports, place: { repository, registryId }, id: { digest } })
          : undefined;
      if (answer?.canPull === 'unknown') ports.log.warning(answer.warning);
      const problems = [
        ...(answer?.canPull === 'no' ? [{ input: 'target-ous', problem: answer.problem }] : []),
        ...platformProblems({ platforms: image.platforms, definition }).map((problem) => ({ input: 'image', problem })),
      ];
      if (problems.length > 0) throw new InputError(problems, { hint: consequence });
    }
  },
  planBlindly: async ({ inputs, ports, output }) => {
    for (const name of ['pushed', 'policy-changed', 'changed'] as const) output(name, 'false');
    const [repository] = inputs.repository;
    const [published, deployed] = await together(
      ['context', planPublishBlindly({ inputs, ports })],
      [
        'task-definition',
        planTargetsBlindly({ inputs, inputsFor: (account) => inputsOf(inputs, account), images: [{ image: { repository } }], ports }),
      ],
    );
    const parts = [published, planShareBlindly(inputs, inputs.repository), deployed];
    return { wished: parts.flatMap(({ wished }) => wished), unknown: parts.flatMap(({ unknown }) => unknown) };
  },
});
