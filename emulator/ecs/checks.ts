/** What ECS's checks of a request are made of: its two kinds of refusal. */
import { AwsFault } from '../service.ts';

export const invalid = (message: string): AwsFault => new AwsFault('InvalidParameterException', message);

export const client = (message: string): AwsFault => new AwsFault('ClientException', message);

export const filled = (value: string | undefined): value is string => value !== undefined && value.trim() !== '';
