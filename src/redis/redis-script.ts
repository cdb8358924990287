// A Lua script and the one command that runs it, marked as one that a closed gate holds back or not.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Command, type Redis } from 'ioredis'
import { UNWATCHED, type WatchCall } from '../runtime/call-watch.ts'
import { COMMAND_TIMEOUT_MS } from './redis-connection.ts'
import { replyCode } from './redis-failure.ts'

export interface RedisScript {
  /** What it does, in a word. */
  readonly name: string
  readonly lua: string
  readonly sha: string
  /**
   * Whether it changes something: it is then told until when its sender waits, and does nothing
   * later.
   */
  readonly changes: boolean
}

/** A whole client, or one connection of it. */
export type CommandSender = Pick<Redis, 'sendCommand'>

/** A `gated` command is refused until the journal was re-applied, which is done by `free` ones. */
export type GateAccess = 'gated' | 'free'

export type RunScript = (
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>

/** Stands before every script that changes something. */
const LATE = readFileSync(new URL('./late.lua', import.meta.url), 'utf8')

/** A command of ours; ioredis carries the same object through every redirection. */
class OurCommand extends Command {
  readonly access: GateAccess
  readonly giveUpAtMs: number | undefined

  constructor(
    name: string,
    args: (string | number)[],
    access: GateAccess,
    giveUpAtMs: number | undefined,
  ) {
    super(name, args, { replyEncoding: 'latin1' })
    this.access = access
    this.giveUpAtMs = giveUpAtMs
  }
}

export function isGated(command: Command): boolean {
  return command instanceof OurCommand && command.access === 'gated'
}

/**
 * Until when, by `performance.now()`, the sender waits for a command that changes something. The
 * last argument of the command has to become that moment by the clock of the server.
 */
export function giveUpMoment(command: Command): number | undefined {
  return command instanceof OurCommand ? command.giveUpAtMs : undefined
}

/**
 * `reading` changes nothing. A full server runs what is `changing` too: a session must not stay
 * alive because there is no memory left to end it. It refuses what is `adding` as a whole, before
 * anything is done.
 */
export type ScriptKind = 'reading' | 'changing' | 'adding'

/** Redis 7 and later take the flags of the first line; older ones check each command by itself. */
const FIRST_LINES: Readonly<Record<ScriptKind, string>> = {
  reading: '#!lua flags=no-writes',
  changing: '#!lua flags=allow-oom',
  adding: '#!lua',
}

/** A script out of the Lua of its parts in their order. */
export function openScript(name: string, kind: ScriptKind, ...parts: string[]): RedisScript {
  const changes = kind !== 'reading'
  const lua = [FIRST_LINES[kind], ...(changes ? [LATE] : []), ...parts].join('\n')
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex'), changes }
}

/**
 * One round trip; a second one where the server has lost the script, which was not run then.
 * Rejects with the errors of ioredis: callers strip them.
 */
export function scriptRunner(
  sender: CommandSender,
  access: GateAccess,
  watch: WatchCall = UNWATCHED,
): RunScript {
  return async (script, keys, args) => {
    const ended = watch(script.name)
    // One moment for both round trips.
    const until = script.changes ? performance.now() + COMMAND_TIMEOUT_MS : undefined
    const all = [script.sha, keys.length, ...keys, ...args]
    if (script.changes) all.push('')
    let failed = true
    try {
      const reply = await sendCommand(sender, 'evalsha', all, access, until)
      failed = false
      return reply
    } catch (error) {
      if (replyCode(error) !== 'NOSCRIPT') throw error
      const whole = [script.lua, ...all.slice(1)]
      const reply = await sendCommand(sender, 'eval', whole, access, until)
      failed = false
      return reply
    } finally {
      ended(failed)
    }
  }
}

/**
 * Sends one command; replies are strings, of which each character is a byte, numbers and lists of
 * them. With `giveUpAt` the last
 * argument is a blank that is filled in where the connection is known
 * (families/redis/redis-store-clock.ts).
 */
export function sendCommand(
  sender: CommandSender,
  name: string,
  args: (string | number)[],
  access: GateAccess,
  giveUpAt?: number,
): Promise<unknown> {
  const command = new OurCommand(name, args, access, giveUpAt)
  sender.sendCommand(command)
  return command.promise
}
