/** What the brokers must speak; asked once, so that an old cluster is named instead of misread. */

import { type apiVersionsV3 } from '@platformatic/kafka'
import { BrokerError } from '../../errors.ts'

type Answer = apiVersionsV3.ApiVersionsResponse

const needed: readonly (readonly [name: string, key: number, version: number])[] = [
  ['Produce', 0, 12],
  ['Fetch', 1, 17],
  ['ListOffsets', 2, 9],
  ['Metadata', 3, 12],
  ['OffsetFetch', 9, 9],
  ['FindCoordinator', 10, 6],
  ['EndTxn', 26, 5],
  ['TxnOffsetCommit', 28, 5],
]

/** @throws {BrokerError} BROKER_INVALID_REQUEST: the cluster must be upgraded */
export const checkVersions = ({ apiKeys, finalizedFeatures }: Answer): void => {
  const versions = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
  const missing = needed
    .filter(([, key, version]) => (versions.get(key) ?? -1) < version)
    .map(([name, , version]) => `${name} v${version}`)
  if (missing.length > 0) {
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      `Kafka 4.0 or newer is needed; these brokers lack ${missing.join(', ')}`,
    )
  }
  const transactions = finalizedFeatures?.find(({ name }) => name === 'transaction.version')
  if ((transactions?.maxVersionLevel ?? 0) < 2) {
    throw new BrokerError(
      'BROKER_INVALID_REQUEST',
      'the cluster has not enabled transactions v2: '
        + 'kafka-features.sh upgrade --feature transaction.version=2',
    )
  }
}
