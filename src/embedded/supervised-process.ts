// A server process that ends when this process ends, however that happens, and not before: a small
// shell in a session of its own holds a pipe to us. End of file stops the server cleanly; the
// terminal's Ctrl-C never reaches it, because the service drains first.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Account } from './server-account.ts'

// SIGINT is the fast, clean shutdown of PostgreSQL and of Redis. SIGCONT wakes a paused server so
// that it handles the signal; the later signals are for a server that does not end.
const SUPERVISOR = `
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
(
  read -r _ <&3
  kill -INT $server; kill -CONT $server
  for second in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 $server || exit; done
  kill -QUIT $server; sleep 5; kill -KILL $server
) >/dev/null 2>&1 &
watcher=$!
wait $server
status=$?
kill $watcher 2>/dev/null
exit $status`

export interface SupervisedProcess {
  /** Resolves with the server's exit status, whether we stopped it or not. */
  readonly exited: Promise<number>
  /** Stops the server cleanly, by force after 10 seconds, and waits for its end. */
  stop(): Promise<void>
}

export interface SupervisedOptions {
  readonly cwd: string
  /** An open file that takes what the server prints. */
  readonly logFd: number
  readonly account: Account | undefined
}

/** Starts `command` as `account`. It does not keep this process alive. */
export function startSupervised(
  command: string,
  args: readonly string[],
  { cwd, logFd, account }: SupervisedOptions,
): SupervisedProcess {
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'sh', command, ...args], {
    cwd,
    detached: true,
    env: serverEnvironment(),
    stdio: ['pipe', logFd, logFd],
    ...account,
  })
  const exited = exitOf(child)
  child.unref()
  // Writing fails when the server has ended already; `exited` reports that.
  child.stdin?.on('error', () => {})
  return {
    exited,
    async stop() {
      child.ref()
      child.stdin?.end()
      await exited
    },
  }
}

/** Not our environment, which holds secrets. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C' }
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? -1))
    child.once('error', () => resolve(-1))
  })
}
