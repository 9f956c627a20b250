/** A tag of an ECS resource. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html */
import { records, text } from '../coral.ts';
import { filled, invalid } from './checks.ts';
import type { Json } from '../service.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A request's tags; undefined if it has none. */
export const tagsOf = (input: Json): Tag[] | undefined => {
  const tags = records(input, 'tags');
  if (tags?.length === 0) throw invalid('Tags can not be empty.');
  return tags?.map((tag) => {
    const key = text(tag, 'key');
    if (!filled(key)) throw invalid('Tag key must not be null or empty.');
    return { key, value: text(tag, 'value') ?? '' };
  });
};
