import { defineConfig } from 'prisma/config'

// The CLI wants a schema engine even for `generate`, which never starts it. Pointing it at a
// file that exists keeps the install offline (ADR 0003).
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
})
