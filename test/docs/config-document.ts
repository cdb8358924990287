// How the configuration table reads in README.md and in .env.example. Run this file to print both
// after a change of the table: `npx tsx test/docs/config-document.ts`.

import { pathToFileURL } from 'node:url'
import { CONFIG_TABLE } from '../../src/config/config-table.ts'
import type { Setting } from '../../src/config/setting.ts'

const ROWS = Object.entries<Setting<unknown>>(CONFIG_TABLE)

/** The rows of the README's table, in the order of the table in the code. */
export function renderReadmeRows(): string[] {
  return ROWS.map(([name, setting]) => {
    const fallback = setting.default === undefined ? '' : `\`${setting.default}\``
    return `| \`${name}\` | ${fallback} | ${setting.meaning} |`
  })
}

/** The whole of .env.example: every setting, none of them in force. */
export function renderEnvExample(): string {
  const rows = ROWS.flatMap(([name, setting]) => [
    '',
    `# ${setting.meaning}`,
    `#${name}=${setting.default ?? ''}`,
    ...(setting.isSecret ? [`#${name}_FILE=`] : []),
  ])
  return [
    '# Copy to .env, which only `npm run dev` reads. An empty value is unset. Secrets may stand in',
    '# files: NAME_FILE in place of NAME.',
    ...rows,
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(`${renderReadmeRows().join('\n')}\n\n${renderEnvExample()}`)
}
