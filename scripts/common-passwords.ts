// `npx tsx scripts/common-passwords.ts` writes src/users/common-passwords.txt anew: the passwords that
// people choose most, from the package that the strength meter zxcvbn-ts keeps for them. A test tells
// when the file is not what the installed package gives.

import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dictionary } from '@zxcvbn-ts/language-common'
import { nameKey } from '../src/runtime/name-key.ts'

const FILE = fileURLToPath(new URL('../src/users/common-passwords.txt', import.meta.url))

/** The whole file: a head with the licence, an empty line, and the passwords in order of their bytes. */
export function writeCommonPasswords(): string {
  const packageFile = createRequire(import.meta.url).resolve(
    '@zxcvbn-ts/language-common/package.json',
  )
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'))
  const licence = readFileSync(join(dirname(packageFile), 'LICENSE.txt'), 'utf8').trim()
  const head = `The passwords of @zxcvbn-ts/language-common ${version} in the form in which they are compared,
in order of their UTF-8 bytes. Made by scripts/common-passwords.ts; its licence:

${licence}`
  const lines = head.split('\n').map((line) => `# ${line}`.trimEnd())
  return `${[...lines, '', ...listPasswords()].join('\n')}\n`
}

function listPasswords(): string[] {
  const passwords = dictionary['passwords-common'].map((password) => nameKey(String(password)))
  const lines = [...new Set(passwords)].filter((password) => password && !/\n/.test(password))
  return lines.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(FILE, writeCommonPasswords())
