// The scripts of families, out of the files of lua/. Every call of a script makes its functions anew,
// so one that needs none of family.lua goes without.

import { readFileSync } from 'node:fs'
import { openScript, type RedisScript, type ScriptKind } from '../../redis/redis-script.ts'

/** The script of `lua/<name>.lua` with the functions of family.lua before it. */
export function loadScript(kind: ScriptKind, name: string): RedisScript {
  return openScript(name, kind, readLua('family'), readLua(name))
}

/** The script of `lua/<name>.lua` by itself. */
export function loadBareScript(kind: ScriptKind, name: string): RedisScript {
  return openScript(name, kind, readLua(name))
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}
