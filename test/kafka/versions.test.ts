/** Which brokers are spoken to: ranges are those that the jars of these versions name. */

import { describe, expect, it } from 'vitest'
import { checkVersions } from '../../src/broker/kafka/protocol/versions.ts'
import { transactionRequests } from '../../src/broker/kafka/protocol/transactions.ts'

type Ranges = Readonly<Record<number, readonly [min: number, max: number]>>

const kafka36: Ranges = {
  0: [0, 9],
  1: [0, 15],
  2: [0, 8],
  3: [0, 12],
  9: [0, 8],
  10: [0, 4],
  11: [0, 9],
  22: [0, 4],
  24: [0, 4],
  25: [0, 3],
  26: [0, 3],
  28: [0, 3],
}
const kafka43: Ranges = {
  0: [3, 13],
  1: [4, 18],
  2: [1, 11],
  3: [0, 13],
  9: [1, 10],
  10: [0, 6],
  11: [0, 9],
  22: [0, 5],
  24: [0, 5],
  25: [0, 4],
  26: [0, 5],
  28: [0, 5],
}

const check = (ranges: Ranges) => () =>
  checkVersions({
    errorCode: 0,
    throttleTimeMs: 0,
    apiKeys: Object.entries(ranges).map(([apiKey, [minVersion, maxVersion]]) => ({
      apiKey: Number(apiKey),
      name: apiKey,
      minVersion,
      maxVersion,
    })),
  })

describe('versions of brokers', () => {
  it('of Kafka 3.6 and 4.3 will do', () => {
    expect(check(kafka36)).not.toThrow()
    expect(check(kafka43)).not.toThrow()
  })

  it('of Kafka 3.5 are refused: it does not verify transactions', () => {
    expect(check({ ...kafka36, 24: [0, 3] })).toThrow(
      'Kafka 3.6 or newer is needed; these brokers lack AddPartitionsToTxn v4',
    )
  })

  it('of a Kafka that dropped ours are refused, and say so', () => {
    expect(check({ ...kafka43, 9: [9, 12] })).toThrow('too new for this Millrace')
  })
})

describe('the version of transactions', () => {
  const isJoinedAhead = (...levels: readonly number[]) =>
    transactionRequests({
      finalizedFeatures: levels.map((level) => ({
        name: 'transaction.version',
        maxVersionLevel: level,
        minVersionLevel: level,
      })),
    }).isJoinedAhead

  it('is 2 only where the cluster has finalized it', () => {
    expect(isJoinedAhead()).toBe(true)
    expect(isJoinedAhead(1)).toBe(true)
    expect(isJoinedAhead(2)).toBe(false)
  })
})
