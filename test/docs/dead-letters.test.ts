/**
 * Goal: the walk-through of docs/dead-letters.md is what happens.
 *
 * Method: its commands are run one after the other on three dead letters. Output must be the lines
 * below each command: `…` stands for anything in a line, and alone for any lines; lines of stderr
 * begin with `millrace: `. The exit code is 0 unless a comment says otherwise.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openEmbeddedBroker } from '../../src/cli/open-broker.ts'
import { millrace, temporaryDirectory } from '../cli/run-millrace.ts'
import { command, writeLetters } from '../dlq/letters.ts'

const page = join(import.meta.dirname, '..', '..', 'docs', 'dead-letters.md')
const folder = temporaryDirectory()
afterAll(() => folder.remove())

interface Step {
  readonly line: string
  readonly args: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const stepsOf = (text: string): readonly Step[] =>
  [...text.matchAll(/^```console\n([^]*?)^```/gm)].flatMap(([, block]) =>
    block!
      .split(/^\$ millrace /m)
      .slice(1)
      .map((part): Step => {
        const [first = '', ...output] = part.trimEnd().split('\n')
        const [line = '', comment = ''] = first.split(/ +# /)
        const words = [...line.matchAll(/'([^']*)'|(\S+)/g)]
        const isTold = (shown: string): boolean => shown.startsWith('millrace: ')
        return {
          line,
          args: words.map(([, quoted, plain]) => quoted ?? plain!),
          exitCode: Number(/^exit code (\d+)$/.exec(comment)?.[1] ?? 0),
          stdout: output.filter((shown) => !isTold(shown)).join('\n'),
          stderr: output.filter(isTold).join('\n'),
        }
      }),
  )

const pattern = (expected: string): RegExp => {
  const lines = expected.split('\n').map((line) =>
    line === '…'
      ? '[^]*'
      : line
          .split('…')
          .map((text) => RegExp.escape(text))
          .join('.*'),
  )
  return new RegExp(`^${lines.join('\n')}$`)
}

it('the walk-through', async () => {
  const stateDir = join(folder.path, 'demo')
  mkdirSync(stateDir)
  writeFileSync(join(folder.path, 'mended.json'), command('order-0'))
  {
    await using parts = new AsyncDisposableStack()
    const broker = await openEmbeddedBroker(
      { stateDir, stateMemoryBytes: 64 << 20, fsync: false },
      parts,
    )
    await writeLetters(broker, 3, Date.now())
  }
  const steps = stepsOf(readFileSync(page, 'utf8'))
  expect(steps.length).toBeGreaterThan(8)
  for (const { line, args, exitCode, stdout, stderr } of steps) {
    const ended = await millrace(args, { cwd: folder.path })
    expect([ended.exitCode, ended.stderr], line).toEqual([exitCode, ended.stderr])
    expect(ended.stdout.trimEnd(), line).toMatch(pattern(stdout))
    expect(ended.stderr.trimEnd(), line).toMatch(pattern(stderr))
  }
}, 300_000)
