// The configuration as it is documented is the configuration as it is read.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { CONFIG_TABLE } from '../../src/config/config-table.ts'
import type { Setting } from '../../src/config/setting.ts'
import { renderEnvExample, renderReadmeRows } from './config-document.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SETTINGS = Object.entries<Setting<unknown>>(CONFIG_TABLE)

/** By hand: a table that forgot a name would still agree with its own documents. */
const NAMES = `
  PORT HOST LOG_LEVEL LOG_LEVELS LOG_FORMAT DATABASE_URL REDIS_URL LINEAGE_ISSUER LINEAGE_SECRET_KEY LINEAGE_DATA_DIR
  LINEAGE_ADMIN_CLIENT_ID LINEAGE_ADMIN_CLIENT_SECRET LINEAGE_REGISTRATION LINEAGE_SIGNING_ALG
  LINEAGE_SIGNING_ALGS LINEAGE_AUDIENCE_SIGNING_ALGS LINEAGE_KEY_ROTATION_DAYS LINEAGE_JWKS_MAX_AGE_SECONDS LINEAGE_ACCESS_TOKEN_TTL_SECONDS
  LINEAGE_REFRESH_IDLE_TTL_SECONDS LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS
  LINEAGE_REFRESH_GRACE_SECONDS LINEAGE_DEFAULT_AUDIENCE LINEAGE_ASSERTION_AUDIENCE LINEAGE_TRUST_PROXY
  LINEAGE_TLS_CERT_FILE LINEAGE_TLS_KEY_FILE LINEAGE_TLS_CLIENT_CA_FILE LINEAGE_CLIENT_CERT_HEADER
  LINEAGE_MTLS_ORIGIN LINEAGE_OPS_PORT LINEAGE_MIGRATE LINEAGE_APPLY_FILE LINEAGE_SHUTDOWN_DELAY_SECONDS LINEAGE_EVENT_RETENTION_DAYS LINEAGE_WORKERS
  LINEAGE_MAX_CONNECTIONS
  LINEAGE_ARGON2_MEMORY_KIB LINEAGE_ARGON2_TIME LINEAGE_ARGON2_PARALLELISM LINEAGE_PASSWORD_PEPPER
  LINEAGE_PASSWORD_MIN_LENGTH LINEAGE_PASSWORD_MAX_LENGTH LINEAGE_PASSWORD_BLOCKLIST
  LINEAGE_DPOP_NONCE LINEAGE_THROTTLE LINEAGE_THROTTLE_EXEMPT
  LINEAGE_SMTP_URL LINEAGE_MAIL_FROM LINEAGE_PASSWORD_RESET_URL LINEAGE_EMAIL_VERIFICATION_URL
  LINEAGE_MAIL_TEMPLATES OTEL_EXPORTER_OTLP_ENDPOINT UV_THREADPOOL_SIZE`
const SECRETS = [
  'DATABASE_URL',
  'REDIS_URL',
  'LINEAGE_SECRET_KEY',
  'LINEAGE_ADMIN_CLIENT_SECRET',
  'LINEAGE_PASSWORD_PEPPER',
  'LINEAGE_SMTP_URL',
]

test('the table holds these names, in this order, and six secrets', async (t) => {
  t.strictSame(Object.keys(CONFIG_TABLE), NAMES.trim().split(/\s+/))
  const secrets = SETTINGS.filter(([, setting]) => setting.isSecret).map(([name]) => name)
  t.strictSame(secrets, SECRETS)
})

test('every default is a value that its own parser takes', async (t) => {
  for (const [name, setting] of SETTINGS) {
    const { default: fallback } = setting
    if (fallback !== undefined) t.doesNotThrow(() => setting.parse(fallback), name)
  }
})

test("the README's table and .env.example repeat the table in the code", async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const rows = readme.split('\n').filter((line) => /^\| `[A-Z0-9_]+` \|/.test(line))
  t.strictSame(rows, renderReadmeRows())
  t.equal(readFileSync(join(ROOT, '.env.example'), 'utf8'), renderEnvExample())
})
