import { describe, expect, test } from '@jest/globals';
import { formatImage } from '../../src/domain/image.ts';
import { parseImageWishes } from '../../src/domain/image-wish.ts';

describe('which container runs which image', () => {
  test.each<[string, string, readonly (readonly [container: string | undefined, image: string])[]]>([
    ['one image alone', ' shop/web:v1 ', [[undefined, 'shop/web:v1']]],
    ['one line', 'web=shop/web:v1', [['web', 'shop/web:v1']]],
    [
      'several lines',
      'web = shop/web:v1\r\n\n  proxy=localhost:5000/infra/proxy:v2\n',
      [
        ['web', 'shop/web:v1'],
        ['proxy', 'localhost:5000/infra/proxy:v2'],
      ],
    ],
  ])('%s', (_name, text, expected) => {
    const parsed = parseImageWishes(text);
    expect(parsed.ok && parsed.value.map(({ container, image }) => [container, formatImage(image)])).toEqual(expected);
  });

  test.each([
    [
      'a line without a container',
      'web=shop/web:v1\nshop/proxy:v1',
      '"shop/proxy:v1" names no container, and there are several lines: write <container>=shop/proxy:v1',
    ],
    ['a container twice', 'web=shop/web:v1\nweb=shop/web:v2\nweb=shop/web:v3', 'the container web has several lines'],
    ['a name that is none', 'my web=shop/web:v1', '"my web" is not a container name (letters, digits, "-" and "_")'],
    ['nothing', ' \n', 'names no image'],
    [
      'everything at once',
      'web=shop/web\n=shop/web:v1\nshop/proxy:v1\na=x/y:1\na=x/y:1',
      '"shop/web" names no tag and no digest; write shop/web:<tag> or shop/web@sha256:…; "" is not a container name (letters, digits, "-" and "_"); "shop/proxy:v1" names no container, and there are several lines: write <container>=shop/proxy:v1; the container a has several lines',
    ],
  ])('refused: %s', (_name, text, problem) => {
    expect(parseImageWishes(text)).toEqual({ ok: false, problem });
  });
});
