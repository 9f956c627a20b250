/**
 * A statement that is needed, as people write it where their policy lives: JSON, CloudFormation
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecr-repository.html) or Terraform
 * (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document).
 */
import { statementJson, type Grant } from './grant.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { adding } from './own.ts';
import { emptyPolicy } from './document.ts';
import { writeSid, type PolicySid } from './sid.ts';

export interface Rendered {
  readonly json: string;
  readonly cloudFormation: string;
  readonly terraform: string;
}

/** The statements of these grants, without a marker. */
export function neededStatements(grants: readonly Grant[], policySid: PolicySid): JsonObject[] {
  return adding([], { grants, policy: emptyPolicy, policySid }).map(({ sid, actions, values }) =>
    statementJson({ sid: { ...sid, text: writeSid({ policySid, ...sid }) }, actions, values }),
  );
}

export function render(statements: readonly JsonObject[]): Rendered {
  return {
    json: JSON.stringify(statements.length === 1 ? statements[0] : statements, null, 2),
    cloudFormation: [
      'RepositoryPolicyText:',
      '  Version: "2012-10-17"',
      '  Statement:',
      ...statements.flatMap((statement) => item(yaml(statement), 4)),
    ].join('\n'),
    terraform: statements.map(terraform).join('\n\n'),
  };
}

function yaml(json: Json): string[] {
  if (Array.isArray(json)) return (json as readonly Json[]).flatMap((entry) => item(yaml(entry), 0));
  if (!isObject(json)) return [JSON.stringify(json)];
  return Object.entries(json).flatMap(([name, value]) => {
    const key = /^[A-Za-z]+$/.test(name) ? name : JSON.stringify(name);
    const lines = yaml(value);
    return typeof value === 'object' ? [`${key}:`, ...lines.map((line) => `  ${line}`)] : [`${key}: ${lines.join('')}`];
  });
}

function item(lines: readonly string[], indent: number): string[] {
  return lines.map((line, at) => `${' '.repeat(indent)}${at === 0 ? '- ' : '  '}${line}`);
}

function terraform(statement: JsonObject): string {
  const { Sid, Effect, Principal, Action, Condition } = statement;
  const text = (json: Json | undefined) => JSON.stringify(json).replaceAll('${', '$${').replaceAll('%{', '%%{');
  const list = (json: Json | undefined) =>
    `[\n${(Array.isArray(json) ? (json as readonly Json[]) : [json]).map((value) => `      ${text(value)},`).join('\n')}\n    ]`;
  const principals = isObject(Principal) ? Principal : { '*': ['*'] };
  const blocks = [
    `  sid    = ${text(Sid)}`,
    `  effect = ${text(Effect)}`,
    ...Object.entries(principals).map(
      ([type, names]) => `  principals {\n    type        = ${text(type)}\n    identifiers = ${list(names)}\n  }`,
    ),
    `  actions = ${list(Action).replaceAll('\n  ', '\n')}`,
    ...Object.entries(isObject(Condition) ? Condition : {}).flatMap(([operator, keys]) =>
      Object.entries(isObject(keys) ? keys : {}).map(
        ([key, values]) =>
          `  condition {\n    test     = ${text(operator)}\n    variable = ${text(key)}\n    values = ${list(values)}\n  }`,
      ),
    ),
  ];
  return `statement {\n${blocks.join('\n')}\n}`;
}
