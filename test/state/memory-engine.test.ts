import { describe, expect, it } from 'vitest'
import { StoreClosedError, StoreFullError, StoreLockedError } from '../../state/errors.ts'
import { bytesFromLatin1 } from '../../state/key-layout.ts'
import { MemoryDisk } from '../../state/memory/memory-disk.ts'
import { MemoryEngine } from '../../state/memory/memory-engine.ts'
import { batchOf, drain, engineContract } from '../contract/engine-contract.ts'

engineContract(
  'memory',
  async () => {
    const disk = new MemoryDisk()
    return { open: async () => MemoryEngine.create(disk), dispose: async () => {} }
  },
  { reopen: true },
)

const all = { gte: new Uint8Array(), lt: Uint8Array.of(255) }

describe('memory disk', () => {
  it('keeps committed rows over a crash and refuses the engine that died', async () => {
    const disk = new MemoryDisk()
    const first = MemoryEngine.create(disk)
    await first.commit(batchOf({ a: '1' }))
    expect(() => MemoryEngine.create(disk)).toThrow(StoreLockedError)
    disk.crash()
    const second = MemoryEngine.create(disk)
    expect(() => first.get(bytesFromLatin1('a'))).toThrow(StoreClosedError)
    await expect(first.commit(batchOf({ a: '2' }))).rejects.toThrow(StoreClosedError)
    await first.close() // the dead engine's close must not release the lock of the second
    expect(() => MemoryEngine.create(disk)).toThrow(StoreLockedError)
    expect(drain(second.scan(all))).toEqual(['a=1'])
  })

  it('loses commits whole that had not been written at the crash', async () => {
    const disk = new MemoryDisk()
    const engine = MemoryEngine.create(disk)
    let open = (): void => {}
    disk.beforeCommit = () => new Promise<void>((resolve) => (open = resolve))
    const inFlight = engine.commit(batchOf({ a: '1', b: '2' }))
    const behind = engine.commit(batchOf({ c: '3' }))
    await new Promise(setImmediate)
    disk.crash()
    open()
    await expect(inFlight).rejects.toThrow(StoreClosedError)
    await expect(behind).rejects.toThrow(StoreClosedError)
    expect(drain(MemoryEngine.create(disk).scan(all))).toEqual([])
  })

  it('fails a commit by its gate, unwritten, and takes the next', async () => {
    const disk = new MemoryDisk()
    const engine = MemoryEngine.create(disk)
    disk.beforeCommit = () => {
      disk.beforeCommit = undefined
      throw new StoreFullError('(memory)')
    }
    await expect(engine.commit(batchOf({ a: '1' }))).rejects.toThrow(StoreFullError)
    await engine.commit(batchOf({ b: '2' }))
    expect(drain(engine.scan(all))).toEqual(['b=2'])
  })
})
