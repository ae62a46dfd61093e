/**
 * What the brokers must speak; asked once, so that a cluster that is too old is named instead of
 * misread.
 *
 * 1. Of every request one version is spoken, which Kafka 3.6 to 4 have in common, so nothing is to
 * be negotiated with each broker while a cluster is upgraded; transactions choose theirs at `init`
 * (see `transactions.ts`). 2. AddPartitionsToTxn v4 is the brokers' own: those that have it verify
 * that a record belongs to an open transaction before they append it. Before that a late record of
 * an aborted transaction could be committed with the next one, which no client can prevent.
 */

import type { apiVersionsV3 } from '@platformatic/kafka'
import { BrokerError } from '../../errors.ts'

type Answer = apiVersionsV3.ApiVersionsResponse

const needed: readonly (readonly [name: string, key: number, version: number])[] = [
  ['Produce', 0, 9],
  ['Fetch', 1, 15],
  ['ListOffsets', 2, 8],
  ['Metadata', 3, 12],
  ['OffsetFetch', 9, 8],
  ['FindCoordinator', 10, 4],
  ['JoinGroup', 11, 9],
  ['InitProducerId', 22, 4],
  ['AddPartitionsToTxn', 24, 4],
  ['AddOffsetsToTxn', 25, 3],
  ['EndTxn', 26, 3],
  ['TxnOffsetCommit', 28, 3],
]

/** @throws {BrokerError} BROKER_INVALID_REQUEST: the cluster, or Millrace, must be upgraded */
export const checkVersions = ({ apiKeys }: Answer): void => {
  const ranges = new Map(apiKeys.map(({ apiKey, ...range }) => [apiKey, range]))
  const tooOld = needed.filter(([, key, version]) => (ranges.get(key)?.maxVersion ?? -1) < version)
  if (tooOld.length > 0) {
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `Kafka 3.6 or newer is needed; these brokers lack ${namesOf(tooOld)}`,
    )
  }
  const tooNew = needed.filter(([, key, version]) => ranges.get(key)!.minVersion > version)
  if (tooNew.length > 0) {
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `these brokers are too new for this Millrace: they dropped ${namesOf(tooNew)}`,
    )
  }
}

const namesOf = (apis: typeof needed): string =>
  apis.map(([name, , version]) => `${name} v${version}`).join(', ')
