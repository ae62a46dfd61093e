/**
 * The notifications flow: what the orders flow has to tell, to the customer's place in the topic.
 *
 * A branch of the orders flow, in its tasks: a notification becomes visible with the decision it is
 * about. Delivers nothing; the topic is the interface. Part of `shop.ts`.
 */

import { mapValues, type Observable, ofKind, type StreamRecord, to } from '../../../src/index.ts'
import type { OrderOutput } from '../orders/topology.ts'
import { notifications } from '../shared/topics.ts'

/** @param decided$  by the orders flow */
export const notificationsFlow = (
  decided$: Observable<StreamRecord<string, OrderOutput>>,
): readonly Observable<unknown>[] => [
  decided$.pipe(
    ofKind('notification'),
    mapValues(({ message }) => message),
    to(notifications, ({ value }) => value.data.customerId),
  ),
]
