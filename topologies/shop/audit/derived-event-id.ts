/**
 * The id that an event must have: it names its aggregate and its step, so that an event whose type,
 * version or subject was changed does not fit its id any more.
 *
 * Asked by `rebuild-order.ts`. States again what the makers of events state (`new-event.ts`), on
 * purpose: a check that called them would agree with whatever they do.
 */

import type { ShopEvent } from '../shared/events.ts'
import { uuidV5 } from '../shared/ids.ts'

/** @returns undefined for events of stock alone, which no order is rebuilt from */
export const derivedEventId = ({
  eventType,
  aggregateId,
  aggregateVersion,
  data,
  metadata,
}: ShopEvent): string | undefined => {
  if ('refundId' in data) return uuidV5(aggregateId, `${eventType}:${data.refundId}`)
  if ('holdId' in data) return uuidV5(aggregateId, `${eventType}:${data.holdId}`)
  // any number of them may meet one version
  if (eventType === 'order.update-refused') {
    return uuidV5(aggregateId, `${eventType}:${metadata.causationId}`)
  }
  if (eventType.startsWith('order.') || eventType === 'shipment.status-updated') {
    return uuidV5(aggregateId, `${eventType}:${aggregateVersion}`)
  }
  return 'orderId' in data ? uuidV5(aggregateId, eventType) : undefined
}
