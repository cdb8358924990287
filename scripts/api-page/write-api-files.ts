// The contract as JSON and as a page, finished but for what a service is told when it starts; for a
// service with everything on one port, and for one whose operations have a port of their own; with mail
// and without. And the schema of the files that `lineage apply` takes.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Contract } from './contract.ts'
import { withoutMail } from './contract-without-mail.ts'
import { makeDeclarationSchema } from './declaration-schema.ts'
import { renderDocsPage } from './docs-page.ts'
import { placeContract } from './placed-contract.ts'

/** Writes the files into `directory`, which it makes. */
export function writeApiFiles(openapiYaml: string, directory: string): void {
  const text = readFileSync(openapiYaml, 'utf8')
  // The service would take it for a placeholder.
  if (text.includes('{{'))
    throw new Error(`${openapiYaml} must not have two opening braces in a row`)
  const contract = parse(text) as Contract
  mkdirSync(directory, { recursive: true })
  for (const ports of ['one-port', 'two-ports'] as const) {
    const placed = placeContract(contract, ports)
    writeContract(placed, join(directory, `${ports}-mail`))
    writeContract(withoutMail(placed), join(directory, ports))
  }
  const schema = makeDeclarationSchema(contract)
  writeFileSync(join(directory, 'lineage.schema.json'), `${JSON.stringify(schema, null, 2)}\n`)
  for (const asset of ['style.css', 'icon.svg']) {
    copyFileSync(join(import.meta.dirname, asset), join(directory, asset))
  }
}

function writeContract(contract: Contract, path: string): void {
  writeFileSync(`${path}.json`, JSON.stringify(contract))
  writeFileSync(`${path}.html`, renderDocsPage(contract))
}
