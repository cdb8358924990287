// Every act that `npm run crash` kills, by its name.

import type { Act } from './act.ts'
import { ADMIN_ACTS } from './admin-acts.ts'
import { APPLY_ACTS } from './apply-acts.ts'
import { EMBEDDED_ACTS } from './embedded-acts.ts'
import { KEY_ACTS } from './key-acts.ts'
import { SCHEMA_ACTS } from './schema-acts.ts'
import { TRAFFIC_ACTS } from './traffic-acts.ts'

export const ACTS = {
  ...TRAFFIC_ACTS,
  ...ADMIN_ACTS,
  ...KEY_ACTS,
  ...SCHEMA_ACTS,
  ...APPLY_ACTS,
  ...EMBEDDED_ACTS,
} as const satisfies Record<string, Act>

export type ActName = keyof typeof ACTS
