// What a violated unique key says to whoever chose the value.

import { AlreadyTaken } from '../runtime/field-error.ts'

/**
 * Does `work`, and throws AlreadyTaken where it violates a unique key: with the pointer that
 * `pointers` has for the name of the key, with `/id` for any other key.
 */
export async function refusingTaken<T>(
  work: () => Promise<T>,
  pointers: Readonly<Record<string, string>> = {},
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isViolation(error)) throw error
    // Prisma's own `target` is gone; the adapter names the index of the driver's error in `meta`.
    const meta = JSON.stringify(error.meta)
    const violated = Object.keys(pointers).find((name) => meta.includes(name))
    throw new AlreadyTaken(pointers[violated ?? ''] ?? '/id')
  }
}

/** By its code, because its class is Prisma's, which may not be loaded. */
function isViolation(error: unknown): error is Error & { readonly meta: unknown } {
  return error instanceof Error && 'code' in error && error.code === 'P2002' && 'meta' in error
}
