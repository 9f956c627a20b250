/** The GitHub endpoints that a job calls: the runner's OIDC token service and a small part of the REST API, in memory. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { send, type Shared } from './http.ts';
import type { JournalEntry } from './journal.ts';
import { parseRecord } from './json.ts';
import { GithubIdentity } from './oidc.ts';
import type { AwsFault, Json } from './service.ts';

export interface Comment {
  readonly id: number;
  /** `owner/repository` */
  readonly repository: string;
  /** The issue's or pull request's number. */
  readonly issue: number;
  body: string;
}

export interface PullRequest {
  readonly number: number;
  readonly [member: string]: unknown;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly link?: string;
}

export class Github {
  readonly identity: GithubIdentity;
  readonly comments: Comment[] = [];
  /** `owner/repository` → its open and closed pull requests. */
  readonly pulls = new Map<string, PullRequest[]>();
  readonly #shared: Shared;

  constructor(shared: Shared) {
    this.#shared = shared;
    this.identity = new GithubIdentity({ world: shared.world });
  }

  /** Answers `/oidc/token` and `/api/v3/…`; false for any other path. */
  async serve({ request, response, body }: Exchange): Promise<boolean> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = url.pathname.startsWith('/api/v3/')
      ? url.pathname.slice('/api/v3'.length)
      : url.pathname === '/oidc/token'
        ? url.pathname
        : undefined;
    if (path === undefined) return false;
    const { world, journal, faults, violations } = this.#shared;
    const method = request.method ?? 'GET';
    const input: Json = parseRecord(body.toString()) ?? Object.fromEntries(url.searchParams);
    const entry: JournalEntry = {
      service: 'github',
      operation: `${method} ${path}`,
      account: '',
      caller: 'job',
      region: '',
      input,
      at: world.clock.now(),
      status: 0,
    };
    journal.entries.push(entry);
    const fault = faults.take({ ...entry, resource: path });
    if (fault?.delay) await sleep(fault.delay);
    const fails = fault?.error?.({ ...entry, resource: path });
    if (fault?.lose === 'request') return cut(request);
    const reply = fails
      ? refusal(fails)
      : path === '/oidc/token'
        ? this.#token(request, url)
        : this.#rest({ request, method, path, url, input });
    if (fault?.lose === 'reply') return cut(request);
    if (reply.status === 501) violations.push(`GitHub: ${method} ${path} is not served`);
    entry.status = reply.status;
    if (reply.link !== undefined) response.setHeader('link', reply.link);
    if (reply.status === 204) response.writeHead(204).end();
    else send(response, reply.status, 'application/json; charset=utf-8', JSON.stringify(reply.body));
    return true;
  }

  #token(request: IncomingMessage, url: URL): Reply {
    if (request.headers.authorization !== `Bearer ${this.identity.requestToken}`) return { status: 401, body: { message: 'Unauthorized' } };
    return { status: 200, body: { value: this.identity.token(url.searchParams.get('audience') ?? undefined) } };
  }

  #rest({ request, method, path, url, input }: { request: IncomingMessage; method: string; path: string; url: URL; input: Json }): Reply {
    if (!request.headers.authorization) return { status: 401, body: { message: 'Requires authentication' } };
    const [, repository = '', rest = ''] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path) ?? [];
    const body = typeof input.body === 'string' ? input.body : '';
    const shown = (comment: Comment) => ({
      id: comment.id,
      body: comment.body,
      issue_url: `${repository}/issues/${comment.issue}`,
      user: { login: 'github-actions[bot]', type: 'Bot' },
    });

    const issue = /^\/issues\/(\d+)\/comments$/.exec(rest)?.[1];
    if (issue !== undefined && method === 'GET') {
      return paged(this.comments.filter((comment) => comment.repository === repository && comment.issue === Number(issue)).map(shown), url);
    }
    if (issue !== undefined && method === 'POST') {
      const comment: Comment = { id: this.comments.length + 1001, repository, issue: Number(issue), body };
      this.comments.push(comment);
      return { status: 201, body: shown(comment) };
    }
    const id = /^\/issues\/comments\/(\d+)$/.exec(rest)?.[1];
    if (id !== undefined) {
      const comment = this.comments.find((each) => each.repository === repository && each.id === Number(id));
      if (!comment) return { status: 404, body: { message: 'Not Found' } };
      if (method === 'PATCH') comment.body = body;
      if (method === 'DELETE') this.comments.splice(this.comments.indexOf(comment), 1);
      return method === 'DELETE' ? { status: 204 } : { status: 200, body: shown(comment) };
    }
    const pulls = this.pulls.get(repository) ?? [];
    if (rest === '/pulls' && method === 'GET') return paged(pulls, url);
    const number = /^\/pulls\/(\d+)$/.exec(rest)?.[1];
    if (number !== undefined && method === 'GET') {
      const pull = pulls.find((each) => each.number === Number(number));
      return pull ? { status: 200, body: pull } : { status: 404, body: { message: 'Not Found' } };
    }
    if (repository && rest === '' && method === 'GET') {
      const [owner = '', name = ''] = repository.split('/');
      return { status: 200, body: { id: 34, name, full_name: repository, owner: { id: 12, login: owner }, default_branch: 'main' } };
    }
    return { status: 501, body: { message: `The emulator does not serve ${method} ${path}` } };
  }
}

/** Cuts the connection; there is nothing left to answer. */
function cut(request: IncomingMessage): true {
  request.socket.destroy();
  return true;
}

function refusal(fault: AwsFault): Reply {
  return { status: fault.status, body: { message: fault.message } };
}

function paged(all: readonly unknown[], url: URL): Reply {
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const page = Number(url.searchParams.get('page') ?? 1);
  const body = all.slice((page - 1) * size, page * size);
  if (page * size >= all.length) return { status: 200, body };
  const next = new URL(url);
  next.searchParams.set('page', String(page + 1));
  return { status: 200, body, link: `<${next.pathname}${next.search}>; rel="next"` };
}
