// One row for every variable: what it may be, its default and what it means. README.md and
// .env.example repeat this table, and test/docs/config-table.test.ts holds them to it.

import { GIVEN_SECRET } from '../clients/client-secret.ts'
import { SIGNING_ALGS } from '../keys/signing-algorithms.ts'
import {
  integer,
  integerOr,
  matching,
  oneOf,
  parseClientSlug,
  parseDatabaseUrl,
  parseHost,
  parsePasswordPeppers,
  parsePath,
  parsePaths,
  parseRootSecrets,
} from './config-values.ts'
import { parseIssuer } from './issuer-url.ts'
import { LOG_ROWS } from './log-settings.ts'
import { parseMailFrom, parsePage } from './mail-values.ts'
import { parseRedisUrl } from './redis-url.ts'
import { optional, row, type Setting, secret } from './setting.ts'
import { parseAudienceAlgs, parseSigningAlgs } from './signing-values.ts'
import { parseSmtpUrl } from './smtp-url.ts'
import { parseOtlpEndpoint } from './telemetry-values.ts'
import { TLS_ROWS } from './tls-settings.ts'
import { parseTrustedProxies } from './trusted-proxies.ts'

const YEAR_SECONDS = 31_536_000
const TEN_YEARS_DAYS = 3_650

export const CONFIG_TABLE = {
  PORT: row('3000', integer(1, 65_535), 'Port of the public endpoints.'),
  HOST: row('127.0.0.1', parseHost, 'Address to listen on.'),
  ...LOG_ROWS,
  DATABASE_URL: secret(parseDatabaseUrl, 'PostgreSQL, as `postgres://user:password@host/name`.'),
  REDIS_URL: secret(
    parseRedisUrl,
    'Redis, for families; unset keeps them in PostgreSQL. More hosts by comma, with ' +
      '`?mode=cluster` or `?mode=sentinel&name=mymaster`; `rediss://` for TLS.',
  ),
  LINEAGE_ISSUER: optional(
    parseIssuer,
    'Public URL of this service and `iss` of its tokens; https unless its host is loopback.',
  ),
  LINEAGE_SECRET_KEY: secret(
    parseRootSecrets,
    'Root secret, 32+ bytes base64url. A comma list rotates: the first mints, all verify.',
  ),
  LINEAGE_DATA_DIR: row(
    '.lineage',
    parsePath,
    'Where embedded mode keeps its database and secrets.',
  ),
  LINEAGE_ADMIN_CLIENT_ID: optional(
    parseClientSlug,
    'Id of the bootstrap admin client, which exists only while id and secret are both set.',
  ),
  LINEAGE_ADMIN_CLIENT_SECRET: secret(
    matching(GIVEN_SECRET.pattern, GIVEN_SECRET.rule),
    'Secret of the bootstrap admin client, 32 characters or more.',
  ),
  LINEAGE_REGISTRATION: row(
    'closed',
    oneOf('closed', 'open'),
    'Whether anyone may make an account; `open` lets anyone find out which names are taken.',
  ),
  LINEAGE_SIGNING_ALG: row(
    'ES256',
    oneOf(...SIGNING_ALGS),
    `Algorithm of new signing keys: one of ${SIGNING_ALGS.map((alg) => `\`${alg}\``).join(', ')}.`,
  ),
  LINEAGE_SIGNING_ALGS: optional(
    parseSigningAlgs,
    'Instead, several by comma, each with keys of its own: the first is the default, clients may choose.',
  ),
  LINEAGE_AUDIENCE_SIGNING_ALGS: optional(
    parseAudienceAlgs,
    'Audiences that read another than the default, as `https://api.example=RS256`, more by space.',
  ),
  LINEAGE_KEY_ROTATION_DAYS: row(
    '30',
    integer(1, TEN_YEARS_DAYS),
    'Age at which a signing key is replaced.',
  ),
  LINEAGE_JWKS_MAX_AGE_SECONDS: row(
    '300',
    integer(0, 86_400),
    'How long verifiers may keep the JWKS; a new key waits this long and a minute.',
  ),
  LINEAGE_ACCESS_TOKEN_TTL_SECONDS: row(
    '600',
    integer(1, YEAR_SECONDS),
    'Life of access tokens; must be above the grace.',
  ),
  LINEAGE_REFRESH_IDLE_TTL_SECONDS: row(
    '1209600',
    integer(1, 10 * YEAR_SECONDS),
    'A family that is not refreshed for this long ends (14 days).',
  ),
  LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS: row(
    '7776000',
    integer(1, 10 * YEAR_SECONDS),
    'A family ends after this long, however busy (90 days).',
  ),
  LINEAGE_REFRESH_GRACE_SECONDS: row(
    '30',
    integer(0, 300),
    'How long a lost answer to a refresh can be asked for again.',
  ),
  LINEAGE_DEFAULT_AUDIENCE: optional(
    matching(/^[\x21-\x7e]{1,512}$/, '1 to 512 printable ASCII characters without spaces'),
    '`aud` of tokens of clients without audiences; unset means the issuer.',
  ),
  LINEAGE_ASSERTION_AUDIENCE: row(
    'issuer',
    oneOf('issuer', 'issuer+endpoint'),
    '`aud` of client assertions: the issuer alone, or also the URL of `/token`.',
  ),
  LINEAGE_TRUST_PROXY: optional(
    parseTrustedProxies,
    'Proxies whose `X-Forwarded-*` headers are believed: CIDR list or `loopback`; unset: none.',
  ),
  ...TLS_ROWS,
  LINEAGE_OPS_PORT: optional(
    integer(1, 65_535),
    'Port that takes over `/admin`, `/livez`, `/readyz` and `/metrics`; unset leaves them on `PORT`.',
  ),
  LINEAGE_MIGRATE: row(
    'auto',
    oneOf('auto', 'check', 'off'),
    'At start: `auto` applies pending migrations, `check` refuses to start, `off` does not look.',
  ),
  LINEAGE_APPLY_FILE: optional(
    parsePaths,
    'Files that are applied at each start, more by comma (docs/declarative.md); unset: none.',
  ),
  LINEAGE_SHUTDOWN_DELAY_SECONDS: row(
    '0',
    integer(0, 300),
    'Time between failing readiness and closing the listener, for load balancers to notice.',
  ),
  LINEAGE_EVENT_RETENTION_DAYS: row('90', integer(1, TEN_YEARS_DAYS), 'How long events are kept.'),
  LINEAGE_WORKERS: row(
    '1',
    integerOr('auto', 1, 64),
    'Processes that serve, with one more that supervises them; `auto`: one for each core.',
  ),
  LINEAGE_MAX_CONNECTIONS: row(
    '10000',
    integer(16, 1_000_000),
    'Open connections of each port; beyond, an unused one is closed for a new one.',
  ),
  LINEAGE_ARGON2_MEMORY_KIB: row(
    '19456',
    integer(8, 262_144),
    'Memory of one password hash; 8 or more for each lane of parallelism.',
  ),
  LINEAGE_ARGON2_TIME: row('2', integer(1, 16), 'Passes of one password hash.'),
  LINEAGE_ARGON2_PARALLELISM: row('1', integer(1, 16), 'Lanes of one password hash.'),
  LINEAGE_PASSWORD_PEPPER: secret(
    parsePasswordPeppers,
    'Secret in every password hash, as the root secret: the first hashes, all verify. Losing it loses ' +
      'every password.',
  ),
  LINEAGE_PASSWORD_MIN_LENGTH: row(
    '8',
    integer(1, 1_024),
    'Shortest password, in code points after NFKC.',
  ),
  LINEAGE_PASSWORD_MAX_LENGTH: row(
    '256',
    integer(1, 1_024),
    'Longest password, in code points after NFKC.',
  ),
  LINEAGE_PASSWORD_BLOCKLIST: row(
    'on',
    oneOf('on', 'off'),
    'Whether new passwords that are guessed first are refused; `off`: only the length counts.',
  ),
  LINEAGE_DPOP_NONCE: row(
    'token',
    oneOf('off', 'token', 'all'),
    'Where DPoP proofs need a nonce of ours: nowhere (`off`), at `/token`, or with access tokens too (`all`).',
  ),
  LINEAGE_THROTTLE: row(
    'on',
    oneOf('on', 'off'),
    'Whether guessing is throttled: passwords, client secrets, codes and links (docs/login.md).',
  ),
  LINEAGE_THROTTLE_EXEMPT: optional(
    parseTrustedProxies,
    'Sources that are never throttled: CIDR list or `loopback`; unset: none.',
  ),
  LINEAGE_SMTP_URL: secret(
    parseSmtpUrl,
    'Mail server, `smtp://` (with STARTTLS) or `smtps://`, as `user:password@host:port`; unset sends no mail.',
  ),
  LINEAGE_MAIL_FROM: optional(
    parseMailFrom,
    'Sender of mails, as `no-reply@example.com` or `Example <no-reply@example.com>`.',
  ),
  LINEAGE_PASSWORD_RESET_URL: optional(
    parsePage,
    'Page of the app that sets a forgotten password; mails link it with `#token=…`.',
  ),
  LINEAGE_EMAIL_VERIFICATION_URL: optional(
    parsePage,
    'Page of the app that confirms an address; mails link it with `#token=…`.',
  ),
  LINEAGE_MAIL_TEMPLATES: optional(
    parsePath,
    'Folder with templates of mails in place of those that are shipped.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    parseOtlpEndpoint,
    'Where traces and metrics are sent by OTLP (docs/operations.md#opentelemetry); unset: nowhere.',
  ),
  // Node reads it by itself, and what is no number means 1 to it.
  UV_THREADPOOL_SIZE: {
    ...row(
      '4',
      integer(1, 1_024),
      "Size of Node's thread pool; passwords are hashed on one thread fewer, and one core fewer.",
    ),
    whenEmpty: '1',
  },
} as const satisfies Record<string, Setting<unknown>>

export type SettingName = keyof typeof CONFIG_TABLE

/** What each row's parser gives, under the row's name. */
export type Settings = {
  readonly [Name in SettingName]: (typeof CONFIG_TABLE)[Name] extends Setting<infer T> ? T : never
}
