/**
 * The victim of `durable-engine-contract.ts`: commits one generation after the other until it is
 * killed. Arguments: the kind of engine, the directory.
 *
 * Generation n writes n to a few keys and to the position, every third one to many keys as well,
 * so that both ways of a writer are used. Each acknowledged n is printed.
 */

import { writeSync } from 'node:fs'
import type { DiskEngine } from '../../state/made-by.ts'
import { WriteBatch } from '../../state/write-batch.ts'
import { openEngineKind } from './engine-kinds.ts'

const none = new Uint8Array()
const positionKey = Buffer.from('position')
const engine = await openEngineKind(process.argv[2] as DiskEngine, process.argv[3]!)
const stored = engine.get(positionKey)
let generation = stored === undefined ? 0 : Number(Buffer.from(stored).toString())

const commit = async (): Promise<void> => {
  const previous = generation === 0 ? undefined : Buffer.from(String(generation))
  const n = ++generation
  const value = Buffer.from(String(n))
  const batch = new WriteBatch()
  batch.expect(none, positionKey, previous)
  for (let i = 0; i < 5; i++) batch.put(none, Buffer.from(`few-${i}`), value)
  for (let i = 0; i < 1000 && n % 3 === 0; i++) batch.put(none, Buffer.from(`many-${i}`), value)
  batch.put(none, positionKey, value)
  await engine.commit(batch)
  writeSync(1, `${n}\n`)
}

const chain = async (): Promise<never> => {
  for (;;) await commit()
}
await Promise.all([chain(), chain()]) // two in flight, as the pipelined commit may have
