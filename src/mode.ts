/** What a mode is: one declaration, from which its inputs' and outputs' types, `action.yml` and the README's tables follow. */
import { InputError, type InputProblem } from './errors.ts';
import { readInputs, type Rows, type Values } from './inputs.ts';
import type { Memory } from './cleanup.ts';
import type { BlindPlan } from './domain/plan.ts';
import type { Ports } from './ports/index.ts';
import { tellPlan } from './steps/tell-plan.ts';

/** Every output of the action, with its meaning: `action.yml` declares exactly these. */
export const outputs = {
  'image-uri': 'The image by digest: `host/repository@sha256:…`.',
  image:
    'The same without the registry host, so that no account ID is in it and GitHub does not drop it as a job output: `repository@sha256:…`.',
  'image-name': '`host/repository`.',
  'image-tags': 'JSON list of the full tagged URIs.',
  'image-digest': 'The digest, as the registry reports it: `sha256:…`.',
  registry: 'The registry host.',
  pushed: '`true` if the image or a tag was pushed, `false` if all was there already.',
  'policy-changed': '`true` if the repository policy was written.',
  policy: 'The repository policy after the step, as JSON.',
  'deployment-id':
    'The deployment: CodeDeploy’s `d-…`, or the last part of the ARN of ECS’s service deployment. Set as soon as it is known, also when the wait fails. In `rollback` the one that brings back what ran before.',
  'deployment-status':
    'Its last status, in CodeDeploy’s words also where ECS itself deploys: `Succeeded`, `Failed`, `Stopped`, `InProgress`, …',
  'deployment-url': 'The deployment in the AWS console.',
  'task-definition-arn':
    'The task definition that was registered, or the one that runs already. In `follow` and `continue` the one that is deployed, in `rollback` the one that is gone back to, where that is known.',
  'rollback-deployment-id':
    'The deployment that rolled it back, if one did; empty where ECS itself rolls back, which it does within the deployment.',
  deployments:
    'With `deploy-accounts`: JSON list of what became of each account, `[{"account-id","account-name","wave","status","deployment-id","task-definition-arn","rollback-deployment-id","url","reason"}, …]`, after each wave and at the end. The single outputs of a deployment are empty where there are several accounts.',
  changed: '`true` if a deployment was started (or, in `rollback`, stopped), `false` if there was no need.',
  matrix:
    'For `strategy.matrix`: `{"include":[{"account-ids":"…","account-name":"…","ou-id":"…","ou-path":"…"}, …]}`, one account an entry, or several (separated by commas) where there are more than 256.',
  accounts: 'JSON list of the account IDs; empty where GitHub would drop it for its size.',
  'account-count': 'How many accounts there are: an empty matrix fails a job, so ask `if:` for it.',
  findings:
    'What `check` found, the worst first, as JSON: `{"errors":0,"warnings":1,"findings":[{"severity":"warning","account-id":"…","account-name":"…","subject":"…","reason":"…","advice":"…"}, …]}`.',
  plan: 'With `dry-run`: what would be done, as JSON.',
} as const;

export type OutputName = keyof typeof outputs;

export interface Context<V, O extends OutputName> {
  readonly inputs: V;
  readonly ports: Ports;
  /** Sets an output, as soon as it is known. */
  readonly output: (name: O, value: string) => void;
  /** What the post step would have to undo. */
  readonly memory: Memory;
  /** Aborted with a `CancelledError` on SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface ModeDeclaration<R extends Rows, O extends OutputName> {
  readonly name: string;
  readonly summary: string;
  readonly inputs: R;
  readonly outputs: readonly O[];
  /** What only several inputs together show to be wrong; nothing has been called yet. */
  readonly check?: (inputs: Values<R>) => readonly InputProblem[];
  /** What is odd about the inputs, but no error: a warning each. */
  readonly warn?: (inputs: Values<R>) => readonly string[];
  readonly run: (context: Context<Values<R>, O>) => Promise<void>;
  /** The plan of a run without credentials, made without a call; without it there is nothing to tell. */
  readonly planBlindly?: (context: Context<Values<R>, O>) => Promise<BlindPlan>;
}

/** A mode whose own types are closed over: what the registry, the docs and main see. */
export interface Mode {
  readonly name: string;
  readonly summary: string;
  readonly inputs: Rows;
  readonly outputs: readonly OutputName[];
  /**
   * Parses and checks what arrived, without an effect.
   * @throws InputError with every problem at once
   */
  readonly prepare: (given: ReadonlyMap<string, string>, known: readonly string[]) => PreparedMode;
}

export interface PreparedMode {
  readonly warnings: readonly string[];
  readonly run: (context: PreparedContext) => Promise<void>;
  /** Instead of `run`, in a run without credentials: tells what can be told, and calls nothing. */
  readonly planBlindly: (context: PreparedContext) => Promise<void>;
}

type PreparedContext = Omit<Context<unknown, OutputName>, 'inputs'>;

/** Declares a mode; the types of its inputs and outputs are inferred from the rows. */
export function defineMode<const R extends Rows, const O extends OutputName>(declaration: ModeDeclaration<R, O>): Mode {
  const { name, summary, inputs, outputs, check, warn, run, planBlindly } = declaration;
  return {
    name,
    summary,
    inputs,
    outputs,
    prepare: (given, known) => {
      const { values, warnings } = readInputs({ rows: inputs, given, known, mode: name });
      const problems = check?.(values) ?? [];
      if (problems.length > 0) throw new InputError(problems);
      return {
        warnings: [...warnings, ...(warn?.(values) ?? [])],
        run: async (context) => run({ ...context, inputs: values }),
        planBlindly: async (context) => {
          const blind = (await planBlindly?.({ ...context, inputs: values })) ?? { wished: [], unknown: [`all that ${name} does`] };
          await tellPlan(name, [{ writes: [], blind }], context);
        },
      };
    },
  };
}
