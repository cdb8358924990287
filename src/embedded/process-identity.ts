// Whether a process whose number was noted earlier still runs. Numbers are used again, so where
// there is a /proc the start time and the command line tell whether it is the same process.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isCode } from './private-file.ts'

/** When `pid` started, in the kernel's own unit; '0' where there is no /proc or no such process. */
export function processStartTime(pid: number): string {
  return readStat(pid)?.startTime ?? '0'
}

/**
 * Whether `pid` runs and is the process that began at `startTime` (as processStartTime gave it).
 */
export function isRunning(pid: number, startTime: string = processStartTime(pid)): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if (!isCode(error, 'EPERM')) return false
  }
  const stat = readStat(pid)
  // A zombie has ended; its parent has not waited for it yet.
  return stat === undefined || (stat.startTime === startTime && stat.state !== 'Z')
}

/** Does nothing when the process has ended, as it may at any moment. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isCode(error, 'ESRCH')) throw error
  }
}

function readStat(pid: number): { state: string; startTime: string } | undefined {
  const text = read(`/proc/${pid}/stat`)
  // The name, in parentheses, may itself hold spaces and parentheses; field 3 follows it.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, startTime] = [fields?.[0], fields?.[19]]
  return state && startTime ? { state, startTime } : undefined
}

/**
 * The arguments that `pid` was started with, a space after each; empty when the system does not
 * tell.
 */
export function commandLineOf(pid: number): string {
  const text = read(`/proc/${pid}/cmdline`)
  if (text !== undefined) return text.replaceAll('\0', ' ')
  const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return ps.status === 0 ? `${ps.stdout.trim()} ` : ''
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
