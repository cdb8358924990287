// JSON that can be read in one way only: what two parsers could read differently is refused, so that no
// other check of the same text ever saw another text.

export type JsonObject = Readonly<Record<string, unknown>>

const DEPTH_MAX = 16

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The object that the bytes say. Undefined for what is no object, no UTF-8, nested deeper than any token,
 * or has a member twice or one named `__proto__`, at any depth.
 */
export function readJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isObject(value) && hasPlainNames(text) ? value : undefined
  } catch {
    return undefined
  }
}

/** The member of that name, never one that every object inherits; undefined for what is no object. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Walks through text that was parsed before. */
function hasPlainNames(text: string): boolean {
  /** The names so far of each object that is open, nothing for a list. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    if (open.length > DEPTH_MAX) return false
    if (character !== '"') continue
    const end = endOfString(text, at)
    if (isName(text, end)) {
      // Escapes are another spelling of the same name.
      const name = JSON.parse(text.slice(at, end + 1)) as string
      const names = open.at(-1)
      if (name === '__proto__' || names?.has(name)) return false
      names?.add(name)
    }
    at = end
  }
  return true
}

/** Where the string that begins at `start` has its closing mark. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function isName(text: string, end: number): boolean {
  let at = end + 1
  while (' \t\r\n'.includes(text[at] ?? '.')) at += 1
  return text[at] === ':'
}
