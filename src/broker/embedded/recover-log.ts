/**
 * Opens a log as an earlier start of the broker left it: one point read and three short scans.
 *
 * Called by `TopicRegistry` at start. The end is found from the last row, or from the partition
 * row where a purge removed all rows.
 */

import type { Engine } from '../../../state/engine.ts'
import { type LeaderEpoch, PartitionLog, type PartitionLogOptions } from './partition-log.ts'
import {
  decodeAborted,
  decodeCount,
  decodeJson,
  logRange,
  offsetOfKey,
  partitionKey,
  type PartitionRow,
} from './rows.ts'

export const recoverLog = (engine: Engine, options: PartitionLogOptions): PartitionLog => {
  const row = engine.get(partitionKey(options.logId))
  const partition = row === undefined ? newPartitionRow : decodeJson<PartitionRow>(row)
  const endOffset = Math.max(partition.highWatermark, lastOffset(engine, options.logId) + 1)
  const epochs = recoverEpochs(engine, options.logId)
  const log = new PartitionLog({ ...options, recovered: { ...partition, endOffset, epochs } })
  recoverAborted(engine, log)
  return log
}

const newPartitionRow: PartitionRow = {
  logStartOffset: 0,
  highWatermark: 0,
  cleanedUntilOffset: 0,
  cleanRecordCount: 0,
}

const lastOffset = (engine: Engine, logId: number): number => {
  const cursor = engine.scan({ ...logRange('batch', logId), reverse: true, limit: 1 })
  try {
    const [row] = cursor.next(1)
    return row === undefined ? -1 : offsetOfKey(row[0])
  } finally {
    cursor.close()
  }
}

const recoverEpochs = (engine: Engine, logId: number): readonly LeaderEpoch[] => {
  const epochs: LeaderEpoch[] = []
  const cursor = engine.scan(logRange('epoch', logId))
  try {
    for (let rows = cursor.next(256); rows.length > 0; rows = cursor.next(256)) {
      for (const [key, value] of rows) {
        epochs.push({ leaderEpoch: offsetOfKey(key), startOffset: decodeCount(value) })
      }
    }
  } finally {
    cursor.close()
  }
  return epochs
}

const recoverAborted = (engine: Engine, log: PartitionLog): void => {
  const cursor = engine.scan(logRange('aborted', log.logId))
  try {
    for (let rows = cursor.next(256); rows.length > 0; rows = cursor.next(256)) {
      for (const [key, value] of rows) {
        const { producerId, firstOffset } = decodeAborted(value)
        log.aborted.add(producerId, { firstOffset, markerOffset: offsetOfKey(key) })
      }
    }
  } finally {
    cursor.close()
  }
}
