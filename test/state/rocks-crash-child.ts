/**
 * The victim of `rocks-crash.test.ts`: commits generation after generation until it is killed.
 *
 * Generation n writes n to a few keys and to the position, every third one to many keys as well,
 * so that both ways of the writer are used. Each acknowledged n is printed.
 */

import { writeSync } from 'node:fs'
import { RocksEngine } from '../../state/rocksdb/rocks-engine.ts'
import { WriteBatch } from '../../state/write-batch.ts'

const none = new Uint8Array()
const positionKey = Buffer.from('position')
const engine = await RocksEngine.open(process.argv[2]!, { memoryBytes: 6 << 20 })
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
