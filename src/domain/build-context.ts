/**
 * Build contexts: a folder of the checkout, or a remote one that the builder fetches itself.
 *
 *   remote    a Git URL, or an archive over HTTP      (BuildKit: frontend/dockerui/context.go)
 *   {{defaultContext}}   the run's own repository at its commit, as docker/build-push-action has it: <server>/<repository>.git#<sha>
 */
export function isRemoteContext(context: string): boolean {
  return /^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(context);
}

export function defaultContext({ serverUrl, repository, sha }: { serverUrl: string; repository: string; sha: string }): string {
  return `${serverUrl}/${repository}.git#${sha}`;
}

export function fillDefaultContext(text: string, context: string): string {
  return text.replaceAll(/\{\{\s*defaultContext\s*\}\}/g, context);
}
