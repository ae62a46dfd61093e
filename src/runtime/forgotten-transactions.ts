/**
 * Frees what a broker forgot to end of an aborted transaction, before anybody waits for it.
 *
 * Called right after a producer was initialised, of this instance or of a member that vanished. A
 * transaction that stays open in a partition holds up everyone who reads only what is committed:
 * offsets are never stable, changelogs are never restored to their ends.
 */

import type { TransactionalProducer, WrittenPlaces } from '../broker/port.ts'
import type { Logger } from '../logger.ts'

/** @throws {BrokerError} as `TransactionalProducer.abort`; initialise the producer again */
export const releaseForgotten = async (
  producer: TransactionalProducer,
  places: WrittenPlaces,
  logger: Logger,
): Promise<void> => {
  const { released, held } = (await producer.releaseForgotten?.(places)) ?? nothing
  const { transactionalId } = producer
  if (released.length > 0) {
    const details = { transactionalId, partitions: released.map(nameOf) }
    logger.warn(details, 'the brokers had left an aborted transaction open: it is ended now')
  }
  if (held.length > 0) {
    logger.warn(
      { transactionalId, partitions: held.map(nameOf) },
      'an open transaction holds these partitions up: they are waited for; if it is not ended '
        + 'within its time-out, see `kafka-transactions.sh find-hanging` of the brokers',
    )
  }
}

const nothing = { released: [], held: [] }

const nameOf = ({ topic, partition }: WrittenPlaces['partitions'][number]): string =>
  `${topic}-${partition}`
