// The methods that standards name: anybody may send the others that Node.js reads, and none of them may
// become a label or a name.

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
])

/** The method itself, or `other`. */
export function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other'
}
