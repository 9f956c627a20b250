/**
 * An image that exists already, as the input `image` of publish names it.
 *
 *   oci:PATH                    an OCI layout, as a folder or a tar archive
 *   docker:REFERENCE            the Docker engine's, whatever its name
 *   HOST/REPOSITORY:TAG         a registry's: its name begins with a host (a first component with "." or ":" in it, or "localhost")
 *   REPOSITORY@sha256:…         the shared registry's, as the output `image` prints it
 *   any other reference         the Docker engine's
 */
import { hostIn, parseImageReference, type ImageReference } from './image.ts';
import { bad, ok, type Parsed } from './parsed.ts';

export type ImageSource =
  | { readonly kind: 'layout'; readonly path: string }
  | { readonly kind: 'local'; readonly reference: string }
  | { readonly kind: 'registry'; readonly reference: ImageReference };

export function parseImageSource(text: string): Parsed<ImageSource> {
  const [, scheme, rest = ''] = /^(oci|docker):(.*)$/.exec(text) ?? [];
  if (scheme === 'oci') return rest === '' ? bad(`"${text}" names no OCI layout: write oci:PATH`) : ok({ kind: 'layout', path: rest });
  if (scheme === 'docker' || (hostIn(text) === undefined && !text.includes('@'))) return parseLocal(scheme === undefined ? text : rest);
  const reference = parseImageReference(text);
  return reference.ok ? ok({ kind: 'registry', reference: reference.value }) : reference;
}

/** The engine knows its images; what must not be is an option. */
function parseLocal(text: string): Parsed<ImageSource> {
  return /^[A-Za-z0-9][\w.:/@-]*$/.test(text)
    ? ok({ kind: 'local', reference: text })
    : bad(`"${text}" is not an image of the Docker engine (web:latest), a registry's (host/web:1.2) or an OCI layout (oci:PATH)`);
}
