// Documents: declarations in YAML, lines of an import, the text of metrics.

import { MetricsTextError, parseMetricsText } from '../../../src/cli/top/metrics-text.ts'
import { checkUser } from '../../../src/cli/user-line.ts'
import { readDocuments } from '../../../src/declarative/read-documents.ts'
import { findSchemaFaults } from '../../../src/declarative/resource-schema.ts'
import { type FuzzTarget, holds, isSame, textOf, unlessRefused } from '../fuzz-target.ts'

const MARK = 'snow\u2603man'

const yaml: FuzzTarget = {
  name: 'declarations',
  covers: [
    'src/declarative/read-documents.ts readDocuments',
    'src/declarative/plain-node.ts toPlain',
  ],
  within: ['src/declarative/resource-schema.ts'],
  seeds: [
    'apiVersion: lineage/v1\nkind: Client\nmetadata: {name: a}\nspec:\n  scopes: [a, b]\n',
    '- a: 1\n- b: &x [1, 2]\n  c: *x\n---\nd: |\n  text\n',
    '{"a": {"b": [1, null, "c"]}}',
    '%YAML 1.2\n---\na',
    'a: &a [*a]',
    '? [a]\n: b',
    'a: !!js/function x',
    '<<: {a: 1}\n__proto__: 1',
    `a: ${MARK}`,
  ],
  tokens: [
    ': ',
    '- ',
    '&a ',
    '*a',
    '---\n',
    '...\n',
    '? ',
    '|',
    '>',
    '!!',
    '!<',
    '{',
    '}',
    '[',
    ']',
    '#',
    '\t',
    '\n  ',
    '<<',
    '0x1f',
    '.inf',
    '"',
    "'",
    '%',
    '__proto__',
    '\ufeff',
    MARK,
  ],
  lengthMax: 512,
  check(input) {
    const text = textOf(input)
    const problems: string[] = []
    const documents = readDocuments(text, 'file.yaml', (problem) => {
      holds(problem.line >= 1, 'a line')
      problems.push(problem.detail)
    })
    holds(!problems.some((detail) => detail.includes(MARK)), 'a refusal repeats nothing')
    for (const { value, lineOf } of documents) {
      const json = JSON.stringify(value)
      holds(json !== undefined, 'a value that JSON has')
      isSame(JSON.parse(json), value, 'a value that was written again')
      for (const { pointer } of findSchemaFaults(value)) {
        holds(
          lineOf(pointer) >= 1 && lineOf(pointer) <= text.split('\n').length + 1,
          'the line of a fault',
        )
      }
    }
    // JSON is YAML, and says the same.
    const [only, ...others] = documents
    const asJson = unlessRefused(
      () => JSON.parse(text) as unknown,
      (error) => error instanceof SyntaxError,
    )
    const isOne = only && others.length === 0 && problems.length === 0
    if (isOne && isPlainObject(asJson) && !hasOddNumber(text)) isSame(only.value, asJson, 'JSON')
    return documents.length > 0
  },
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A number that is another one in YAML, or loses digits. */
function hasOddNumber(text: string): boolean {
  return /-0|\d{16}|[eE]/.test(text)
}

const RULES = {
  issuer: 'https://a.test',
  ...{ passwordMinLength: 8, passwordMaxLength: 64, passwordBlocklist: true },
  argon2: { memoryKib: 1_024, time: 1, parallelism: 1 },
}

const userLine: FuzzTarget = {
  name: 'user-line',
  covers: ['src/cli/user-line.ts checkUser'],
  within: ['src/users/user-draft.ts'],
  seeds: [
    '{"username":"alice","email":"a@b.test","password":"correct horse battery"}',
    '{"username":"b","email":"b@b.test","passwordHash":"$2b$10$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcdO","roles":["a"],"emailVerified":true}',
    '{"id":"00112233-4455-4677-8899-aabbccddeeff","username":"c","email":"c@c"}',
    '{"username":1,"roles":[1,null],"__proto__":1}',
  ],
  tokens: [
    '"username":',
    '"email":',
    '"password":',
    '"passwordHash":',
    '"roles":',
    '"id":',
    'null',
    '[]',
    '{}',
    '"\\ud800"',
    '"__proto__":',
    '"toString":1',
    '\\u0000',
    ',',
  ],
  check(input) {
    const checked = checkUser(textOf(input), RULES)
    if (!checked.ok) {
      holds(checked.errors.length > 0, 'a refusal says why')
      return false
    }
    const { draft } = checked
    holds(
      Buffer.from(JSON.stringify(draft)).toString() === JSON.stringify(draft),
      'no half of a character',
    )
    holds(
      (draft.roles ?? []).every((role) => typeof role === 'string' && role !== ''),
      'roles are texts',
    )
    return true
  },
}

const metrics: FuzzTarget = {
  name: 'metrics-text',
  covers: ['src/cli/top/metrics-text.ts parseMetricsText'],
  seeds: [
    '# HELP a b\na_total{le="0.5",x="\\"\\n"} 1e3 1700\nb +Inf\n',
    'a 1',
    'a{} 0',
    'a{x="1",} NaN',
    'a{x="1",x="2"} 1',
  ],
  tokens: [
    '{',
    '}',
    '="',
    '"',
    ',',
    '\\',
    '\\n',
    ' 1',
    ' NaN',
    ' +Inf',
    '\n',
    '#',
    '1e',
    '__proto__',
    '\t',
  ],
  check(input) {
    const text = textOf(input)
    const read = unlessRefused(
      () => parseMetricsText(text),
      (error) => error instanceof MetricsTextError,
    )
    if (!read) return false
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const samples = [...read.values()].flat()
    isSame(samples.length, lines.length, 'a sample for each line')
    const written = [...read].flatMap(([name, all]) =>
      all.map(
        ({ labels, value }) =>
          `${name}{${[...labels].map(([label, one]) => `${label}=${JSON.stringify(one).replaceAll('\\t', '\t')}`).join(',')}} ${writeNumber(value)}`,
      ),
    )
    if (/[^\x20-\x7e\n]/.test(text)) return true
    isSame(
      [...parseMetricsText(written.join('\n'))].map(toPlain),
      [...read].map(toPlain),
      'samples that were written again',
    )
    return true
  },
}

function writeNumber(value: number): string {
  return String(value).replace('Infinity', 'Inf')
}

function toPlain([name, samples]: readonly [
  string,
  readonly { readonly labels: ReadonlyMap<string, string>; readonly value: number }[],
]) {
  return [name, samples.map(({ labels, value }) => [[...labels], String(value)])]
}

export const DOCUMENT_TARGETS: readonly FuzzTarget[] = [yaml, userLine, metrics]
