/**
 * What ECS keeps of a task definition that is registered, with the defaults it fills in, or the fault it answers.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
 */
import { present, record, records, text, texts } from '../coral.ts';
import { client, filled } from './checks.ts';
import { registrableContainer } from './container.ts';
import { fargateHas, units } from './fargate.ts';
import { isRecord } from '../json.ts';
import { AwsFault } from '../service.ts';
import type { Json } from '../service.ts';

/** Members of RegisterTaskDefinition; anything else is ignored, as AWS's front end ignores what it does not know. */
const REGISTRABLE = [
  'family taskRoleArn executionRoleArn networkMode containerDefinitions volumes placementConstraints requiresCompatibilities cpu memory',
  'pidMode ipcMode proxyConfiguration inferenceAccelerators ephemeralStorage runtimePlatform enableFaultInjection',
]
  .join(' ')
  .split(' ');

const ECR_IMAGE = /^\d{12}\.dkr[.-]ecr[.-]/;

/** A `null` inside a list is what a rendered file most often brings; ECS answers in the framework's opaque words. */
const refuseNulls = (value: unknown): void => {
  if (Array.isArray(value)) {
    for (const each of value as unknown[]) {
      if (each === null) throw new AwsFault('SerializationException', 'Unexpected value type in payload');
      refuseNulls(each);
    }
  } else if (isRecord(value)) Object.values(value).forEach(refuseNulls);
};

export const registrable = (input: Json): Json => {
  if (Array.isArray(input)) {
    throw new AwsFault(
      'SerializationException',
      'Unrecognized collection type class com.amazonaws.madison.frontend.RegisterTaskDefinitionRequest',
    );
  }
  refuseNulls(input);
  const family = text(input, 'family');
  if (!filled(family)) throw client('Family should not be null or empty.');
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(family)) {
    throw client(
      'Family contains invalid characters. Up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.',
    );
  }
  const containers = records(input, 'containerDefinitions');
  if (!containers || containers.length === 0) throw client('Container list cannot be empty.');
  if (containers.length > 10) throw client('Number of containers must not be greater than 10.');
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > 65_536) throw client(`Actual length: '${bytes}'. Max allowed length is '65536' bytes.`);

  const fargate = texts(input, 'requiresCompatibilities')?.includes('FARGATE') ?? false;
  const cpu = text(input, 'cpu');
  const memory = text(input, 'memory');
  if (fargate) {
    if (text(input, 'networkMode') !== 'awsvpc') throw client('Fargate only supports network mode ‘awsvpc’.');
    if (!filled(cpu)) throw client("Fargate requires that 'cpu' be defined at the task level.");
    if (!filled(memory)) throw client("Fargate requires that 'memory' be defined at the task level.");
    if (!fargateHas(units(cpu), units(memory))) {
      throw client(`No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`);
    }
    if (!filled(text(input, 'executionRoleArn'))) {
      if (containers.some((each) => ECR_IMAGE.test(text(each, 'image') ?? ''))) {
        throw client('Fargate requires task definition to have execution role ARN to support ECR images.');
      }
      if (containers.some((each) => record(each, 'logConfiguration')?.['logDriver'] === 'awslogs')) {
        throw client('Fargate requires task definition to have execution role ARN to support log driver awslogs.');
      }
    }
  }
  const awsvpc = text(input, 'networkMode') === 'awsvpc';
  const kept = containers.map((each) => registrableContainer(each, { awsvpc, needsMemory: !filled(memory) }));
  const names = kept.map((each) => text(each, 'name') ?? '');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw client(`Container name '${twice}' is used more than once. Container names must be unique.`);
  if (!kept.some((each) => each['essential'] === true)) {
    throw client('Invalid task definition: at least one container must be essential.');
  }
  const role = text(input, 'executionRoleArn');
  if (role === '') throw client('Role is not valid');
  return present({
    ...Object.fromEntries(REGISTRABLE.map((key) => [key, input[key] ?? undefined])),
    family,
    containerDefinitions: kept,
    volumes: records(input, 'volumes') ?? [],
    placementConstraints: records(input, 'placementConstraints') ?? [],
  });
};
