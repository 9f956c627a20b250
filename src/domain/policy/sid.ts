/**
 * The Sid of our own statements, and the marker that it carries:
 *
 *   sid         = <policy-sid> <kind> [<number>] [ "x" <marker> ]       letters and digits only
 *   kind        = OrgPaths | Accounts | Roles | Lambda | CodeBuild
 *   number      = 2, 3, …     when one kind is granted with different actions
 *   marker      = <milliseconds since the epoch, 8 digits of base 36> <8 random ones>
 *
 * Each write attempt carries a marker that never was before; a state of the policy is known again by all the markers in it. So
 * the markers of every policy-sid count, ours or another team's. Sids are unique in a policy
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html).
 */
import { matching, type Branded } from '../parsed.ts';
import type { Policy } from './document.ts';

export const grantKinds = ['OrgPaths', 'Accounts', 'Roles', 'Lambda', 'CodeBuild'] as const;
export type GrantKind = (typeof grantKinds)[number];

export type PolicySid = Branded<'PolicySid'>;
export type Marker = Branded<'Marker'>;

export const parsePolicySid = matching<'PolicySid'>(
  /^[A-Za-z0-9]{1,64}$/,
  'a policy-sid (1 to 64 letters and digits, such as EcrOrgDeploy)',
);
export const defaultPolicySid = 'EcrOrgDeploy' as PolicySid;

export interface OwnSid {
  readonly kind: GrantKind;
  readonly number: number;
  readonly marker: Marker | undefined;
}

const tail = String.raw`(${grantKinds.join('|')})([2-9]|[1-9][0-9]+)?(?:x([0-9a-z]{16}))?$`;
const afterSid = new RegExp(`^${tail}`);
const anybodys = new RegExp(String.raw`^[A-Za-z0-9]+?${tail}`);

/** What a Sid says when it is one of this `policy-sid`'s. */
export function readSid(sid: string | undefined, policySid: PolicySid): OwnSid | undefined {
  const found = sid?.startsWith(policySid) === true ? afterSid.exec(sid.slice(policySid.length)) : null;
  const kind = grantKinds.find((name) => name === found?.[1]);
  return kind && { kind, number: Number(found?.[2] ?? 1), marker: found?.[3] as Marker | undefined };
}

export function writeSid({ policySid, kind, number, marker }: OwnSid & { readonly policySid: PolicySid }): string {
  return `${policySid}${kind}${number === 1 ? '' : number}${marker === undefined ? '' : `x${marker}`}`;
}

/** A fresh marker. `now` is in milliseconds since the epoch, `random` in [0, 1). */
export function markerOf({ now, random }: { readonly now: number; readonly random: number }): Marker {
  const digits = (number: number) => Math.floor(number).toString(36).padStart(8, '0');
  return (digits(now) + digits(random * 36 ** 8)) as Marker;
}

/** When a marker was made, in milliseconds since the epoch. */
export function markedAt(marker: Marker): number {
  return Number.parseInt(marker.slice(0, -8), 36);
}

/** A Sid as people know it: ours without the marker. */
export function withoutMarker(sid: string): string {
  return anybodys.exec(sid)?.[3] === undefined ? sid : sid.slice(0, -17);
}

/** Every marker in a policy, whichever policy-sid it belongs to, sorted. */
export function markersIn(policy: Policy): Marker[] {
  return policy.statements.flatMap(({ sid }) => (anybodys.exec(sid ?? '')?.[3] as Marker | undefined) ?? []).sort();
}
