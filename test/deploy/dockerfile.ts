// The Dockerfile as data: its instructions in order, and what holds of its last stage. Enough for
// this file, which has neither heredocs nor ARGs.

import { readFileSync } from 'node:fs'

export interface Instruction {
  readonly name: string
  readonly value: string
}

export function readDockerfile(): Instruction[] {
  const text = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ...rest] = line.split(/\s+/)
      return { name: name.toUpperCase(), value: rest.join(' ') }
    })
}

/** The instructions of the stage that becomes the image. */
export function lastStage(instructions: readonly Instruction[]): readonly Instruction[] {
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
}

/** The values of one instruction's name. */
export function valuesOf(instructions: readonly Instruction[], name: string): string[] {
  return instructions.filter((one) => one.name === name).map(({ value }) => value)
}

/** What the image's own environment gives the service. */
export function imageEnvironment(): Record<string, string> {
  const pairs = valuesOf(lastStage(readDockerfile()), 'ENV').flatMap((value) => value.split(' '))
  return Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]))
}

/** The base image that every stage comes from. */
export function baseImage(): string {
  const [first = ''] = valuesOf(readDockerfile(), 'FROM')
  return first.split(' ')[0] ?? ''
}
