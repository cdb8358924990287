// What DATABASE_URL says beyond what the driver reads: the schema, in Prisma's way.

/** Where Prisma, too, puts tables when nothing is said. */
const DEFAULT_SCHEMA = 'public'

/** `?schema=`, or `public`. */
export function schemaOf(databaseUrl: string): string {
  const query = databaseUrl.split('?')[1] ?? ''
  return new URLSearchParams(query).get('schema') || DEFAULT_SCHEMA
}
