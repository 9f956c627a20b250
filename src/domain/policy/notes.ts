/**
 * What a person should know about a statement that covers a target although nothing is wrong with the answer:
 *
 *   tree         it covers the OU only as long as the OU stays where it is
 *   prefix       its pattern doesn't close the OU's ID, so `ou-t*` also takes in `ou-t2`
 *   not-action   NotAction (or `*`) also lets them change the repository's policy
 */
import { labelOf, type Statement } from './document.ts';
import type { Target } from './target.ts';

export interface Note {
  readonly code: 'tree' | 'prefix' | 'writes-policy';
  readonly statement: string;
  readonly text: string;
}

export function notesOn({
  statement,
  takes,
  target,
  deciding,
}: {
  statement: Statement;
  takes: (action: string) => boolean;
  target: Target;
  deciding: readonly (string | undefined)[];
}): Note[] {
  const label = labelOf(statement);
  const notes: Note[] = [];
  const paths = deciding.filter((value) => value !== undefined && /^o-/.test(value));
  const tree = target.kind === 'ou' ? paths.find((value) => value?.split(/[*?]/)[0]?.includes('/ou-')) : undefined;
  if (tree !== undefined)
    notes.push({ code: 'tree', statement: label, text: `${label} covers it by ${tree}, which depends on where the OU lies in the tree` });
  const open = paths.find((value) => value !== undefined && /\/ou-[^/*?]*[*?]/.test(value) && !/\/ou-\*/.test(value));
  if (open !== undefined)
    notes.push({
      code: 'prefix',
      statement: label,
      text: `${label} doesn't close the OU's ID in ${open}: every OU whose ID begins so is covered too`,
    });
  if (takes('ecr:SetRepositoryPolicy')) {
    notes.push({ code: 'writes-policy', statement: label, text: `${label} also lets them change the repository's policy` });
  }
  return notes;
}
