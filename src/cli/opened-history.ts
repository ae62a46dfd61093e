/**
 * An order's story with its personal data as it was given, or `[erased]`: for people.
 *
 * What `rebuilt` compared stays as it is stored.
 */

import type { HistoryEntry, OrderHistory } from '../../topologies/shop/http/shop-access.ts'
import type { PersonalData } from '../../topologies/shop/personal/personal-data.ts'

/** @throws {PersonalDataError} a key is missing, or is not the right one */
export const openedHistory = async (
  personal: Pick<PersonalData, 'opened'>,
  { order, events, ...rest }: OrderHistory,
): Promise<OrderHistory> => ({
  ...(order !== undefined && { order: await personal.opened(order) }),
  events: await Promise.all(
    events.map(async (event): Promise<HistoryEntry> => {
      const data = event.data as { readonly orderId: string }
      return { ...event, data: await personal.opened(data) }
    }),
  ),
  ...rest,
})
