/**
 * The wire of the AWS APIs: AWS JSON 1.1 (dispatch by X-Amz-Target) and STS's Query protocol (form in, XML out), with the fault
 * injection, the permissions of identities and the journal that all services share.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { authenticate, lacksPermission, regionOf } from './authentication.ts';
import { notAuthorized, type Faults } from './faults.ts';
import type { AccessKey } from './identity.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { parseRecord } from './json.ts';
import { resourceOf } from './resource.ts';
import { AwsFault, type Caller, type Json, type Service } from './service.ts';
import type { World } from './world.ts';
import { toXml } from './xml.ts';

/** What every server of the emulator shares. */
export interface Shared {
  readonly world: World;
  readonly faults: Faults;
  readonly journal: Journal;
  /** What the emulator did not expect; a test fails on any. */
  readonly violations: string[];
  readonly log: (line: string) => void;
}

/** `X-Amz-Target` prefix → the service's name in IAM actions. */
const names: Readonly<Record<string, string>> = {
  AmazonEC2ContainerRegistry_V20150921: 'ecr',
  SpencerFrontendService: 'ecr-public',
  AWSOrganizationsV20161128: 'organizations',
  AmazonEC2ContainerServiceV20141113: 'ecs',
  CodeDeploy_20141006: 'codedeploy',
  AWSSecurityTokenServiceV20110615: 'sts',
};

const unsigned = new Set(['sts:AssumeRoleWithWebIdentity']);
/** Works even for a caller whom everything is denied (AWS-FACTS 6). */
const alwaysAllowed = new Set(['sts:GetCallerIdentity']);

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Thrown to cut the connection. */
class ConnectionLost extends Error {}

interface Operation {
  readonly service: string;
  readonly name: string;
  readonly input: Json;
  readonly run: ((input: Json, call: { caller: Caller; region: string; clock: World['clock'] }) => unknown) | undefined;
}

/** Answers one AWS API request; false if it isn't one. */
export async function serveAws(
  shared: Shared,
  services: readonly Service[],
  exchange: { request: IncomingMessage; response: ServerResponse; body: Buffer },
): Promise<boolean> {
  const { request, response, body } = exchange;
  const target = request.headers['x-amz-target'];
  const isQuery = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  if (request.method !== 'POST' || (typeof target !== 'string' && !isQuery)) return false;

  const operation = typeof target === 'string' ? jsonOperation(services, { target, body }) : queryOperation(services, body);
  const requestId = randomUUID();
  response.setHeader('x-amzn-requestid', requestId);
  response.setHeader('date', new Date(shared.world.wallTime()).toUTCString());
  try {
    const output = await carryOut(shared, { operation, request });
    if (isQuery) send(response, 200, 'text/xml', resultXml(operation.name, { output, requestId }));
    else send(response, 200, 'application/x-amz-json-1.1', JSON.stringify(output ?? {}));
  } catch (error) {
    if (error instanceof ConnectionLost) {
      request.socket.destroy();
      return true;
    }
    const fault = error instanceof AwsFault ? error : internalFailure(shared, { operation, error });
    if (isQuery) send(response, fault.status, 'text/xml', errorXml(fault, requestId));
    else send(response, fault.status, 'application/x-amz-json-1.1', JSON.stringify({ __type: fault.code, message: fault.message }));
  }
  return true;
}

async function carryOut(shared: Shared, { operation, request }: { operation: Operation; request: IncomingMessage }): Promise<unknown> {
  const { service, name, input, run } = operation;
  const { world, faults, journal } = shared;
  const region = regionOf(request.headers) ?? 'us-east-1';
  const entry: JournalEntry = { service, operation: name, account: '', caller: '', region, input, at: world.clock.now(), status: 0 };
  journal.entries.push(entry);
  try {
    if (!run) {
      shared.violations.push(`${service}:${name} is not an operation of the emulator`);
      throw new AwsFault('UnknownOperationException', `The operation ${name} is not known`);
    }
    const action = `${service}:${name}`;
    const key = unsigned.has(action) ? undefined : authenticate({ world, headers: request.headers, service });
    const caller = callerOf(key);
    Object.assign(entry, { account: caller.account, caller: caller.arn });
    const resource = resourceOf({ service, input, account: caller.account, region });
    const fault = faults.take({ service, operation: name, account: caller.account, caller: caller.arn, resource, input });
    if (fault?.delay) await sleep(fault.delay);
    if (fault?.lose === 'request') throw new ConnectionLost();
    if (fault?.error) throw fault.error({ service, operation: name, account: caller.account, caller: caller.arn, resource, input });
    if (key && !alwaysAllowed.has(action) && lacksPermission(key.principal.identity, action)) {
      throw notAuthorized({ service, operation: name, caller: caller.arn, resource });
    }
    const output = await run(input, { caller, region, clock: world.clock });
    if (fault?.lose === 'reply') throw new ConnectionLost();
    entry.status = 200;
    return output;
  } catch (error) {
    if (!(error instanceof ConnectionLost)) entry.status = error instanceof AwsFault ? error.status : 500;
    entry.error = error instanceof AwsFault ? error.code : error instanceof ConnectionLost ? 'ConnectionLost' : 'InternalFailure';
    throw error;
  } finally {
    shared.log(`${service}:${name} ${entry.account} ${entry.status}${entry.error ? ` ${entry.error}` : ''}`);
  }
}

function callerOf(key: AccessKey | undefined): Caller {
  return key
    ? { accessKeyId: key.accessKeyId, account: key.principal.account, arn: key.principal.arn }
    : { accessKeyId: '', account: '', arn: 'anonymous' };
}

function jsonOperation(services: readonly Service[], { target, body }: { target: string; body: Buffer }): Operation {
  const dot = target.lastIndexOf('.');
  const prefix = target.slice(0, dot);
  const name = target.slice(dot + 1);
  const service = names[prefix] ?? prefix;
  const input = parseRecord(body.toString() || '{}');
  const known = services.find((candidate) => candidate.target === prefix)?.operations[name];
  if (!input)
    return { service, name, input: {}, run: () => Promise.reject(new AwsFault('SerializationException', 'The body is not a JSON object')) };
  return { service, name, input, run: known };
}

function queryOperation(services: readonly Service[], body: Buffer): Operation {
  const input: Json = Object.fromEntries(new URLSearchParams(body.toString()));
  const name = typeof input.Action === 'string' ? input.Action : '';
  const sts = services.find((candidate) => names[candidate.target] === 'sts');
  return { service: 'sts', name, input, run: sts?.operations[name] };
}

function internalFailure(shared: Shared, { operation, error }: { operation: Operation; error: unknown }): AwsFault {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  shared.violations.push(`${operation.service}:${operation.name} failed inside the emulator: ${detail}`);
  return new AwsFault('InternalFailure', 'The request processing has failed because of an unknown error.', 500);
}

export function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length });
  response.end(bytes);
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';

function resultXml(name: string, { output, requestId }: { output: unknown; requestId: string }): string {
  const body = toXml({ [`${name}Result`]: output, ResponseMetadata: { RequestId: requestId } });
  return `<${name}Response xmlns="${namespace}">${body}</${name}Response>`;
}

function errorXml(fault: AwsFault, requestId: string): string {
  const type = fault.status < 500 ? 'Sender' : 'Receiver';
  return `<ErrorResponse xmlns="${namespace}">${toXml({ Error: { Type: type, Code: fault.code, Message: fault.message }, RequestId: requestId })}</ErrorResponse>`;
}
