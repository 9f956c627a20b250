/** GitHub's OIDC provider: mints the job's ID tokens and, for STS, tells its own from foreign ones. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { parseRecord } from './json.ts';
import type { World } from './world.ts';

export interface Claims {
  readonly sub: string;
  readonly aud: string;
  readonly iss: string;
  /** Seconds since the epoch. */
  readonly exp: number;
}

export class GithubIdentity {
  /** What the tokens say of the job. */
  subject: string;
  /** Further claims (`repository`, `ref`, `environment`, …). */
  claims: Record<string, unknown> = {};
  /** The bearer token that the job has to show: ACTIONS_ID_TOKEN_REQUEST_TOKEN. */
  readonly requestToken = randomBytes(24).toString('hex');
  readonly #secret = randomBytes(32);
  readonly #world: World;

  constructor({ world, subject = 'repo:octo-org/octo-app:ref:refs/heads/main' }: { world: World; subject?: string }) {
    this.#world = world;
    this.subject = subject;
  }

  /** A JWT of five minutes. GitHub's default audience is the owner's URL. */
  token(audience = 'https://github.com/octo-org'): string {
    const now = Math.floor(this.#world.sessionTime() / 1000);
    const repository = /^repo:([^:]+)/.exec(this.subject)?.[1]?.replaceAll(/@\d+/g, '') ?? 'octo-org/octo-app';
    const payload = {
      jti: randomUUID(),
      sub: this.subject,
      aud: audience,
      repository,
      repository_id: '34',
      repository_owner_id: '12',
      ref: 'refs/heads/main',
      ...this.claims,
      iss: 'https://token.actions.githubusercontent.com',
      nbf: now - 300,
      iat: now,
      exp: now + 300,
    };
    const body = [{ typ: 'JWT', alg: 'HS256', kid: 'emulator' }, payload]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${body}.${this.#sign(body)}`;
  }

  /** The claims of a token that this provider signed, expired or not; undefined for any other text. */
  verify(token: string): Claims | undefined {
    const [header = '', payload = '', signature = ''] = token.split('.');
    if (signature !== this.#sign(`${header}.${payload}`)) return undefined;
    const claims = parseRecord(Buffer.from(payload, 'base64url').toString());
    if (!claims) return undefined;
    const { sub, aud, iss, exp } = claims;
    return typeof sub === 'string' && typeof aud === 'string' && typeof iss === 'string' && typeof exp === 'number'
      ? { sub, aud, iss, exp }
      : undefined;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(body).digest('base64url');
  }
}
