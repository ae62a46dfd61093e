import { MemoryDisk } from '../../state/memory/memory-disk.ts'

/** The same rows on another disk: a backup, or a directory that was copied. */
export const copyOf = (disk: MemoryDisk): MemoryDisk => {
  const copy = new MemoryDisk()
  for (const [key, value] of disk.rows) copy.write(key, value)
  return copy
}
