// Jest's transform: Node's own type stripping. Types become blanks, so lines and columns in a stack trace are those of the source.
import { stripTypeScriptTypes } from 'node:module';

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
