/** Wildcards as IAM and ECR have them: `*` is any run of characters (slashes too), `?` is one. Linear in time for any pattern. */

/** A piece of a pattern: a literal character, or a wildcard. */
export type GlobToken = { readonly literal: string } | { readonly wildcard: '*' | '?' };

export function globTokens(pattern: string): readonly GlobToken[] {
  return Array.from(pattern, (character) => (character === '*' || character === '?' ? { wildcard: character } : { literal: character }));
}

export function literalTokens(text: string): readonly GlobToken[] {
  return Array.from(text, (literal) => ({ literal }));
}

/** Whether the whole text matches. */
export function matchesTokens(tokens: readonly GlobToken[], text: string): boolean {
  const characters = Array.from(text);
  let at = 0;
  let token = 0;
  let star = -1;
  let starAt = 0;
  while (at < characters.length) {
    const current = tokens[token];
    if (current && 'wildcard' in current && current.wildcard === '*') {
      star = token++;
      starAt = at;
    } else if (current && ('wildcard' in current || current.literal === characters[at])) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => 'wildcard' in rest && rest.wildcard === '*');
}

export function matchesGlob(pattern: string, text: string): boolean {
  return matchesTokens(globTokens(pattern), text);
}
