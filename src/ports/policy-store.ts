/**
 * One repository's policy, as ECR lets us at it: a text that is read as a whole and replaced as a whole. There is no version and no
 * conditional write (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_SetRepositoryPolicy.html), which is why
 * `steps/ensure-policy.ts` is careful.
 */
export interface PolicyStore {
  /** The policy text; `undefined` when the repository has none (RepositoryPolicyNotFoundException). May be retried. */
  read(): Promise<string | undefined>;
  /**
   * Replaces the policy. One request, never retried by the SDK (`maxAttempts: 1`), given up after `writeDeadline` milliseconds.
   * Rejects when ECR refused (denied, invalid): then nothing was written.
   */
  write(text: string): Promise<PolicyWritten>;
}

/**
 * `written`: ECR acknowledged it. `unanswered`: the reply was lost or late, or the error was a 5xx, throttling or the network's; it may
 * or may not have taken effect.
 */
export type PolicyWritten = 'written' | { readonly unanswered: Error };

/** T of the protocol: after so many milliseconds a write is given up, its effect unknown. */
export const writeDeadline = 5_000;
