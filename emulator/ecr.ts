/** Amazon ECR's API (AWS-FACTS 2). What each group of operations does is in the ecr-*.ts files; here is the service and its login. */
import { randomBytes } from 'node:crypto';
import { imageOperations } from './ecr/images.ts';
import { replicate, replicationOperations } from './ecr/replication.ts';
import { repositoryOperations } from './ecr/repositories.ts';
import { scanOperations } from './ecr/scans.ts';
import type { Ecr, EcrOperations } from './ecr/target.ts';
import { texts, timestamp } from './json.ts';
import { AwsFault, type Service } from './service.ts';
import type { World } from './world.ts';

export type { Ecr, RegistryHosts } from './ecr/target.ts';

const twelveHours = 12 * 60 * 60 * 1000;

export function ecrService(ecr: Ecr): Service {
  const operations: EcrOperations = {
    ...loginOperations(ecr),
    ...repositoryOperations(ecr),
    ...imageOperations(ecr),
    ...scanOperations(ecr),
    ...replicationOperations(ecr),
  };
  return {
    target: 'AmazonEC2ContainerRegistry_V20150921',
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, run]) => [
        name,
        async (...request: Parameters<typeof run>) => {
          await replicate(ecr);
          return run(...request);
        },
      ]),
    ),
  };
}

/** A password for the registries of one Region, for whoever asked, for 12 hours. */
export function registryPassword(
  world: World,
  { accessKeyId, region }: { accessKeyId: string; region: string },
): { password: string; expiresAt: number } {
  const key = world.accessKeys.get(accessKeyId);
  if (!key) throw new AwsFault('UnrecognizedClientException', 'The security token included in the request is invalid.');
  const password = randomBytes(120).toString('base64');
  const expiresAt = world.sessionTime() + twelveHours;
  world.registryTokens.set(password, { key, region, expiresAt });
  return { password, expiresAt };
}

function loginOperations({ world, hosts }: Ecr): EcrOperations {
  return {
    /** One entry a registry ID; without IDs the caller's own registry (AWS-FACTS 2.2). */
    GetAuthorizationToken: async (input, call) => {
      const given = texts(input, 'registryIds');
      if (given.length > 10 || !given.every((id) => /^\d{12}$/.test(id)))
        throw new AwsFault(
          'InvalidParameterException',
          "Invalid parameter at 'registryIds' failed to satisfy constraint: 'Member must satisfy regular expression pattern: [0-9]{12}'",
        );
      const registries = given.length > 0 ? given : [call.caller.account];
      const minted = registryPassword(world, { accessKeyId: call.caller.accessKeyId, region: call.region });
      const authorizationToken = Buffer.from(`AWS:${hosts.password ?? minted.password}`).toString('base64');
      const expiresAt = timestamp(minted.expiresAt);
      const endpoints = await Promise.all(registries.map((account) => hosts.endpoint(account, call.region)));
      return { authorizationData: endpoints.map((proxyEndpoint) => ({ authorizationToken, expiresAt, proxyEndpoint })) };
    },
  };
}
