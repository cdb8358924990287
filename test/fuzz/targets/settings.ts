// Settings: lists and pairs that an operator writes, and the environment as a whole.

import {
  parseDatabaseUrl,
  parseHost,
  parsePaths,
  parseRootSecrets,
} from '../../../src/config/config-values.ts'
import { parseMailFrom } from '../../../src/config/mail-values.ts'
import { readConfig } from '../../../src/config/service-config.ts'
import { parseAudienceAlgs, parseSigningAlgs } from '../../../src/config/signing-values.ts'
import {
  parseOtlpEndpoint,
  parseOtlpHeaders,
  parsePropagators,
  parseRatio,
  parseResourceAttributes,
  parseSampler,
} from '../../../src/config/telemetry-values.ts'
import { type FuzzTarget, holds, isSame, textOf } from '../fuzz-target.ts'
import { readSetting } from '../read-setting.ts'

/** Parsers of short lists, each of which the first line names. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  algs: parseSigningAlgs,
  audiences: (text) => [...parseAudienceAlgs(text)],
  host: parseHost,
  paths: parsePaths,
  secrets: (text) => parseRootSecrets(text).all.length,
  database: parseDatabaseUrl,
  from: parseMailFrom,
  endpoint: (text) => parseOtlpEndpoint(text).href,
  headers: parseOtlpHeaders,
  attributes: parseResourceAttributes,
  sampler: parseSampler,
  ratio: parseRatio,
  propagators: parsePropagators,
}

const lists: FuzzTarget = {
  name: 'setting-values',
  covers: [
    ...['parseDatabaseUrl', 'parseHost', 'parsePaths', 'parseRootSecrets'].map(
      (name) => `src/config/config-values.ts ${name}`,
    ),
    'src/config/mail-values.ts parseMailFrom',
    ...['parseSigningAlgs', 'parseAudienceAlgs'].map(
      (name) => `src/config/signing-values.ts ${name}`,
    ),
    ...[
      'parseOtlpEndpoint',
      'parseOtlpHeaders',
      'parseResourceAttributes',
      'parseSampler',
      'parseRatio',
      'parsePropagators',
    ].map((name) => `src/config/telemetry-values.ts ${name}`),
  ],
  within: ['src/mail/mail-address.ts'],
  seeds: [
    'algs\nES256,RS256',
    'audiences\nhttps://a.test=ES256 b=RS256',
    'host\n0.0.0.0',
    'host\na.test',
    'paths\n/a,b',
    `secrets\n${'A'.repeat(43)},${'B'.repeat(42)}A`,
    'database\npostgresql://u:p@h/db?schema=a%20b',
    'from\nExample <a@b.test>',
    'endpoint\nhttp://h:4318/v1',
    'headers\na=b%20c,d=e',
    'attributes\nservice.name=x',
    'sampler\nparentbased_traceidratio',
    'ratio\n0.25',
    'propagators\ntracecontext,baggage',
  ],
  tokens: [
    ',',
    '=',
    ' ',
    '%',
    '%00',
    '%ff',
    '<',
    '>',
    '@',
    '"',
    '__proto__=1',
    'constructor=1',
    '$user',
    'pg_',
    '\n',
    '.5',
    '1e1',
    '\u00e9',
    '\ue001',
  ],
  check(input) {
    const [name = '', ...rest] = textOf(input).split('\n')
    const parse = Object.hasOwn(PARSERS, name) ? PARSERS[name] : undefined
    const text = rest.join('\n')
    const read = parse && readSetting(parse, text)
    if (!parse || read === undefined) return false
    isSame(parse(text), read, 'the same each time')
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) {
      isSame(Object.getPrototypeOf(read) === Object.prototype, true, 'a plain object')
    }
    return true
  },
}

const environment: FuzzTarget = {
  name: 'environment',
  covers: [
    'src/config/service-config.ts readConfig',
    'src/config/read-settings.ts readSettings',
    'src/config/telemetry.ts readTelemetry',
  ],
  seeds: [
    `LINEAGE_ISSUER=https://a.test\nDATABASE_URL=postgresql://a/b\nLINEAGE_SECRET_KEY=${'A'.repeat(43)}`,
    'PORT=3000\nHOST=127.0.0.1\nLINEAGE_ACCESS_TOKEN_TTL_SECONDS=600',
    'LINEAGE_TRUST_PROXY=loopback\nLINEAGE_UNKNOWN=1\nOTEL_EXPORTER_OTLP_ENDPOINT=http://h',
    'LINEAGE_ADMIN_CLIENT_ID=a-b\nLINEAGE_ADMIN_CLIENT_SECRET_FILE=/run/x',
  ],
  tokens: [
    'LINEAGE_',
    '=',
    '\n',
    '_FILE=',
    'auto',
    'off',
    '0',
    '1',
    '999999999',
    ',',
    'REDIS_URL=redis://a',
    'LINEAGE_ARGON2=',
    'm=65536,t=3,p=4',
    '\u2603',
  ],
  check(input) {
    const entries = textOf(input)
      .split('\n')
      .map(
        (line) =>
          [
            line.slice(0, Math.max(0, line.indexOf('='))),
            line.slice(line.indexOf('=') + 1),
          ] as const,
      )
      .filter(([name]) => name !== '')
    const env: Record<string, string> = {}
    for (const [name, value] of entries)
      Object.defineProperty(env, name, { value, enumerable: true, configurable: true })
    const read = readConfig(env, (path) => path.slice(-32))
    if ('config' in read) {
      checkEndpoint(env.OTEL_EXPORTER_OTLP_ENDPOINT, read.config.telemetry?.traces?.url)
      return true
    }
    holds(read.problems.length > 0, 'a refusal says why')
    const secret = env.LINEAGE_SECRET_KEY ?? ''
    for (const problem of read.problems) {
      holds(/^[\x20-\x7e\u00a7\u2026]+$/.test(problem), 'a sentence of plain characters')
      // Of a name that is not known, it repeats the name.
      const isNamed = Object.keys(env).some((name) => name.includes(secret))
      const isRepeated = secret.length >= 12 && problem.includes(secret)
      holds(isNamed || !isRepeated, 'a refusal repeats no secret')
    }
    return false
  },
}

/** Where traces go is where the setting says, whatever its path is like. */
function checkEndpoint(stated: string | undefined, url: URL | undefined): void {
  const isStated = stated !== undefined && URL.canParse(stated)
  if (url && isStated) isSame(url.host, new URL(stated).host, 'the host of the collector')
}

export const SETTING_TARGETS: readonly FuzzTarget[] = [lists, environment]
