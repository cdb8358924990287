// Prisma's own schema engine as WebAssembly, offline: the judge of whether schema.prisma and the
// migrations say the same, and of whether our runner leaves what `prisma migrate deploy` would.

import { readFileSync } from 'node:fs'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

/** The part of the global that the types of Node without the DOM leave out. */
interface WebAssemblyApi {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: { __wbindgen_start(): void } }
}
const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: WebAssemblyApi }

/** What PostgreSQL calls "char", and the text that it is; the adapter knows only the second. */
const CHAR_OID = 18
const TEXT_OID = 25

const NO_FILTER = { externalTables: [], externalEnums: [] }

let started = false

// By hand, because the package's entry imports the .wasm as a module, which Node 20 cannot do.
function startEngine(): void {
  if (started) return
  const entry = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const module = new wasm.Module(readFileSync(new URL('schema_engine_bg.wasm', entry)))
  const { exports } = new wasm.Instance(module, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(exports)
  exports.__wbindgen_start()
  started = true
}

/** The engine on one database; `close` ends its connections. */
export async function openSchemaEngine(url: string) {
  startEngine()
  const pool = new CharAsTextPool({ connectionString: url })
  // A test's database is dropped while an ended connection is still on its way out.
  pool.on('error', () => {})
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool))
  const engine = await bindings.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter)
  return {
    /** The SQL that leads from the database to the schema. */
    async diff(schema: string): Promise<string> {
      const files = [{ path: 'schema.prisma', content: schema }]
      const { stdout } = await engine.diff({
        from: { tag: 'schemaDatasource', files, configDir: '' },
        to: { tag: 'schemaDatamodel', files },
        script: true,
        exitCode: null,
        filters: NO_FILTER,
      })
      return stdout ?? ''
    },
    /** `prisma migrate deploy`; the names of what it applied. */
    async deploy(directory: URL, name: string): Promise<string[]> {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: listMigrations(directory, name),
        filters: NO_FILTER,
      })
      return appliedMigrationNames
    },
    async close() {
      engine.free()
      await pool.end()
    },
  }
}

function listMigrations(directory: URL, name: string) {
  const read = (path: string) => readFileSync(new URL(path, directory), 'utf8')
  const content = { tag: 'ok' as const, value: read(`${name}/migration.sql`) }
  return {
    baseDir: directory.pathname,
    lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
    shadowDbInitScript: '',
    migrationDirectories: [{ path: name, migrationFile: { path: 'migration.sql', content } }],
  }
}

class CharAsTextPool extends pg.Pool {
  override async query(...args: unknown[]): Promise<never> {
    const result: pg.QueryResult = await Reflect.apply(super.query, this, args)
    for (const field of result.fields) {
      if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID
    }
    // PostgreSQL 18 lists NOT NULL among the constraints, too, which this engine does not expect;
    // it reads the same from the columns.
    const type = result.fields.findIndex(({ name }) => name === 'constraint_type')
    if (type >= 0) result.rows = result.rows.filter((row) => row[type] !== 'n')
    return result as never
  }
}
