/**
 * Goal: kill -9 at any moment leaves rows and position of one and the same generation, and no
 * acknowledged commit is lost.
 * Method: a child process commits without pause and prints what was acknowledged; it is killed
 * after a random time, the database is opened and checked, and the next child goes on with it.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'

const kills = 12

/** Starts a child, kills it `afterMs` after its first commit; the last number it acknowledged. */
const runAndKill = async (directory: string, afterMs: number): Promise<number> => {
  const script = new URL('./rocks-crash-child.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect({ code, signal, errors }).toEqual({ code: null, signal: 'SIGKILL', errors: '' })
  const complete = output.slice(0, output.lastIndexOf('\n')).split('\n')
  return Number(complete.at(-1))
}

it(`survives ${kills} times kill -9 during commits`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  let before = 0
  for (let round = 0; round < kills; round++) {
    const acknowledged = await runAndKill(directory, Math.random() * 60)
    expect(acknowledged).toBeGreaterThan(before)

    const engine = await RocksEngine.open(directory, { memoryBytes: 6 << 20 })
    const read = (key: string): number => Number(String(engine.get(Buffer.from(key)) ?? '0'))
    const position = read('position')
    expect(position).toBeGreaterThanOrEqual(acknowledged)
    for (let i = 0; i < 5; i++) expect(read(`few-${i}`)).toBe(position)
    for (let i = 0; i < 1000; i += 37) expect(read(`many-${i}`)).toBe(position - (position % 3))
    await engine.close()
    before = position
  }
  rmSync(directory, { recursive: true, force: true })
}, 60_000)
