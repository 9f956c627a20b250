/**
 * What a deployment costs without any SDK: the calls of `mode: deploy` (OIDC for both sides, `wait-until: started`) in the same
 * order, by Node's own http alone. The floor that the action is measured against.
 */
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true });
const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
const given = (name: string): string => process.env[name] ?? '';

async function send(
  url: string,
  { method = 'POST', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) < 400) resolve(text);
        else reject(new Error(`${url}: ${String(response.statusCode)} ${text}`));
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

type Reply = Record<string, never>;

function client(key: string, token: string) {
  const authorization = (service: string): string =>
    `AWS4-HMAC-SHA256 Credential=${key}/20260101/${given('AWS_REGION')}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  return {
    json: async (service: string, target: string, input: unknown): Promise<Reply> => {
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        authorization: authorization(service),
        'x-amz-security-token': token,
      };
      return JSON.parse(await send(endpoint, { headers, body: JSON.stringify(input) })) as Reply;
    },
    identity: async () =>
      send(endpoint, {
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: authorization('sts'),
          'x-amz-security-token': token,
        },
        body: 'Action=GetCallerIdentity&Version=2011-06-15',
      }),
  };
}

async function assume(role: string, token: string) {
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: 'probe',
    WebIdentityToken: token,
  });
  const reply = await send(endpoint, { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: body.toString() });
  const value = (name: string): string => new RegExp(`<${name}>([^<]+)`).exec(reply)?.[1] ?? '';
  return client(value('AccessKeyId'), value('SessionToken'));
}

const { value: token } = JSON.parse(
  await send(`${given('ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=sts.amazonaws.com`, {
    method: 'GET',
    headers: { authorization: `Bearer ${given('ACTIONS_ID_TOKEN_REQUEST_TOKEN')}` },
  }),
) as { value: string };
const [registry, target] = await Promise.all([assume(given('PROBE_REGISTRY_ROLE'), token), assume(given('PROBE_DEPLOY_ROLE'), token)]);

const [cluster, service, digest] = [given('PROBE_CLUSTER'), given('PROBE_SERVICE'), given('PROBE_DIGEST')];
const place = { registryId: given('PROBE_REGISTRY_ID'), repositoryName: given('PROBE_REPOSITORY') };
const group = { applicationName: `AppECS-${cluster}-${service}`, deploymentGroupName: `DgpECS-${cluster}-${service}` };
const [described] = await Promise.all([
  target.json('ecs', 'AmazonEC2ContainerServiceV20141113.DescribeServices', { cluster, services: [service] }),
  target.json('codedeploy', 'CodeDeploy_20141006.GetDeploymentGroup', group),
  target.json('codedeploy', 'CodeDeploy_20141006.ListDeployments', group),
  target
    .json('ecr', 'AmazonEC2ContainerRegistry_V20150921.BatchGetImage', { ...place, imageIds: [{ imageDigest: digest }] })
    .catch(() => undefined),
  registry.json('ecr', 'AmazonEC2ContainerRegistry_V20150921.BatchGetImage', { ...place, imageIds: [{ imageDigest: digest }] }),
  registry.identity(),
  target.identity(),
]);
const [live] = (described as unknown as { services: { taskSets: { taskDefinition: string }[] }[] }).services;
const { taskDefinition } = (await target.json('ecs', 'AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition', {
  taskDefinition: live?.taskSets[0]?.taskDefinition,
})) as unknown as {
  taskDefinition: { family: string; containerDefinitions: { image: string }[] } & Record<string, unknown>;
};
const readOnly = ['taskDefinitionArn', 'revision', 'status', 'requiresAttributes', 'compatibilities', 'registeredAt', 'registeredBy'];
const registered = (await target.json('ecs', 'AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition', {
  ...Object.fromEntries(Object.entries(taskDefinition).filter(([name]) => !readOnly.includes(name))),
  containerDefinitions: taskDefinition.containerDefinitions.map((container) => ({ ...container, image: given('PROBE_IMAGE') })),
})) as unknown as { taskDefinition: { taskDefinitionArn: string } };
const content = JSON.stringify({
  version: '0.0',
  Resources: [
    {
      TargetService: {
        Type: 'AWS::ECS::Service',
        Properties: {
          TaskDefinition: registered.taskDefinition.taskDefinitionArn,
          LoadBalancerInfo: { ContainerName: 'web', ContainerPort: 80 },
        },
      },
    },
  ],
});
await target.json('codedeploy', 'CodeDeploy_20141006.CreateDeployment', {
  ...group,
  revision: { revisionType: 'AppSpecContent', appSpecContent: { content } },
});
agent.destroy();
